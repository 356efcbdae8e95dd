"""Chunks are verbatim and apart, cut no sentence, item or row, and keep the budget."""

import re
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from corpus.chunks import TOKEN_BUDGET, count_tokens, split
from corpus.folder import SHIPPED, load
from corpus.records import Article, Span
from corpus.sentences import quotable, sentences

_WORDS = [
    "惠州",
    "医保",
    "门诊",
    "报销",
    "备案",
    "比例是",
    "80%",
    "3.5万元",
    "（急诊除外。）",
    "“能报。”",
    "（",
    "a.b",
]
_phrase = st.lists(st.sampled_from(_WORDS), min_size=1, max_size=4).map("".join)
_sentence = st.builds(
    str.__add__, _phrase, st.sampled_from(["。", "？", "；", "！", "：", "……", ". "])
)
_paragraph = st.lists(_sentence, min_size=1, max_size=5).map("".join)
_line = st.one_of(
    _paragraph,
    _paragraph,
    st.builds("{} {}".format, st.sampled_from(["#", "##", "###"]), _phrase),
    st.builds(
        "{}{}".format,
        st.sampled_from(["- ", "• ", "1. ", "12、", "（一）", "①", "  * "]),
        _paragraph,
    ),
    st.builds("| {} | {} |".format, _phrase, _paragraph),
    st.builds("{}：".format, _phrase),
    st.sampled_from(["", "　", "\u2028", "\u3000一句\u2028两行。"]),
)
bodies = st.lists(_line, min_size=1, max_size=10).map("\n".join).filter(str.strip)
budgets = st.sampled_from([1, 8, 30, TOKEN_BUDGET])
_WHOLE = re.compile(r"\s*(?:#{1,6} |[-•*] |\d+[.、]|（一）|①|\|)")


def made(body: str) -> Article:
    return Article("a", "题", body)


def line_spans(body: str) -> list[Span]:
    """The lines of a body without the white space around them."""
    found = []
    for match in re.finditer(r"[^\n]+", body):
        text = match.group()
        if text.strip():
            start = match.start() + len(text) - len(text.lstrip())
            found.append(Span(start, start + len(text.strip())))
    return found


def leads_in(text: str) -> bool:
    return text.startswith("#") or text.endswith(("：", ":"))


@settings(max_examples=40, deadline=None)
@given(bodies, budgets)
@example("一句\u2028两行很长。\x0c第二句。", 1)
def test_chunks_are_verbatim_rising_and_apart(body: str, budget: int) -> None:
    article = made(body)
    chunks = split(article, budget)
    for chunk in chunks:
        chunk.check(article)
        assert chunk.text == chunk.text.strip()
    assert all(a.end <= b.start for a, b in pairwise(chunks))
    assert len({chunk.id for chunk in chunks}) == len(chunks)
    between = [body[a.end : b.start] for a, b in pairwise(chunks)]
    assert not "".join(between).strip()
    assert not body[: chunks[0].start].strip()
    assert not body[chunks[-1].end :].strip()


@settings(max_examples=40, deadline=None)
@given(bodies, budgets)
@example("一句\u2028两行很长。\x0c第二句。", 1)
def test_no_sentence_item_row_or_heading_is_cut(body: str, budget: int) -> None:
    chunks = split(made(body), budget)
    uncut = quotable(body) + [s for s in line_spans(body) if _WHOLE.match(s.of(body))]
    for span in uncut:
        assert sum(c.start <= span.start and span.end <= c.end for c in chunks) == 1, span.of(body)


@settings(max_examples=40, deadline=None)
@given(bodies, budgets)
def test_the_budget_is_kept_unless_one_block_is_larger(body: str, budget: int) -> None:
    for chunk in split(made(body), budget):
        if count_tokens(chunk.text) <= budget:
            continue
        blocks: list[str] = []
        for line in line_spans(chunk.text):
            text = line.of(chunk.text)
            cut = count_tokens(text) > budget and not _WHOLE.match(text)
            blocks += [s.of(text).strip() for s in sentences(text)] if cut else [text]
        assert all(leads_in(block) for block in blocks if block and block != blocks[-1]), chunk.text


@settings(max_examples=40, deadline=None)
@given(bodies, budgets)
def test_a_heading_or_lead_in_stays_with_what_follows(body: str, budget: int) -> None:
    for chunk in split(made(body), budget)[:-1]:
        last = chunk.text.rsplit("\n", 1)[-1]
        assert not leads_in(last), chunk.text


@settings(max_examples=15, deadline=None)
@given(bodies)
def test_cutting_is_deterministic(body: str) -> None:
    assert split(made(body)) == split(made(body))


def test_the_heading_path_follows_the_levels() -> None:
    body = "# 甲\n一。\n## 乙\n二。\n### 丙\n三。\n## 丁\n四。"
    paths = [chunk.heading_path for chunk in split(made(body), 3)]
    assert paths == [("甲",), ("甲", "乙"), ("甲", "乙", "丙"), ("甲", "丁")]


def test_a_long_paragraph_is_cut_between_sentences() -> None:
    body = "门诊费用可以报销。" * 60
    chunks = split(made(body), 40)
    assert len(chunks) > 5
    assert all(chunk.text.endswith("。") and count_tokens(chunk.text) <= 40 for chunk in chunks)


def test_a_list_item_over_the_budget_stays_whole() -> None:
    item = "- " + "门诊费用可以报销。" * 60
    assert [chunk.text for chunk in split(made(f"办法：\n{item}\n完。"), 40)] == [
        f"办法：\n{item}",
        "完。",
    ]


def test_a_budget_below_one_is_refused(article: Article) -> None:
    with pytest.raises(ValueError, match="at least 1, not 0"):
        split(article, 0)


def test_every_sentence_of_the_shipped_articles_is_in_one_chunk() -> None:
    for article in load(SHIPPED):
        chunks = split(article)
        for span in quotable(article.body, truncated=article.truncated):
            assert sum(c.start <= span.start and span.end <= c.end for c in chunks) == 1
        assert all(count_tokens(chunk.text) <= TOKEN_BUDGET for chunk in chunks), article.id
