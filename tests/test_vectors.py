"""FAISS against numpy."""

from pathlib import Path

import numpy as np
import pytest

from corpus.errors import IndexDamaged
from index import vectors as module
from index.vectors import Vectors


def unit(rows: int, dimension: int = 24, seed: int = 7) -> np.ndarray:
    vectors = np.random.default_rng(seed).normal(size=(rows, dimension)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def best(vectors: np.ndarray, query: np.ndarray, k: int) -> list[int]:
    cosines = (vectors @ query).astype(np.float32)
    return np.lexsort((np.arange(len(vectors)), -cosines))[:k].tolist()


@pytest.mark.parametrize("k", [1, 5, 300, 1000])
def test_search_equals_numpy(k: int) -> None:
    vectors = unit(300)
    index = Vectors.build(vectors)
    assert (len(index), index.dimension) == (300, 24)
    for query in unit(20, seed=8):
        found, cosines = index.search(query, k)
        assert found.tolist() == best(vectors, query, k)
        np.testing.assert_allclose(cosines, (vectors @ query)[found], atol=1e-6)
        assert found.dtype == np.int64


def test_search_among_the_allowed() -> None:
    vectors = unit(100)
    allowed = np.asarray([3, 17, 50, 99], dtype=np.int64)
    for query in unit(5, seed=9):
        found, _ = Vectors.build(vectors).search(query, 3, allowed)
        assert found.tolist() == [int(allowed[at]) for at in best(vectors[allowed], query, 3)]
        assert len(Vectors.build(vectors).search(query, 10, allowed)[0]) == 4
    empty = np.zeros(0, dtype=np.int64)
    assert len(Vectors.build(vectors).search(unit(1)[0], 3, empty)[0]) == 0


def test_equal_vectors_come_in_the_order_of_their_positions() -> None:
    vectors = np.repeat(unit(1), 50, axis=0)
    for k in (1, 7, 50):
        found, _ = Vectors.build(vectors).search(vectors[0], k)
        assert found.tolist() == list(range(k))


def test_score_equals_numpy() -> None:
    vectors = unit(40)
    query = unit(1, seed=9)[0]
    positions = np.asarray([5, 0, 39], dtype=np.int64)
    scores = Vectors.build(vectors).score(query, positions)
    np.testing.assert_allclose(scores, vectors[positions] @ query, atol=1e-6)
    assert scores.dtype == np.float32
    assert Vectors.build(vectors).score(query, positions[:0]).shape == (0,)


def test_save_and_load_search_alike(tmp_path: Path) -> None:
    vectors, path = unit(60), tmp_path / "v.faiss"
    built = Vectors.build(vectors)
    built.save(path)
    loaded = Vectors.load(path)
    for query in unit(5, seed=10):
        for mine, theirs in zip(built.search(query, 9), loaded.search(query, 9), strict=True):
            assert mine.tolist() == theirs.tolist()


def test_a_file_that_is_no_index(tmp_path: Path) -> None:
    path = tmp_path / "v.faiss"
    for data in (b"", b"nonsense", b"x" * 5000):
        path.write_bytes(data)
        with pytest.raises(IndexDamaged, match=r"v\.faiss"):
            Vectors.load(path)
    with pytest.raises(IndexDamaged, match=r"gone\.faiss"):
        Vectors.load(tmp_path / "gone.faiss")


def test_a_disk_that_refuses_is_an_oserror(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"):
        Vectors.build(unit(3)).save(tmp_path / "gone" / "v.faiss")


@pytest.fixture
def lists(monkeypatch: pytest.MonkeyPatch) -> tuple[np.ndarray, Vectors]:
    """Two thousand vectors in lists, of which a search reads a few."""
    monkeypatch.setattr(module, "EXACT_UP_TO", 50)
    monkeypatch.setattr(module, "PROBED", 64)
    vectors = unit(2000)
    built = Vectors.build(vectors)
    assert not built.exact
    return vectors, built


def test_lists_find_most_of_what_is_near_and_score_it_exactly(
    lists: tuple[np.ndarray, Vectors],
) -> None:
    vectors, index = lists
    assert (len(index), index.dimension) == (2000, 24)
    shares = []
    for query in unit(30, seed=8):
        found, cosines = index.search(query, 10)
        np.testing.assert_allclose(cosines, vectors[found] @ query, atol=1e-6)
        assert np.lexsort((found, -cosines)).tolist() == list(range(10))
        shares.append(len({*found.tolist()} & {*best(vectors, query, 10)}) / 10)
    assert np.mean(shares) > 0.8
    np.testing.assert_allclose(
        index.score(query, np.asarray([7, 3])), vectors[[7, 3]] @ query, atol=1e-6
    )


@pytest.mark.parametrize("count", [30, 60, 400])
def test_lists_with_a_filter_give_as_many_as_there_are(
    lists: tuple[np.ndarray, Vectors], count: int
) -> None:
    vectors, index = lists
    allowed = np.sort(np.random.default_rng(3).choice(2000, count, replace=False))
    for query in unit(5, seed=9):
        found, _ = index.search(query, 50, allowed)
        assert len(found) == min(50, count)
        assert {*found.tolist()} <= {*allowed.tolist()}
        everything, _ = index.search(query, count, allowed)
        assert everything.tolist() == [
            int(allowed[at]) for at in best(vectors[allowed], query, count)
        ]


def test_the_same_vectors_give_the_same_lists(
    lists: tuple[np.ndarray, Vectors], tmp_path: Path
) -> None:
    vectors, index = lists
    index.save(tmp_path / "one")
    Vectors.build(vectors).save(tmp_path / "two")
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
    loaded = Vectors.load(tmp_path / "one")
    assert not loaded.exact
    for query in unit(5, seed=10):
        for mine, theirs in zip(index.search(query, 9), loaded.search(query, 9), strict=True):
            assert mine.tolist() == theirs.tolist()
    np.testing.assert_array_equal(loaded.rows(np.asarray([5, 9])), vectors[[5, 9]])
