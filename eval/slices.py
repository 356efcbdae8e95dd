"""Parts of a collection by what its questions are like: length, place, number, kind."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from corpus.regions import mentions
from eval.datasets import Dataset
from index.terms import normalise

__all__ = ["SHORT", "slices"]

SHORT, LONG = 10, 20  # characters: up to SHORT is short, above LONG is long
SMALLEST = 5  # questions below which a part says nothing

Mask = NDArray[np.bool_]


def slices(dataset: Dataset) -> Mapping[str, Mask]:
    """Which queries belong to each part; parts of fewer than ``SMALLEST`` are left out.

    Returns:
        ``{name: bool, shape (n_queries,)}`` in the order of the queries.
    """
    texts = [normalise(query.text) for query in dataset.queries]
    lengths = np.asarray([len(text) for text in texts])
    parts: dict[str, Mask] = {
        f"length ≤ {SHORT}": lengths <= SHORT,
        f"length {SHORT + 1}–{LONG}": (lengths > SHORT) & (lengths <= LONG),
        f"length > {LONG}": lengths > LONG,
    }
    placed = np.asarray([bool(mentions(text)) for text in texts], dtype=bool)
    numbered = np.asarray([any(c.isdigit() for c in text) for text in texts], dtype=bool)
    parts |= {"with a place": placed, "without a place": ~placed}
    parts |= {"with a number": numbered, "without a number": ~numbered}
    for kind in sorted({query.kind for query in dataset.queries} - {""}):
        parts[f"kind: {kind}"] = np.asarray([query.kind == kind for query in dataset.queries])
    return {name: mask for name, mask in parts.items() if mask.sum() >= SMALLEST}
