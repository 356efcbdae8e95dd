"""How an answer is put together: its parts, numbers, source lines and fixed sentences."""

import ast
import dataclasses
import re
import string
from pathlib import Path

import pytest
import yaml

from chatbot import compose, dialogue
from chatbot.compose import describe, has_place_bound_figure, say, templates
from chatbot.evidence import Source
from chatbot.records import DISCLAIMER, Answer, Kind, Quote, Retrieval, Slots
from corpus.records import Article, Audience, Authority, Status
from corpus.regions import mentions

CHATBOT = Path(compose.__file__).parent


def official(article: Article, **fields: object) -> Article:
    return dataclasses.replace(article, authority=Authority.OFFICIAL, **fields)  # type: ignore[arg-type]


def quote(article: Article, text: str) -> Quote:
    start = article.body.index(text)
    return Quote.of(article, start, start + len(text))


def source(article: Article) -> Source:
    return Source(article, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, ())


def turn_of(text: str) -> dialogue.Turn:
    return dialogue.read([], text)


@pytest.fixture
def other() -> Article:
    return Article(
        id="national",
        title="异地备案",
        body="先备案。再就医。",
        place=("全国",),
        authority=Authority.OFFICIAL,
    )


def answered(article: Article, other: Article, *notes: tuple[str, dict[str, str]]) -> Answer:
    first = official(article)
    quotes = [
        quote(first, "惠州每年9月至12月可以改门诊定点。"),
        quote(other, "先备案。"),
        quote(other, "再就医。"),
    ]
    return compose.answer(
        "惠州怎么改",
        turn_of("惠州怎么改"),
        Retrieval(("bm25",)),
        quotes,
        notes,
        [source(first), source(other)],
    )


def test_a_whole_answer_word_for_word(article: Article, other: Article):
    found = answered(article, other)
    assert found.kind is Kind.ANSWER
    assert found.text == (
        "【1】《惠州门诊定点医院怎么改》（适用地区：广东省惠州市；发布：2025-04-19；来源：健康新闻，官方）\n"
        "惠州每年9月至12月可以改门诊定点。[1]\n\n"
        "【2】《异地备案》（适用地区：全国；日期不明；来源：官方）\n"
        "先备案。[2]\n"
        "再就医。[2]\n\n"
        "本内容不能代替面诊，如有不适请尽快就医。"
    )


def test_citations_are_numbered_as_they_appear(article: Article, other: Article):
    found = answered(article, other)
    assert found.cited == (1, 2, 2)
    assert [(c.n, c.article_id) for c in found.citations] == [(1, "huizhou"), (2, "national")]
    assert found.slots.region == "广东省惠州市"
    assert found.retrieval == Retrieval(("bm25",))
    assert found.followups == ()


def test_reservations_stand_first_and_advice_last(article: Article, other: Article):
    found = answered(
        article, other, ("wider", {"asked": "深圳市", "place": "广东省"}), ("unplaced", {})
    )
    assert found.kind is Kind.CAVEAT
    lead, *_, closing, last = found.text.split("\n\n")
    assert lead == found.lead
    assert lead.startswith("没有找到深圳市的规定，下面是广东省的规定，供参考。")
    assert say("unplaced") in lead
    assert (
        closing
        == found.closing
        == "办理之前，请再问广东省惠州市医保局，或拨打医保服务热线12393核实。"
    )
    assert last == DISCLAIMER


def test_an_unofficial_source_brings_the_advice_to_ask_again(article: Article):
    found = compose.answer(
        "怎么改", turn_of("怎么改"), Retrieval(), [quote(article, "点“门诊选点登记”。")], [], []
    )
    assert found.closing == "办理之前，请再问参保地医保局，或拨打医保服务热线12393核实。"


def test_followups_are_other_titles_each_once(article: Article, other: Article):
    sources = [source(article), source(other), source(dataclasses.replace(other, id="again"))]
    sources += [source(dataclasses.replace(other, id=str(n), title=f"题{n}")) for n in range(5)]
    found = compose.answer(
        "问", turn_of("问"), Retrieval(), [quote(article, "新的定点")], [], sources
    )
    assert found.followups == ("异地备案", "题0", "题1")


@pytest.mark.parametrize(
    ("fields", "line"),
    [
        ({}, "适用地区：全国；日期不明；来源：官方"),
        ({"place": ()}, "适用地区：未注明；日期不明；来源：官方"),
        ({"audience": Audience.RESIDENT}, "适用地区：全国；适用：居民；日期不明；来源：官方"),
        ({"effective_year": "2024"}, "适用地区：全国；年份：2024；来源：官方"),
        ({"published": "2024-05-01"}, "适用地区：全国；发布：2024-05-01；来源：官方"),
        (
            {"source_name": "某报", "authority": Authority.MEDIA},
            "适用地区：全国；日期不明；来源：某报，媒体",
        ),
        ({"authority": Authority.UNVERIFIED}, "适用地区：全国；日期不明；来源：待核实"),
        ({"status": Status.SUPERSEDED}, "适用地区：全国；日期不明；来源：官方；已废止"),
    ],
)
def test_the_source_line(other: Article, fields: dict[str, object], line: str):
    assert describe(dataclasses.replace(other, **fields)) == line  # type: ignore[arg-type]


def test_refusing_names_the_covered_places_and_whom_to_ask_without_any_figure(article: Article):
    turn = turn_of("深圳职工门诊报多少")
    covered = [("广东省", "惠州市"), ("广东省", "广州市"), ("广东省", "惠州市")]
    found = compose.no_answer("问", turn, Retrieval(("bm25",)), [source(article)], covered)
    assert found.kind is Kind.NO_ANSWER
    assert "没有找到广东省深圳市的相关规定" in found.text
    assert "目前有资料的地方：广东省惠州市、广东省广州市。" in found.text
    assert "请问广东省深圳市医保局，或拨打医保服务热线12393。" in found.text
    assert not has_place_bound_figure(found.text)
    assert found.citations == found.quotes == ()


def test_at_most_six_places_are_named():
    covered = [("广东省", f"{char}市") for char in "甲乙丙丁戊己庚辛"]
    found = compose.no_answer("问", turn_of("深圳门诊"), Retrieval(), [], covered)
    assert "己市" in found.text
    assert "庚市" not in found.text


def test_refusing_without_a_place_says_that_nothing_was_found():
    found = compose.no_answer("问", turn_of("种牙"), Retrieval(), [], [])
    assert found.lead == say("no_answer")
    assert "参保地医保局" in found.closing


def test_asking_for_the_place_quotes_what_holds_everywhere(article: Article, other: Article):
    found = compose.clarify(
        "问", turn_of("怎么改"), Retrieval(), [source(article)], [quote(other, "先备案。")]
    )
    assert found.kind is Kind.CLARIFY
    assert found.text.startswith("各地规定不一样。请问您在哪个城市参保？")
    assert "广东省惠州市" in found.lead
    assert say("clarify_meanwhile") in found.lead
    assert "先备案。[1]" in found.text
    unplaced = dataclasses.replace(other, place=())
    notes = compose.clarify(
        "问", turn_of("怎么改"), Retrieval(), [], [quote(unplaced, "先备案。")]
    ).lead
    assert say("clarify_meanwhile") not in notes
    assert say("unplaced") in notes


def test_a_shared_name_is_asked_back_with_every_choice():
    turn = turn_of("朝阳医保怎么报")
    found = compose.ask_name("问", turn, mentions(turn.question.text))
    assert found.kind is Kind.CLARIFY
    assert "“朝阳”可能是几个地方" in found.text
    assert set(found.followups) >= {"辽宁省朝阳市", "北京市朝阳区"}
    assert all(choice in found.text for choice in found.followups)


def test_the_short_answers():
    assert (
        compose.invalid("", "您还没有输入问题。").text
        == f"您还没有输入问题。{say('invalid')}\n\n{DISCLAIMER}"
    )
    assert compose.small_talk("你好", Slots()).kind is Kind.INVALID
    card = compose.emergency("痛", ["请马上拨打 120。", "不要走动。"], Slots())
    assert (card.kind, card.text) == (
        Kind.EMERGENCY,
        f"请马上拨打 120。\n不要走动。\n\n{DISCLAIMER}",
    )
    assert compose.medical("吃什么药", Slots()).kind is Kind.MEDICAL


def test_timing_changes_nothing_else():
    plain = compose.invalid("", "。")
    timed = compose.timed(plain, 7.0)
    assert timed.elapsed_ms == 7.0
    assert dataclasses.replace(timed, elapsed_ms=0.0) == plain


@pytest.mark.parametrize(
    "text",
    ["报90%", "9０％", "限额2万", "300元", "25亿", "0555-1234567", "百分之九十", "5个百分点"],
)
def test_figures_that_differ_by_place(text: str):
    assert has_place_bound_figure(text)


@pytest.mark.parametrize("text", ["3个工作日", "每年9月", "12393", "一次", "60周岁", ""])
def test_figures_that_do_not(text: str):
    assert not has_place_bound_figure(text)


def gaps(template: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(template) if name}


def calls() -> list[tuple[str, set[str] | None]]:
    """Every use of a template: its name and the gaps that are filled (None: by a dict)."""
    found: list[tuple[str, set[str] | None]] = []
    for file in sorted(CHATBOT.glob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if (
                isinstance(node, ast.Call)
                and getattr(node.func, "id", getattr(node.func, "attr", "")) == "say"
            ):
                if node.args and isinstance(node.args[0], ast.Constant):
                    found.append((node.args[0].value, {str(word.arg) for word in node.keywords}))
            elif isinstance(node, ast.Constant) and node.value in templates():
                found.append((str(node.value), None))
    return found


def test_every_template_is_used_and_no_other():
    limits = yaml.safe_load((CHATBOT / "rules" / "limits.yaml").read_text(encoding="utf-8"))
    assert {name for name, _ in calls()} | set(limits) == set(templates())


def test_every_gap_of_every_template_is_filled():
    for name, filled in calls():
        if filled is not None:
            assert filled == gaps(templates()[name]), name
    for name, template in templates().items():
        text = say(name, **dict.fromkeys(gaps(template), "某地"))
        assert text
        assert "{" not in text


def test_a_template_holds_no_figure_but_the_hotline():
    for template in templates().values():
        assert not any(char.isdigit() for char in re.sub("12393|12333|12345", "", template))
