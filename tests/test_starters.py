"""The questions to begin with: everyday words, and the shipped articles answer every one."""

from chatbot.answer import Chatbot
from chatbot.records import Kind
from chatbot.starters import SHOWN, choose_starters, common_starters, subjects_of
from corpus.records import Article


def test_the_shipped_articles_answer_each_from_the_named_article(bot: Chatbot) -> None:
    assert len(common_starters()) >= SHOWN
    for starter in common_starters():
        answer = bot.ask(starter.question)
        assert answer.kind in (Kind.ANSWER, Kind.CAVEAT), starter
        assert starter.answered_by in {one.title for one in answer.citations}, starter
    assert bot.starters == tuple(one.question for one in common_starters()[:SHOWN])


def test_each_has_a_subject_of_its_own_and_is_no_title(bot: Chatbot) -> None:
    shown = common_starters()[:SHOWN]
    assert len({one.subject for one in shown}) == SHOWN
    titles = {article.title for article in bot.articles}
    assert not titles & {one.question for one in shown}
    assert {subjects_of(bot.articles)[question] for question in bot.starters} == {
        one.subject for one in shown
    }


def test_another_corpus_begins_with_what_it_has() -> None:
    known = common_starters()[2]
    articles = [
        Article("a", known.answered_by, "正文。", topic="异地就医"),
        Article("b", "体检", "正文。", topic="不予支付"),
    ]
    assert choose_starters(articles)[:2] == (known.question, "体检")
    assert subjects_of(articles)["体检"] == "哪些不能报"
    assert choose_starters([]) == ()


def test_starters_are_short_titles_one_a_topic() -> None:
    articles = [
        Article(id=str(n), title="题" * (n + 1), body="文。", topic=topic)
        for n, topic in enumerate(["甲", "甲", "", "", "乙", "丙", "丁", "戊", "己"])
    ]
    assert choose_starters(articles[::-1]) == tuple("题" * n for n in (1, 3, 4, 5, 6, 7))
    assert choose_starters([]) == ()
