"""Which differences between sources are told: of the sort that is asked for, of the same thing."""

import pytest

from chatbot.answer import Chatbot
from chatbot.records import Kind
from index.encoder import Encoder
from tests.story import ask, build, warm

HEAD = """---
title: {title}
place: [广东省, 珠海市]
published: 2025-03-01
authority: site
source_name: 演示资料
---

{body}
"""
UNPLACED = HEAD.replace("place: [广东省, 珠海市]\n", "")
ARTICLES = {
    "office": HEAD.format(
        title="珠海医保局电话",
        body="珠海医保局电话是0756-2120001(结算中心)，监督电话是0756-2120002。",
    ),
    "advice": HEAD.format(title="珠海医保咨询电话", body="珠海医保咨询电话是0756-2120003。"),
    "one": HEAD.format(
        title="珠海大病保险怎么报",
        body="珠海大病保险的起付线是1.5万元，珠海大病保险一年最高支付限额17万元。",
    ),
    "two": HEAD.format(
        title="珠海大病保险报多少",
        body="珠海大病保险的起付线是1.5万元，珠海大病保险一年最高支付限额20万元。",
    ),
    "years": UNPLACED.format(
        title="退休医保要交多少年", body="退休医保要累计交满25年，才能不再交费。"
    ),
    "example": UNPLACED.format(
        title="退休医保要交满几年", body="退休医保要累计交满30年，部分地区如河南、广东也这样规定。"
    ),
}


@pytest.fixture(scope="module")
def bot(encoder: Encoder, tmp_path_factory: pytest.TempPathFactory) -> Chatbot:
    return warm(build(tmp_path_factory.mktemp("dispute"), encoder, ARTICLES), encoder)


def test_telephone_lines_of_different_use_are_no_contradiction(bot: Chatbot):
    answer = ask(bot, "珠海医保局电话是多少")
    assert answer.kind is Kind.CAVEAT
    assert "0756-2120001" in answer.text


def test_limits_that_differ_are_told_to_who_asks_for_limits(bot: Chatbot):
    answer = ask(bot, "珠海大病保险最高支付限额多少")
    assert answer.kind is Kind.CONFLICT
    assert "17万元" in answer.text
    assert "20万元" in answer.text


def test_limits_that_differ_are_no_matter_of_a_question_on_the_steps(bot: Chatbot):
    assert ask(bot, "珠海大病保险怎么报").kind is not Kind.CONFLICT


def test_limits_that_differ_are_no_matter_of_a_question_on_the_deductible(bot: Chatbot):
    answer = ask(bot, "珠海大病保险起付线多少")
    assert answer.kind is Kind.CAVEAT
    assert "1.5万元" in answer.text


def test_an_example_of_elsewhere_is_no_side_of_a_dispute(bot: Chatbot):
    assert "河南" in ask(bot, "退休医保要累计交满多少年").text
    assert "河南" not in ask(bot, "上海退休医保要累计交满多少年").text
