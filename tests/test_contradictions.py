"""C1 to C18: where the two saved pages contradict each other or the law, what a citizen is told.

Asked of the imported pages and of the shipped articles on the same subjects.
"""

import pytest

from chatbot.answer import Chatbot
from chatbot.records import Answer, Kind
from tests.conftest import needs_seeds
from tests.story import cited, holds

RESERVED = (Kind.CAVEAT, Kind.CONFLICT, Kind.CLARIFY)


def told(bot: Chatbot, question: str) -> Answer:
    answer = bot.ask(question)
    holds(bot, answer)
    return answer


def titles(bot: Chatbot, answer: Answer) -> list[str]:
    return [bot.article(name).title for name in cited(answer)]


@needs_seeds
def test_c1_years_of_payment_stand_side_by_side(seeds_bot: Chatbot):
    answer = told(seeds_bot, "职工医保要交满多少年，退休后才能享受")
    assert answer.kind is Kind.CONFLICT
    assert "男性30年/女性25年" in answer.text
    assert "男性满25年/女性满20年" in answer.text


def test_c1_the_law_names_no_number(bot: Chatbot):
    answer = told(bot, "退休要交多少年医保")
    assert "由各省定" in answer.text


@needs_seeds
def test_c2_that_one_may_stop_is_never_told_alone(seeds_bot: Chatbot):
    answer = told(seeds_bot, "医保交够25年是不是可以停交")
    assert answer.kind in RESERVED
    assert "仍需依法继续缴费" in answer.text


def test_c3_years_are_not_said_to_be_lost(bot: Chatbot):
    answer = told(bot, "医保断缴，以前的缴费年限会清零吗")
    assert answer.kind in (Kind.ANSWER, *RESERVED)
    assert "不会因为断缴清零" in answer.text or "累计" in answer.text


@needs_seeds
def test_c4_both_limits_of_huizhou_are_shown(seeds_bot: Chatbot):
    answer = told(seeds_bot, "惠州大病保险一年最高能报多少")
    assert answer.kind is Kind.CONFLICT
    assert "17万元" in answer.text
    assert "20万元" in answer.text
    assert "核实" in answer.closing


@needs_seeds
def test_c5_the_share_for_inpatients_says_for_which_year(seeds_bot: Chatbot):
    answer = told(seeds_bot, "惠州居民医保住院报多少")
    assert "90%" in answer.text
    assert answer.citations[0].effective_year == "2024"
    assert answer.kind is Kind.CAVEAT


@needs_seeds
def test_c6_the_months_for_changing_come_with_the_advice_to_ask(seeds_bot: Chatbot):
    answer = told(seeds_bot, "惠州门诊定点几月份能改")
    assert "每年9月至12月" in answer.text
    assert "核实" in answer.closing


@needs_seeds
def test_c7_both_sets_of_telephone_numbers_are_given(seeds_bot: Chatbot):
    answer = told(seeds_bot, "和县医保电话多少")
    assert {"0555-5312916", "0555-5306199"} <= {
        number for number in ("0555-5312916", "0555-5306199") if number in answer.text
    }


@needs_seeds
@pytest.mark.parametrize("place", ["惠州", "广州", "深圳", "合肥"])
def test_c8_a_limit_of_no_place_is_no_citys(seeds_bot: Chatbot, place: str):
    answer = told(seeds_bot, f"{place}职工医保一年最多报60万吗")
    body = "".join(quote.text for quote in answer.quotes)
    assert not any(figure in body for figure in ("60万", "40万元"))


def test_c9_the_older_limit_of_guangzhou_is_doubted(bot: Chatbot):
    answer = told(bot, "广州职工门诊一年最多报多少")
    assert answer.kind in RESERVED
    assert "7616" in answer.text
    assert "4000元" in answer.text


def test_c10_filing_is_possible_by_telephone_and_without_a_referral(bot: Chatbot):
    answer = told(bot, "异地就医备案去哪里办，要不要转诊证明")
    assert "手机" in answer.text or "APP" in answer.text
    told_so = ("没有转院证明也能办跨省备案", "去外地看病都要当地的转诊证明，说法不准")
    assert any(text in answer.text for text in told_so)


@pytest.mark.parametrize("question", ["湖南医保在广州看病报多少", "湖南医保在广州看门诊要选定点吗"])
def test_c11_what_hunan_pays_in_guangzhou_is_reserved(bot: Chatbot, question: str):
    answer = told(bot, question)
    assert answer.kind in RESERVED
    assert "核实" in answer.text


@needs_seeds
def test_c12_both_payers_of_the_allowance_are_named(seeds_bot: Chatbot):
    answer = told(seeds_bot, "生育津贴是社保局发还是医保局发")
    assert answer.kind in RESERVED
    assert "医保" in answer.text


def test_c12_the_shipped_article_says_who_pays_now(bot: Chatbot):
    assert "医保部门" in told(bot, "生育津贴是社保局发还是医保局发").text


def test_c13_affiliation_without_work_is_called_unlawful(bot: Chatbot):
    answer = told(bot, "挂靠单位交社保能领生育津贴吗")
    assert "违法" in answer.text or "骗保" in answer.text


def test_c14_the_thirty_percent_are_called_wrong(bot: Chatbot):
    answer = told(bot, "医保个人账户的钱谁交，单位交30%吗")
    assert "说错了" in answer.text
    assert "单位交的全进统筹基金" in answer.text


def test_c15_which_year_a_payment_is_for_is_said(bot: Chatbot):
    answer = told(bot, "2024年居民医保一个人交多少钱")
    assert "400元" in answer.text
    assert "380元" in answer.text


def test_c16_the_old_retirement_age_is_called_old(bot: Chatbot):
    answer = told(bot, "医保要交到多大岁数，女的55岁行吗")
    assert "旧的" in answer.text or "推迟" in answer.text


def test_c17_how_many_hospitals_may_be_chosen_differs(bot: Chatbot):
    answer = told(bot, "门特可以选几家医院")
    assert answer.kind in (*RESERVED, Kind.NO_ANSWER)
    assert "各地" in answer.text or "部分地区" in answer.text or not answer.quotes


@needs_seeds
def test_c18_a_fainting_patient_is_sent_to_120_first(seeds_bot: Chatbot):
    answer = told(seeds_bot, "辽阳有人晕倒了，去哪家医院好")
    assert answer.kind is Kind.EMERGENCY
    assert answer.text.startswith("请马上拨打 120")


def test_c18_a_recommended_hospital_is_said_to_be_advertising(bot: Chatbot):
    answer = told(bot, "辽阳耳鸣去哪家医院好")
    assert answer.kind is Kind.CAVEAT
    assert "网站" in answer.lead
