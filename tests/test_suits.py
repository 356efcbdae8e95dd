"""Which sentences tell nothing, and which tell of paying in or of being paid back."""

import pytest

from chatbot.suits import asks_way, is_filler, other_way, way_missing


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
