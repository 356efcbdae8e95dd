"""Comparing both engines: the made-up corpus, agreement on documents, and whose engine is left."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from corpus import folder
from corpus.chunks import split
from corpus.errors import InputError
from eval import engines, milvus_lite
from eval.answers import Outcome
from eval.datasets import Dataset, Document, Qrel, Query
from eval.expectations import Case
from eval.judge import Verdict
from eval.made_corpus import DrawnEncoder, write_corpus
from eval.milvus_lite import MilvusProcess, engine_process
from eval.systems import build_engine
from index import ingest
from index.remote import Remote
from tests.fake_encoder import FakeEncoder
from tests.milvus_process import needs_milvus
from tests.small_corpus import write_corpus as write_small

TEXTS = (
    "申请门特要带身份证和近期病历。",
    "异地就医先备案。",
    "生育津贴由单位申报。",
    "惠州门诊报销。",
)
DATASET = Dataset(
    "tiny",
    "dev",
    tuple(Document(f"d{n}", "" if n % 2 else f"第{n}篇", text) for n, text in enumerate(TEXTS)),
    (Query("q1", "门特要带什么"), Query("q2", "外地看病怎么备案"), Query("q3", "？")),
    (Qrel("q1", "d0", 1), Qrel("q2", "d1", 1), Qrel("q3", "d2", 1)),
)


def test_the_made_up_corpus_is_like_the_shipped_one(tmp_path: Path) -> None:
    written = write_corpus(tmp_path / "a", 12)
    articles = folder.load(tmp_path / "a")
    assert len(articles) == written
    assert 12 <= sum(len(split(article)) for article in articles) < 30
    shipped = {article.id: article for article in folder.load(folder.SHIPPED)}
    for article in articles:
        real = shipped[article.id.removesuffix("-0")]
        assert (article.place, article.status) == (real.place, real.status)
        assert len(article.body) == len(real.body)
        assert article.body != real.body
        pairs = zip(article.body.split("\n"), real.body.split("\n"), strict=True)
        assert all(line == other for line, other in pairs if other.startswith("#"))
    write_corpus(tmp_path / "b", 12)
    assert folder.load(tmp_path / "b") == articles


def test_drawn_vectors_are_near_to_real_ones() -> None:
    real = np.eye(8, dtype=np.float32)
    encoder = DrawnEncoder(real, "name")
    drawn = encoder.encode_passages(["甲", "乙", "甲"])
    assert np.linalg.norm(drawn, axis=1) == pytest.approx(1, abs=1e-6)
    assert np.array_equal(drawn[0], drawn[2])
    assert ((drawn @ real.T).max(axis=1) > 0.9).all()


def outcome(wrong: tuple[str, ...] = (), **answer: Any) -> Outcome:
    case = Case("c", ("问",), "g")
    verdict = Verdict("answer", None, 0, 0, (), None, None, wrong, 0, 0, disclaimer=True)
    return Outcome(case, {"text": "答", "elapsed_ms": 1.0, **answer}, verdict, 1.0)


def test_answers_are_compared_but_for_the_time() -> None:
    different: list[dict[str, Any]] = []
    known = [outcome(), outcome()]
    same, wrong = engines.same_answers(known, [outcome(elapsed_ms=9), outcome()], different)
    assert (same.reached, same.holds, wrong.holds, different) == (1.0, True, True, [])
    found = [outcome(("25万",)), outcome(text="别的")]
    same, wrong = engines.same_answers(known, found, different)
    assert (same.reached, same.holds) == (0.5, False)
    assert (wrong.reached, wrong.holds) == (1.0, False)
    assert [pair["milvus"]["text"] for pair in different] == ["别的"]


def test_without_milvus_it_is_said_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(milvus_lite, "is_installed", lambda: False)
    with pytest.raises(InputError, match=r"没有装 Milvus.*pip install"):
        MilvusProcess(tmp_path)


@needs_milvus
def test_documents_of_a_collection_are_found_alike(tmp_path: Path) -> None:
    encoder = FakeEncoder()
    with engine_process() as (uri, _):
        remote = Remote(uri)
        found = engines._documents(DATASET, remote, encoder, tmp_path / "cache.db")
        known = build_engine(DATASET, encoder)
        overlap, quality = engines._ranked(DATASET, known, found)
        assert (overlap.reached, overlap.holds, overlap.note) == (1.0, True, "次序也相同 3")
        assert (quality.reached, quality.holds) == (0.0, True)
    assert not engines._overlap("x", [[(1, 0.5), (2, 0.4)]], [[(2, 0.5), (3, 0.4)]]).holds


@needs_milvus
def test_an_engine_that_holds_an_index_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    process = MilvusProcess(tmp_path)
    try:
        monkeypatch.setenv("MILVUS_URI", process.uri)
        remote = Remote(process.uri)
        with engine_process() as (uri, pid):
            assert (uri, pid) == (process.uri, None)
            corpus = write_small(tmp_path / "文章")
            ingest.build(corpus, remote, FakeEncoder(), tmp_path / "c.db", lambda *_: None)
        assert remote.read("list_collections") == []  # what was written is gone
        ingest.build(corpus, remote, FakeEncoder(), tmp_path / "c.db", lambda *_: None)
        with pytest.raises(InputError, match="已有索引"), engine_process():
            pass
        assert len(remote.read("list_collections")) == 3
    finally:
        process.kill()
