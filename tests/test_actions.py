"""Undoing is not doing, and what is asked to be given back is not what is paid."""

import pytest

from chatbot.actions import actions_of
from chatbot.answer import Chatbot
from chatbot.records import Kind
from index.encoder import Encoder
from tests.story import ask, build, warm

ARTICLES = {
    "bind": """---
title: 亲情账户怎么绑定
place: [全国]
published: 2025-01-05
authority: official
status: current
source_name: 演示资料甲
---

绑定亲情账户，先打开国家医保服务平台。
绑定亲情账户，要填家人的姓名和身份证号。
亲情账户绑定以后，可以替家人出示医保码。
""",
    "filing": """---
title: 异地就医备案怎么办
place: [全国]
published: 2025-01-05
authority: official
status: current
source_name: 演示资料乙
---

异地就医备案可以在手机上办。
办异地就医备案要带身份证。
异地就医备案要取消的，请在备案记录里点撤销。
""",
    "fee": """---
title: 居民医保一年交多少钱
place: [广东省, 珠海市]
audience: 居民
published: 2025-01-05
authority: official
status: current
source_name: 演示资料丙
---

珠海居民医保每人一年交512元。
珠海居民医保的钱在年底前交。
""",
    "clinic": """---
title: 珠海门诊一年最多报多少
place: [广东省, 珠海市]
published: 2025-01-05
authority: official
status: current
source_name: 演示资料丁
---

珠海职工门诊一年最多报5123元。
珠海居民门诊一年最多报1234元。
""",
}


@pytest.fixture(scope="module")
def bot(encoder: Encoder, tmp_path_factory: pytest.TempPathFactory) -> Chatbot:
    return warm(build(tmp_path_factory.mktemp("actions"), encoder, ARTICLES), encoder)


@pytest.mark.parametrize(
    "text",
    ["亲情账户怎么解绑", "异地备案怎么取消", "医保费能退吗", "发票丢了怎么办", "备案几天能下来"],
)
def test_what_is_to_be_done_is_heard(text: str):
    assert actions_of(text)


@pytest.mark.parametrize(
    "text", ["异地备案怎么办", "几年才能退休", "才能退了休享受", "医保取消了个人账户吗", "收费标准"]
)
def test_other_questions_ask_for_no_such_thing(text: str):
    assert not actions_of(text)


def test_how_to_undo_is_not_answered_with_how_to_do(bot: Chatbot):
    assert ask(bot, "亲情账户怎么绑定").quotes
    assert ask(bot, "亲情账户怎么解绑").kind is Kind.NO_ANSWER


def test_only_the_sentence_on_undoing_is_quoted(bot: Chatbot):
    answer = ask(bot, "异地就医备案怎么取消")
    assert [q.text for q in answer.quotes] == ["异地就医备案要取消的，请在备案记录里点撤销。"]


def test_what_is_paid_in_is_no_answer_to_what_is_paid_back(bot: Chatbot):
    assert "512元" in ask(bot, "珠海居民医保一年交多少钱").text
    assert "512元" not in ask(bot, "珠海居民医保一年能报多少钱").text


@pytest.mark.parametrize(
    ("question", "own", "other"),
    [
        ("珠海居民门诊一年最多报多少", "1234元", "5123元"),
        ("珠海职工门诊一年最多报多少", "5123元", "1234元"),
    ],
)
def test_a_sentence_for_the_other_insurance_is_left_out(
    bot: Chatbot, question: str, own: str, other: str
):
    text = ask(bot, question).text
    assert own in text
    assert other not in text


def test_a_hotline_is_no_number_of_the_place(bot: Chatbot):
    answer = ask(bot, "珠海医保局电话是多少")
    assert answer.kind is Kind.NO_ANSWER
    assert "元" not in answer.text
