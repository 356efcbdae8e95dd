"""Chunks are verbatim and apart, cut no sentence, item or row, and keep the budget."""

import re
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from corpus.chunks import TOKEN_BUDGET, count_tokens, split
from corpus.folder import SHIPPED, load
from corpus.records import Article, Chunk, Span
from corpus.sentences import quotable, sentences
from tests.conftest import needs_seeds

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
    st.builds("- {}\n  {}\n\t{}".format, _phrase, _paragraph, _phrase),
    st.builds("| 项目 | {} |\n|:--|---|\n| 住院 | {} |".format, _phrase, _paragraph),
    st.builds(
        "最高{}\n{}".format, st.integers(1, 90_000), st.sampled_from(["%。", "元。", "个月。"])
    ),
    st.sampled_from(["", "　", "\u2028", "\u3000一句\u2028两行。"]),
)
bodies = st.lists(_line, min_size=1, max_size=10).map("\n".join).filter(str.strip)
budgets = st.sampled_from([1, 8, 30, TOKEN_BUDGET])
# A list item with the indented lines below it that are no items, headings or rows.
_ITEM = re.compile(
    r"^[ \t]*(?:[-•*] |\d+[.、](?!\d)|（一）|①)[^\n]*\S[^\n]*"
    r"(?:\n(?: {2,}|\t)[ \t]*(?![-•*] |\d+[.、)）](?!\d)|[（(][一\d]+[）)]|[①•#|\s])"
    r"[^\n]*\S[^\n]*)*",
    re.MULTILINE,
)
_WHOLE = re.compile(r"\s*(?:#{1,6} |[-•*] |\d+[.、](?!\d)|（一）|①|\|)")


def made(body: str) -> Article:
    return Article("a", "题", body)


def line_spans(body: str) -> list[Span]:
    """The lines of a body without the white space around them."""
    found = []
    for match in re.finditer(r"[^\n]+", body):
        if match.group().strip():
            found.append(trimmed(*match.span(), match.group()))
    return found


def trimmed(start: int, end: int, text: str) -> Span:
    """A span without the white space around its text."""
    return Span(start + len(text) - len(text.lstrip()), end - len(text) + len(text.rstrip()))


def leads_in(text: str) -> bool:
    return text.startswith("#") or text.endswith(("：", ":"))


def check_whole(body: str, chunks: list[Chunk]) -> None:
    """Every sentence, item with its indented lines, row and heading lies in one chunk."""
    items = [trimmed(*m.span(), m.group()) for m in _ITEM.finditer(body)]
    uncut = quotable(body) + items + [s for s in line_spans(body) if _WHOLE.match(s.of(body))]
    for span in uncut:
        assert sum(c.start <= span.start and span.end <= c.end for c in chunks) == 1, span.of(body)


def check_ends(body: str, chunks: list[Chunk]) -> None:
    """No chunk ends with a heading, a lead-in, a table's head or a number whose unit follows."""
    for chunk, following in pairwise(chunks):
        last = chunk.text.rsplit("\n", 1)[-1]
        assert not leads_in(last), chunk.text
        assert not re.fullmatch(r"[|:\s-]*-[|:\s-]*", last), chunk.text
        assert not following.text.startswith(("|:--", "|--"))
        if re.search(r"\d$", chunk.text):
            assert not following.text.startswith(("%", "元", "万", "个", "年", "月")), chunk.text


def check_budget(chunks: list[Chunk], budget: int) -> None:
    """A chunk over the budget is one block that cannot be cut, with what leads in to it."""
    for chunk in chunks:
        if count_tokens(chunk.text) > budget:
            blocks = _uncut(chunk.text, budget)
            assert all(_must_go_on(a, b) for a, b in pairwise(blocks)), chunk.text


def _uncut(text: str, budget: int) -> list[str]:
    """The blocks of a chunk: lines, items with their lines, sentences of a long paragraph."""
    blocks: list[str] = []
    at = 0
    while at < len(text):
        item = _ITEM.match(text, at)
        table = re.compile(r"\|[^\n]*\n\|[:|\- ]*-[:|\- ]*(?=\n|$)").match(text, at)
        found = table or item
        line = found.group() if found else re.compile(r"[^\n]*").match(text, at).group()
        cut = not found and not _WHOLE.match(line) and count_tokens(line) > budget
        blocks += [s.of(line).strip() for s in sentences(line)] if cut else [line.strip()]
        at += len(line) + 1
    return [block for block in blocks if block]


def _must_go_on(block: str, following: str) -> bool:
    head = block.startswith("|") and bool(re.search(r"\n\|[:|\- ]+$", block))
    unit = bool(re.search(r"\d$", block)) and following.startswith(("%", "元", "个月"))
    return leads_in(block) or head or unit


@settings(max_examples=40, deadline=None)
@given(bodies, budgets)
@example("一句\u2028两行很长。\x0c第二句。", 1)
def test_no_sentence_item_row_or_heading_is_cut(body: str, budget: int) -> None:
    check_whole(body, split(made(body), budget))


@settings(max_examples=40, deadline=None)
@given(bodies, budgets)
@example("最高\n# 标题\n3\n万元。", 1)
def test_what_leads_in_stays_with_what_follows(body: str, budget: int) -> None:
    check_ends(body, split(made(body), budget))


@settings(max_examples=40, deadline=None)
@given(bodies, budgets)
@example("# 惠州\n- 惠州\n  惠州。\n\t（80%", 1)
def test_the_budget_is_kept_unless_one_block_is_larger(body: str, budget: int) -> None:
    check_budget(split(made(body), budget), budget)


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


@pytest.mark.parametrize("budget", [20, TOKEN_BUDGET])
def test_the_shipped_articles_are_cut_well(budget: int) -> None:
    for article in load(SHIPPED):
        chunks = split(article, budget)
        check_whole(article.body, chunks)
        check_ends(article.body, chunks)
        check_budget(chunks, budget)


@needs_seeds
@pytest.mark.parametrize("budget", [20, TOKEN_BUDGET])
def test_the_imported_pages_are_cut_well(seeds_corpus: Path, budget: int) -> None:
    articles = load(seeds_corpus)
    assert articles
    for article in articles:
        chunks = split(article, budget)
        check_whole(article.body, chunks)
        check_ends(article.body, chunks)
        check_budget(chunks, budget)


def test_no_shipped_chunk_is_over_the_budget() -> None:
    for article in load(SHIPPED):
        assert all(count_tokens(chunk.text) <= TOKEN_BUDGET for chunk in split(article)), article.id


def test_a_line_that_begins_with_a_decimal_is_no_item() -> None:
    body = "3.5万元是门槛。" + "门诊费用可以报销。" * 60
    chunks = split(made(body), 40)
    assert len(chunks) > 5
    assert all(count_tokens(chunk.text) <= 40 for chunk in chunks)


def test_an_item_keeps_its_indented_lines() -> None:
    body = "- 门诊：\n  一级医院60%。\n  二级医院50%。\n- 住院：85%。"
    assert [chunk.text for chunk in split(made(body), 1)] == [
        "- 门诊：\n  一级医院60%。\n  二级医院50%。",
        "- 住院：85%。",
    ]


def test_a_table_keeps_its_head_with_the_first_row() -> None:
    rows = ["| 项目 | 比例 |", "|---|---|", "| 门诊 | 60% |", "| 住院 | 85% |"]
    texts = [chunk.text for chunk in split(made("\n".join(rows)), 1)]
    assert texts == ["\n".join(rows[:3]), rows[3]]


def test_a_number_keeps_the_unit_of_the_next_line() -> None:
    texts = [chunk.text for chunk in split(made("一年最高报\n8\n万元。\n另算。"), 1)]
    assert texts == ["一年最高报", "8\n万元。", "另算。"]


@pytest.mark.parametrize("line", ["# 标题\n", "材料：\n", "| a |\n|--|\n", "8\n元\n"])
def test_thousands_of_lines_that_lead_in_take_no_time(line: str) -> None:
    body = line * 3_000
    assert "".join(chunk.text for chunk in split(made(body))).count(line[0]) == body.count(line[0])
