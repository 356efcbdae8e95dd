"""An encoder small enough to read: unit vectors from hashes, and a list of what it was asked."""

import hashlib
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray


class FakeEncoder:
    """Deterministic unit vectors; texts that share characters are near to each other."""

    def __init__(self, name: str = "fake-1", dimension: int = 16) -> None:
        self.name = name
        self.dimension = dimension
        self.passages: list[str] = []
        self.questions: list[str] = []
        self.crash_after: int | None = None

    def _vector(self, text: str) -> NDArray[np.float32]:
        vector = np.full(self.dimension, 1e-3)
        for char in text:
            seed = int.from_bytes(hashlib.sha256(char.encode()).digest()[:8])
            vector += np.random.default_rng(seed).normal(size=self.dimension)
        return (vector / np.linalg.norm(vector)).astype(np.float32)

    def _encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        rows = [self._vector(text) for text in texts]
        return np.asarray(rows, dtype=np.float32).reshape(len(texts), self.dimension)

    def encode_questions(self, texts: Sequence[str]) -> NDArray[np.float32]:
        self.questions += texts
        return self._encode(texts)

    def encode_passages(
        self, texts: Sequence[str], *, progress: Callable[[int], None] | None = None
    ) -> NDArray[np.float32]:
        if self.crash_after is not None and len(self.passages) + len(texts) > self.crash_after:
            raise KeyboardInterrupt
        self.passages += texts
        if progress:
            progress(len(texts))
        return self._encode(texts)
