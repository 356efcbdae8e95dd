"""One whole turn after another: everyday questions, and what a citizen is told. Start here.

The articles stand in ``story.py``; ``ask`` checks on every answer what all answers guarantee.
"""

from pathlib import Path

import pytest

from chatbot.answer import Chatbot
from chatbot.compose import has_place_bound_figure, templates
from chatbot.records import Kind
from corpus.errors import EngineUnreachable
from index.encoder import Encoder
from tests.story import ARTICLES, BROKEN_END, ask, build, cited, warm


@pytest.fixture(scope="module")
def index_dir(encoder: Encoder, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("story"), encoder)


@pytest.fixture(scope="module")
def bot(index_dir: Path, encoder: Encoder) -> Chatbot:
    return warm(index_dir, encoder)


@pytest.fixture(scope="module")
def cold(index_dir: Path) -> Chatbot:
    """The same index before its encoder is loaded."""
    return Chatbot.open(index_dir)


# --- The story ---


def test_a_local_question_gets_the_words_of_the_local_article(bot: Chatbot):
    answer = ask(bot, "惠州职工在社区医院看门诊能报多少？")
    assert answer.kind is Kind.ANSWER
    assert cited(answer) == ["huizhou-outpatient"]
    assert "惠州职工在选定的社区医院看普通门诊，医保报81%。[1]" in answer.text
    assert "适用地区：广东省惠州市" in answer.text
    assert "发布：2025-03-01" in answer.text
    assert "演示资料甲，官方" in answer.text
    assert answer.slots.region == "广东省惠州市"
    assert answer.slots.insurance == "职工"
    assert answer.retrieval.legs == ("bm25", "dense")
    assert answer.elapsed_ms > 0


def test_a_national_question_needs_no_place(bot: Chatbot):
    answer = ask(bot, "异地就医怎么备案")
    assert answer.kind is Kind.ANSWER
    assert cited(answer) == ["national-filing"]
    assert "备案可以在手机上办" in answer.text


@pytest.mark.parametrize(
    ("question", "article", "place"),
    [
        ("惠州的生育津贴怎么领", "guangdong-maternity", "广东省"),
        ("惠州职工异地就医怎么备案", "national-filing", "全国"),
        ("深圳医保异地就医怎么备案", "national-filing", "全国"),
    ],
)
def test_a_wider_rule_comes_with_a_reservation(
    bot: Chatbot, question: str, article: str, place: str
):
    answer = ask(bot, question)
    assert answer.kind is Kind.CAVEAT
    assert cited(answer) == [article]
    assert answer.text.startswith(f"没有找到{answer.slots.region}的规定，下面是{place}的规定")
    assert f"请再问{answer.slots.region}医保局" in answer.closing


def test_an_article_of_a_website_that_names_no_place_comes_with_reservations(bot: Chatbot):
    answer = ask(bot, "职工大额医疗补助最高能报多少")
    assert answer.kind is Kind.CAVEAT
    assert cited(answer) == ["unplaced-limit"]
    assert templates()["unplaced_mark"] in answer.lead
    assert templates()["unofficial_mark"] in answer.lead
    assert answer.lead.count("。") == 1  # one sentence stands before the first word


def test_a_figure_that_names_no_place_is_not_told_to_someone_who_names_one(bot: Chatbot):
    answer = ask(bot, "惠州职工大额医疗补助最高能报多少")
    assert "33万" not in answer.text
    assert "88%" not in answer.text


def test_when_the_answer_depends_on_the_place_it_is_asked_for(bot: Chatbot):
    answer = ask(bot, "职工门诊一年最多报多少")
    assert answer.kind is Kind.CLARIFY
    assert "请问您在哪个城市参保" in answer.text
    assert "广东省广州市" in answer.text
    assert "6321" not in answer.text
    assert "6321元" in ask(bot, "职工门诊一年最多报多少", region="广州").text
    assert "6321元" in ask(bot, "职工门诊一年最多报多少", "我是广州参保的").text


def test_a_name_that_several_places_share_is_asked_back(bot: Chatbot):
    answer = ask(bot, "朝阳医保门诊能报多少")
    assert answer.kind is Kind.CLARIFY
    assert "“朝阳”可能是几个地方" in answer.text
    assert "辽宁省朝阳市" in answer.followups
    assert cited(answer) == []


def test_a_place_without_articles_gets_no_figure_of_another(bot: Chatbot):
    answer = ask(bot, "深圳职工医保门诊报销比例是多少")
    assert answer.kind is Kind.NO_ANSWER
    assert "没有找到广东省深圳市的相关规定" in answer.text
    assert "请问广东省深圳市医保局，或拨打医保服务热线12393" in answer.text
    assert cited(answer) == []
    assert not has_place_bound_figure(answer.text)


@pytest.mark.parametrize(
    "question", ["种植牙一颗多少钱", "公积金贷款利率是多少", "医保基金投资收益率是多少"]
)
def test_what_the_corpus_does_not_hold_is_not_answered(bot: Chatbot, question: str):
    answer = ask(bot, question)
    assert answer.kind is Kind.NO_ANSWER
    assert answer.citations == ()
    assert "12393" in answer.text


@pytest.mark.parametrize("question", ["今天天气怎么样", "怎么包饺子", "给我讲个笑话"])
def test_what_is_not_about_insurance_is_not_answered(bot: Chatbot, question: str):
    answer = ask(bot, question)
    assert answer.kind in (Kind.NO_ANSWER, Kind.INVALID)
    assert answer.citations == ()


def test_an_emergency_is_seen_before_anything_is_searched(
    bot: Chatbot, monkeypatch: pytest.MonkeyPatch
):
    def searched(*_: object, **__: object) -> None:
        message = "an emergency was searched for"
        raise AssertionError(message)

    monkeypatch.setattr(bot.index, "search", searched)
    monkeypatch.setattr(bot.index.engine, "encode", searched)
    answer = ask(bot, "我爸突然胸口疼得厉害，喘不上气，人在惠州")
    assert answer.kind is Kind.EMERGENCY
    assert "120" in answer.text.splitlines()[0]
    assert answer.retrieval.legs == ()


def test_an_emergency_is_answered_although_no_engine_is_there(
    bot: Chatbot, monkeypatch: pytest.MonkeyPatch
):
    def gone(*_: object, **__: object) -> None:
        message = "连不上"
        raise EngineUnreachable(message)

    monkeypatch.setattr(bot.index, "search", gone)
    answer = ask(bot, "我爸突然胸口疼得厉害，喘不上气。惠州住院能报多少？")
    assert answer.kind is Kind.EMERGENCY
    with pytest.raises(EngineUnreachable):
        bot.ask("惠州住院能报多少？")


def test_medical_advice_is_not_given(bot: Chatbot):
    answer = ask(bot, "高血压吃什么药好")
    assert answer.kind is Kind.MEDICAL
    assert cited(answer) == []


@pytest.mark.parametrize(
    ("message", "begins"),
    [
        ("", "您还没有输入问题"),
        ("医" * 501, "您输入的文字太长了"),
        ("？？？", "没有看懂您的问题"),
        ("你好", "您好！医保方面的问题都可以问"),
        ("好的谢谢", "不客气"),
        ("嗯嗯嗯那个", "您好"),
    ],
)
def test_what_is_no_question_is_invalid(bot: Chatbot, message: str, begins: str):
    answer = ask(bot, message)
    assert answer.kind is Kind.INVALID
    assert answer.text.startswith(begins)


@pytest.mark.parametrize("raw", ["我是香港人，能参加医保吗", "我是台湾人，门特怎么办理"])
def test_nobody_is_sent_to_an_office_that_does_not_exist(bot: Chatbot, raw: str):
    answer = ask(bot, raw)
    assert answer.slots.region == ""
    assert "香港" not in answer.text
    assert "台湾" not in answer.text


# --- Year and truncation ---


def test_a_rule_out_of_force_answers_only_for_its_year(bot: Chatbot):
    assert "93%" not in ask(bot, "惠州居民医保住院报销比例").text
    answer = ask(bot, "2018年惠州居民医保住院报销比例是多少")
    assert cited(answer) == ["huizhou-old"]
    assert "93%" in answer.text
    assert "年份：2018" in answer.text
    assert "已废止" in answer.text
    assert "93%" not in ask(bot, "2024年惠州居民医保住院报销比例是多少").text


@pytest.mark.parametrize(
    "question",
    ["惠州门诊定点医院怎么改", "惠州线上改定点的人最多可以再选几家", "惠州门诊定点最多选7家吗"],
)
def test_the_broken_end_of_a_text_is_never_quoted(bot: Chatbot, cold: Chatbot, question: str):
    for each in (bot, cold):
        assert BROKEN_END not in ask(each, question).text


# --- Dialogue ---


def test_a_follow_up_asks_the_same_for_another_place(bot: Chatbot):
    answer = ask(bot, "惠州职工医保门诊最多报多少", "那广州呢")
    assert cited(answer) == ["guangzhou-limit"]
    assert answer.retrieval.rewritten is not None
    assert ask(bot, "惠州职工医保门诊最多报多少", "那深圳呢").kind is Kind.NO_ANSWER


def test_a_follow_up_without_a_subject_takes_the_one_before(bot: Chatbot):
    answer = ask(bot, "异地就医怎么备案", "要带什么材料")
    assert cited(answer) == ["national-filing"]
    assert "要带身份证和社保卡" in answer.text


@pytest.mark.parametrize(
    "question", ["惠州职工医保门诊报销比例是多少", "2018年惠州居民医保住院报销比例是多少"]
)
def test_the_same_question_first_and_fifth_gets_the_same_text(bot: Chatbot, question: str):
    between = [
        "异地就医怎么备案？要准备些什么材料呢",
        "换个问题，广东生育津贴怎么领",
        "广州职工医保门诊一年最多报多少",
    ]
    assert ask(bot, question, *between, question).text == ask(bot, question).text


def test_the_same_turn_gives_the_same_answer(bot: Chatbot):
    first, second = (ask(bot, "惠州职工医保门诊报销比例是多少").to_json() for _ in range(2))
    assert first | {"elapsed_ms": 0} == second | {"elapsed_ms": 0}


# --- Before the encoder is there ---


def test_before_the_encoder_is_there_the_words_alone_answer_and_say_so(bot: Chatbot, cold: Chatbot):
    assert (bot.ready, cold.ready) == (True, False)
    answer = ask(cold, "惠州职工医保门诊报销比例是多少")
    assert cited(answer) == ["huizhou-outpatient"]
    assert answer.to_json()["retrieval"]["legs"] == ["bm25"]


def test_what_the_page_asks_of_the_bot(bot: Chatbot):
    assert bot.articles_count == len(ARTICLES)
    assert len(bot.starters) == 6
    assert set(bot.starters) <= {article.title for article in bot.index.articles.values()}
    assert bot.article("national-filing").title == "异地就医怎么备案"
    with pytest.raises(KeyError):
        bot.article("none")


def test_a_short_message_on_something_else_is_no_follow_up(bot: Chatbot) -> None:
    history = ["医保码怎么激活", "我爸突然胸口剧痛，喘不上气，怎么报销？"]
    assert bot.ask("明天股票会涨吗？", history=history).kind is Kind.NO_ANSWER
