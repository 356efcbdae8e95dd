"""Which sentences are quoted, with what they need to be understood, and in which order."""

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chatbot.evidence import Sentence, Source
from chatbot.select import MAX_LENGTH, MAX_QUOTES, MAX_SOURCES, choose
from corpus.records import Article
from corpus.sentences import quotable


def source(
    body: str,
    scores: Sequence[float] | dict[str, float] = (),
    *,
    name: str = "a",
    score: float = 1.0,
    truncated: bool = False,
) -> Source:
    """An article with a score for each sentence: by order, or by its beginning; else 0.9."""
    article = Article(id=name, title=f"题{name}", body=body, truncated=truncated)

    def scored(order: int, text: str) -> float:
        if isinstance(scores, dict):
            return next((s for begin, s in scores.items() if text.startswith(begin)), 0.1)
        return scores[order] if order < len(scores) else 0.9

    sentences = tuple(
        Sentence(span, order, scored(order, span.of(body)), 0.9, 0.9, 0.9, 1.0)
        for order, span in enumerate(quotable(body, truncated=truncated))
    )
    return Source(article, score, 1.0, 1.0, 1.0, 1.0, 1.0, sentences)


def quoted(*sources: Source) -> list[str]:
    return [quote.text for quote in choose(sources)]


def test_without_sources_there_is_nothing_to_quote():
    assert choose([]) == []


def test_only_sentences_near_the_best_one_are_quoted():
    body = "住院报销要办登记。天气不错今天晴朗。"
    assert quoted(source(body, [0.9, 0.2])) == ["住院报销要办登记。"]


def test_quotes_stand_in_the_order_of_the_text_whatever_their_scores():
    body = "先到窗口登记。再交身份证。最后等短信通知。"
    assert quoted(source(body, [0.6, 0.7, 0.9])) == [
        "先到窗口登记。",
        "再交身份证。",
        "最后等短信通知。",
    ]


def test_the_best_article_comes_first():
    better, worse = (
        source("住院先登记。", name="b"),
        source("门诊要带医保卡。", name="a", score=0.95),
    )
    assert quoted(better, worse) == ["住院先登记。", "门诊要带医保卡。"]


def test_an_article_that_fits_much_less_is_not_quoted():
    assert quoted(source("住院先登记。"), source("门诊要带卡。", name="b", score=0.5)) == [
        "住院先登记。"
    ]


def test_at_most_three_articles_are_quoted():
    words = [
        "住院先登记。",
        "门诊要带医保卡。",
        "津贴由单位申领。",
        "备案打开手机。",
        "特药去定点药店。",
    ]
    found = choose([source(text, name=str(n)) for n, text in enumerate(words)])
    assert len({quote.article.id for quote in found}) == MAX_SOURCES


LIST = "办理时要带：\n- 身份证原件。\n- 近期照片两张。\n\n窗口中午休息。"


def test_a_lead_in_comes_with_its_items():
    assert quoted(source(LIST, {"办理时": 0.9})) == [
        "办理时要带：",
        "身份证原件。",
        "近期照片两张。",
    ]


def test_an_item_comes_with_its_lead_in_and_the_rest_of_a_short_list():
    assert quoted(source(LIST, {"近期": 0.9})) == ["办理时要带：", "身份证原件。", "近期照片两张。"]


def test_an_item_of_a_long_list_comes_with_its_lead_in_alone():
    items = [
        f"材料{char}" + "".join(chr(0x5000 + 90 * n + at) for at in range(80))
        for n, char in enumerate("甲乙丙")
    ]
    body = "办理时要带：\n" + "\n".join(f"- {item}。" for item in items)
    assert quoted(source(body, {"材料乙": 0.9})) == ["办理时要带：", f"{items[1]}。"]


@pytest.mark.parametrize("body", ["办理时要带：", "办理时要带：\n\n## 别的\n身份证原件。"])
def test_a_lead_in_without_items_is_not_quoted(body: str):
    assert "办理时要带：" not in quoted(source(body))


def test_a_list_ends_at_the_next_heading_and_the_next_lead_in():
    body = "要带：\n- 身份证。\n还要填：\n- 申请表。\n\n## 时间\n- 三天办好。"
    assert quoted(source(body, {"要带": 0.9})) == ["要带：", "身份证。"]


def test_a_sentence_that_points_back_comes_with_what_it_points_to():
    body = "住院押金由本人先付。该笔押金出院时退还。"
    assert quoted(source(body, {"该笔": 0.9})) == ["住院押金由本人先付。", "该笔押金出院时退还。"]


def test_a_chain_that_points_back_comes_whole():
    body = "押金由本人先付。它在出院时退还。但是需要收据。"
    assert quoted(source(body, {"但是": 0.9})) == [
        "押金由本人先付。",
        "它在出院时退还。",
        "但是需要收据。",
    ]


@pytest.mark.parametrize(
    "body",
    [
        "该笔押金出院时退还。",
        "押金由本人先付。\n\n## 退还\n该笔押金出院时退还。",
        "押金由本人先付。\n\n该笔押金出院时退还。",
        "押金谁来付？该笔押金出院时退还。",
    ],
)
def test_a_sentence_that_points_to_nothing_quotable_is_left_out(body: str):
    assert quoted(source(body, {"该笔": 0.9, "押金": 0.0})) in ([], ["押金由本人先付。"])


def test_questions_are_never_quoted():
    assert quoted(source("住院怎么登记？到窗口登记。")) == ["到窗口登记。"]


def test_headings_are_not_quoted_as_sentences():
    assert quoted(source("## 住院登记\n到窗口办。")) == ["到窗口办。"]


def test_a_heading_that_names_an_office_stands_before_its_sentences():
    body = "## 城东社区医院\n周一到周五上班。\n每天下午抽血。"
    assert quoted(source(body)) == ["城东社区医院", "周一到周五上班。", "每天下午抽血。"]


def test_what_was_said_is_not_said_again():
    first = source("住院报销前要先到窗口办登记。")
    again = source("住院报销之前要先到窗口办登记。", name="b", score=0.95)
    assert quoted(first, again) == ["住院报销前要先到窗口办登记。"]


def test_another_figure_is_no_repetition():
    one = source("居民住院报销比例是71%。")
    two = source("居民住院报销比例是82%。", name="b", score=0.95)
    assert quoted(one, two) == ["居民住院报销比例是71%。", "居民住院报销比例是82%。"]


SUBJECTS = "津门药床血牙眼骨肺肝肾胃"


def test_the_number_of_quotes_is_limited():
    body = "".join(f"{char * 2}{chr(0x4E10 + n)}类。" for n, char in enumerate(SUBJECTS))
    assert len(quoted(source(body))) == MAX_QUOTES


def test_the_length_of_all_quotes_is_limited():
    parts = [
        f"第{char}类" + "".join(chr(0x5000 + 130 * n + at) for at in range(120)) + "。"
        for n, char in enumerate(SUBJECTS[:5])
    ]
    found = quoted(source("".join(parts)))
    assert len(found) == 2
    assert sum(map(len, found)) <= MAX_LENGTH


def test_one_long_sentence_is_quoted_whole():
    long = "".join(chr(0x5000 + at) for at in range(MAX_LENGTH + 50)) + "。"
    assert quoted(source(long)) == [long]


def test_the_broken_end_of_a_truncated_text_is_never_quoted():
    body = "定点每年可以改一次。线上改定点的人最多可以再选7"
    assert quoted(source(body, truncated=True)) == ["定点每年可以改一次。"]
    assert quoted(source(body)) == ["定点每年可以改一次。", "线上改定点的人最多可以再选7"]


def test_a_sentence_that_may_not_be_shown_takes_its_block_with_it():
    def allowed(_: Source, sentence: Sentence) -> bool:
        return sentence.order != 1

    one = source(LIST, {"办理时": 0.9, "窗口": 0.8})
    assert [quote.text for quote in choose([one], allowed)] == ["窗口中午休息。"]
    assert choose([one], lambda *_: False) == []


lines = st.sampled_from(
    [
        "## 办理",
        "## 城东医院",
        "办理时要带：",
        "- 身份证。",
        "- 社保卡。",
        "到窗口登记。再等通知。",
        "该笔费用退还。",
        "但是要收据。",
        "怎么办？",
        "",
        "报销71%。报销82%。",
        "（先备案。）可以报。",
        "1. 1. 先登记。",
    ]
)
scores = st.lists(st.floats(0, 1), max_size=20)
texts = (
    st.lists(lines, min_size=1, max_size=12).map("\n".join).filter(lambda text: bool(text.strip()))
)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(texts, scores, st.floats(0.1, 1)), min_size=1, max_size=4), st.booleans())
def test_every_quote_is_a_span_of_its_article_once_and_in_order(parts, truncated: bool):
    sources = [
        source(body, values, name=str(n), score=score, truncated=truncated)
        for n, (body, values, score) in enumerate(sorted(parts, key=lambda part: -part[2]))
    ]
    found = choose(sources)
    places = [(quote.article.id, quote.start) for quote in found]
    assert places == sorted(set(places))
    allowed = {(s.article.id, sentence.span.start) for s in sources for sentence in s.sentences}
    for quote in found:
        assert quote.text == quote.article.body[quote.start : quote.end] != ""
        assert "\n" not in quote.text
        assert (quote.article.id, quote.start) in allowed or quote.text == "城东医院"
    assert found == choose(sources)


@pytest.mark.parametrize(
    ("sentences", "first"),
    [
        (("门特是一种病种待遇。", "门特办理要3个工作日。"), "门特办理要3个工作日。"),
        (("门特办理看材料。", "例如门特办理要3个工作日。"), "门特办理看材料。"),
        (("门特办理看材料。", "正文却说门特办理要3个工作日。"), "门特办理看材料。"),
    ],
)
def test_the_sentence_that_decides_leads_unless_it_goes_on_from_another(
    sentences: tuple[str, str], first: str
):
    found = source("\n".join(sentences), [0.5, 0.6])
    quotes = choose([found], leads=True)
    assert quotes[0].text == first


def test_a_row_stays_below_the_rows_before_it():
    body = "住院按花费分档\n3000到5000元:90%\n5000到10000元:92%\n10000元以上:95%"
    quotes = choose([source(body, [0.5, 0.5, 0.5, 0.9])], leads=True)
    assert [quote.text for quote in quotes] == body.split("\n")
