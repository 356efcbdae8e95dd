"""The records of a version in Milvus, fetched by key in batches and kept in bounded memory.

Vectors of sentences lie there in half precision, as on the disk of the embedded index.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from corpus.errors import IndexDamaged
from corpus.records import Article, Chunk, Span
from index.kept import Kept
from index.layout import bucket, hashed, pack, store_name, unpack
from index.passages import packed_article, unpacked_article
from index.remote import Remote, rebuild
from index.vectors import Float32

KEPT_BYTES = 256 * 2**20  # of records in memory: some 30,000 passages with their sentences
NO_BODY = "…"  # in place of a text that is not there
BATCH = 1_000  # keys in one request
Record = TypeVar("Record")
Numbers = NDArray[np.uint32]


@dataclass(frozen=True, slots=True, eq=False)
class TermCounts:
    """A passage's terms by rising row, how often each stands there, how many there are in all."""

    rows: NDArray[np.uint32]
    counts: NDArray[np.unsignedinteger[Any]]
    length: float

    def packed(self) -> str:
        """As a record of the store; counts hardly ever need more than a byte."""
        kind = np.min_scalar_type(int(self.counts.max(initial=0)))
        return pack(self.length, self.rows, self.counts.astype(kind))

    @classmethod
    def unpacked(cls, text: str) -> "TermCounts":
        """What ``packed`` made."""
        length, rows, counts = unpack(text)
        return cls(rows, counts, length)


@dataclass(frozen=True, slots=True, eq=False)
class Passage:
    """A chunk without its text, its vectors, and the numbers of the ways of asking for it.

    ``vector``: shape (dimension,); ``sentences``: shape (n, dimension), stored in half precision;
    ``asked``: shape (ways,).
    """

    id: str
    article_id: str
    span: Span
    heading_path: tuple[str, ...]
    vector: Float32
    sentences: Float32
    asked: Numbers

    def packed(self) -> str:
        """As a record of the store."""
        head = [self.id, self.article_id, self.span.start, self.span.end, self.heading_path]
        return pack(head, self.vector, _halved(self.sentences), self.asked)

    @classmethod
    def unpacked(cls, text: str) -> "Passage":
        """What ``packed`` made."""
        head, vector, sentences, asked = unpack(text)
        key, owner, start, end, path = head
        lines = sentences.astype(np.float32)
        return cls(key, owner, Span(start, end), tuple(path), vector, lines, asked)

    def chunk(self, article: Article) -> Chunk:
        """The chunk with its text."""
        text = self.span.of(article.body)
        start, end = self.span.start, self.span.end
        return Chunk(self.id, self.article_id, start, end, text, self.heading_path)


@dataclass(frozen=True, slots=True)
class Text:
    """An article and its quotable sentences."""

    article: Article
    spans: tuple[Span, ...]

    def packed(self) -> str:
        """As a record of the store."""
        spans = [(span.start, span.end) for span in self.spans]
        return pack([packed_article(self.article), spans])

    @classmethod
    def unpacked(cls, text: str) -> "Text":
        """What ``packed`` made."""
        (head,) = unpack(text)
        return cls(unpacked_article(head[0]), tuple(Span(*span) for span in head[1]))


@dataclass(frozen=True, slots=True)
class Head:
    """An article's particulars: all but its text and how it is asked for."""

    article: Article

    def packed(self) -> str:
        """As a record of the store."""
        return pack(packed_article(replace(self.article, body=NO_BODY, asked=())))

    @classmethod
    def unpacked(cls, text: str) -> "Head":
        """What ``packed`` made."""
        (head,) = unpack(text)
        return cls(unpacked_article(head))


@dataclass(frozen=True, slots=True, eq=False)
class Lines:
    """Vectors of an article's sentences, shape (n, dimension), and its ways' numbers."""

    sentences: Float32
    asked: Numbers

    def packed(self) -> str:
        """As a record of the store."""
        return pack(None, _halved(self.sentences), self.asked)

    @classmethod
    def unpacked(cls, text: str) -> "Lines":
        """What ``packed`` made."""
        _, sentences, asked = unpack(text)
        return cls(sentences.astype(np.float32), asked)


@dataclass(frozen=True, slots=True, eq=False)
class Way:
    """The vector of a way of asking, shape (dimension,), stored in half precision."""

    vector: Float32

    def packed(self) -> str:
        """As a record of the store."""
        return pack(None, _halved(self.vector))

    @classmethod
    def unpacked(cls, text: str) -> "Way":
        """What ``packed`` made."""
        _, vector = unpack(text)
        return cls(vector.astype(np.float32))


@dataclass(frozen=True, slots=True)
class Term:
    """A term: its row, how many passages hold it, its idf."""

    row: int
    held: int
    idf: float


@dataclass(frozen=True, slots=True)
class Bucket:
    """Terms that are kept together."""

    terms: Mapping[str, Term]

    def packed(self) -> str:
        """As a record of the store."""
        return pack([(name, term.row, term.held, term.idf) for name, term in self.terms.items()])

    @classmethod
    def unpacked(cls, text: str) -> "Bucket":
        """What ``packed`` made."""
        (head,) = unpack(text)
        return cls({name: Term(*numbers) for name, *numbers in head})


_KINDS: dict[str, Any] = {
    "A": Head,
    "a": Bucket,
    "b": Way,
    "c": TermCounts,
    "p": Passage,
    "t": Text,
    "v": Lines,
}
_OVERHEAD = 500  # bytes of the objects around a record, about
_GROWN = 1.5  # bytes in memory for a character of a record: four for three, halves made whole


class Records:
    """Records by what they belong to; those that are not there are left out."""

    def __init__(self, remote: Remote, version: str, most: int = KEPT_BYTES) -> None:
        self._remote, self._collection = remote, store_name(version)
        self._kept: Kept[str, tuple[Any, int]] = Kept(self._load, lambda pair: pair[1], most)

    def counts(self, positions: Iterable[int]) -> dict[int, TermCounts]:
        """The terms of passages by position."""
        return self._all({int(at): f"c{int(at)}" for at in positions})

    def passages(self, positions: Iterable[int]) -> dict[int, Passage]:
        """Passages by position."""
        return self._all({int(at): f"p{int(at)}" for at in positions})

    def texts(self, ids: Iterable[str]) -> dict[str, Text]:
        """Articles by id."""
        return self._all({key: f"t{hashed(key)}" for key in ids})

    def heads(self, ids: Iterable[str]) -> dict[str, Head]:
        """Particulars of articles by id."""
        return self._all({key: f"A{hashed(key)}" for key in ids})

    def lines(self, ids: Iterable[str]) -> dict[str, Lines]:
        """Vectors by an article's id."""
        return self._all({key: f"v{hashed(key)}" for key in ids})

    def ways(self, numbers: Numbers) -> Float32:
        """Vectors of ways of asking, shape (len(numbers), dimension); at least one."""
        wanted = numbers.tolist()
        found = self._all({number: f"b{number}" for number in wanted})
        if len(found) < len(set(wanted)):
            raise self.damaged()
        return np.stack([found[number].vector for number in wanted])

    def terms(self, words: Iterable[str]) -> dict[str, Term]:
        """Terms that a passage holds; that one is not known is remembered, too."""
        found = self._all({word: f"a{bucket(word)}" for word in words})
        return {word: of.terms[word] for word, of in found.items() if word in of.terms}

    def ahead(self, positions: Iterable[int], ids: Iterable[str]) -> None:
        """Fetch passages, articles and their vectors in one go."""
        marks = [hashed(key) for key in ids]
        keys = [f"p{int(at)}" for at in positions]
        self._kept.get([*keys, *(f"t{mark}" for mark in marks), *(f"v{mark}" for mark in marks)])

    def _all(self, keys: Mapping[Any, str]) -> dict[Any, Any]:
        found = self._kept.get(keys.values())
        pairs = ((name, found[key][0]) for name, key in keys.items() if key in found)
        return {name: record for name, record in pairs if record is not None}

    def _load(self, keys: list[str]) -> dict[str, tuple[Any, int]]:
        firsts = self._data(keys)
        more: dict[str, str] = {}
        for key, data in firsts.items():
            parts = int(data.partition(":")[0])
            more |= {f"{key}.{n}": key for n in range(1, parts)}
        rest = self._data(list(more)) if more else {}
        found: dict[str, tuple[Any, int]] = {}
        for key, data in firsts.items():
            text = data.partition(":")[2]
            text += "".join(_rest(rest[name]) for name, of in more.items() if of == key)
            found[key] = (_KINDS[key[0]].unpacked(text), int(_GROWN * len(text)) + _OVERHEAD)
        nothing = {key: (None, _OVERHEAD) for key in keys if key not in found and key[0] == "a"}
        return found | nothing

    def _data(self, keys: list[str]) -> dict[str, str]:
        found: dict[str, str] = {}
        for start in range(0, len(keys), BATCH):
            rows = self._remote.read(
                "query",
                self._collection,
                filter=f"key in {json.dumps(keys[start : start + BATCH])}",
                output_fields=["key", "data"],
            )
            found |= {row["key"]: row["data"] for row in rows}
        return found

    def damaged(self) -> IndexDamaged:
        """The error for a record that ought to be there."""
        return IndexDamaged(f"检索引擎里的索引缺了一部分，请{rebuild(self._remote.uri)}")


def _halved(vectors: Float32) -> NDArray[np.float16]:
    return vectors.astype(np.float16)


def _rest(data: str) -> str:
    return data.partition(":")[2]
