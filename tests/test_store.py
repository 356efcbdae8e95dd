"""Build, open, verify: an index answers as it was built, or says in one sentence what is wrong."""

import dataclasses
import fcntl
import json
import os
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from corpus import folder
from corpus.errors import (
    CorpusError,
    IndexDamaged,
    IndexMissing,
    IndexStale,
    SearchIndexError,
    YibaoError,
)
from corpus.sentences import quotable
from index import bm25, manifest, passages, store, terms
from index.encoder import Encoder
from index.search import Engine, passage_text
from index.store import sentence_text
from index.vectors import Vectors
from tests.conftest import ROOT
from tests.fake_encoder import FakeEncoder

TEXTS = {
    "门诊": "惠州门诊报销比例是80%。\n\n## 办法\n\n- 带身份证。\n- 去窗口。",
    "住院": "惠州住院起付线是300元。报销比例是90%。",
    "津贴": "生育津贴由单位申请。津贴按天算。",
    "异地": "异地就医要先备案。备案可以在手机上办。",
}
QUESTIONS = ["惠州门诊报多少", "生育津贴谁申请", "异地备案", "zzz"]
FILES = ["passages.db", "bm25.npz", "terms.txt", "chunks.faiss", "sentences.npy"]


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    found = tmp_path / "文章"
    found.mkdir()
    for name, body in TEXTS.items():
        text = f"---\ntitle: {name}怎么办\n---\n\n{body}\n"
        (found / f"{name}.md").write_text(text, encoding="utf-8")
    return found


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "索引"


@pytest.fixture
def built(corpus: Path, out: Path) -> Path:
    store.build(corpus, out, FakeEncoder())
    return out


def answers(out: Path, encoder: Encoder | None = None) -> list[list[tuple[str, float]]]:
    index = store.open_index(out, encoder or FakeEncoder())
    return [[(hit.chunk.id, hit.score) for hit in index.search(q, 5)] for q in QUESTIONS]


def test_an_opened_index_answers_as_it_was_built(corpus: Path, built: Path) -> None:
    index = store.open_index(built, FakeEncoder())
    titles = {article.id: article.title for article in index.articles.values()}
    documents = [(titles[chunk.article_id], chunk.text) for chunk in index.chunks]
    engine = Engine.build(documents, FakeEncoder())
    for question in QUESTIONS:
        assert index.engine.rank(question, 5) == engine.rank(question, 5)
        assert index.engine.rank(question, 5, ("bm25",)) == engine.rank(question, 5, ("bm25",))
    assert list(index.articles.values()) == folder.load(corpus)


def test_every_sentence_has_its_vector(built: Path) -> None:
    index = store.open_index(built)
    for key, article in index.articles.items():
        spans = index.spans[key]
        assert spans == quotable(article.body)
        expected = FakeEncoder().encode_passages([sentence_text(article, span) for span in spans])
        np.testing.assert_allclose(index.sentence_vectors[key], expected, atol=2e-3)  # float16


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
    assert seen[-1] == ("句子", found.sentences, found.sentences)
    assert all(0 <= done <= total for _, done, total in seen)


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


@pytest.mark.parametrize("name", [*FILES, "manifest.json", "CURRENT"])
@pytest.mark.parametrize("where", [0.0, 0.3, 0.6, 0.99])
def test_one_flipped_byte_is_found(built: Path, name: str, where: float) -> None:
    path = built / name if name == "CURRENT" else manifest.version_of(built) / name
    data = bytearray(path.read_bytes())
    data[int(where * len(data))] ^= 0x81
    path.write_bytes(data)
    for check in (store.verify, store.open_index):
        with pytest.raises(IndexDamaged, match="请重建索引：python -m index build"):
            check(built)


@pytest.mark.parametrize("name", [*FILES, "manifest.json"])
def test_a_missing_file_is_found_and_a_build_mends_it(corpus: Path, built: Path, name: str) -> None:
    before = answers(built)
    (manifest.version_of(built) / name).unlink()
    for check in (store.verify, store.open_index):
        with pytest.raises(IndexDamaged):
            check(built)
    encoder = FakeEncoder()
    assert store.build(corpus, built, encoder)[1]
    assert encoder.passages == []  # the cache has them all
    assert answers(built) == before


def test_no_index(tmp_path: Path) -> None:
    for place in (tmp_path, tmp_path / "没有"):
        for check in (store.verify, store.open_index):
            with pytest.raises(IndexMissing, match="请先建立：python -m index build"):
                check(place)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": 1}', "null", "不是 JSON"])
def test_a_foreign_manifest(built: Path, text: str) -> None:
    (manifest.version_of(built) / "manifest.json").write_text(text, encoding="utf-8")
    with pytest.raises(IndexDamaged, match="清单"):
        store.verify(built)


def test_an_index_of_another_format_is_stale(built: Path) -> None:
    version = manifest.version_of(built)
    data = dataclasses.asdict(manifest.read_manifest(version)) | {"format": 99}
    text = json.dumps(data)
    (version / "manifest.json").write_text(text, encoding="utf-8")
    renamed = version.rename(built / f"v-0-{manifest.digest(text)}")
    (built / "CURRENT").write_text(renamed.name, encoding="utf-8")
    with pytest.raises(IndexStale, match="99"):
        store.verify(built)


@pytest.mark.parametrize(
    ("owner", "name"),
    [
        (passages, "save"),
        (bm25, "save"),
        (Vectors, "save"),
        (np, "save"),
        (store, "_publish"),
        (os, "fsync"),
        (Path, "replace"),
    ],
)
def test_a_build_that_dies_leaves_the_old_index_in_use(
    corpus: Path, built: Path, monkeypatch: pytest.MonkeyPatch, owner: object, name: str
) -> None:
    (corpus / "新.md").write_text("# 新的\n\n新的一篇。", encoding="utf-8")
    shutil.copytree(corpus, corpus.with_name("旧"))
    version = manifest.version_of(built)

    def die(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(owner, name, die)
        with pytest.raises(KeyboardInterrupt):
            store.build(corpus, built, FakeEncoder())
    assert manifest.version_of(built) == version
    assert not list(built.glob(".building-*"))
    (corpus / "新.md").unlink()
    assert len(answers(built)) == len(QUESTIONS)
    (corpus / "新.md").write_text("# 新的\n\n新的一篇。", encoding="utf-8")
    assert store.build(corpus, built, FakeEncoder())[1]
    assert "新" in store.open_index(built).articles


KILLED = """
import sys, time
from pathlib import Path
from index import store
from tests.fake_encoder import FakeEncoder

class Slow(FakeEncoder):
    def encode_passages(self, texts, *, progress=None):
        if self.passages:  # the first stage is done
            Path(sys.argv[3]).touch()
            time.sleep(60)
        return super().encode_passages(texts, progress=progress)

store.build(Path(sys.argv[1]), Path(sys.argv[2]), Slow("slow"))
"""


def test_a_killed_builder_leaves_the_old_index_in_use(
    corpus: Path, built: Path, tmp_path: Path
) -> None:
    before = answers(built)
    marker = tmp_path / "half"
    command = [sys.executable, "-c", KILLED, str(corpus), str(built), str(marker)]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL) as builder:
        for _ in range(600):
            if marker.exists() or builder.poll() is not None:
                break
            time.sleep(0.05)
        assert marker.exists()
        with pytest.raises(SearchIndexError, match="另一个程序正在建"):
            store.build(corpus, built, FakeEncoder("fake-2"))
        builder.send_signal(signal.SIGKILL)
    assert list(built.glob(".building-*"))
    assert answers(built) == before
    resumed = FakeEncoder("slow")
    assert store.build(corpus, built, resumed)[1]
    index = store.open_index(built)
    titles = {article.id: article.title for article in index.articles.values()}
    chunks = {passage_text(titles[chunk.article_id], chunk.text) for chunk in index.chunks}
    assert chunks.isdisjoint(resumed.passages)  # they were in the cache
    assert not list(built.glob(".building-*"))


def test_two_builders_are_kept_apart(corpus: Path, built: Path) -> None:
    with (built / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(SearchIndexError, match=r"另一个程序正在建.*请等它完成再试"):
            store.build(corpus, built, FakeEncoder())
    store.build(corpus, built, FakeEncoder())


@pytest.fixture
def small_disk() -> Iterator[None]:
    """No file may grow beyond some bytes: what a full disk does, from the kernel."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1500, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_full_disk_is_one_sentence_and_the_old_index_stays(
    corpus: Path, built: Path, request: pytest.FixtureRequest
) -> None:
    version = manifest.version_of(built)
    other = FakeEncoder("fake-2")
    request.getfixturevalue("small_disk")
    with pytest.raises(SearchIndexError, match="旧索引没有动") as caught:
        store.build(corpus, built, other)
    assert "None" not in str(caught.value)
    assert "\n" not in str(caught.value)
    assert manifest.version_of(built) == version
    assert not list(built.glob(".building-*"))


@pytest.mark.parametrize(
    "error",
    [
        OSError(28, "No space left on device"),
        sqlite3.OperationalError("database or disk is full"),
    ],
)
@pytest.mark.parametrize(("owner", "name"), [(passages, "save"), (bm25, "save"), (Vectors, "save")])
def test_a_write_error_is_one_sentence(
    corpus: Path,
    built: Path,
    monkeypatch: pytest.MonkeyPatch,
    owner: object,
    name: str,
    error: Exception,
) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(owner, name, fail)
    with pytest.raises(SearchIndexError, match="写不了索引目录") as caught:
        store.build(corpus, built, FakeEncoder("fake-2"))
    assert "No space" in str(caught.value) or "disk is full" in str(caught.value)
    assert len(answers(built)) == len(QUESTIONS)


def test_an_out_folder_that_is_a_file(corpus: Path, tmp_path: Path) -> None:
    (tmp_path / "占").write_text("文件", encoding="utf-8")
    with pytest.raises(SearchIndexError, match="写不了索引目录"):
        store.build(corpus, tmp_path / "占", FakeEncoder())


def test_a_damaged_cache_does_not_stop_a_build(corpus: Path, built: Path) -> None:
    before = answers(built)
    (built / "embeddings.db").write_bytes(b"no database" * 1000)
    shutil.rmtree(manifest.version_of(built))
    assert store.build(corpus, built, FakeEncoder())[1]
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
    questions = {"生孩子单位给的钱": "津贴", "看门诊能给报几成": "门诊", "去外地看病要办什么手续": "异地"}
    for question, wanted in questions.items():
        assert index.search(question, 1, legs=("dense",))[0].article.id == wanted
    for vectors in index.sentence_vectors.values():
        np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=2e-3)
