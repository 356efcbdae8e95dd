"""Collections drawn for the bench of sizes: like the real ones, always the same, and measured."""

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from eval import bench_scale
from eval.bench_peers import numbers
from eval.bench_scale import Source, draw_counts, draw_vectors, measure_size
from index import vectors as nearest
from index.bm25 import BM25
from index.engine import document_terms
from index.vectors import Vectors
from tests.fake_encoder import FakeEncoder

TEXTS = (
    ("门特怎么办", "申请门特要带身份证和近期病历，先做认定。"),
    ("异地就医", "去外地看病之前先在国家医保服务平台备案。"),
    ("生育津贴", "生育津贴由单位向医保局申报。"),
)
QUESTIONS = ("门特要带什么材料", "去外地看病怎么备案")


@pytest.fixture
def source() -> Source:
    encoder = FakeEncoder()
    vectors = encoder.encode_passages([text for _, text in TEXTS])
    asked = encoder.encode_questions(QUESTIONS)
    counts = tuple(Counter(document_terms(*text)) for text in TEXTS)
    return Source(counts, vectors, vectors, QUESTIONS, tuple(asked))


def test_drawn_passages_hold_what_real_ones_hold(source: Source) -> None:
    drawn = draw_counts(source.counts, 900)
    assert drawn.matrix.shape == (len(drawn.vocabulary), 900)
    assert set(drawn.vocabulary) == {term for counts in source.counts for term in counts}
    real = {(term, n) for counts in source.counts for term, n in counts.items()}
    names = list(drawn.vocabulary)
    rows = np.repeat(np.arange(len(names)), np.diff(drawn.matrix.indptr))
    pairs = zip(rows.tolist(), drawn.matrix.data.tolist(), strict=True)
    assert {(names[row], count) for row, count in pairs} == real
    assert drawn.matrix.has_canonical_format  # a pair of term and passage stands once
    held = np.bincount(drawn.matrix.indices, minlength=900)
    assert held.max() <= max(map(len, source.counts))
    again = draw_counts(source.counts, 900)
    assert (again.matrix != drawn.matrix).nnz == 0
    assert BM25(drawn).get_scores(["门特"]).max() > 0


def test_drawn_in_portions_is_a_whole(source: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench_scale, "PORTION", 7)
    drawn = draw_counts(source.counts, 20)
    assert drawn.matrix.shape[1] == 20
    assert np.all(np.bincount(drawn.matrix.indices, minlength=20) > 0)


def test_drawn_vectors_are_near_to_real_ones(source: Source) -> None:
    drawn = draw_vectors(source.vectors, 50)
    assert drawn.dtype == np.float32
    assert np.linalg.norm(drawn, axis=1) == pytest.approx(1, abs=1e-5)
    cosines = np.einsum("ij,ij->i", drawn, source.vectors[np.arange(50) % 3])
    assert 0.8 < cosines.mean() < 0.97
    assert np.array_equal(drawn, draw_vectors(source.vectors, 50))


def test_a_size_is_measured(source: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    exact = measure_size(source, 60)
    assert exact["exact"]
    assert (exact["recall_10"], exact["recall_200"]) == (1.0, 1.0)
    for of in (exact["search"], exact["bm25"]):
        assert 0 < of["p50_ms"] <= of["p95_ms"]
    monkeypatch.setattr(nearest, "EXACT_UP_TO", 50)
    monkeypatch.setattr(nearest, "PROBED", 40)
    lists = measure_size(source, 2000)
    assert not lists["exact"]
    rows = draw_vectors(source.vectors, 2000)
    index = Vectors.build(rows)
    shares = []
    for vector in source.asked:
        true = set(np.argsort(-(rows @ vector), kind="stable")[:10].tolist())
        shares.append(len(true & set(index.search(vector, 200)[0][:10].tolist())) / 10)
    assert lists["recall_10"] == pytest.approx(np.mean(shares))


def test_the_command_writes_table_plot_and_figures(
    source: Source,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(bench_scale, "_source", lambda _: source)
    bench_scale.bench_scale(tmp_path, tmp_path / "scale", numbers("20, 40"), as_json=False)
    assert "造出来的" in capsys.readouterr().out
    report = json.loads((tmp_path / "scale" / "scale.json").read_text("utf-8"))
    assert [of["passages"] for of in report["sizes"]] == [20, 40]
    assert (tmp_path / "scale" / "scale.md").read_text("utf-8").count("\n") == 4
    assert (tmp_path / "scale" / "scale.png").read_bytes().startswith(b"\x89PNG")
