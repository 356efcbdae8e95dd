"""FAISS: nearest passages by inner product of L2-normalised vectors (cosine)."""

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
