"""Messages with several questions, sums, and figures of the other insurance, in whole turns.

The articles are those of ``story.py`` and a few more, whose figures are made up too.
"""

import pytest

from chatbot.answer import Chatbot
from chatbot.compose import templates
from chatbot.question import parts
from chatbot.records import Kind
from index.encoder import Encoder
from tests.story import ARTICLES, ask, build, cited, warm

HEAD = """---
title: {title}
place: [广东省, {city}]
audience: {audience}
published: 2025-0{month}-01
authority: {authority}
source_name: 演示资料
---

"""
MORE = {
    "zhuhai-employee": HEAD.format(
        title="珠海职工医保住院报多少",
        city="珠海市",
        audience="职工",
        month=1,
        authority="official",
    )
    + "珠海职工医保住院报91%。\n珠海职工医保住院的起付线是870元。\n",
    "zhuhai-resident": HEAD.format(
        title="珠海居民医保住院报多少",
        city="珠海市",
        audience="居民",
        month=2,
        authority="official",
    )
    + "珠海居民医保住院报73%。\n珠海居民医保住院的起付线是650元。\n",
    "zhongshan-official": HEAD.format(
        title="中山职工普通门诊一年最多报多少",
        city="中山市",
        audience="职工",
        month=1,
        authority="official",
    )
    + "中山职工普通门诊一年最多报5100元。\n中山职工普通门诊的限额不能转给家里人。\n",
    "zhongshan-site": HEAD.format(
        title="中山职工看门诊的年度限额", city="中山市", audience="职工", month=3, authority="site"
    )
    + "中山职工普通门诊一年最多报3900元。\n中山的限额每年1月1日重新算。\n",
}


@pytest.fixture(scope="module")
def bot(encoder: Encoder, tmp_path_factory: pytest.TempPathFactory) -> Chatbot:
    place = tmp_path_factory.mktemp("reading")
    return warm(build(place, encoder, ARTICLES | MORE), encoder)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("异地备案怎么办?生育津贴谁发?", ("异地备案怎么办", "生育津贴谁发")),
        ("异地备案怎么办,另外生育津贴谁发", ("异地备案怎么办", "生育津贴谁发")),
        ("生育津贴怎么领和慢特病怎么申请", ("生育津贴怎么领", "慢特病怎么申请")),
        ("我妈六十了,在老家,异地备案怎么办", ("我妈六十了,在老家,异地备案怎么办",)),
        ("门特能报吗,能报多少吗", ("门特能报吗,能报多少吗",)),
        ("没有问题", ()),
    ],
)
def test_the_questions_of_a_message(text: str, expected: tuple[str, ...]):
    assert parts(text) == expected


def test_each_question_of_a_message_is_answered(bot: Chatbot):
    answer = ask(bot, "异地就医怎么备案？慢特病门诊怎么申请？")
    assert set(cited(answer)) == {"national-filing", "injected"}
    assert "备案可以在手机上办" in answer.text
    assert "申请慢特病门诊要带病历、检查报告和身份证。" in answer.text


def test_a_part_that_no_article_answers_is_not_made_up(bot: Chatbot):
    answer = ask(bot, "小区电梯坏了找谁修？一年要交多少物业费？")
    assert answer.kind is Kind.NO_ANSWER


def test_a_yes_or_no_question_leads_with_what_decides(bot: Chatbot):
    answer = ask(bot, "广州职工门诊限额能不能留到下一年")
    assert answer.quotes[0].text == "限额当年有效，不能留到下一年。"


def test_a_sum_is_not_reckoned_but_the_rate_is_shown(bot: Chatbot):
    answer = ask(bot, "珠海职工住院花了30000元，帮我算算能报多少")
    assert answer.kind is Kind.CAVEAT
    assert templates()["no_sum"] in answer.lead
    assert "珠海职工医保住院报91%。" in answer.text


def test_a_sum_without_a_place_is_not_answered(bot: Chatbot):
    answer = ask(bot, "职工住院花了30000元，帮我算算最后能报多少")
    assert answer.kind in (Kind.NO_ANSWER, Kind.CLARIFY)
    assert "91%" not in answer.text


@pytest.mark.parametrize(
    ("turns", "own", "other"),
    [
        (("珠海职工住院报多少",), "91%", "73%"),
        (("珠海居民住院报多少",), "73%", "91%"),
        (("我是居民医保", "珠海住院报多少"), "73%", "91%"),
    ],
)
def test_no_figure_of_the_other_insurance(
    bot: Chatbot, turns: tuple[str, ...], own: str, other: str
):
    answer = ask(bot, *turns)
    assert own in answer.text
    assert other not in answer.text


def test_for_which_insurance_a_rule_holds_is_said_if_nobody_asked(bot: Chatbot):
    answer = ask(bot, "广州门诊一年最多报多少")
    assert "职工医保的规定" in answer.lead
    asked = ask(bot, "广州职工门诊一年最多报多少")
    assert "职工医保的规定" not in asked.lead


def test_sources_that_differ_stand_side_by_side_the_official_first(bot: Chatbot):
    answer = ask(bot, "中山职工普通门诊一年最多报多少")
    assert answer.kind is Kind.CONFLICT
    assert answer.lead.startswith(templates()["conflict"])
    assert cited(answer)[:2] == ["zhongshan-official", "zhongshan-site"]
    assert "最多报5100元。[1]" in answer.text
    assert "最多报3900元。[2]" in answer.text
    assert "请再问广东省中山市医保局" in answer.closing


@pytest.mark.parametrize(
    "question",
    ["珠海住院起付线多少", "中山职工门诊的限额能不能转给家里人", "广州职工门诊一年最多报多少"],
)
def test_other_insurances_places_and_questions_are_no_conflict(bot: Chatbot, question: str):
    assert ask(bot, question).kind is not Kind.CONFLICT


def test_below_an_emergency_card_the_insurance_question_is_answered(bot: Chatbot):
    answer = ask(bot, "我妈突然晕倒叫不醒，我们是珠海职工医保，住院能报多少？")
    assert answer.kind is Kind.EMERGENCY
    assert answer.text.startswith("请马上拨打 120")
    assert answer.text.index(templates()["below"]) < answer.text.index("珠海职工医保住院报91%。")
    assert "73%" not in answer.text


def test_an_emergency_without_an_insurance_question_is_a_card_alone(bot: Chatbot):
    answer = ask(bot, "我妈突然晕倒叫不醒")
    assert answer.kind is Kind.EMERGENCY
    assert not answer.citations


def test_a_misspelt_term_is_mended_and_that_is_said(bot: Chatbot):
    answer = ask(bot, "异地就医怎么备按")
    assert answer.retrieval.rewritten == "异地就医怎么备案"
    assert cited(answer) == ["national-filing"]


def test_a_misspelt_place_is_asked_back_not_guessed(bot: Chatbot):
    answer = ask(bot, "惠洲职工在社区医院看门诊能报多少")
    assert answer.kind is Kind.CLARIFY
    assert answer.followups == ("广东省惠州市",)
    assert "81%" not in answer.text
    after = ask(bot, "广州职工门诊一年最多报多少", "惠洲职工在社区医院看门诊能报多少")
    assert after.followups == ("广东省惠州市",)
    pressed = ask(bot, "惠洲职工在社区医院看门诊能报多少", "广东省惠州市")
    assert "81%" in pressed.text


def test_figures_of_inpatient_care_are_not_for_a_question_on_outpatient_care(bot: Chatbot) -> None:
    shown = "".join(quote.text for quote in bot.ask("珠海职工看门诊报多少").quotes)
    assert "91%" not in shown
    assert "870元" not in shown
    assert "91%" in bot.ask("珠海职工住院报多少").text


@pytest.mark.parametrize(
    ("told", "message"),
    [
        ("珠海居民", "住院报多少"),
        ("珠海职工", "住院的起付线是多少"),
        ("中山职工", "门诊一年最多报多少"),
    ],
)
def test_what_was_told_before_counts_as_if_it_stood_in_the_question(
    bot: Chatbot, told: str, message: str
):
    whole = ask(bot, f"{told}{message}")
    after = bot.ask(message, history=[f"我是{told}医保"])
    chosen = bot.ask(f"{told[2:]}{message}", region=told[:2])
    assert whole.kind in (Kind.ANSWER, Kind.CAVEAT, Kind.CONFLICT)
    for other in (after, chosen):
        assert (other.kind, cited(other)) == (whole.kind, cited(whole))
        assert other.quotes[0] == whole.quotes[0]


def test_hospital_after_outpatient_care_is_no_longer_about_outpatient_care(bot: Chatbot):
    answer = bot.ask("住院呢", history=["珠海职工门诊能报多少"])
    assert "珠海职工医保住院报91%" in answer.text
