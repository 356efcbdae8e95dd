"""What a follow-up is answered with: what it newly asks, or plainly that nothing is written."""

import pytest

from chatbot import dialogue
from chatbot.answer import Chatbot
from chatbot.compose import templates
from chatbot.followup import asks_by_itself, focus_of
from chatbot.reading import FOCUSED
from chatbot.records import Kind
from index.encoder import Encoder
from tests.story import ask, build, warm


@pytest.fixture(scope="module")
def bot(encoder: Encoder, tmp_path_factory: pytest.TempPathFactory) -> Chatbot:
    return warm(build(tmp_path_factory.mktemp("followup"), encoder), encoder)


def test_the_focus_is_what_the_message_adds():
    focus = focus_of(dialogue.read(["惠州职工门诊报多少"], "那退休的呢"))
    assert focus.words == ("退休",)
    later = focus_of(dialogue.read(["异地就医怎么备案"], "要带什么材料"))
    assert "papers" in later.wants
    assert "steps" not in later.wants


@pytest.mark.parametrize("message", ["换成合肥呢", "我是居民医保", "那要多久"])
def test_a_message_that_only_tells_who_or_how_long_names_nothing_of_its_own(message: str):
    assert not asks_by_itself(dialogue.read(["门诊报多少"], message), [])


def test_a_follow_up_that_a_quote_touches_on_is_not_told_that_nothing_is_written(bot: Chatbot):
    turn = dialogue.read(["惠州职工门诊报销比例是多少"], "那退休的呢")
    quotes = ask(bot, "惠州职工门诊报销比例是多少").quotes
    assert asks_by_itself(turn, [])
    assert not asks_by_itself(turn, quotes)


def test_a_follow_up_is_answered_first_with_the_sentence_that_it_asks_for(bot: Chatbot):
    first = ask(bot, "惠州职工门诊报销比例是多少")
    later = ask(bot, "惠州职工门诊报销比例是多少", "那退休的呢")
    assert len(first.quotes) > 1
    assert later.quotes[0].text == "退休职工的报销比例再加4个百分点。"
    assert len(later.quotes) <= FOCUSED


def test_another_follow_up_quotes_another_sentence(bot: Chatbot):
    later = ask(bot, "异地就医怎么备案", "急诊抢救呢")
    assert later.quotes[0].text == "急诊抢救的病人视同已经备案。"


def test_the_same_found_again_is_not_said_again(bot: Chatbot):
    answer = ask(bot, "广东生育津贴怎么领", "那双胞胎能打折吗")
    assert answer.kind is Kind.NO_ANSWER
    assert not answer.quotes
    assert answer.lead in (templates()["nothing_more"], templates()["no_answer_near"])


def test_a_substitute_takes_the_place_of_the_one_before_it():
    turn = dialogue.read(["慢特病门诊能报多少", "高血压呢"], "糖尿病呢")
    assert "糖尿病" in turn.completed
    assert "慢特病" in turn.completed
    assert "高血压" not in turn.completed


@pytest.mark.parametrize("message", ["你叫什么名字", "你是真人吗", "您是谁"])
def test_talk_with_the_program_is_no_follow_up(bot: Chatbot, message: str):
    answer = ask(bot, "异地就医怎么备案", message)
    assert answer.kind is Kind.INVALID
    after = ask(bot, "异地就医怎么备案", message, "要带什么材料")
    assert "备案要带身份证" in after.text
