"""The shipped corpus: what it holds, and what every article of it keeps to."""

import hashlib
import re
from collections import Counter

import pytest

from corpus.chunks import split
from corpus.folder import SHIPPED, article_files, load
from corpus.lint import lint
from corpus.readers import markdown
from corpus.records import NATIONAL, Article, Authority
from corpus.regions import read_places
from corpus.sentences import quotable

COUNT = 248
# Place in the corpus: id and SHA-256 of the body. A change here is a change of what is quoted.
PINNED = {
    0: (
        "anhui-payment-years",
        "bbf9e765827a80ed86cb47461edfcdcd525555cad9a77fbb105483977b2dbf70",
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

LONGEST = 80  # characters in a sentence that is read aloud
PROVINCE_LONGEST = 520  # characters of a page that says whom to ask
LEANING = ("该", "其", "上述", "此", "它", "这", "那", "他", "她", "前者", "后者", "因此", "所以")
FIGURE = re.compile(r"\d[\d.,]*(?:元|万|%|％|个月|天|个百分点)")
# A figure without doubt in an unverified article names its document, or says what is missing.
GROUNDED = re.compile(r"待核实|《|〔|没有查到|旧标准|政府工作报告")
DOCUMENT = re.compile(
    r"法|条例|办法|通知|规定|措施|范围|解读|指南|〔\d{4}〕|令第|国务院|国家医保局|政府|医疗保障"
)
LEVELS = re.compile(r"(省|市|县|(壮族|维吾尔|回族)?自治区)$")
PROVINCES = 31
LISTED = 3  # articles of a topic from which on the README lists it
AUTHORITIES = (Authority.OFFICIAL, Authority.MEDIA, Authority.SITE, Authority.UNVERIFIED)
HOTLINE = "national-hotline-12393"


def sentences(article: Article) -> list[str]:
    """Every sentence of an article that may be quoted."""
    spans = quotable(article.body, truncated=article.truncated)
    return [span.of(article.body) for span in spans]


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
        for sentence in sentences(article)
        if sentence.startswith(LEANING)
    ]
    assert leaning == []


def test_every_sentence_can_be_read_aloud(articles: list[Article]) -> None:
    long = [s for article in articles for s in sentences(article) if len(s) > LONGEST]
    assert long == []


def test_a_local_figure_names_its_place_in_the_sentence(articles: list[Article]) -> None:
    for article in articles:
        if not article.place or article.place == (NATIONAL,):
            continue
        names = [LEVELS.sub("", level) for level in article.place]
        for sentence in filter(FIGURE.search, sentences(article)):
            assert any(name in sentence for name in names), (article.id, sentence)


def test_an_unverified_figure_shows_its_doubt(articles: list[Article]) -> None:
    for article in articles:
        if article.authority is Authority.UNVERIFIED:
            for sentence in filter(FIGURE.search, sentences(article)):
                assert GROUNDED.search(sentence), (article.id, sentence)


def test_an_official_article_names_its_document(articles: list[Article]) -> None:
    for article in articles:
        if article.authority is Authority.OFFICIAL:
            assert DOCUMENT.search(article.source_name or ""), article.id


def test_whom_to_ask_is_said_once(articles: list[Article]) -> None:
    for article in articles:
        asked = [s for s in sentences(article) if "请问" in s and "12393" in s]
        assert len(asked) <= 1 or article.id == HOTLINE, article.id


def test_a_province_page_is_short_and_repeats_no_national_figure(articles: list[Article]) -> None:
    pages = [article for article in articles if article.id.startswith("province-")]
    assert len(pages) == PROVINCES
    for page in pages:
        assert len(page.body) <= PROVINCE_LONGEST, page.id
        assert not FIGURE.search(page.body), page.id


def test_the_tables_of_the_readme_are_the_corpus(articles: list[Article]) -> None:
    text = (SHIPPED.parent / "README.md").read_text(encoding="utf-8")
    assert f"里有 {COUNT} 篇文章" in text
    by_authority = Counter(article.authority for article in articles)
    counts = [by_authority[authority] for authority in AUTHORITIES]
    assert f"| 合计 | {COUNT} | {' | '.join(map(str, counts))} |" in text
    for topic, count in Counter(article.topic for article in articles).items():
        assert count < LISTED or f"| {topic} | {count} |" in text, topic
    for place, count in Counter(a.place[0] for a in articles if a.place).items():
        assert count == 1 or f"| {place} | {count} |" in text, place


def test_every_article_outside_the_seeds_is_in_the_sources(articles: list[Article]) -> None:
    text = (SHIPPED.parent / "SOURCES.md").read_text(encoding="utf-8")
    named = ("national-", "ask-", "term-", "how-", "province-")
    missing = [a.id for a in articles if a.id.startswith(named) and f"| {a.id} |" not in text]
    assert missing == []


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
