"""Chunks, sentences and term counts kept by an article's content: what is cut is not cut again.

Cutting Chinese is what a rebuild spends its time on once the vectors are known. The key holds the
article, the lexicon and the code that cuts; a row whose checksum is wrong is made anew.
"""

import hashlib
import json
import sqlite3
import zlib
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from corpus import chunks as chunking
from corpus import sentences as sentencing
from corpus.chunks import split
from corpus.records import Article, Chunk, Span
from corpus.sentences import quotable
from index import terms
from index.cache import drop_if_damaged
from index.engine import TITLE_WEIGHT, document_terms

_TABLE = (
    "CREATE TABLE IF NOT EXISTS cut_articles"
    " (key BLOB PRIMARY KEY, data BLOB NOT NULL, crc INTEGER NOT NULL)"
)
_BATCH = 256  # articles between two commits, so that a killed build loses little


@dataclass(frozen=True, slots=True)
class Cut:
    """An article's chunks, the counted terms of each, and its quotable sentences."""

    chunks: tuple[Chunk, ...]
    terms: tuple[Counter[str], ...]
    spans: tuple[Span, ...]

    @classmethod
    def of(cls, article: Article) -> "Cut":
        """Cut an article."""
        chunks = tuple(split(article))
        found = tuple(Counter(document_terms(article.title, chunk.text)) for chunk in chunks)
        return cls(chunks, found, tuple(quotable(article.body, truncated=article.truncated)))

    def packed(self) -> bytes:
        """The cut without the article's own text; terms in the order in which they first stand."""
        chunks = [(c.id, c.start, c.end, c.heading_path) for c in self.chunks]
        spans = [(span.start, span.end) for span in self.spans]
        text = json.dumps([chunks, self.terms, spans], ensure_ascii=False)
        return zlib.compress(text.encode(), 1)

    @classmethod
    def unpacked(cls, data: bytes, article: Article) -> "Cut":
        """What ``packed`` made of this article."""
        chunks, found, spans = json.loads(zlib.decompress(data))
        return cls(
            tuple(
                Chunk(key, article.id, start, end, article.body[start:end], tuple(path))
                for key, start, end, path in chunks
            ),
            tuple(map(Counter, found)),
            tuple(Span(start, end) for start, end in spans),
        )


@cache
def _code() -> str:
    """Names what decides how an article is cut."""
    digest = hashlib.sha256(str(TITLE_WEIGHT).encode())
    for module in (chunking, sentencing):
        digest.update(Path(str(module.__file__)).read_bytes())
    digest.update(Path(__file__).read_bytes())
    return digest.hexdigest()


def _key(article: Article) -> bytes:
    fields = (article.id, article.title, article.body, article.truncated)
    return hashlib.sha256(f"{_code()}\0{terms.fingerprint()}\0{fields!r}".encode()).digest()


def cut_articles(articles: Sequence[Article], path: Path) -> list[Cut]:
    """The cut of each article; only those that are new or have changed are cut.

    Args:
        articles: what to cut.
        path: the SQLite file that keeps cuts; made if it is not there.
    """
    found = []
    drop_if_damaged(path)
    with closing(sqlite3.connect(path, timeout=60)) as database:
        database.execute(_TABLE)
        for number, article in enumerate(articles, 1):
            found.append(_cut(database, article))
            if number % _BATCH == 0:
                database.commit()
        database.commit()
    return found


def _cut(database: sqlite3.Connection, article: Article) -> Cut:
    key = _key(article)
    row = database.execute("SELECT data, crc FROM cut_articles WHERE key = ?", (key,)).fetchone()
    if row and zlib.crc32(row[0]) == row[1]:
        return Cut.unpacked(row[0], article)
    cut = Cut.of(article)
    data = cut.packed()
    database.execute(
        "INSERT OR REPLACE INTO cut_articles VALUES (?, ?, ?)", (key, data, zlib.crc32(data))
    )
    return cut
