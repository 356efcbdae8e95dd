"""How a version of an index lies in Milvus.

``yibao_versions``     one row for each finished version; the one with the highest serial is in use
``yibao_NAME_search``  one row a passage: what is searched and filtered
``yibao_NAME_store``   records by key, fetched when they are needed

NAME is made from what the version is made from, so a build that is begun again goes on where it
stopped. Rows of a version never change. The keys of the store:

    c<position>   counted terms of a passage        p<position>   the passage and its vectors
    t<article>    an article and its sentences      v<article>    the vectors of these
    A<article>    its particulars, for conditions in Python
    a<bucket>     terms by their hash: the row, the passages, the idf of each
    b<number>     the vector of a way of asking; ``p`` and ``v`` hold its number: many share it

Article ids and terms stand in keys as hashes: whatever they hold, no expression can break. A
record is text, because Milvus stores no bytes; a long one goes on under ``<key>.1`` and so on.
What is few and asked for always comes first in the alphabet: a segment that is not sealed is walked
through in the order of its keys up to the last one wanted (milvus-lite: .2 ms for 1,000 rows).
"""

import base64
import hashlib
import json
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from corpus.errors import InputError
from corpus.records import Article
from corpus.regions import PlacePath
from index.vectors import EXACT_UP_TO, Float32, lists_for

FORMAT = 2
VERSIONS = "yibao_versions"
BUCKET = 3  # hexadecimal digits of a bucket of terms: 4,096
PART = 60_000  # characters of a record in one row; Milvus takes 65,535 bytes
ID_BYTES = 1024  # of an article's id
NO_TERM = 0  # dimension of passages without any term; a term's dimension is its row + 1
_PAIR = 2  # dimensions of a vector that nobody searches: every collection must have one

Row = dict[str, Any]


def search_name(version: str) -> str:
    """The collection that is searched."""
    return f"yibao_{version}_search"


def store_name(version: str) -> str:
    """The collection of the records."""
    return f"yibao_{version}_store"


def hashed(text: str) -> str:
    """32 hexadecimal digits that stand for a text in a key."""
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def bucket(term: str) -> str:
    """The bucket of a term."""
    return hashed(term)[:BUCKET]


def place_key(place: PlacePath) -> str:
    """A place as a field's value."""
    return "/".join(place)


def pack(head: object, *arrays: NDArray[Any]) -> str:
    """A record as text: anything JSON can hold, and arrays.

    >>> head, numbers = unpack(pack({"名": [1]}, np.arange(3)))
    >>> head, numbers.tolist()
    ({'名': [1]}, [0, 1, 2])
    """
    shapes = [(array.dtype.str, array.shape) for array in arrays]
    text = json.dumps([head, shapes], ensure_ascii=False, separators=(",", ":")).encode()
    raw = struct.pack("<I", len(text)) + text + b"".join(array.tobytes() for array in arrays)
    return base64.b64encode(raw).decode()


def unpack(text: str) -> list[Any]:
    """What ``pack`` packed: the head, then the arrays."""
    raw = base64.b64decode(text, validate=True)
    at = 4 + struct.unpack_from("<I", raw)[0]
    head, shapes = json.loads(raw[4:at])
    found = [head]
    for kind, shape in shapes:
        array = np.frombuffer(raw, np.dtype(kind), int(np.prod(shape)), at).reshape(shape)
        found.append(array)
        at += array.nbytes
    return found


def store_rows(key: str, record: str) -> Iterator[Row]:
    """The rows of one record; the first says how many there are."""
    parts = [record[at : at + PART] for at in range(0, len(record), PART)]
    for number, part in enumerate(parts):
        name = f"{key}.{number}" if number else key
        yield sealed({"key": name, "data": f"{len(parts)}:{part}", "unit": [1.0, 0.0]})


def search_row(
    position: int, article: Article, vector: Float32, words: tuple[NDArray[Any], NDArray[Any]]
) -> Row:
    """The row of a passage; ``words``: rows of its terms and their weights."""
    if len(article.id.encode()) > ID_BYTES:
        msg = f"文章编号太长：{article.id[:40]}…，请改成 {ID_BYTES} 字节以内"
        raise InputError(msg)
    rows, weights = words[0] + 1, words[1].astype(np.float32)
    kept = weights > 0
    sparse = dict(zip(rows[kept].tolist(), weights[kept].tolist(), strict=True))
    return sealed(
        {
            "position": position,
            "article": article.id,
            "place": place_key(article.place),
            "audience": article.audience.value,
            "year": article.effective_year,
            "status": article.status.value,
            "vector": np.asarray(vector, dtype=np.float32),
            "words": sparse or {NO_TERM: 1.0},
        }
    )


def sealed(row: Row) -> Row:
    """A row with the digest of its content, which tells whether it has changed."""
    return row | {"digest": digest(row)}


def digest(row: Row) -> str:
    """32 hexadecimal digits from a row's content, its old digest left aside."""
    made = hashlib.blake2b(digest_size=16)
    for name in sorted(row):
        if name not in ("digest", "unit"):
            made.update(f"{name}\0".encode() + _bytes(row[name]) + b"\0")
    return made.hexdigest()


def _bytes(value: Any) -> bytes:  # noqa: ANN401 - a field of any kind
    if isinstance(value, dict):
        pairs = sorted((int(key), float(weight)) for key, weight in value.items())
        keys, weights = zip(*pairs, strict=True)
        return np.asarray(keys, np.int64).tobytes() + np.asarray(weights, np.float32).tobytes()
    if isinstance(value, list | np.ndarray):
        return np.asarray(value, dtype=np.float32).tobytes()
    return str(value).encode()


@dataclass(frozen=True, slots=True)
class Collection:
    """What Milvus is told of a collection: fields as (name, type, options), indexes by field."""

    key: str
    fields: Sequence[tuple[str, str, Row]]
    indexes: Sequence[tuple[str, Row]]

    @property
    def outputs(self) -> list[str]:
        """The fields that hold content."""
        return [name for name, _, _ in self.fields if name != "unit"]


def search_collection(dimension: int, passages: int) -> Collection:
    """The collection of ``search_row``; many passages lie in lists, as in ``index/vectors.py``."""
    lists: Row = {"index_type": "FLAT"}
    if passages > EXACT_UP_TO:
        lists = {"index_type": "IVF_FLAT", "params": {"nlist": lists_for(passages)}}
    return Collection(
        "position",
        [
            ("position", "INT64", {"is_primary": True}),
            ("article", "VARCHAR", {"max_length": ID_BYTES}),
            ("place", "VARCHAR", {"max_length": 512}),
            ("audience", "VARCHAR", {"max_length": 32}),
            ("year", "VARCHAR", {"max_length": 32}),
            ("status", "VARCHAR", {"max_length": 32}),
            ("vector", "FLOAT_VECTOR", {"dim": dimension}),
            ("words", "SPARSE_FLOAT_VECTOR", {}),
            ("digest", "VARCHAR", {"max_length": 32}),
        ],
        [
            ("vector", {"metric_type": "IP", **lists}),
            ("words", {"metric_type": "IP", "index_type": "SPARSE_INVERTED_INDEX"}),
            ("place", {"index_type": "INVERTED"}),
        ],
    )


STORE = Collection(
    "key",
    [
        ("key", "VARCHAR", {"max_length": 64, "is_primary": True}),
        ("data", "VARCHAR", {"max_length": 65_535}),
        ("digest", "VARCHAR", {"max_length": 32}),
        ("unit", "FLOAT_VECTOR", {"dim": _PAIR}),
    ],
    [("unit", {"metric_type": "IP", "index_type": "FLAT"})],
)
VERSIONS_TABLE = Collection(
    "serial",
    [
        ("serial", "INT64", {"is_primary": True}),
        ("version", "VARCHAR", {"max_length": 65_535}),
        ("unit", "FLOAT_VECTOR", {"dim": _PAIR}),
    ],
    [("unit", {"metric_type": "IP", "index_type": "FLAT"})],
)
