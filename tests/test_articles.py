"""The shipped corpus: what it holds, and what every article of it keeps to."""

import hashlib
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from corpus.__main__ import crosstab
from corpus.chunks import split
from corpus.folder import SHIPPED, article_files, load
from corpus.lint import lint
from corpus.readers import markdown
from corpus.records import NATIONAL, Article, Authority
from corpus.regions import read_places
from corpus.sentences import quotable

COUNT = 247
# Place in the corpus: id and SHA-256 of the body. A change here is a change of what is quoted.
PINNED: dict[int, tuple[str, str]] = {
    0: (
        "anhui-payment-years",
        "b7556042f1f5bf441149e0b59a2bf2cdd76ead25a92003cf681b96a33e9d844e",
    ),
    9: (
        "ask-cash",
        "7a9250f116e3e0ddc7a38786b274965592bc3f8a13900778792aa567eb65e251",
    ),
    -1: (
        "yunnan-maternity-condition",
        "8133a0a2f5948a1108ba324340dddf001074934fa1a9ad3de60468da1bc77b09",
    ),
}
MAY_REPEAT = 2  # the same figure stands in an overview and in the article on it, nowhere else
LONGEST = 80  # characters of a sentence; longer ones are hard to follow when read aloud
LEANING = (
    "该",
    "其",
    "上述",
    "此",
    "它",
    "这",
    "他",
    "她",
    "前者",
    "后者",
    "但",
    "因此",
    "所以",
    "另外",
)
FIGURE = re.compile(
    r"\d[\d,.]*\s*(?:%|元|万元|个百分点|个月|年(?!\d)|天|个工作日|家|种)|\d{3,4}-\d{7,8}"
)
YEAR = re.compile(r"(?<!\d)(?:19|20)\d{2}(?:年|〕)|没写年份|没有写年份|没有年份|哪一年")
DOCUMENT = re.compile(r"法|条例|规定|办法|规程|措施|通知|范围|〔\d{4}〕|第\d+号|国务院常务会议")
SUFFIX = re.compile(r"(?:壮族|回族|维吾尔)?自治区$|省$|市$")
OWN = "本项目整理"
SEED_SOURCE = "健康新闻"  # one source for all of them: SOURCES.md names it once
CORPUS = SHIPPED.parent
ROW = re.compile(r"^\| ([a-z0-9-]+) \|", re.MULTILINE)


@pytest.fixture(scope="module")
def articles() -> list[Article]:
    return load(SHIPPED)


def sentences(article: Article) -> Iterator[str]:
    """Every sentence that an answer may quote."""
    for span in quotable(article.body, truncated=article.truncated):
        yield span.of(article.body)


def test_the_count(articles: list[Article]) -> None:
    assert len(articles) == COUNT >= 160
    assert len({article.title for article in articles}) == COUNT


@pytest.mark.parametrize(("place", "expected"), PINNED.items())
def test_the_first_tenth_and_last_article(
    articles: list[Article], place: int, expected: tuple[str, str]
) -> None:
    article = articles[place]
    assert (article.id, hashlib.sha256(article.body.encode()).hexdigest()) == expected


def test_no_sentence_leans_on_the_one_before(articles: list[Article]) -> None:
    assert [s for a in articles for s in sentences(a) if s.startswith(LEANING)] == []


def test_sentences_are_short_enough_to_be_read_aloud(articles: list[Article]) -> None:
    assert [s for a in articles for s in sentences(a) if len(s) > LONGEST] == []


def test_no_two_articles_say_a_sentence_alike(articles: list[Article]) -> None:
    said = Counter(s for a in articles for s in set(sentences(a)) if FIGURE.search(s))
    assert [sentence for sentence, times in said.items() if times > MAY_REPEAT] == []


def test_a_figure_without_a_sure_source_is_marked(articles: list[Article]) -> None:
    unsure = [a for a in articles if a.authority is Authority.UNVERIFIED and not a.source_url]
    figures = [(a, s) for a in unsure for s in sentences(a) if FIGURE.search(s)]
    assert [(a.id, s) for a, s in figures if "核实" not in a.body and not DOCUMENT.search(s)] == []


def test_a_figure_of_a_place_names_the_place(articles: list[Article]) -> None:
    for article in articles:
        if not article.place or article.place == (NATIONAL,):
            continue
        names = [SUFFIX.sub("", name) for name in article.place]
        for sentence in sentences(article):
            if FIGURE.search(sentence):
                assert any(name in sentence for name in names), (article.id, sentence)


def test_a_figure_has_a_year_or_says_that_it_has_none(articles: list[Article]) -> None:
    dated = [a for a in articles if a.published or a.effective_year]
    rest = [a for a in articles if a not in dated and any(map(FIGURE.search, sentences(a)))]
    assert [a.id for a in rest if not YEAR.search(a.body)] == []


def test_figures_of_the_health_news_site_name_it_or_stand_beside_the_doubt(
    articles: list[Article],
) -> None:
    for article in (a for a in articles if a.source_name == SEED_SOURCE):
        if any(map(FIGURE.search, sentences(article))):
            assert re.search(r"健康新闻|文章", article.body), article.id
            assert re.search(r"核实|请问|各地|说法|没有写", article.body), article.id


def test_whoever_is_official_names_a_document(articles: list[Article]) -> None:
    official = [a for a in articles if a.authority is Authority.OFFICIAL and not a.source_url]
    named = [a for a in official if DOCUMENT.search(a.source_name + a.body)]
    assert {a.id for a in official} - {a.id for a in named} <= {
        "national-family-code-vs-share",  # the guide pages of two governments
        "how-bind-family-account",
        "national-yibao-code",
    }


def test_only_what_is_unverified_is_of_our_own_making(articles: list[Article]) -> None:
    assert [
        a.id for a in articles if a.source_name == OWN and a.authority is not Authority.UNVERIFIED
    ] == []
    assert [a.id for a in articles if not a.source_name] == []
    assert [a.id for a in articles if not a.topic] == []


def test_an_article_helps_somebody(articles: list[Article]) -> None:
    asks = re.compile(r"请问|打?12\d{3}|打120|问|看|查")
    assert [a.id for a in articles if not asks.search(a.body)] == []
    assert [a.id for a in articles if len(list(sentences(a))) < 4] == []


def test_every_authority_is_stated_and_no_default() -> None:
    for path in article_files(SHIPPED):
        head = path.read_text(encoding="utf-8").split("---\n")[1]
        assert re.search(r"^authority: (official|media|site|unverified)$", head, re.MULTILINE), path


def test_every_article_can_be_quoted_whole(articles: list[Article]) -> None:
    for article in articles:
        assert not article.truncated, article.id
        assert quotable(article.body), article.id
        assert split(article), article.id


def test_the_check_finds_no_error(articles: list[Article]) -> None:
    assert [finding for finding in lint(articles) if finding.severity == "error"] == []


def test_places_are_real_and_the_title_names_no_other(articles: list[Article]) -> None:
    for article in articles:
        if article.place and article.place != (NATIONAL,):
            assert read_places("".join(article.place)).insured == article.place, article.id
        named = read_places(article.title).place
        assert named is None or named == article.place, article.id


def test_file_names_are_ids_and_front_matters_read_alike() -> None:
    for path in article_files(SHIPPED):
        article = markdown.read(path.read_text(encoding="utf-8"), path)
        assert path.stem == article.id
        assert markdown.read(markdown.render(article, "0"), path) == article


def _text(name: str) -> str:
    return Path(CORPUS, name).read_text(encoding="utf-8")


def test_every_article_has_a_line_on_its_sources(articles: list[Article]) -> None:
    listed = set(ROW.findall(_text("SOURCES.md")))
    ids = {article.id for article in articles}
    seeds = {article.id for article in articles if article.source_name == SEED_SOURCE}
    assert ids - seeds - listed == set()
    assert listed - ids == set()
    assert len(seeds) == 42


def test_the_readme_counts_what_is_there(articles: list[Article]) -> None:
    readme = _text("README.md")
    assert f"共 {COUNT} 篇" in readme
    assert crosstab(articles).strip() in readme  # python -m corpus stats --table
