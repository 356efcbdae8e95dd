"""What was read and cut is not read and cut again: kept by the content of files and articles.

Taking files apart and cutting Chinese is what a rebuild spends its time on once the vectors are
known. A key holds the text, the lexicon and the code; a row whose checksum is wrong is made anew.
"""

import hashlib
import json
import sqlite3
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import chain
from pathlib import Path, PurePath

from corpus import chunks as chunking
from corpus import folder, records, sections
from corpus import sentences as sentencing
from corpus.chunks import split
from corpus.readers import markdown
from corpus.records import Article, Chunk, Span
from corpus.sections import asked_within
from corpus.sentences import quotable
from index import terms
from index.cache import drop_if_damaged, kept
from index.engine import TITLE_WEIGHT, document_terms
from index.passages import packed_article, unpacked_article

_TABLE = (
    "CREATE TABLE IF NOT EXISTS {} (key BLOB PRIMARY KEY, data BLOB NOT NULL, crc INTEGER NOT NULL)"
)
_BATCH = 256  # articles between two commits, so that a killed build loses little


@dataclass(frozen=True, slots=True)
class Cut:
    """An article's chunks, the counted terms of their texts, and its quotable sentences."""

    chunks: tuple[Chunk, ...]
    terms: tuple[Counter[str], ...]
    spans: tuple[Span, ...]

    def counted(self, article: Article) -> list[Counter[str]]:
        """The counted terms of each chunk; those of the ways of asking for it count once more."""
        found = []
        for chunk, counts in zip(self.chunks, self.terms, strict=True):
            ways = asked_within(article, Span(chunk.start, chunk.end))
            found.append(counts.copy())
            found[-1].update(dict.fromkeys(chain.from_iterable(map(_terms, ways))).keys())
        return found

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


@lru_cache(maxsize=20_000)
def _terms(way: str) -> tuple[str, ...]:
    """The terms of a way of asking; sections of several articles may share it."""
    return tuple(terms.terms(way))


@cache
def _readers() -> str:
    """Names what decides how a file is read."""
    files = (markdown.__file__, records.__file__, __file__)
    return hashlib.sha256(b"".join(Path(file).read_bytes() for file in files)).hexdigest()


@cache
def _code() -> str:
    """Names what decides how an article is cut."""
    digest = hashlib.sha256(str(TITLE_WEIGHT).encode())
    for module in (chunking, sections, sentencing):
        digest.update(Path(str(module.__file__)).read_bytes())
    digest.update(Path(__file__).read_bytes())
    return digest.hexdigest()


def _key(article: Article) -> bytes:
    fields = (article.id, article.title, article.body, article.truncated)
    return hashlib.sha256(f"{_code()}\0{terms.fingerprint()}\0{fields!r}".encode()).digest()


def cut_articles(articles: Sequence[Article], path: Path, *, sound: bool = False) -> list[Cut]:
    """The cut of each article; only those that are new or have changed are cut.

    Args:
        articles: what to cut.
        path: the SQLite file that keeps cuts; made if it is not there.
        sound: whether it is known to be undamaged; to look takes longer the larger it is.
    """
    found: list[Cut] = []
    with _opened(path, sound=sound) as database:
        for start in range(0, len(articles), _BATCH):
            part = {_key(article): article for article in articles[start : start + _BATCH]}
            known = kept(database, "cut_articles", "data", list(part))
            for key, article in part.items():
                if key in known:
                    found.append(Cut.unpacked(known[key], article))
                else:
                    found.append(Cut.of(article))
                    _keep(database, "cut_articles", key, found[-1].packed())
            database.commit()
    return found


def read_articles(corpus: Path, path: Path) -> list[Article]:
    """``folder.load``, but files whose text was read before are not taken apart again.

    Args:
        corpus: folder of articles.
        path: the SQLite file that keeps what was read; made if it is not there.

    Raises:
        CorpusError: the corpus cannot be read.
    """

    def read(text: str, file: PurePath) -> Article:
        key = hashlib.sha256(f"{_readers()}\0{file.stem}\0{text}".encode()).digest()
        known = kept(database, "read_articles", "data", [key])
        if key in known:
            return unpacked_article(known[key].decode())
        article = markdown.read(text, file)
        _keep(database, "read_articles", key, packed_article(article).encode())
        return article

    with _opened(path) as database:
        articles = folder.load(corpus, read)
        database.commit()
    return articles


@contextmanager
def _opened(path: Path, *, sound: bool = False) -> Iterator[sqlite3.Connection]:
    path.parent.mkdir(parents=True, exist_ok=True)
    if not sound:
        drop_if_damaged(path)
    with closing(sqlite3.connect(path, timeout=60)) as database:
        for table in ("cut_articles", "read_articles"):
            database.execute(_TABLE.format(table))
        yield database


def _keep(database: sqlite3.Connection, table: str, key: bytes, data: bytes) -> None:
    database.execute(
        f"INSERT OR REPLACE INTO {table} VALUES (?, ?, ?)",
        (key, data, zlib.crc32(data)),
    )
