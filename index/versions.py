"""Which versions of an index an engine holds, and which one is in use.

Milvus's own aliases would do, but not every engine has them (milvus-lite has none). So a version
comes into use by one more row in ``yibao_versions``, written after everything else in one step.
"""

import hashlib
import json
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass

from corpus.errors import IndexDamaged, IndexMissing, IndexStale
from index import terms
from index.layout import (
    FORMAT,
    VERSIONS,
    VERSIONS_TABLE,
    Collection,
    search_name,
    store_name,
)
from index.lending import lender
from index.remote import Remote, rebuild

PREFIX, _ENDS = "yibao_", ("_search", "_store")  # of collections
STRONG = "Strong"  # sees all that was acknowledged before


@dataclass(frozen=True, slots=True)
class Version:
    """What a version was made from and holds; ``digests`` and ``rows`` by collection.

    ``average_length``: of passages, in terms. ``asked``: articles with ways of asking; ``lent``:
    who lent some of them, see ``index/lending.py``.
    """

    name: str
    format: int
    corpus_path: str
    corpus: str
    lexicon: str
    encoder: str
    model: str
    dimension: int
    articles: int
    asked: int
    lent: str
    chunks: int
    sentences: int
    average_length: float
    rows: dict[str, int]
    digests: dict[str, str]


def name_of(corpus: str, encoder: str, dimension: int, model: str) -> str:
    """The name of what is made from a corpus (its fingerprint) with an encoder."""
    made_from = [FORMAT, corpus, lender(), terms.fingerprint(), encoder, dimension, model]
    return hashlib.sha256(json.dumps(made_from).encode()).hexdigest()[:16]


def create(remote: Remote, name: str, of: Collection) -> None:
    """Make a collection, its indexes and have it loaded, as far as that is not done yet.

    Milvus makes them one after the other, and whoever did it last may have been killed between.
    """
    kinds = remote.package.DataType
    if not remote.read("has_collection", name):
        schema = remote.package.MilvusClient.create_schema(auto_id=False)
        for field, kind, options in of.fields:
            schema.add_field(field, kinds[kind], **options)
        remote.write("create_collection", name, schema=schema)
    there = remote.read("list_indexes", name)
    missing = [index for index in of.indexes if index[0] not in there]
    if missing:
        indexes = remote.package.MilvusClient.prepare_index_params()
        for field, options in missing:
            indexes.add_index(field, index_name=field, **options)
        remote.write("create_index", name, indexes, sync=False)  # there is nothing yet to index
    remote.write("load_collection", name)


def count_rows(remote: Remote, name: str) -> int:
    """How many rows a collection holds; −1 if it is not there."""
    if not remote.read("has_collection", name):
        return -1
    rows = remote.read(
        "query", name, filter="", output_fields=["count(*)"], consistency_level=STRONG
    )
    return int(rows[0]["count(*)"])


def _published(remote: Remote) -> list[tuple[int, str]]:
    """Serial and text of every finished version, the oldest first."""
    if not remote.read("has_collection", VERSIONS):
        return []
    rows = remote.read(
        "query",
        VERSIONS,
        filter="serial >= 0",
        output_fields=["serial", "version"],
        consistency_level=STRONG,
        limit=1_000,
    )
    return sorted((int(row["serial"]), str(row["version"])) for row in rows)


def current(remote: Remote) -> Version:
    """The version in use.

    Raises:
        IndexMissing: there is none.
        IndexDamaged, IndexStale: it is none of ours, of another format or lexicon.
    """
    published = _published(remote)
    if not published:
        msg = f"检索引擎 {remote.uri} 里没有索引，请先建立：python -m index build --to {remote.uri}"
        raise IndexMissing(msg)
    try:
        version = Version(**json.loads(published[-1][1]))
    except (ValueError, TypeError) as error:
        msg = f"检索引擎 {remote.uri} 里的索引坏了，或是另一种格式。请{rebuild(remote.uri)}"
        raise IndexDamaged(msg) from error
    if version.format != FORMAT:
        msg = f"索引是另一种格式（{version.format}，需要 {FORMAT}）。请{rebuild(remote.uri)}"
        raise IndexStale(msg)
    return version


def checked(remote: Remote) -> Version:
    """The version in use, if it is whole and fits this program.

    Raises:
        IndexMissing, IndexDamaged, IndexStale: what is wrong, and the command that mends it.
    """
    version = current(remote)
    if version.lexicon != terms.fingerprint():
        msg = f"词库改过了，索引已过期。请{rebuild(remote.uri)}"
        raise IndexStale(msg)
    if version.lent and version.lent != lender():
        msg = f"附带的问法改过了，索引已过期。请{rebuild(remote.uri)}"
        raise IndexStale(msg)
    if any(count_rows(remote, name) != rows for name, rows in version.rows.items()):
        msg = f"检索引擎里的索引不完整。请{rebuild(remote.uri)}"
        raise IndexDamaged(msg)
    told = remote.read("describe_collection", search_name(version.name))
    sizes = [field["params"].get("dim") for field in told["fields"] if field["name"] == "vector"]
    if [int(size or 0) for size in sizes] != [version.dimension]:
        msg = f"检索引擎里的向量不是 {version.dimension} 维的。请{rebuild(remote.uri)}"
        raise IndexDamaged(msg)
    return version


def publish(remote: Remote, version: Version) -> None:
    """Put a finished version into use in one step."""
    create(remote, VERSIONS, VERSIONS_TABLE)
    text = json.dumps(asdict(version), ensure_ascii=False)
    before = max((serial for serial, _ in _published(remote)), default=0)
    row = {"serial": max(time.time_ns(), before + 1), "version": text, "unit": [1.0, 0.0]}
    remote.write("upsert", VERSIONS, [row])


def leftovers(remote: Remote, keep: str) -> Iterator[str]:
    """Names of the collections of other versions than ``keep``, half-written ones included."""
    kept = (search_name(keep), store_name(keep))
    for name in remote.read("list_collections"):
        if name.startswith(PREFIX) and name.endswith(_ENDS) and name not in kept:
            yield name


def drop_old(remote: Remote) -> int:
    """Drop every version but the one in use; returns how many collections went."""
    keep = current(remote)
    gone = list(leftovers(remote, keep.name))
    old = [serial for serial, _ in _published(remote)[:-1]]
    if old:
        remote.write("delete", VERSIONS, ids=old)
    for name in gone:
        remote.write("drop_collection", name)
    return len(gone)
