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
_ASKED = 500  # keys in one query; SQLite may take 999


class CachedEncoder:
    """An encoder that remembers passages in an SQLite file; questions go straight through."""

    def __init__(self, encoder: Encoder, path: Path) -> None:
        self._encoder = encoder
        self._path = path
        self._sound = False
        self.name = encoder.name
        self.dimension = encoder.dimension

    @contextmanager
    def _database(self) -> Iterator[sqlite3.Connection]:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        if not self._sound:  # to look takes longer the larger the file is
            drop_if_damaged(self._path)
            self._sound = True
        with closing(sqlite3.connect(self._path, timeout=60)) as database:
            database.execute(_TABLE)
            yield database

    def _key(self, kind: str, text: str) -> bytes:
        return hashlib.sha256(f"{self.name}\0{kind}{text}".encode()).digest()

    def encode_questions(self, texts: Sequence[str]) -> Float32:
        """Unit vectors of questions, shape (len(texts), dimension)."""
        return self._encoder.encode_questions(texts)

    def encode_asked(
        self, texts: Sequence[str], *, progress: Callable[[int], None] | None = None
    ) -> Float32:
        """The same for the ways of asking that articles bring, which are remembered."""
        inner = self._encoder
        encode = inner.encode_asked if isinstance(inner, CachedEncoder) else inner.encode_questions
        return self._encoded(texts, encode, "?\0", progress)

    def encode_passages(
        self, texts: Sequence[str], *, progress: Callable[[int], None] | None = None
    ) -> Float32:
        """Unit vectors of passages, shape (len(texts), dimension); only new texts are encoded.

        ``progress`` gets first the number of texts that are known, then those of each batch.
        """
        return self._encoded(texts, self._encoder.encode_passages, "", progress)

    def _encoded(
        self,
        texts: Sequence[str],
        encode: Callable[[Sequence[str]], Float32],
        kind: str,
        progress: Callable[[int], None] | None,
    ) -> Float32:
        result = np.zeros((len(texts), self.dimension), dtype=np.float32)
        missing: dict[bytes, list[int]] = {}
        places: dict[bytes, list[int]] = {}
        for at, text in enumerate(texts):
            places.setdefault(self._key(kind, text), []).append(at)
        with self._database() as database:
            known = kept(database, "checked_vectors", "vector", list(places))
            for key, found in places.items():
                if len(known.get(key, b"")) == 4 * self.dimension:
                    result[found] = np.frombuffer(known[key], dtype=np.float32)
                else:
                    missing[key] = found
            del known
            if progress:
                progress(len(texts) - sum(map(len, missing.values())))
            keys = sorted(missing, key=lambda key: len(texts[missing[key][0]]))
            for start in range(0, len(keys), _BATCH):
                part = keys[start : start + _BATCH]
                vectors = encode([texts[missing[key][0]] for key in part])
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


def kept(
    database: sqlite3.Connection, table: str, column: str, keys: Sequence[bytes]
) -> dict[bytes, bytes]:
    """The rows of these keys whose checksum is right; asked for many at a time."""
    found: dict[bytes, bytes] = {}
    for start in range(0, len(keys), _ASKED):
        part = keys[start : start + _ASKED]
        marks = ",".join("?" * len(part))
        rows = database.execute(
            # a flipped byte may have made a text of it
            f"SELECT key, CAST({column} AS BLOB), crc FROM {table} WHERE key IN ({marks})",
            part,
        )
        found |= {key: data for key, data, crc in rows if zlib.crc32(data) == crc}
    return found


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
