"""FAISS: nearest passages by inner product of L2-normalised vectors (cosine).

Every passage is looked at up to ``EXACT_UP_TO``. Beyond, passages lie in lists by nearest centre
(``IndexIVFFlat``), and only the lists nearest to a question are read: cosines are exact, but a near
passage in a list further away is missed. Of what was tried (eval/LOG.md) it needs no second copy of
the vectors, takes filters, and is built in minutes.
"""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray

from corpus.errors import IndexDamaged

Float32 = NDArray[np.float32]

# Measured on vectors drawn from 11,398 real ones with noise of .5; milliseconds on one core:
#   passages   exact   lists, read   ms     recall@10, @200   build (s)   MB
#   50,000     6.5     1,024, 128    1.2    .989, .973        6           79
#   200,000    25      2,048, 128    3.0    .999, .980        28          312
#   1,000,000  126     4,096, 128    7.2    .994, .993        –           1,550
#   1,000,000  126     4,096, 256    12     1.00, .998        –           1,550
EXACT_UP_TO = 20_000  # passages: 3 ms
LISTS_PER_ROOT = 4.0  # lists for each square root of the passages, to the next power of two
PROBED = 192  # lists that a search reads
TRAINED_ON = 40  # passages a centre is found from
ROUNDS = 6  # of k-means; with 25 and 256 passages a centre no recall more, at ten times the time


class Vectors:
    """A FAISS index over unit vectors, float32, shape (passages, dimension)."""

    def __init__(self, index: faiss.Index) -> None:
        self._index = index
        self._lists = index if isinstance(index, faiss.IndexIVF) else None

    @classmethod
    def build(cls, vectors: Float32) -> "Vectors":
        """Index unit vectors of shape (passages, dimension); the same ones give the same index."""
        rows = np.ascontiguousarray(vectors, dtype=np.float32)
        faiss.omp_set_num_threads(os.cpu_count() or 1)  # of this thread; ``search`` lowers it
        exact = len(rows) <= EXACT_UP_TO
        index = faiss.IndexFlatIP(rows.shape[1]) if exact else _trained_lists(rows)
        index.add(rows)
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
        path.write_bytes(faiss.serialize_index(self._index).data)

    def __len__(self) -> int:
        return int(self._index.ntotal)

    @property
    def dimension(self) -> int:
        """Length of a vector."""
        return int(self._index.d)

    @property
    def exact(self) -> bool:
        """Whether every passage is looked at."""
        return self._lists is None

    def search(
        self, vector: Float32, k: int, allowed: NDArray[np.int64] | None = None
    ) -> tuple[NDArray[np.int64], Float32]:
        """The ``k`` nearest passages: positions and cosines, best first, ties by position.

        Args:
            vector: unit vector, shape (dimension,).
            k: how many; fewer come back if fewer are there.
            allowed: positions to choose from, rising; None means all.
        """
        if self._lists is None:
            return self._found(vector, k, allowed, 0)
        if allowed is not None and len(allowed) <= EXACT_UP_TO:
            return _best(allowed, self.score(vector, allowed), k)
        found = self._found(vector, k, allowed, PROBED)
        if len(found[0]) == min(k, len(self) if allowed is None else len(allowed)):
            return found
        return self._found(vector, k, allowed, int(self._lists.nlist))

    def _found(
        self, vector: Float32, k: int, allowed: NDArray[np.int64] | None, probed: int
    ) -> tuple[NDArray[np.int64], Float32]:
        """What FAISS finds, reading ``probed`` lists if there are lists."""
        chosen: dict[str, Any] = {"nprobe": probed} if self._lists is not None else {}
        if allowed is not None:
            chosen["sel"] = faiss.IDSelectorBitmap(self._bits(allowed))  # type: ignore[call-arg, arg-type]
        kind = faiss.SearchParameters if self._lists is None else faiss.SearchParametersIVF
        parameters = kind(**chosen) if chosen else None
        faiss.omp_set_num_threads(1)  # two wait for each other on a busy machine: 16 ms, not 1.2
        scores, positions = self._index.search(vector[None, :], k, params=parameters)
        kept = positions[0] >= 0
        return _best(positions[0][kept].astype(np.int64), scores[0][kept], k)

    def _bits(self, positions: NDArray[np.int64]) -> NDArray[np.uint8]:
        """One bit a passage."""
        wanted = np.zeros(len(self), dtype=bool)
        wanted[positions] = True
        return np.packbits(wanted, bitorder="little")

    def rows(self, positions: NDArray[np.int64]) -> Float32:
        """The vectors of the given passages, shape (len(positions), dimension)."""
        return np.asarray(self._index.reconstruct_batch(positions), dtype=np.float32)

    def score(self, vector: Float32, positions: NDArray[np.int64]) -> Float32:
        """Cosines of the given passages, float32, shape (len(positions),)."""
        if not len(positions):
            return np.zeros(0, dtype=np.float32)
        return np.asarray(self.rows(positions) @ vector, dtype=np.float32)


def lists_for(passages: int) -> int:
    """How many lists that many passages lie in."""
    return 1 << int(np.ceil(np.log2(LISTS_PER_ROOT * np.sqrt(passages))))


def _trained_lists(rows: Float32) -> faiss.Index:
    """Empty lists around centres that k-means finds, always the same from the same rows."""
    kind = f"IVF{lists_for(len(rows))},Flat"
    index: Any = faiss.index_factory(rows.shape[1], kind, faiss.METRIC_INNER_PRODUCT)
    index.cp.niter, index.cp.max_points_per_centroid = ROUNDS, TRAINED_ON
    index.train(rows)
    index.make_direct_map()
    trained: faiss.Index = index
    return trained


def _best(
    positions: NDArray[np.int64], cosines: Float32, k: int
) -> tuple[NDArray[np.int64], Float32]:
    """The ``k`` with the highest cosines, best first, ties by position."""
    order = np.lexsort((positions, -cosines))[:k]
    return positions[order], cosines[order]


class SentenceVectors:
    """The sentences of each passage: rows ``first[i]`` up to ``last[i]`` belong to passage ``i``.

    ``vectors``: unit vectors, float32, shape (sentences, dimension); ``first`` and ``last``: int64,
    shape (passages,), ``last`` not included, equal where a passage has no sentence. ``rows``:
    int64, which vector each row is, where passages share vectors; None: row by row.
    """

    def __init__(
        self,
        vectors: Float32,
        first: NDArray[np.int64],
        last: NDArray[np.int64],
        rows: NDArray[np.int64] | None = None,
    ) -> None:
        self._vectors, self._first, self._last, self._rows = vectors, first, last, rows

    @classmethod
    def build(
        cls, vectors: Float32, counts: Sequence[int], rows: NDArray[np.int64] | None = None
    ) -> "SentenceVectors":
        """For passages whose sentences follow one another, ``counts[i]`` in passage ``i``."""
        last = np.cumsum(np.asarray(counts, dtype=np.int64))
        return cls(vectors, last - counts, last, rows)

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
        rows = rows if self._rows is None else self._rows[rows]
        # many of few: cheaper all of them than a copy of the wanted ones
        most = 2 * len(rows) >= len(self._vectors)
        cosines = (self._vectors @ vector)[rows] if most else self._vectors[rows] @ vector
        best[filled] = np.maximum.reduceat(cosines, starts)
        return best
