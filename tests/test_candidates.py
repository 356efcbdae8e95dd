"""The seam: what ranking asks of it is enough, and its filters mean what they say."""

import dataclasses
import inspect
from collections.abc import Callable

import numpy as np
import pytest

from corpus import folder
from corpus.records import Article, Audience, Status
from index import store
from index.candidates import Candidates, Filter, WordQuery
from index.embedded import Library
from index.engine import Engine
from index.search import Index
from tests.fake_encoder import FakeEncoder
from tests.small_corpus import QUESTIONS

HUIZHOU = ("广东省", "惠州市")
PLACES = (HUIZHOU, ("广东省",), ("江苏省",), ("全国",), ())
FILTERS = [
    Filter(place=HUIZHOU),
    Filter(audience=Audience.RESIDENT),
    Filter(year="2025"),
    Filter(status=frozenset({Status.CURRENT, Status.UNKNOWN})),
    Filter(HUIZHOU, Audience.EMPLOYEE, "2024", frozenset({Status.CURRENT})),
    Filter(place=HUIZHOU, where=lambda article: article.id != "a00"),
]


class Elsewhere:
    """Another implementation: it has what the protocol names, and nothing else."""

    def __init__(self, held: Candidates) -> None:
        self._held = held

    def __len__(self) -> int:
        return len(self._held)

    def __getattr__(self, name: str) -> object:
        named = {key for key, _ in inspect.getmembers(Candidates) if not key.startswith("_")}
        if name not in named:
            raise AttributeError(name)
        return getattr(self._held, name)


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Index:
    """Forty articles of all places, audiences, years and states."""
    place = tmp_path_factory.mktemp("seam")
    (place / "文章").mkdir()
    audiences, years = list(Audience), ("", "2024", "2025")
    for n in range(40):
        article = Article(
            f"a{n:02d}",
            f"第{n}篇：惠州门诊",
            f"惠州门诊报{n}%。异地备案要{n}天。生育津贴发{n}元。",
            place=PLACES[n % 5],
            audience=audiences[n % 3],
            effective_year=years[n % 7 % 3],
            status=list(Status)[n % 4 % 3],
        )
        text = folder.markdown.render(article, "")
        (place / "文章" / f"a{n:02d}.md").write_text(text, encoding="utf-8")
    store.build(place / "文章", place / "索引", FakeEncoder())
    return store.open_index(place / "索引", FakeEncoder())


def test_nothing_above_the_seam_needs_more_than_the_protocol(index: Index) -> None:
    other = Index(Engine(Elsewhere(index.engine.candidates), FakeEncoder()), "fake-1")  # type: ignore[arg-type]
    for question in QUESTIONS:
        for only in (None, *FILTERS):
            assert other.search(question, 9, only=only) == index.search(question, 9, only=only)
    assert (other.version, list(other.articles)) == (index.version, list(index.articles))
    with pytest.raises(TypeError, match="embedded"):
        _ = other.engine.weights


@pytest.mark.parametrize("only", FILTERS)
def test_a_filter_is_the_slow_walk_over_all_articles(index: Index, only: Filter) -> None:
    def fits(article: Article) -> bool:
        return only.admits(article) and (only.where is None or only.where(article))

    library = index.engine.embedded.library
    slow = [at for at, chunk in enumerate(index.chunks) if fits(index.articles[chunk.article_id])]
    assert library.admitted(only).tolist() == slow
    assert 0 < len(slow) < len(index.chunks)
    for question in QUESTIONS:
        assert index.search(question, 50, only=only) == index.search(question, 50, where=fits)


ARTICLE = Article("a", "题", "文。", HUIZHOU, Audience.EMPLOYEE, effective_year="2025")


@pytest.mark.parametrize(
    ("only", "admitted"),
    [
        (Filter(), True),
        (Filter(place=HUIZHOU), True),
        (Filter(place=(*HUIZHOU, "惠阳区")), True),
        (Filter(place=("广东省",)), False),
        (Filter(place=("江苏省", "泰州市")), False),
        (Filter(audience=Audience.EMPLOYEE), True),
        (Filter(audience=Audience.RESIDENT), False),
        (Filter(year="2025"), True),
        (Filter(year="2024"), False),
        (Filter(status=frozenset({Status.UNKNOWN})), True),
        (Filter(status=frozenset({Status.CURRENT})), False),
    ],
)
def test_what_a_filter_admits(only: Filter, admitted: bool) -> None:
    assert only.admits(ARTICLE) is admitted


def test_an_article_for_anyone_and_no_year_fits_everyone() -> None:
    anyone = dataclasses.replace(ARTICLE, audience=Audience.ANYONE, effective_year="", place=())
    assert Filter(("江苏省",), Audience.RESIDENT, "2020").admits(anyone)


def test_a_filter_is_walked_once_and_asks_no_article_twice(index: Index) -> None:
    held = index.engine.embedded.library
    library = Library(held.chunks, held.articles, held.spans, held.vectors)
    first = library.admitted(Filter(place=HUIZHOU))
    assert library.admitted(Filter(place=HUIZHOU)) is first
    asked: list[str] = []

    def where(article: Article) -> bool:
        asked.append(article.id)
        return True

    assert library.admitted(Filter(place=HUIZHOU, where=where)).tolist() == first.tolist()
    assert len(asked) == len(set(asked)) < len(held.articles)


def test_words_found_and_counted(index: Index) -> None:
    held = index.engine.candidates
    assert held.chunks_with("惠州") == len(held) == 40
    assert held.chunks_with("没有这个词") == 0
    found = held.words(WordQuery({"39%": 1.0}))
    assert [held.chunks[at].article_id for at in found.best(5)] == ["a39"]
    everything = found.of(np.arange(len(held)))
    assert np.count_nonzero(everything) == 1
    assert held.sentence_count == sum(map(len, held.spans.values()))


@pytest.mark.parametrize("ask", [lambda held: held.nearest, lambda held: held.cosines])
def test_without_vectors_nothing_is_near(ask: Callable[..., Callable[..., object]]) -> None:
    held = Engine.build([("门诊", "门诊报销")], None).candidates
    found = ask(held)(np.zeros(16, np.float32), np.zeros(0, np.int64))
    assert not np.asarray(found).size
    assert not held.has_vectors
