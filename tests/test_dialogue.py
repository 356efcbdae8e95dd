"""What carries over between the messages of a dialogue, and what must not."""

import pytest

from chatbot.dialogue import Turn, read
from chatbot.records import Slots

HUIZHOU = ("广东省", "惠州市")
GUANGZHOU = ("广东省", "广州市")
SHENZHEN = ("广东省", "深圳市")


def last(*messages: str, region: str = "") -> Turn:
    *history, message = messages
    return read(history, message, region)


def test_a_first_message_stands_alone():
    turn = last("惠州职工医保门诊报多少")
    assert turn.text == "惠州职工医保门诊报多少"
    assert turn.completed == ""
    assert turn.slots == Slots("广东省惠州市", "职工", "")


def test_place_and_insurance_carry_over():
    turn = last("我是惠州的", "我交的是职工医保", "住院能报多少")
    assert (turn.place, turn.insurance) == (HUIZHOU, "职工")
    assert turn.slots.region == "广东省惠州市"


def test_a_year_carries_over_only_to_follow_ups():
    first = "2024年居民医保交多少"
    assert last(first, "那什么时候截止").year == "2024"
    assert last(first, "另外问一下，生育津贴怎么领").year == ""
    assert last(first, "那2025年呢").year == "2025"


@pytest.mark.parametrize(
    "message", ["那年限呢", "要带什么材料", "如果是退休的人，情况会不会有什么不一样"]
)
def test_a_follow_up_is_completed_by_the_subject_before(message: str):
    turn = last("惠州职工医保门诊报多少", message)
    assert "门诊" in turn.completed
    assert message[:4] in turn.completed
    assert turn.text == message.replace("，", ",")
    assert turn.place == HUIZHOU


def test_a_substitute_takes_the_place_of_its_opposite():
    assert last("惠州职工医保门诊报多少", "那住院呢").completed == "职工医保住院报多少 那住院呢"
    assert "门诊" in last("惠州职工医保门诊报多少", "和住院有什么不同").completed


def test_the_place_before_is_left_out_of_a_completed_question():
    turn = last("惠州职工医保门诊报多少", "那广州呢")
    assert turn.place == GUANGZHOU
    assert "惠州" not in turn.completed
    assert "广州" in turn.completed


@pytest.mark.parametrize(
    "message", ["换个问题，生育津贴怎么领", "另外问一下异地备案", "再问生育津贴"]
)
def test_a_new_subject_is_not_completed(message: str):
    assert last("惠州职工医保门诊报多少", message).completed == ""


def test_a_long_message_of_its_own_is_not_completed():
    turn = last("惠州职工医保门诊报多少", "生育津贴需要准备哪些材料才可以申请下来")
    assert turn.completed == ""


def test_only_the_last_subject_counts():
    turn = last("惠州职工医保门诊报多少", "换个问题，生育津贴怎么领", "要什么材料")
    assert "生育津贴" in turn.completed
    assert "门诊" not in turn.completed


def test_the_chosen_region_is_the_place():
    assert last("门诊报多少", region="惠州").place == HUIZHOU
    assert last("门诊报多少", region="惠州市").slots.region == "广东省惠州市"
    assert last("门诊报多少", region="  ").place is None
    assert last("门诊报多少", region="没有这个地方").place is None


def test_a_place_in_the_text_counts_more_than_the_chosen_region():
    assert last("惠州职工医保门诊报多少", region="广州").place == HUIZHOU
    assert last("惠州职工医保门诊报多少", "那住院呢", region="广州").place == HUIZHOU


@pytest.mark.parametrize(
    "message",
    ["在广州看病怎么备案", "我在深圳住院能报吗", "去上海看病要转诊吗", "到北京的医院看病"],
)
def test_a_place_of_treatment_never_replaces_the_insured_place(message: str):
    assert last(message, region="惠州").place == HUIZHOU
    assert last("我是惠州的", message).place == HUIZHOU
    assert last("惠州职工医保门诊报多少", message).place == HUIZHOU
    assert last("湖南医保怎么报", message).place == ("湖南省",)


def test_an_insured_place_replaces_another():
    assert last("我是惠州的", "我的医保交在深圳").place == SHENZHEN


def test_both_ends_of_a_journey_are_understood():
    turn = last("湖南医保在广州看病怎么报")
    assert turn.place == ("湖南省",)
    assert turn.question.places.care == GUANGZHOU


def test_messages_that_were_no_questions_are_passed_over():
    junk = ["", "？？？", "医" * 501, "<b></b>"]
    assert last(*junk, "异地就医怎么备案") == last("异地就医怎么备案")
    assert last("我是惠州的", *junk, "异地就医怎么备案").place == HUIZHOU


@pytest.mark.parametrize(
    "question", ["惠州职工医保门诊报销比例是多少", "2024年广州居民医保住院报销比例"]
)
def test_the_same_whole_question_is_read_alike_first_and_fifth(question: str):
    between = [
        "异地就医怎么备案？要准备些什么材料呢",
        "换个问题，生育津贴怎么领",
        "深圳职工医保能办慢特病吗",
    ]
    first, fifth = last(question), last(question, *between, question)
    assert first.slots == fifth.slots
    assert first.text == fifth.text
    assert fifth.completed == ""


def test_reading_twice_gives_the_same():
    history = ["惠州职工医保门诊报多少", "那广州呢"]
    assert read(history, "要带什么材料") == read(history, "要带什么材料")
    assert history == ["惠州职工医保门诊报多少", "那广州呢"]


def test_what_the_person_took_away_does_not_carry_over() -> None:
    history = ["我是惠州的职工", "2024年门诊报多少"]
    kept = read(history, "那住院呢")
    assert kept.slots == Slots("广东省惠州市", "职工", "2024")
    for name, left in (
        ("region", Slots("", "职工", "2024")),
        ("insurance", Slots("广东省惠州市", "", "2024")),
        ("year", Slots("广东省惠州市", "职工", "")),
    ):
        assert read(history, "那住院呢", forget={name}).slots == left
    assert read(history, "那住院呢", "广州", forget={"region"}).place == GUANGZHOU
    assert read(history, "深圳的住院呢", forget={"region"}).place == SHENZHEN


def test_a_message_can_be_read_as_it_was_typed() -> None:
    assert read([], "门忒怎么办").text == "门特怎么办"
    assert read([], "门忒怎么办", mend=False).text == "门忒怎么办"


def test_the_place_of_treatment_stays_in_a_completed_question():
    turn = last("湖南医保在广州看病能报吗", "报几成")
    assert turn.place == ("湖南省",)
    assert "广州" in turn.completed
    assert "湖南" not in turn.completed
    assert "广州" not in last("湖南医保在广州看病能报吗", "那在深圳呢").completed


def test_a_remark_between_two_questions_is_no_subject():
    turn = last("举报骗保有钱拿吗", "哈哈那我得好好看看我们那家药店", "最多能给多少")
    assert turn.completed == "举报骗保有钱拿吗 最多能给多少"


def test_a_follow_up_goes_on_from_the_earlier_subject_that_holds_its_words():
    turn = last(
        "急诊抢救没备案要自己垫吗", "对了，她的社保卡也丢了，能拿手机看病吗", "那急诊那次算备案过吗"
    )
    assert turn.completed == "急诊抢救没备案要自己垫吗 那急诊那次算备案过吗"
