"""Misspelt terms are mended, everything else is left alone."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus import folder
from corpus.regions import mentions
from index.repair import Rewrite, readings, repair
from index.terms import normalise

texts = st.text(
    st.sampled_from("医保报统抽筹门忒特起负付线生育今津贴yibao mt,惠州吗的"), max_size=24
)


@pytest.mark.parametrize(
    ("question", "mended"),
    [
        ("医报统抽怎么算", "医保统筹怎么算"),
        ("门忒怎么办", "门特怎么办"),
        ("起负线多少", "起付线多少"),
        ("生育今贴找谁领", "生育津贴找谁领"),
        ("生育律贴找谁领", "生育津贴找谁领"),
        ("家廷共济在哪里绑", "家庭共济在哪里绑"),
        ("易地就医要备按吗", "异地就医要备案吗"),
        ("新农和还有吗", "新农合还有吗"),
        ("我断焦了三个月", "我断缴了三个月"),
    ],
)
def test_wrong_characters(question: str, mended: str) -> None:
    assert repair(question).text == mended


@pytest.mark.parametrize(
    ("question", "mended"),
    [
        ("yibao能报多少", "医保能报多少"),
        ("YiBao baoxiao", "医保报销"),
        ("yi bao bao xiao bili", "医保报销比例"),
        ("shengyujintie怎么领", "生育津贴怎么领"),
        ("ybm怎么激活", "医保码怎么激活"),
        ("yb能报吗", "医保能报吗"),
    ],
)
def test_terms_in_latin_letters(question: str, mended: str) -> None:
    assert repair(question).text == mended


@pytest.mark.parametrize(
    "question",
    [
        "可以报销吗",
        "你有医保吗",
        "居民医保的钱",
        "医保报完之后",
        "摔断脚能报吗",
        "惠洲医保一年报多少",
        "app上怎么办",
        "做ct和mri能报吗",
        "what is this",
        "今天天气怎么样",
        "",
    ],
)
def test_what_is_right_or_no_term_stays(question: str) -> None:
    assert repair(question).text == question
    assert repair(question).rewrites == ()


def test_the_changes_tell_what_stood_where() -> None:
    found = repair("问下門忒和生育今贴")
    assert found.rewrites == (
        Rewrite("门忒", "门特", 2, 4),
        Rewrite("生育今贴", "生育津贴", 5, 9),
    )
    for change in found.rewrites:
        assert normalise("问下門忒和生育今贴")[change.start : change.end] == change.before


def test_a_place_is_never_changed() -> None:
    for place in ("惠州", "和县", "辽阳", "陇南", "马鞍山"):
        text = f"{place}门忒怎么办"
        assert repair(text).text == f"{place}门特怎么办"
        assert mentions(repair(text).text)[0].span.of(text) == place


@settings(max_examples=150, deadline=None)
@given(texts)
def test_mending_twice_changes_nothing_more(text: str) -> None:
    once = repair(text)
    assert once.text == repair(text).text
    if not once.rewrites:
        assert once.text == normalise(text)
    ends = [0, *(change.end for change in once.rewrites)]
    assert all(change.start >= end for end, change in zip(ends, once.rewrites, strict=False))


def test_the_shipped_articles_hold_nothing_to_mend() -> None:
    lines = [
        line
        for article in folder.load(folder.SHIPPED)
        for line in (article.title, *article.body.splitlines())
    ]
    assert [(line, repair(line).rewrites) for line in lines if repair(line).rewrites] == []


def test_readings_of_a_character() -> None:
    assert readings("津") == {"jin"}
    assert readings("a") == {"a"}
