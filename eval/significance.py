"""Is a difference between two systems real? Paired permutation test, bootstrap interval, Holm.

All values are a query's score under one metric; both systems are measured on the same queries.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["DRAWS", "SEED", "Interval", "bootstrap", "holm", "permutation_test"]

DRAWS = 10_000  # random draws; the smallest p-value that can be reported is 1 / (DRAWS + 1)
SEED = 20251122  # any fixed number: two runs give the same figures
CELLS = 2_000_000  # random numbers held in memory at a time (about 16 MB)
COVERAGE = 0.95  # of the interval


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean with the ends of its 95 % percentile bootstrap interval, ``low <= high``."""

    mean: float
    low: float
    high: float


def permutation_test(differences: NDArray[np.float64], draws: int = DRAWS) -> float:
    """Two-sided p-value of a paired randomisation test (Fisher; Smucker et al., CIKM 2007).

    Under the null hypothesis each query's difference may as well have the other sign. The observed
    arrangement is counted as one draw, so p is never 0.

    Args:
        differences: float64, shape (n_queries,), system minus baseline.
        draws: number of random sign patterns.

    >>> permutation_test(np.zeros(5))
    1.0
    """
    moved = differences[differences != 0]  # a zero changes no sum
    if not len(moved):
        return 1.0
    generator = np.random.default_rng(SEED)
    observed = abs(moved.sum()) - 1e-12  # rounding must not turn a tie into a smaller value
    as_extreme = 0
    for size in _portions(draws, len(moved)):
        signs = generator.integers(0, 2, size=(size, len(moved)), dtype=np.int8) * 2.0 - 1.0
        as_extreme += int((np.abs(signs @ moved) >= observed).sum())
    return (as_extreme + 1) / (draws + 1)


def bootstrap(values: NDArray[np.float64], draws: int = DRAWS) -> Interval:
    """Mean and 95 % percentile interval over queries drawn with replacement.

    Args:
        values: float64, shape (n_queries,), a score or a difference of scores a query.
        draws: number of resamples.

    Raises:
        ValueError: ``values`` is empty.
    """
    if not len(values):
        msg = "an interval needs at least one value"
        raise ValueError(msg)
    generator = np.random.default_rng(SEED)
    resampled = np.concatenate(
        [
            values[generator.integers(0, len(values), size=(size, len(values)))].mean(axis=1)
            for size in _portions(draws, len(values))
        ]
    )
    tail = (1 - COVERAGE) / 2
    low, high = np.quantile(resampled, [tail, 1 - tail])
    return Interval(float(values.mean()), float(low), float(high))


def holm(p_values: list[float]) -> list[float]:
    """Holm's step-down correction for many comparisons (1979), in the order given.

    >>> holm([0.01, 0.04, 0.03])
    [0.03, 0.06, 0.06]
    """
    corrected = [0.0] * len(p_values)
    highest = 0.0
    order = sorted(range(len(p_values)), key=lambda place: p_values[place])
    for done, place in enumerate(order):
        highest = max(highest, min(1.0, p_values[place] * (len(p_values) - done)))
        corrected[place] = highest
    return corrected


def _portions(draws: int, width: int) -> list[int]:
    """Cut ``draws`` rows of ``width`` numbers into portions that fit ``CELLS``."""
    size = max(1, CELLS // width)
    return [min(size, draws - start) for start in range(0, draws, size)]
