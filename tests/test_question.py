"""What is understood of a question: its text, place, insurance, year and what it asks for."""

import datetime as dt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chatbot.question import (
    MAX_LENGTH,
    clean,
    content_words,
    insurance_of,
    problem,
    understand,
    wants,
    year_of,
)


class FixedDate(dt.date):
    """A calendar on which it is always 1 March 2030."""

    @classmethod
    def today(cls) -> "FixedDate":
        return cls(2030, 3, 1)


@pytest.fixture
def in_2030(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dt, "date", FixedDate)


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("  門診\t怎麼\n報  ", "门诊 怎么 报"),
        ("<p>医保</p>怎么办", "医保 怎么办"),
        ("医保\x00怎么\u200b办", "医保 怎么办"),
        ("ＡＰＰ怎么用", "app怎么用"),
        ("1<2，医保报吗", "1<2,医保报吗"),
        ("", ""),
    ],
)
def test_clean(raw: str, text: str):
    assert clean(raw) == text


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=300))
def test_cleaning_is_harmless(raw: str):
    text = clean(raw)
    assert text == " ".join(text.split())
    assert all(char.isprintable() for char in text)


@pytest.mark.parametrize("raw", ["", " ", "\n\t\u3000"])
def test_an_empty_message_is_told_so(raw: str):
    assert problem(raw) == "您还没有输入问题。"


def test_a_message_may_have_500_characters_and_no_more():
    assert problem("医" * MAX_LENGTH) == ""
    assert "太长" in problem("医" * (MAX_LENGTH + 1))
    assert "500" in problem("医" * 100_000)


@pytest.mark.parametrize(
    "raw", ["？？？", "……", "😀😀", "<b></b>", "\x00\x01", "-", "7", "<img src=x>"]
)
def test_a_message_without_words_is_not_understood(raw: str):
    assert problem(raw).startswith("没有看懂")


@pytest.mark.parametrize("raw", ["医", "12393", "app", "<b>医保</b>", "😀医保", "médecine"])
def test_words_are_let_through(raw: str):
    assert problem(raw) == ""


@pytest.mark.parametrize(
    ("text", "year"),
    [
        ("2024年居民医保交多少", "2024"),
        ("2024 年的标准", "2024"),
        ("今年交多少", "2030"),
        ("本年度的限额", "2030"),
        ("去年的标准", "2029"),
        ("前年交了多少", "2028"),
        ("明年涨不涨", "2031"),
        ("今年2026年的标准", "2026"),
        ("我今年48，能停吗", ""),
        ("今年刚满60岁", ""),
        ("俺爹今年七十了", ""),
        ("今年十月份交的", "2030"),
        ("今年10月交的", "2030"),
        ("从2022年起年年交", ""),
        ("我今年虚岁50", ""),
        ("电话120245", ""),
        ("1998年的规定", ""),
        ("二零二三年收的那次", "2023"),
        ("二四年国家给农村每人补几多", "2024"),
        ("22年那阵交多少", "2022"),
        ("交了22年", ""),
        ("交满25年居民医保能停吗", ""),
        ("干了二三年了", ""),
        ("门特怎么办", ""),
    ],
)
@pytest.mark.usefixtures("in_2030")
def test_year(text: str, year: str):
    assert year_of(text) == year


@pytest.mark.parametrize(
    ("text", "insurance"),
    [
        ("惠州职工医保门诊", "职工"),
        ("灵活就业怎么交", "职工"),
        ("自己交的医保", "职工"),
        ("城乡居民医保", "居民"),
        ("老家的新农合", "居民"),
        ("职工和居民有什么不同", ""),
        ("门特怎么办", ""),
    ],
)
def test_insurance(text: str, insurance: str):
    assert insurance_of(text) == insurance


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("惠州医保局的电话", "phone"),
        ("医保热线打哪个", "phone"),
        ("住院能报百分之几", "percent"),
        ("门诊报多少", "percent"),
        ("一年限额", "amount"),
        ("居民医保交多少", "amount"),
        ("什么时候截止", "time"),
        ("要交多少年", "time"),
        ("最多按多少天给", "time"),
        ("要带什么材料", "papers"),
        ("慢特病怎么申请", "steps"),
        ("怎么弄备案", "steps"),
        ("在哪里办", "where"),
        ("哪些人能办", "who"),
        ("能不能报", "decide"),
        ("可以报销吗", "decide"),
        ("什么是起付线", "meaning"),
        ("门特和门慢的区别", "difference"),
        ("办门特要带哪些东西", "papers"),
        ("医保局星期天上不上班", "hours"),
        ("在网上申请传啥东西上去", "papers"),
        ("育儿补贴一年多少", "amount"),
        ("麻醉费报不报", "decide"),
        ("这份能用不", "decide"),
        ("停了以后还算不算数", "decide"),
        ("几号打钱", "time"),
        ("医保码咋激活", "steps"),
        ("从哪个公众号进", "where"),
        ("管备案的是哪个号", "phone"),
        ("自付和自费有什么分别", "difference"),
        ("卡里咋没钱", "why"),
    ],
)
def test_what_is_asked_for(text: str, want: str):
    assert want in understand(text).wants


def test_a_bare_subject_asks_for_nothing_in_particular():
    assert understand("门特").wants == frozenset()


SHOWN = {
    "phone": "电话是0555-1234567。",
    "percent": "报销80%。",
    "amount": "一年最多4000元。",
    "time": "审核要3个工作日。",
    "hours": "门诊周一到周五8:00开诊。",
    "papers": "请带身份证。",
    "steps": "在窗口提交。",
    "where": "去社区医院。",
    "who": "参保人员可以申请。",
    "decide": "不能报销。",
    "meaning": "起付线是指先自付的钱。",
    "difference": "两者不同。",
    "count": "一共10种病。",
    "address": "在中山路8号。",
    "why": "这是为了方便。",
    "sum": "5000×90%。",
}


def test_every_want_is_shown_by_a_sentence_that_gives_it():
    assert set(SHOWN) == set(wants())
    for name, sentence in SHOWN.items():
        assert wants()[name].shows.search(sentence), name
        assert not wants()[name].shows.search("嗯。"), name


@pytest.mark.parametrize("place", ["惠州", "广东省惠州市", "马鞍山和县", "北京"])
def test_places_are_no_content_words(place: str):
    words = content_words(f"{place}门诊报销比例")
    assert "门诊" in words
    assert not any(char in "".join(words) for char in "惠州广东马鞍山和县北京")
    assert words == content_words("门诊报销比例")


def test_each_content_word_stands_once():
    words = content_words("门诊门诊报销报销")
    assert len(words) == len(set(words))


def test_understanding_puts_it_together():
    found = understand("<b>2024年</b>湖南職工醫保在廣州住院能報百分之幾？")
    assert found.text == "2024年 湖南职工医保在广州住院能报百分之几?"
    assert found.places.insured == ("湖南省",)
    assert found.places.care == ("广东省", "广州市")
    assert found.place == ("湖南省",)
    assert (found.insurance, found.year) == ("职工", "2024")
    assert "percent" in found.wants
    assert "住院" in found.content


def test_a_greeting_has_no_content():
    assert understand("你好").content == ()
