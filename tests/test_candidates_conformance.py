"""Both implementations of the seam give the same results, whatever is added, changed or deleted."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from corpus import folder
from corpus.records import Article, Audience, Span, Status
from index import opening, store
from index.candidates import Filter
from index.engine import PLAIN, word_query
from index.search import Index
from tests.fake_encoder import FakeEncoder
from tests.milvus_process import MilvusProcess, needs_milvus
from tests.small_corpus import QUESTIONS, write_corpus

HUIZHOU = ("广东省", "惠州市")
PLACES = (HUIZHOU, ("广东省",), ("江苏省",), ("全国",), ())
FILTERS = [
    None,
    Filter(place=HUIZHOU),
    Filter(place=(*HUIZHOU, "惠阳区")),
    Filter(place=("江苏省", '"] or position >= 0 or place in ["')),
    Filter(audience=Audience.RESIDENT),
    Filter(year="2025"),
    Filter(status=frozenset({Status.CURRENT, Status.UNKNOWN})),
    Filter(HUIZHOU, Audience.EMPLOYEE, "2024", frozenset({Status.CURRENT})),
    Filter(place=HUIZHOU, where=lambda article: article.id[-1] in "02468"),
    Filter(where=lambda article: False),
]
ASKED = [*QUESTIONS, "门槛费多少", "卡里的钱给家里人用", "备案要几天", "惠州职工医保缴费年限", "？"]


@dataclass
class Place:
    """A corpus and where its index lies."""

    corpus: Path
    index: Path
    uri: str = ""

    def build(self) -> Index:
        """Build, then open what was built."""
        if not self.uri:
            store.build(self.corpus, self.index, FakeEncoder())
            return store.open_index(self.index, FakeEncoder())
        from index import ingest
        from index.remote import Remote

        cache = self.index.with_suffix(".db")
        ingest.build(self.corpus, Remote(self.uri), FakeEncoder(), cache, lambda *_: None)
        return self.opened()

    def opened(self) -> Index:
        """A fresh look at what was built."""
        if not self.uri:
            return store.open_index(self.index, FakeEncoder())
        index = opening.open_engine(self.uri)
        store.attach(index, FakeEncoder())
        return index


def write(corpus: Path, n: int, body: str = "") -> None:
    """An article; every third one brings ways of asking, every tenth one is long."""
    text = body or f"惠州门诊报{n}%。异地备案要{n}天。生育津贴发{n}元。起付线{n * 7}元。"
    if n % 10 == 0:
        text += "".join(
            f"\n\n第{i}条，医保缴费满{i}年，报销{(n + i) % 90}%。" * 4 for i in range(30)
        )
    whole = Span(0, len(text))
    article = Article(
        f"a{n:02d}",
        f'第{n}篇：惠州"门诊\\',
        text,
        place=PLACES[n % 5],
        audience=list(Audience)[n % 3],
        effective_year=("", "2024", "2025")[n % 7 % 3],
        status=list(Status)[n % 4 % 3],
        asked=((whole, f"看病报{n}成不"), (whole, "要带啥")) if n % 3 == 0 else (),
    )
    rendered = folder.markdown.render(article, "")
    (corpus / f"a{n:02d}.md").write_text(rendered, encoding="utf-8")


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MilvusProcess]:
    process = MilvusProcess(tmp_path_factory.mktemp("milvus"))
    yield process
    process.kill()


@pytest.fixture(params=["embedded", pytest.param("milvus", marks=needs_milvus)])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """A corpus of 25 articles and an implementation to try; the other one is the measure."""
    corpus = write_corpus(tmp_path / "文章")
    for n in range(25):
        write(corpus, n)
    uri = request.getfixturevalue("engine").uri if request.param == "milvus" else ""
    return Place(corpus, tmp_path / "索引", uri)


def expected(place: Place, tmp_path: Path) -> Index:
    """The embedded index of the same corpus, built anew elsewhere."""
    out = tmp_path / "neu"
    shutil.rmtree(out, ignore_errors=True)
    store.build(place.corpus, out, FakeEncoder())
    return store.open_index(out, FakeEncoder())


def assert_same(index: Index, other: Index, *, whole: bool = False) -> None:
    """Everything that the protocol names, compared; ``whole``: with every question and filter."""
    found, known = index.engine.candidates, other.engine.candidates
    assert len(found) == len(known)
    assert found.sentence_count == known.sentence_count
    assert (found.has_vectors, found.has_sentences) == (known.has_vectors, known.has_sentences)
    assert list(found.chunks) == list(known.chunks)
    assert dict(found.articles) == dict(known.articles)
    assert {k: list(v) for k, v in found.spans.items()} == {
        key: list(spans) for key, spans in known.spans.items()
    }
    for of, same in (
        (found.sentence_vectors, known.sentence_vectors),
        (found.asked_vectors, known.asked_vectors),
    ):
        assert list(of) == list(same)
        for key in same:
            np.testing.assert_array_equal(of[key], same[key])
    for where in (*PLACES, ("江苏省", "泰州市")):
        assert found.has_place(where) == known.has_place(where)
    for word in ("惠州", "备案", "没有这个词", '"', "", "报销 '"):
        assert found.chunks_with(word) == known.chunks_with(word)
    everything = np.arange(len(known))
    assert found.fetch(everything[::-7]) == known.fetch(everything[::-7])
    for question in ASKED if whole else ASKED[:2]:
        for only in FILTERS if whole else FILTERS[::4]:
            same_results(index, other, question, only)


def same_results(index: Index, other: Index, question: str, only: Filter | None) -> None:
    found, known = index.engine.candidates, other.engine.candidates
    vector = other.engine.encode(question)
    assert vector is not None
    query = word_query(question, PLAIN)
    for k in (1, 7, 200):
        words, same_words = found.words(query, only), known.words(query, only)
        assert words.best(k).tolist() == same_words.best(k).tolist()
        near, same_near = found.nearest(vector, k, only), known.nearest(vector, k, only)
        assert near.tolist() == same_near.tolist()
    pool = np.union1d(near, words.best(200))
    np.testing.assert_array_equal(words.of(pool), same_words.of(pool))
    for cosines, same in zip(found.cosines(vector, pool), known.cosines(vector, pool), strict=True):
        np.testing.assert_allclose(cosines, same, atol=1e-6)
    asked, same = found.asked_cosines(vector, pool), known.asked_cosines(vector, pool)
    np.testing.assert_allclose(asked, same, atol=1e-6)
    for legs in (("bm25",), ("bm25", "dense")):
        hits = index.search(question, 9, only=only, legs=legs)
        measure = other.search(question, 9, only=only, legs=legs)
        assert [hit.chunk.id for hit in hits] == [hit.chunk.id for hit in measure]
        assert [hit.score for hit in hits] == pytest.approx([hit.score for hit in measure])


def test_the_same_as_built_in_memory(place: Place, tmp_path: Path) -> None:
    index = place.build()
    assert_same(index, expected(place, tmp_path), whole=True)


def test_add_update_delete_reopen(place: Place, tmp_path: Path) -> None:
    before = place.build()
    held = [hit.chunk for hit in before.search("惠州门诊报多少", 5)]
    write(place.corpus, 30)  # add
    write(place.corpus, 7, "惠州门诊全改了，现在报99%。")  # update
    (place.corpus / "a11.md").unlink()  # delete
    index = place.build()
    assert index.version != before.version
    assert_same(place.opened(), expected(place, tmp_path))
    # one that was opened before goes on with what it was opened with
    assert [hit.chunk for hit in before.search("惠州门诊报多少", 5)] == held
    assert place.build().version == index.version  # nothing to do


@needs_milvus
def test_after_kill_9_everything_is_there(engine: MilvusProcess, tmp_path: Path) -> None:
    corpus = write_corpus(tmp_path / "文章")
    write(corpus, 10)
    place = Place(corpus, tmp_path / "索引", engine.uri)
    index = place.build()
    engine.kill()
    engine.start()
    assert_same(index, expected(place, tmp_path))  # the same connection
    assert_same(place.opened(), expected(place, tmp_path))


@needs_milvus
def test_what_is_fetched_is_forgotten_again_and_fetched_again(
    engine: MilvusProcess, tmp_path: Path
) -> None:
    corpus = write_corpus(tmp_path / "文章")
    for n in range(12):
        write(corpus, n)
    place = Place(corpus, tmp_path / "索引", engine.uri)
    index = place.build()
    from index.fetched import Records
    from index.milvus import Milvus

    held = index.engine.candidates
    assert isinstance(held, Milvus)
    held.records = Records(held.remote, held.version, most=60_000)
    assert_same(index, expected(place, tmp_path))


@needs_milvus
def test_passages_in_lists(
    engine: MilvusProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As with many passages; where every list is read, nothing is missed."""
    from index import layout, milvus

    monkeypatch.setattr(layout, "EXACT_UP_TO", 10)
    monkeypatch.setattr(milvus, "EXACT_UP_TO", 10)
    corpus = write_corpus(tmp_path / "文章")
    for n in range(15):
        write(corpus, n, f"第{n}次改的文章，说的是门诊。")
    place = Place(corpus, tmp_path / "索引", engine.uri)
    index = place.build()
    held = index.engine.candidates
    assert isinstance(held, milvus.Milvus)
    told = held.remote.read("describe_index", layout.search_name(held.version), index_name="vector")
    assert told["index_type"] == "IVF_FLAT"
    assert_same(index, expected(place, tmp_path))


@needs_milvus
def test_a_corpus_of_many_slices(
    engine: MilvusProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As with many thousand articles: slices, portions, batches, records of several rows."""
    from index import fetched, ingest, layout, rows, sinks, versions
    from index.remote import Remote

    for module, name, limit in (
        (ingest, "SLICE", 4),
        (sinks, "BATCH", 30),
        (sinks, "BATCH_CHARACTERS", 9_000),
        (rows, "PORTION", 3),
        (layout, "PART", 700),
        (fetched, "BATCH", 40),
    ):
        monkeypatch.setattr(module, name, limit)
    corpus = write_corpus(tmp_path / "文章")
    for n in range(18):
        write(corpus, n)
    place = Place(corpus, tmp_path / "索引", engine.uri)
    assert_same(place.build(), expected(place, tmp_path))
    for n in range(3, 8):
        write(corpus, n, f"第{n}篇改过了，惠州门诊报{n}%。")
    first = place.opened().version
    assert_same(place.build(), expected(place, tmp_path))
    link, cache = Remote(engine.uri), place.index.with_suffix(".db")
    found = ingest.verify(corpus, link, FakeEncoder(), cache)
    assert found.name != first
    versions.drop_old(link)
    assert set(found.rows) == {
        name for name in link.read("list_collections") if name != layout.VERSIONS
    }
    assert ingest.verify(corpus, link, FakeEncoder(), cache) == found


@needs_milvus
def test_what_the_engine_gives_at_once_is_bounded(
    engine: MilvusProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beyond it a condition in Python sees the nearest passages only, and nothing fails."""
    from index import milvus, milvus_words

    most = 15
    corpus = write_corpus(tmp_path / "文章")
    for n in range(15):
        write(corpus, n)
    place = Place(corpus, tmp_path / "索引", engine.uri)
    index, other = place.build(), expected(place, tmp_path)
    for module in (milvus, milvus_words):
        monkeypatch.setattr(module, "MOST", most)
    for name, least in (("MARGIN", 2), ("WIDER", 2)):
        monkeypatch.setattr(milvus_words, name, least)
    found, known = index.engine.candidates, other.engine.candidates
    assert len(known) > most
    for question in ASKED:
        vector = other.engine.encode(question)
        assert vector is not None
        near = known.nearest(vector, len(known)).tolist()
        assert found.nearest(vector, 200).tolist() == near[:most]
        rare = Filter(where=lambda article: article.id == "a03")
        fits = [at for at in near[:most] if known.chunks[at].article_id == "a03"]
        assert found.nearest(vector, 5, rare).tolist() == fits
        query = word_query(question, PLAIN)
        words, same = found.words(query), known.words(query)
        best = words.best(3)
        np.testing.assert_array_equal(words.of(best), same.of(best))
        assert len(best) == len(same.best(3))
        assert len(index.search(question, 5)) == len(other.search(question, 5))
