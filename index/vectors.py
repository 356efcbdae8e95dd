"""FAISS: nearest passages by inner product of L2-normalised vectors (cosine)."""

from collections.abc import Sequence
from pathlib import Path

import faiss
import numpy as np
from numpy.typing import NDArray

from corpus.errors import IndexDamaged

Float32 = NDArray[np.float32]


class Vectors:
    """An exact FAISS index over unit vectors, float32, shape (passages, dimension)."""

    def __init__(self, index: faiss.Index) -> None:
        self._index = index

    @classmethod
    def build(cls, vectors: Float32) -> "Vectors":
        """Index unit vectors of shape (passages, dimension)."""
        index = faiss.IndexFlatIP(vectors.shape[1])
        index.add(np.ascontiguousarray(vectors, dtype=np.float32))
        return cls(index)

    @classmethod
    def load(cls, path: Path) -> "Vectors":
        """Read an index that ``save`` wrote."""
        try:
            return cls(faiss.read_index(str(path)))
        except RuntimeError as error:
            msg = f"向量文件 {path.name} 坏了，请重建索引：python -m index build"
            raise IndexDamaged(msg) from error

    def save(self, path: Path) -> None:
        """Write the index in FAISS's own format; raises ``OSError`` if the disk refuses."""
        path.write_bytes(faiss.serialize_index(self._index).tobytes())

    def __len__(self) -> int:
        return int(self._index.ntotal)

    @property
    def dimension(self) -> int:
        """Length of a vector."""
        return int(self._index.d)

    def search(
        self, vector: Float32, k: int, allowed: NDArray[np.int64] | None = None
    ) -> tuple[NDArray[np.int64], Float32]:
        """The ``k`` nearest passages: positions and cosines, best first, ties by position.

        Args:
            vector: unit vector, shape (dimension,).
            k: how many; fewer come back if fewer are there.
            allowed: positions to choose from; None means all.
        """
        parameters = None
        if allowed is not None:
            parameters = faiss.SearchParameters(  # type: ignore[call-arg]
                sel=faiss.IDSelectorBatch(allowed)
            )
        scores, positions = self._index.search(vector[None, :], k, params=parameters)
        kept = positions[0] >= 0
        found, cosine = positions[0][kept].astype(np.int64), scores[0][kept]
        order = np.lexsort((found, -cosine))
        return found[order], cosine[order]

    def score(self, vector: Float32, positions: NDArray[np.int64]) -> Float32:
        """Cosines of the given passages, float32, shape (len(positions),)."""
        if not len(positions):
            return np.zeros(0, dtype=np.float32)
        rows = self._index.reconstruct_batch(positions)
        return np.asarray(rows @ vector, dtype=np.float32)


class SentenceVectors:
    """The sentences of each passage: rows ``first[i]`` up to ``last[i]`` belong to passage ``i``.

    ``vectors``: unit vectors, float32, shape (sentences, dimension); ``first`` and ``last``: int64,
    shape (passages,), ``last`` not included, equal where a passage has no sentence.
    """

    def __init__(self, vectors: Float32, first: NDArray[np.int64], last: NDArray[np.int64]) -> None:
        self._vectors, self._first, self._last = vectors, first, last

    @classmethod
    def build(cls, vectors: Float32, counts: Sequence[int]) -> "SentenceVectors":
        """For passages whose sentences follow one another, ``counts[i]`` in passage ``i``."""
        last = np.cumsum(np.asarray(counts, dtype=np.int64))
        return cls(vectors, last - counts, last)

    def best(self, vector: Float32, positions: NDArray[np.int64], otherwise: Float32) -> Float32:
        """Cosine of each passage's nearest sentence, float32, shape (len(positions),).

        ``otherwise``, of the same shape, stands where a passage has no sentence.
        """
        first, last = self._first[positions], self._last[positions]
        best = np.array(otherwise, dtype=np.float32)
        filled = np.flatnonzero(last > first)
        if not len(filled):
            return best
        sizes = (last - first)[filled]
        starts = np.concatenate(([0], np.cumsum(sizes)[:-1]))
        rows = np.arange(sizes.sum()) - np.repeat(starts - first[filled], sizes)
        best[filled] = np.maximum.reduceat(self._vectors[rows] @ vector, starts)
        return best
