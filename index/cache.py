"""Embeddings kept by content: a text that was encoded once is never encoded again."""

import hashlib
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import numpy as np

from index.encoder import Encoder
from index.vectors import Float32

_BATCH = 256  # passages between two commits, so that a killed build loses little


class CachedEncoder:
    """An encoder that remembers passages in an SQLite file; questions go straight through."""

    def __init__(self, encoder: Encoder, path: Path) -> None:
        self._encoder = encoder
        self._path = path
        self.name = encoder.name
        self.dimension = encoder.dimension

    @contextmanager
    def _database(self) -> Iterator[sqlite3.Connection]:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(self._path, timeout=60)) as database:
            database.execute(
                "CREATE TABLE IF NOT EXISTS vectors (key BLOB PRIMARY KEY, vector BLOB NOT NULL)"
                " WITHOUT ROWID"
            )
            yield database

    def _key(self, text: str) -> bytes:
        return hashlib.sha256(f"{self.name}\0{text}".encode()).digest()

    def encode_questions(self, texts: Sequence[str]) -> Float32:
        """Unit vectors of questions, shape (len(texts), dimension)."""
        return self._encoder.encode_questions(texts)

    def encode_passages(
        self, texts: Sequence[str], *, progress: Callable[[int], None] | None = None
    ) -> Float32:
        """Unit vectors of passages, shape (len(texts), dimension); only new texts are encoded."""
        result = np.zeros((len(texts), self.dimension), dtype=np.float32)
        with self._database() as database:
            missing: dict[bytes, list[int]] = {}
            for at, text in enumerate(texts):
                key = self._key(text)
                row = database.execute(
                    "SELECT vector FROM vectors WHERE key = ?", (key,)
                ).fetchone()
                if row and len(row[0]) == 4 * self.dimension:
                    result[at] = np.frombuffer(row[0], dtype=np.float32)
                else:
                    missing.setdefault(key, []).append(at)
            if progress:
                progress(len(texts) - sum(len(found) for found in missing.values()))
            keys = sorted(missing, key=lambda key: len(texts[missing[key][0]]))
            for start in range(0, len(keys), _BATCH):
                part = keys[start : start + _BATCH]
                vectors = self._encoder.encode_passages([texts[missing[key][0]] for key in part])
                for key, vector in zip(part, vectors, strict=True):
                    result[missing[key]] = vector
                database.executemany(
                    "INSERT OR REPLACE INTO vectors VALUES (?, ?)",
                    [(key, vector.tobytes()) for key, vector in zip(part, vectors, strict=True)],
                )
                database.commit()
                if progress:
                    progress(sum(len(missing[key]) for key in part))
        return result
