"""Embeddings kept by content: a text that was encoded once is never encoded again."""

import hashlib
import sqlite3
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import numpy as np

from index.encoder import Encoder
from index.vectors import Float32

_TABLE = (
    "CREATE TABLE IF NOT EXISTS checked_vectors"
    " (key BLOB PRIMARY KEY, vector BLOB NOT NULL, crc INTEGER NOT NULL)"
)
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
        drop_if_damaged(self._path)
        with closing(sqlite3.connect(self._path, timeout=60)) as database:
            database.execute(_TABLE)
            yield database

    def _known(self, database: sqlite3.Connection, key: bytes) -> Float32 | None:
        """The vector of a text, unless it is not there or its checksum is wrong."""
        row = database.execute(
            "SELECT vector, crc FROM checked_vectors WHERE key = ?", (key,)
        ).fetchone()
        if row and len(row[0]) == 4 * self.dimension and zlib.crc32(row[0]) == row[1]:
            return np.frombuffer(row[0], dtype=np.float32)
        return None

    def _key(self, text: str) -> bytes:
        return hashlib.sha256(f"{self.name}\0{text}".encode()).digest()

    def encode_questions(self, texts: Sequence[str]) -> Float32:
        """Unit vectors of questions, shape (len(texts), dimension)."""
        return self._encoder.encode_questions(texts)

    def encode_passages(
        self, texts: Sequence[str], *, progress: Callable[[int], None] | None = None
    ) -> Float32:
        """Unit vectors of passages, shape (len(texts), dimension); only new texts are encoded.

        ``progress`` gets first the number of texts that are known, then those of each batch.
        """
        result = np.zeros((len(texts), self.dimension), dtype=np.float32)
        missing: dict[bytes, list[int]] = {}
        with self._database() as database:
            for at, text in enumerate(texts):
                key = self._key(text)
                if (vector := self._known(database, key)) is not None:
                    result[at] = vector
                else:
                    missing.setdefault(key, []).append(at)
            if progress:
                progress(len(texts) - sum(map(len, missing.values())))
            keys = sorted(missing, key=lambda key: len(texts[missing[key][0]]))
            for start in range(0, len(keys), _BATCH):
                part = keys[start : start + _BATCH]
                vectors = self._encoder.encode_passages([texts[missing[key][0]] for key in part])
                self._keep(database, part, vectors)
                for key, vector in zip(part, vectors, strict=True):
                    result[missing[key]] = vector
                if progress:
                    progress(sum(len(missing[key]) for key in part))
        return result

    def _keep(self, database: sqlite3.Connection, keys: Sequence[bytes], vectors: Float32) -> None:
        blobs = [vector.tobytes() for vector in np.asarray(vectors, dtype=np.float32)]
        database.executemany(
            "INSERT OR REPLACE INTO checked_vectors VALUES (?, ?, ?)",
            [(key, blob, zlib.crc32(blob)) for key, blob in zip(keys, blobs, strict=True)],
        )
        database.commit()


def drop_if_damaged(path: Path) -> None:
    """A cache can be made again: one that SQLite cannot read is thrown away."""
    try:
        with closing(sqlite3.connect(path, timeout=60)) as database:
            sound = database.execute("PRAGMA quick_check").fetchone() == ("ok",)
    except sqlite3.OperationalError:  # locked, or the disk refuses: no reason to lose it
        raise
    except sqlite3.DatabaseError:
        sound = False
    if not sound:
        path.unlink()
