"""Build and open: an index answers as it was built, and knows when it is stale."""

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from corpus import folder
from corpus.errors import CorpusError, IndexStale, YibaoError
from corpus.records import Span
from corpus.sections import asked_within
from corpus.sentences import quotable
from index import manifest, store, terms
from index.cache import CachedEncoder
from index.encoder import Encoder
from index.search import Engine
from index.shipped import sentence_text
from index.vectors import Float32
from tests.fake_encoder import FakeEncoder
from tests.small_corpus import FILES, QUESTIONS, answers, write_corpus


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    return write_corpus(tmp_path / "文章")


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "索引"


@pytest.fixture
def built(corpus: Path, out: Path) -> Path:
    store.build(corpus, out, FakeEncoder())
    return out


def test_an_opened_index_answers_as_it_was_built(corpus: Path, built: Path) -> None:
    index = store.open_index(built, FakeEncoder())
    titles = {article.id: article.title for article in index.articles.values()}
    documents = [(titles[chunk.article_id], chunk.text) for chunk in index.chunks]
    lines = [
        [
            sentence_text(index.articles[chunk.article_id], span)
            for span in index.spans[chunk.article_id]
            if chunk.start <= span.start < chunk.end
        ]
        for chunk in index.chunks
    ]
    asked = [
        asked_within(index.articles[chunk.article_id], Span(chunk.start, chunk.end))
        for chunk in index.chunks
    ]
    engine = Engine.build(documents, FakeEncoder(), lines, asked=asked)
    for question in QUESTIONS:
        opened, built_now = index.engine.rank(question, 5), engine.rank(question, 5)
        assert [hit.position for hit in opened] == [hit.position for hit in built_now]
        for hit, same in zip(opened, built_now, strict=True):
            assert hit.score == pytest.approx(same.score, abs=2e-3)  # sentences in float16
        assert index.engine.rank(question, 5, ("bm25",)) == engine.rank(question, 5, ("bm25",))
    assert list(index.articles.values()) == folder.load(corpus)


def test_every_sentence_has_its_vector(built: Path) -> None:
    index = store.open_index(built)
    for key, article in index.articles.items():
        spans = index.spans[key]
        assert spans == quotable(article.body)
        expected = FakeEncoder().encode_passages([sentence_text(article, span) for span in spans])
        np.testing.assert_allclose(index.sentence_vectors[key], expected, atol=2e-3)  # float16


def test_every_way_of_asking_has_its_vector(built: Path) -> None:
    index = store.open_index(built)
    (key,) = index.asked_vectors
    assert [way for _, way in index.articles[key].asked] == [
        "看病给报几成",
        "要带啥去办",
        "在哪块儿弄",
    ]
    expected = FakeEncoder().encode_questions(["看病给报几成", "要带啥去办", "在哪块儿弄"])
    np.testing.assert_allclose(index.asked_vectors[key], expected, atol=2e-3)


def test_a_way_of_asking_finds_its_passage_by_words_and_by_vector(built: Path) -> None:
    """The passage itself holds neither 「带啥」 nor 「弄」."""
    index = store.open_index(built, FakeEncoder())
    for legs in (("bm25",), ("dense",), ("bm25", "dense")):
        hits = index.search("要带啥去办", 1, legs=legs)
        assert hits[0].article.title == "门诊怎么办"
    assert all("啥" not in chunk.text for chunk in index.chunks)


def test_a_new_way_of_asking_is_all_that_is_encoded(corpus: Path, built: Path) -> None:
    path = corpus / "门诊.md"
    path.write_text(path.read_text(encoding="utf-8").replace("弄", "整"), encoding="utf-8")
    encoder = FakeEncoder()
    assert store.build(corpus, built, encoder)[1]
    assert (encoder.questions, encoder.passages) == (["在哪块儿整"], [])


def test_the_manifest_counts_what_is_there(corpus: Path, out: Path) -> None:
    seen: list[tuple[str, int, int]] = []
    found, changed = store.build(
        corpus, out, FakeEncoder(), lambda *row: seen.append(row), model="some/model"
    )
    index = store.open_index(out)
    assert changed
    assert (found.articles, found.chunks) == (4, len(index.chunks))
    assert found.sentences == sum(map(len, index.spans.values()))
    assert (found.encoder, found.dimension, index.model) == ("fake-1", 16, "some/model")
    assert set(found.files) == set(FILES)
    for stage, total in (("片段", found.chunks), ("句子", found.sentences), ("问法", 3)):
        added = [row[1:] for row in seen if row[0] == stage]
        assert sum(count for count, _ in added) == total
        assert {of for _, of in added} == {total}


def test_a_cache_elsewhere_spares_the_encoding(corpus: Path, out: Path, tmp_path: Path) -> None:
    cache = tmp_path / "kept" / "vectors.db"
    store.build(corpus, out, FakeEncoder(), cache=cache)
    assert not (out / store.CACHE_FILE).exists()
    again = FakeEncoder()
    assert store.build(corpus, tmp_path / "other", again, cache=cache)[1]
    assert again.passages == []


def test_a_second_build_does_nothing(corpus: Path, built: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in built.rglob("*") if path.is_file()}
    encoder = FakeEncoder()
    found, changed = store.build(corpus, built, encoder)
    assert not changed
    assert found == store.verify(built)
    assert encoder.passages == []
    after = {path: path.stat().st_mtime_ns for path in built.rglob("*") if path.is_file()}
    assert {p: t for p, t in after.items() if p.name != ".lock"} == {
        p: t for p, t in before.items() if p.name != ".lock"
    }


def test_a_changed_article_makes_it_stale_and_only_the_new_is_encoded(
    corpus: Path, built: Path
) -> None:
    path = corpus / "异地.md"
    path.write_text(path.read_text(encoding="utf-8") + "\n急诊可以补办。\n", encoding="utf-8")
    for check in (store.verify, store.open_index):
        with pytest.raises(IndexStale, match="文章改过了"):
            check(built)
    encoder = FakeEncoder()
    assert store.build(corpus, built, encoder)[1]
    assert all("异地" in text for text in encoder.passages)
    assert 1 <= len(encoder.passages) <= 3
    assert "急诊可以补办。" in store.open_index(built).articles["异地"].body


def test_a_changed_lexicon_makes_it_stale(
    corpus: Path, built: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(terms, "fingerprint", lambda: "another")
    with pytest.raises(IndexStale, match="词库改过了"):
        store.verify(built)
    assert store.build(corpus, built, FakeEncoder())[1]
    store.verify(built)


def test_another_encoder_makes_it_stale(corpus: Path, built: Path) -> None:
    other = FakeEncoder("fake-2", dimension=8)
    with pytest.raises(IndexStale, match="fake-1"):
        store.open_index(built, other)
    index = store.open_index(built)
    with pytest.raises(IndexStale, match="另一个模型"):
        store.attach(index, other)
    assert store.build(corpus, built, other)[1]
    assert store.open_index(built, other).engine.legs() == ("bm25", "dense")


def test_without_an_encoder_words_are_searched_until_one_is_attached(built: Path) -> None:
    index = store.open_index(built)
    assert index.engine.legs() == ("bm25",)
    assert index.search("生育津贴", 1)[0].article.id == "津贴"
    store.attach(index, FakeEncoder())
    assert index.engine.legs() == ("bm25", "dense")


def test_an_index_whose_corpus_is_gone_still_opens(corpus: Path, built: Path) -> None:
    before = answers(built)
    shutil.rmtree(corpus)
    assert answers(built) == before


def test_only_the_version_in_use_and_the_one_before_are_kept(corpus: Path, out: Path) -> None:
    for n in range(4):
        (corpus / "新.md").write_text(f"# 新的\n\n第{n}次。", encoding="utf-8")
        store.build(corpus, out, FakeEncoder())
        assert len(list(out.glob("v-*"))) == min(n + 1, 2)
    assert "第3次。" in store.open_index(out).articles["新"].body


@pytest.mark.parametrize("body", ["。。。", "？"])
def test_a_corpus_without_a_single_word_is_one_sentence(
    tmp_path: Path, out: Path, body: str
) -> None:
    found = tmp_path / "空话"
    found.mkdir()
    (found / "a.md").write_text(f"---\ntitle: ？？\n---\n{body}", encoding="utf-8")
    with pytest.raises(YibaoError, match="没有"):
        store.build(found, out, FakeEncoder())


def test_a_missing_corpus_is_one_sentence(tmp_path: Path, out: Path) -> None:
    with pytest.raises(CorpusError, match="找不到文章目录"):
        store.build(tmp_path / "没有", out, FakeEncoder())
    assert not out.exists()


def test_the_same_corpus_gives_the_same_bytes(corpus: Path, tmp_path: Path) -> None:
    outs = [tmp_path / "甲", tmp_path / "乙"]
    for out in outs:
        store.build(corpus, out, FakeEncoder())
    for name in ("bm25.npz", "terms.txt", "chunks.faiss", "sentences.npy"):
        first, second = (manifest.version_of(out) / name for out in outs)
        assert first.read_bytes() == second.read_bytes(), name
    assert answers(outs[0]) == answers(outs[1])


def test_with_the_real_encoder(corpus: Path, out: Path, encoder: Encoder) -> None:
    found, _ = store.build(corpus, out, encoder)
    assert (found.encoder, found.dimension) == (encoder.name, encoder.dimension)
    index = store.open_index(out, encoder)
    questions = {
        "生孩子单位给的钱": "津贴",
        "看门诊能给报几成": "门诊",
        "去外地看病要办什么手续": "异地",
    }
    for question, wanted in questions.items():
        assert index.search(question, 1, legs=("dense",))[0].article.id == wanted
    for vectors in index.sentence_vectors.values():
        np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=2e-3)


def test_a_new_cache_begins_with_the_shipped_vectors(tmp_path: Path, encoder: Encoder) -> None:
    """A first start encodes nothing shipped; what is shipped is what it would make."""
    articles = folder.load(folder.SHIPPED)
    texts = [
        sentence_text(article, quotable(article.body)[0])
        for article in (articles[0], articles[len(articles) // 2], articles[-1])
    ]

    class Idle:
        name, dimension = encoder.name, encoder.dimension

        def encode_questions(self, texts: Sequence[str]) -> Float32:
            message = f"not shipped, run `python -m index vectors`: {texts[0]}"
            raise AssertionError(message)

        def encode_passages(
            self, texts: Sequence[str], *, progress: Callable[[int], None] | None = None
        ) -> Float32:
            message = f"not shipped, run `python -m index vectors`: {texts[0]}"
            raise AssertionError(message)

    store.build(folder.SHIPPED, tmp_path / "index", Idle())
    shipped = CachedEncoder(Idle(), tmp_path / "index" / store.CACHE_FILE)
    assert np.allclose(shipped.encode_passages(texts), encoder.encode_passages(texts), atol=1e-3)
    ways = [next(way for article in articles for _, way in article.asked)]
    assert np.allclose(shipped.encode_asked(ways), encoder.encode_questions(ways), atol=1e-3)
