"""The paired test and the interval against exact or known answers."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval.significance import DRAWS, bootstrap, holm, permutation_test


def exact_p(differences: list[float]) -> float:
    """All sign patterns instead of a sample of them."""
    observed = abs(sum(differences))
    sums = [
        abs(sum(sign * d for sign, d in zip(signs, differences, strict=True)))
        for signs in product((-1, 1), repeat=len(differences))
    ]
    return sum(value >= observed - 1e-12 for value in sums) / len(sums)


@pytest.mark.parametrize(
    "differences",
    [[0.1, 0.2, -0.1, 0.3, 0.4, 0.05, -0.2, 0.1], [0.5] * 6, [0.2, -0.2], [0.3]],
)
def test_p_is_near_the_exact_one(differences: list[float]) -> None:
    p_value = permutation_test(np.array(differences))
    assert p_value == pytest.approx(exact_p(differences), abs=0.02)


def test_p_is_two_sided_seeded_and_never_zero() -> None:
    differences = np.full(400, 0.3)
    assert permutation_test(differences) == 1 / (DRAWS + 1)
    assert permutation_test(differences) == permutation_test(-differences)
    mixed = np.random.default_rng(1).normal(0.05, 1, 300)
    assert permutation_test(mixed) == permutation_test(mixed)


def test_no_difference_is_no_evidence() -> None:
    assert permutation_test(np.zeros(50)) == 1.0
    assert permutation_test(np.array([0.0, 0.4, -0.4])) == 1.0


def test_the_interval_is_near_the_normal_one() -> None:
    values = np.random.default_rng(3).normal(0.5, 0.2, 2_000)
    interval = bootstrap(values)
    half = 1.96 * values.std() / np.sqrt(len(values))
    assert interval.mean == pytest.approx(values.mean())
    assert interval.low == pytest.approx(values.mean() - half, abs=0.001)
    assert interval.high == pytest.approx(values.mean() + half, abs=0.001)
    assert bootstrap(values) == interval


def test_the_interval_of_equal_values_is_a_point_and_of_none_an_error() -> None:
    interval = bootstrap(np.full(7, 0.25))
    assert (interval.low, interval.mean, interval.high) == (0.25, 0.25, 0.25)
    with pytest.raises(ValueError, match="at least one"):
        bootstrap(np.array([]))


@given(st.lists(st.floats(0, 1), max_size=12))
def test_holm_never_lowers_and_keeps_the_order(p_values: list[float]) -> None:
    corrected = holm(p_values)
    assert all(p <= after <= 1 for p, after in zip(p_values, corrected, strict=True))
    by_p = [after for _, after in sorted(zip(p_values, corrected, strict=True))]
    assert by_p == sorted(by_p)
