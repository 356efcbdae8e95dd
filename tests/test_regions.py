"""Places in texts: the reviewed table of cases, and what must hold for every place."""

from itertools import accumulate, pairwise
from pathlib import Path

import jieba
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus import place_mentions, place_names
from corpus.folder import SHIPPED, load
from corpus.place_suggestions import suggest_places
from corpus.records import Article
from corpus.regions import applies, article_place, mentions, read_places, short_name, within

CASES = yaml.safe_load((Path(__file__).parent / "regions_cases.yaml").read_text(encoding="utf-8"))
SHORT_NAMES = sorted(
    {
        (short_name(path[-1]), path)
        for path, kind in place_names.records()
        if kind in ("province", "city") and path[-1] != "海南藏族自治州"
    }
)
NOT_KNOWN_BY_SHORT_NAME = {"东方", "新星", "白杨"}  # everyday words; they need their 市
LONG = "\n".join(article.body for article in load(SHIPPED)[::6])
HUIZHOU = ("广东省", "惠州市")


@pytest.mark.parametrize("case", CASES, ids=[case["text"] for case in CASES])
def test_reviewed_cases(case: dict) -> None:
    reading = read_places(case["text"])
    assert "".join(reading.insured or ()) == case.get("insured", "")
    assert "".join(reading.care or ()) == case.get("care", "")
    assert ["".join(path) for path in reading.ambiguous] == case.get("ambiguous", [])


def test_the_table_is_large_and_without_repetition() -> None:
    assert len({case["text"] for case in CASES}) == len(CASES) >= 80


@pytest.mark.parametrize(
    "text", ["{}医保报销", "我是{}人", "从{}到北京看病", "去{}住院", "{}的新农合"]
)
def test_every_province_and_city_is_known_by_its_short_name(text: str) -> None:
    unknown = [
        short
        for short, path in SHORT_NAMES
        if not any(path in mention.candidates for mention in mentions(text.format(short)))
        and short not in NOT_KNOWN_BY_SHORT_NAME
        and short != "吉林"  # the province; the city is 吉林市
    ]
    assert unknown == []


def test_every_place_is_known_by_its_full_name() -> None:
    alone = [path for path, _ in place_names.records()]
    unknown = [
        path
        for path in alone
        if len(path[-1]) > 2 and not any(path in m.candidates for m in mentions(path[-1] + "医保"))
    ]
    assert unknown == []
    assert len(alone) > 3000


@pytest.mark.parametrize(
    ("text", "insured"),
    [
        ("老家湖南，在深圳交社保", "深圳市"),
        ("在深圳交社保，老家湖南", "深圳市"),
        ("江西赣州人，社保在深圳交的", "深圳市"),
        ("户籍河南，参保地是杭州", "杭州市"),
        ("没在广州交社保，湖南新农合", "湖南省"),
        ("在广州打工，老家湖南", "湖南省"),
    ],
)
def test_where_someone_pays_counts_before_where_someone_comes_from(text: str, insured: str) -> None:
    reading = read_places(text)
    assert reading.insured is not None
    assert reading.insured[-1] == insured


def test_a_travel_place_counts_only_if_no_other_is_named() -> None:
    assert read_places("在广州住院能报吗").place == ("广东省", "广州市")
    assert read_places("湖南医保在广州住院").place == ("湖南省",)
    assert read_places("医保怎么用").place is None


def test_an_ambiguous_name_is_settled_by_its_parent_only() -> None:
    assert len(read_places("鼓楼区医保局").ambiguous) == 4
    assert read_places("福建的鼓楼区医保局").insured == ("福建省", "福州市", "鼓楼区")
    assert read_places("惠州医保，鼓楼区").ambiguous == ()


def test_every_letter_of_a_group_is_a_place() -> None:
    for group in place_names.tables()["letter_groups"]:
        for text in (f"{group}异地就医", f"在{group}看病", f"{group}医保互通吗"):
            assert [m.span.of(text) for m in mentions(text)] == list(group), text


def test_the_corps_is_a_place_of_its_own() -> None:
    assert read_places("兵团职工医保").insured == ("新疆生产建设兵团",)
    assert not applies(
        Article("a", "题", "文。", place=("新疆维吾尔自治区",)), ("新疆生产建设兵团",)
    )


@pytest.mark.parametrize("text", [*(case["text"] for case in CASES), LONG])
def test_cutting_only_doubtful_names_equals_cutting_the_whole_text(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    fast = mentions(text)
    monkeypatch.setattr(place_mentions, "_crossed", lambda *_: True)
    monkeypatch.setattr(place_mentions, "_edges", _all_edges)
    assert fast == mentions(text)


def _all_edges(text: str, starts: list[int]) -> list[int]:
    """The slow twin: every word of the text."""
    return list(accumulate((len(word) for word in jieba.cut(text, HMM=False)), initial=0))


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            ["惠州", "南通州区", "海南", "医保", "和县", "朝阳", "在", "，", "吉林市", "粤"]
        ),
        max_size=8,
    ).map("".join)
    | st.text(max_size=30)
)
def test_mentions_stand_in_the_text_in_order_and_apart(text: str) -> None:
    found = mentions(text)
    assert all(0 <= m.span.start < m.span.end <= len(text) and m.candidates for m in found)
    assert all(a.span.end <= b.span.start for a, b in pairwise(found))
    reading = read_places(text)
    named = {path for m in found for path in m.candidates}
    assert {reading.insured, reading.care, *reading.others, *reading.ambiguous} - {None} <= named
    assert reading.insured is None or reading.insured != reading.care


@pytest.mark.parametrize(
    ("title", "body", "place"),
    [
        ("惠州医保一年报多少", "各地不同，如广东、河南。", HUIZHOU),
        ("门诊怎么报", "惠州的门诊比例是80%。", HUIZHOU),
        ("门诊怎么报", "各地不同，例如惠州是80%。", ()),
        ("门诊怎么报", "先去医院。惠州是80%。", ()),
        ("门诊怎么报", "惠州和泰州的比例不同。", ()),
        ("鼓楼区医保局电话", "惠州。", ()),
        ("湖南医保在广州看病", "可以报。", ("湖南省",)),
    ],
)
def test_an_article_is_for_the_place_of_its_title_or_first_sentence(
    title: str, body: str, place: tuple[str, ...]
) -> None:
    assert article_place(title, body) == place


def test_an_article_applies_to_its_place_and_what_lies_inside() -> None:
    def placed(*place: str) -> Article:
        return Article("a", "题", "文。", place=place)

    assert applies(placed(), HUIZHOU)
    assert applies(placed("全国"), HUIZHOU)
    assert applies(placed("广东省"), HUIZHOU)
    assert applies(placed(*HUIZHOU), HUIZHOU)
    assert not applies(placed(*HUIZHOU), ("广东省",))
    assert not applies(placed("湖南省"), HUIZHOU)
    assert not applies(placed(*HUIZHOU), ("广东省", "广州市"))
    assert within(("广东省", "惠州市", "惠城区"), HUIZHOU)


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("惠洲医保怎么报", [HUIZHOU]),
        ("我是惠洲的，合非的医保卡能用吗", [HUIZHOU, ("安徽省", "合肥市")]),
        ("合非居民医保", [("安徽省", "合肥市")]),
        ("石家桩的药店", [("河北省", "石家庄市")]),
        ("从惠洲到深镇看病", [HUIZHOU, ("广东省", "深圳市")]),
        ("惠州医保", []),
        ("橘子洲附近的药店", []),
        ("徽州医保", []),
        ("今天去医院拿药", []),
        ("", []),
    ],
)
def test_a_misspelt_place_is_suggested_and_never_read(
    text: str, places: list[tuple[str, ...]]
) -> None:
    assert list(suggest_places(text)) == places
    assert not {m.path for m in mentions(text)} & set(places)


def test_nothing_is_suggested_for_a_place_that_is_spelt_right() -> None:
    for short, _ in SHORT_NAMES:
        assert suggest_places(f"{short}医保怎么报，在{short}住院") == (), short


@pytest.mark.parametrize(
    ("text", "insured"),
    [
        ("我表姐在珠海，我在中山，门诊报几成", "中山"),
        ("嫁到江门好几年了，娘家在惠州，这边大病报多少", "江门"),
        ("大姨是惠州的低保，我是清远的，清远这边起付线多少", "清远"),
        ("原来是惠州职工，后来关系转回了玉林，一年最多报多少", "玉林"),
        ("保险是广州的居民医保，人在岳阳带孩子", "广州"),
        ("我是河南人，交的广州职工医保", "广州"),
        ("从合肥调到苏州上班，苏州几月能换医院", "苏州"),
        ("我姐在惠州，她住院能报多少", "惠州"),
    ],
)
def test_a_relatives_place_and_one_that_was_left_are_not_the_askers(text: str, insured: str):
    place = read_places(text).place
    assert place is not None
    assert place[-1].startswith(insured)
