"""The two saved pages, imported and asked: no broken sentence, no figure elsewhere."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from chatbot.answer import Chatbot
from chatbot.records import DISCLAIMER, Answer, Kind
from corpus import folder
from corpus.records import Article, Span
from corpus.sentences import complete, quotable
from tests.conftest import SEEDS, needs_seeds

pytestmark = needs_seeds

ARTICLES = 42  # two whole articles and twice twenty teasers
BROKEN_OFF = 30  # teasers whose text ends neither with a sentence nor with an item of figures
HUIZHOU_FIGURES = ("25万", "17万", "8万元", "20万元")
UNPLACED_FIGURES = ("20万", "40万", "60万")


def broken_end(article: Article) -> Span | None:
    """The unfinished last sentence of an article, or None."""
    if not article.truncated or complete(article.body):
        return None
    return quotable(article.body)[-1]


def answers(bot: Chatbot) -> Iterator[Answer]:
    """The answers to every title, and to every broken end itself."""
    for article in bot.index.articles.values():
        yield bot.ask(article.title)
        end = broken_end(article)
        if end:
            yield bot.ask(f"{article.title[:20]}，{end.of(article.body)[-40:]}")


def test_the_two_pages_hold_42_articles(seeds_bot: Chatbot):
    articles = seeds_bot.index.articles.values()
    assert len(articles) == ARTICLES
    assert sum(article.truncated for article in articles) == ARTICLES - 2
    assert sum(broken_end(article) is not None for article in articles) == BROKEN_OFF


def test_no_broken_end_is_a_sentence_of_the_index(seeds_bot: Chatbot):
    ends = {a.id: broken_end(a) for a in seeds_bot.index.articles.values()}
    for key, end in ends.items():
        assert end is None or end not in seeds_bot.index.spans[key], key


def test_no_broken_end_is_ever_quoted(seeds_bot: Chatbot):
    quoting = 0
    for answer in answers(seeds_bot):
        assert answer.text.endswith(DISCLAIMER)
        quoting += bool(answer.quotes)
        for quote in answer.quotes:
            assert quote.article.body[quote.start : quote.end] == quote.text
            end = broken_end(quote.article)
            assert end is None or quote.end <= end.start, quote.text
    assert quoting > ARTICLES / 2


@pytest.mark.parametrize(
    ("question", "number"),
    [
        ("和县医保咨询电话是多少", "0555-5312916"),
        ("安徽马鞍山和县医保局电话", "0555-5306199"),
        ("和县医保局征缴电话", "0555-5582176"),
        ("和县医保转移接续打什么电话", "0555-5338006"),
        ("和县医保监督电话", "0555-3865550"),
    ],
)
def test_he_county_gets_its_numbers(seeds_bot: Chatbot, question: str, number: str):
    answer = seeds_bot.ask(question)
    assert number in answer.text
    assert all("和县" in "".join(citation.place) for citation in answer.citations)


@pytest.mark.parametrize("place", ["苏州", "当涂县", "合肥", "马鞍山市花山区", "广州"])
def test_no_other_place_gets_the_numbers_of_he_county(seeds_bot: Chatbot, place: str):
    assert "0555-" not in seeds_bot.ask(f"{place}医保局电话是多少").text


@pytest.mark.parametrize(
    "question",
    [
        "深圳医保一年最多能报销多少",
        "深圳的年度限额是不是25万",
        "深圳医保统筹报销有限额多少",
        "深圳职工医保报销限额",
        "我在惠州上班，医保交在深圳，一年最多报多少",
        "深圳大病二次报销最多多少",
    ],
)
@pytest.mark.parametrize("history", [(), ("惠州医保统筹报销有限额多少",)])
def test_shenzhen_never_gets_the_figures_of_another_place(
    seeds_bot: Chatbot, question: str, history: tuple[str, ...]
):
    answer = seeds_bot.ask(question, history=history)
    told = answer.text.replace(question, "")
    assert [figure for figure in (*HUIZHOU_FIGURES, *UNPLACED_FIGURES) if figure in told] == []
    assert answer.kind in (Kind.NO_ANSWER, Kind.CLARIFY, Kind.CAVEAT)


def test_shenzhen_as_the_chosen_region_or_as_a_follow_up_gets_none_either(seeds_bot: Chatbot):
    chosen = seeds_bot.ask("医保统筹一年最多报多少", region="深圳")
    follow_up = seeds_bot.ask("那深圳呢", history=["惠州医保统筹报销有限额多少"])
    for answer in (chosen, follow_up):
        assert [figure for figure in HUIZHOU_FIGURES if figure in answer.text] == []


def test_huizhou_gets_its_own_figure_with_its_place(seeds_bot: Chatbot):
    answer = seeds_bot.ask("惠州医保统筹报销有限额多少")
    assert "25万元" in answer.text
    assert answer.citations[0].place == ("广东省", "惠州市")


def test_importing_again_changes_nothing(tmp_path: Path):
    files = sorted(SEEDS.glob("*.txt"))
    first = folder.import_files(files, tmp_path)
    before = folder.fingerprint(tmp_path)
    second = folder.import_files(files, tmp_path)
    assert (len(first.imported), len(first.skipped)) == (ARTICLES, 0)
    assert second.imported == second.skipped == []
    assert len(second.unchanged) == ARTICLES
    assert folder.fingerprint(tmp_path) == before
