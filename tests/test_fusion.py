"""Two rankings into one, against twins written from the definitions."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from index.fusion import (
    DENSE_WEIGHT,
    RRF_K,
    SENTENCE_DENSE_WEIGHT,
    convex,
    min_max,
    reciprocal_rank,
)

scores = st.lists(
    st.integers(-1000, 1000).map(lambda number: number / 8), min_size=1, max_size=20
).map(lambda found: np.asarray(found, dtype=np.float64))


@settings(max_examples=100, deadline=None)
@given(scores)
def test_min_max_keeps_the_order_and_runs_from_0_to_1(raw: np.ndarray) -> None:
    moved = min_max(raw)
    if raw.min() == raw.max():
        assert not moved.any()
        return
    assert (moved.min(), moved.max()) == (0.0, 1.0)
    assert (np.argsort(moved, kind="stable") == np.argsort(raw, kind="stable")).all()
    np.testing.assert_allclose(min_max(raw * 3 + 5), moved, atol=1e-12)


@settings(max_examples=60, deadline=None)
@given(scores, st.floats(0, 1), st.floats(0.1, 1000))
def test_convex_mixes_the_two(lexical: np.ndarray, weight: float, most: float) -> None:
    dense = lexical[::-1].copy()
    mixed = convex(lexical, most, dense, weight)
    expected = [
        (1 - weight) * a / most + weight * b for a, b in zip(lexical, min_max(dense), strict=True)
    ]
    np.testing.assert_allclose(mixed, expected, atol=1e-9)


def test_the_ends_of_the_weight_are_the_legs() -> None:
    lexical, dense = np.asarray([3.0, 1.0, 2.0]), np.asarray([0.1, 0.9, 0.5])
    assert convex(lexical, 4.0, dense, 0).tolist() == [0.75, 0.25, 0.5]
    assert convex(lexical, 4.0, dense, 1).tolist() == min_max(dense).tolist()
    assert 0 < DENSE_WEIGHT < SENTENCE_DENSE_WEIGHT < 1


def test_words_decide_where_a_passage_holds_them_and_meaning_where_none_does() -> None:
    lexical, dense = np.asarray([3.0, 1.0]), np.asarray([0.2, 0.3])
    assert convex(lexical, 4.0, dense)[0] > convex(lexical, 4.0, dense)[1]
    assert convex(lexical, 40.0, dense)[0] < convex(lexical, 40.0, dense)[1]


def test_nothing_found_gives_nothing() -> None:
    empty = np.zeros(0)
    assert min_max(empty).shape == convex(empty, 1.0, empty).shape == (0,)
    assert reciprocal_rank(np.zeros(0, dtype=np.int64)).shape == (0,)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)), min_size=1, max_size=20),
    st.integers(1, 100),
)
def test_reciprocal_rank_equals_the_sum_of_the_paper(ranks: list[tuple[int, int]], k: int) -> None:
    legs = np.asarray(ranks, dtype=np.int64).T
    expected = [sum(1 / (k + rank) for rank in pair if rank > 0) for pair in ranks]
    np.testing.assert_allclose(reciprocal_rank(*legs, k=k), expected, atol=1e-12)


def test_ranks_begin_at_1() -> None:
    first = reciprocal_rank(np.asarray([1, 2, 0]))
    assert first.tolist() == pytest.approx([1 / (RRF_K + 1), 1 / (RRF_K + 2), 0.0])
