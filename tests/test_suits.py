"""Which sentences tell nothing, and which tell of paying in or of being paid back."""

from dataclasses import replace

import pytest

from chatbot.suits import asks_way, is_filler, of_elsewhere, other_way, way_missing
from corpus.records import Article


@pytest.mark.parametrize(
    "text",
    [
        "这些调整旨在减轻居民医疗负担,提高医疗保障水平。",
        "以下是具体细节:",
        "如需办理医保业务或咨询政策,可直接拨打对应电话,避免因信息错误耽误时间。",
        "提高治疗依从性:通过提供持续的医疗保障,患者更有可能坚持治疗方案。",
    ],
)
def test_praise_and_announcements_tell_nothing(text: str):
    assert is_filler("门特怎么办", text)
    assert not is_filler("门特有什么好处", text)


@pytest.mark.parametrize(
    "text", ["一级医院最高报90%。", "以下是2024年的标准:起付线1万元", "备案要带身份证。"]
)
def test_what_tells_something_stays(text: str):
    assert not is_filler("门特怎么办", text)


@pytest.mark.parametrize(
    ("question", "way"),
    [
        ("居民医保一年交多少", "in"),
        ("居民医保一年能报多少", "back"),
        ("交了医保能报多少", "back"),
        ("材料交上去要等多少天", ""),
        ("缴费标准打哪个电话问", ""),
        ("医保交到多少岁", ""),
    ],
)
def test_what_is_paid_and_what_comes_back(question: str, way: str):
    assert asks_way(question) == way


def test_a_sentence_on_the_other_way_is_told_apart():
    assert other_way("职工医保每月交多少", "职工医保一年最多报20万元")
    assert not other_way("职工医保每月交多少", "单位交8%，报销按比例")
    assert way_missing("灵活就业能报多少", ["灵活就业一个月交400元"])
    assert not way_missing("灵活就业能报多少", ["住院报80%"])


def test_an_example_of_elsewhere_is_told_apart_with_and_without_a_number(article: Article):
    wide = replace(article, place=("广东省",), title="广东门诊怎么报")
    huizhou, text = ("广东省", "惠州市"), "广州职工门诊要先选点"
    assert of_elsewhere("门诊怎么报", wide, text, huizhou)
    assert not of_elsewhere("和广州有什么不同", wide, text, huizhou)
    assert of_elsewhere("和广州一样吗", wide, "广州职工报75%", huizhou)
    assert not of_elsewhere("惠州医保在广州看病", wide, "广州职工报75%", huizhou)
    assert not of_elsewhere("门诊怎么报", replace(wide, title="在广州门诊怎么报"), text, huizhou)
    assert not of_elsewhere("门诊怎么报", wide, "广东门诊要先选点", huizhou)
    assert not of_elsewhere("门诊怎么报", replace(wide, place=huizhou), text, huizhou)


def test_a_sentence_that_names_the_place_beside_others_is_about_it(article: Article):
    national, henan = replace(article, place=(), title="退休医保交几年"), ("河南省",)
    several = "部分地区如河南、洛阳、广东等要求30年"
    assert not of_elsewhere("要交几年", national, several, henan)
    assert of_elsewhere("要交几年", national, several, ("上海市",))
    assert of_elsewhere(
        "管几个月", national, "湖南湘潭定为6个月，湖南别的市要问", ("湖南省", "株洲市")
    )
