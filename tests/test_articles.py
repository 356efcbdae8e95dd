"""The shipped corpus: what it holds, and what every article of it keeps to."""

import hashlib

import pytest

from corpus.chunks import split
from corpus.folder import SHIPPED, article_files, load
from corpus.lint import lint
from corpus.readers import markdown
from corpus.records import NATIONAL, Article, Authority
from corpus.regions import read_places
from corpus.sentences import quotable

COUNT = 42
PINNED = {  # place in the corpus: id, SHA-256 of the body; a change here is a change of what is quoted
    0: (
        "chronic-disease-window-settlement",
        "f1131afcb6f3f47b40105eda47407f4d3f01260f78f2d2f864057abfe6eec00a",
    ),
    9: (
        "hexian-bureau-phone",
        "2ca6ee38b9592991a59235f69607fe3062a700c7f456bf93960677d32d9f643d",
    ),
    -1: (
        "years-enough-before-retirement",
        "7425b3f032e5210957ae32fa8eaefc4a2890534cefc889ae6ae502080356724a",
    ),
}


@pytest.fixture(scope="module")
def articles() -> list[Article]:
    return load(SHIPPED)


def test_the_count(articles: list[Article]) -> None:
    assert len(articles) == COUNT >= 42
    assert len({article.title for article in articles}) == COUNT


@pytest.mark.parametrize(("place", "expected"), PINNED.items())
def test_the_first_tenth_and_last_article(
    articles: list[Article], place: int, expected: tuple[str, str]
) -> None:
    article = articles[place]
    assert (article.id, hashlib.sha256(article.body.encode()).hexdigest()) == expected


def test_no_sentence_leans_on_the_one_before(articles: list[Article]) -> None:
    leaning = [
        sentence
        for article in articles
        for span in quotable(article.body, truncated=article.truncated)
        if (sentence := span.of(article.body)).startswith(("该", "其", "上述", "此", "它", "这"))
    ]
    assert leaning == []


def test_every_article_says_who_says_it(articles: list[Article]) -> None:
    assert [a.id for a in articles if not a.source_name] == []
    assert [a.id for a in articles if a.authority is Authority.UNVERIFIED] == []
    assert [a.id for a in articles if not a.topic] == []


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
