"""Two legs into one ranking: a convex mix of normalised scores, or reciprocal rank fusion.

Bruch, Gai & Ingber 2023 ("An Analysis of Fusion Functions for Hybrid Retrieval") for the convex
mix and for normalising by a bound that theory gives, Cormack, Clarke & Büttcher 2009 for
reciprocal rank fusion, whose ranks begin at 1.
"""

import numpy as np
from numpy.typing import NDArray

Float64 = NDArray[np.float64]

DENSE_WEIGHT = 0.2  # chosen on the development sets, see eval/LOG.md
SENTENCE_DENSE_WEIGHT = 0.55  # the same where sentence vectors make the dense leg the better one
RRF_K = 60  # the constant of the paper


def min_max(scores: Float64) -> Float64:
    """Scores moved to 0…1; all 0 if they do not differ. Shape (n,) in and out.

    >>> min_max(np.array([1.0, 3.0, 2.0])).tolist()
    [0.0, 1.0, 0.5]
    """
    if not len(scores):
        return scores
    low, high = scores.min(), scores.max()
    return (scores - low) / (high - low) if high > low else np.zeros_like(scores)


def convex(
    lexical: Float64, most: float, dense: Float64, dense_weight: float = DENSE_WEIGHT
) -> Float64:
    """Mix two legs' raw scores of the same candidates; higher is better, shape (n,).

    Words count as the share that a passage earns of what it could earn, so that they weigh much
    where a passage holds the question's own words, and little where none does.

    Args:
        lexical: BM25 scores, shape (n,).
        most: about the most that a passage could earn, above 0; see ``index.bm25.most``.
        dense: cosines, shape (n,).
        dense_weight: of the second leg, 0…1.
    """
    return (1 - dense_weight) * lexical / most + dense_weight * min_max(dense)


def reciprocal_rank(*ranks: NDArray[np.int64], k: int = RRF_K) -> Float64:
    """Sum of 1 / (k + rank) over the legs; a rank of 0 means that the leg did not find it.

    >>> reciprocal_rank(np.array([1, 0]), np.array([2, 1])).round(4).tolist()
    [0.0325, 0.0164]
    """
    total = np.zeros(len(ranks[0]), dtype=np.float64)
    for rank in ranks:
        total += np.where(rank > 0, 1.0 / (k + np.maximum(rank, 1)), 0.0)
    return total
