"""The shipped corpus: what it holds, and what every article of it keeps to."""

import hashlib
import re

import pytest

from corpus.chunks import split
from corpus.folder import SHIPPED, article_files, load
from corpus.lint import lint
from corpus.readers import markdown
from corpus.records import NATIONAL, Article
from corpus.regions import read_places
from corpus.sentences import quotable

COUNT = 248
# Place in the corpus: id and SHA-256 of the body. A change here is a change of what is quoted.
PINNED = {
    0: (
        "anhui-payment-years",
        "3f42f39cd2259c1b8496e46c2b3fc4a709373b8cf27bdf2fc3b779e5d2e3d7e5",
    ),
    9: (
        "ask-card-family",
        "1d95d35a703487d713c2128254215e0878769dbc2812c81de2df236b7fb3b159",
    ),
    -1: (
        "yunnan-maternity-condition",
        "8133a0a2f5948a1108ba324340dddf001074934fa1a9ad3de60468da1bc77b09",
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
    assert [a.id for a in articles if not a.topic] == []


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
