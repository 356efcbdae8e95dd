"""Write a corpus into Milvus: beside the version in use, in batches, again without harm.

Two passes over the articles, a slice at a time, so that memory holds the articles and the
vocabulary, not the vectors: what BM25 must know of all passages, then the rows. Cuts and vectors
are kept by content (``index/cuts.py``, ``index/cache.py``), and a row that is there already is not
written again, so a build that was killed goes on where it stopped.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from itertools import chain
from multiprocessing import parent_process
from pathlib import Path
from threading import Thread

from corpus import folder
from corpus.errors import CorpusError, IndexDamaged, IndexMissing, IndexStale
from corpus.records import Article
from index import terms, versions
from index.cache import CachedEncoder
from index.cuts import Cut, cut_articles, read_articles
from index.encoder import Encoder
from index.layout import FORMAT, STORE, search_collection
from index.layout import search_name as searched
from index.layout import store_name as stored
from index.remote import Remote, rebuild
from index.rows import Rows, lent
from index.shipped import seeded
from index.sinks import Checking, Sink, Writing, batches
from index.store import Progress, quiet
from index.versions import Version

SLICE = 1_000  # articles that are cut, encoded and written together
Part = tuple[Sequence[Article], Sequence[Cut]]
Parts = Callable[[], Iterator[Part]]


@dataclass(slots=True)
class Statistics:
    """What BM25 and the progress must know of all passages.

    ``held``: passages that hold a term, terms in the order in which they first stand; ``length``:
    terms of all passages; ``ways``: the number of each way of asking.
    """

    held: dict[str, int] = field(default_factory=dict)
    articles: int = 0
    chunks: int = 0
    sentences: int = 0
    length: int = 0
    asked: int = 0
    ways: dict[str, int] = field(default_factory=dict)
    lent: str = ""

    def add(self, article: Article, cut: Cut) -> None:
        """Count one more article, ``asked`` as it was lent."""
        self.articles += 1
        self.chunks += len(cut.chunks)
        self.sentences += len(cut.spans)
        self.asked += bool(article.asked)
        for _, way in article.asked:
            self.ways.setdefault(way, len(self.ways))
        for counts in cut.counted(article):
            self.length += sum(counts.values())
            for term in counts:
                self.held[term] = self.held.get(term, 0) + 1


def build(
    corpus: Path,
    remote: Remote,
    encoder: Encoder,
    cache: Path,
    progress: Progress,
    model: str = "",
) -> tuple[Version, bool]:
    """Write a corpus folder as a new version and put it into use; whether anything was to do.

    Raises:
        CorpusError: the corpus cannot be read.
        SearchIndexError: the engine is gone or refuses; the version in use has not changed.
    """
    made_from = folder.fingerprint(corpus)
    name = versions.name_of(made_from, encoder.name, encoder.dimension, model)
    try:
        in_use = versions.checked(remote)
    except (IndexMissing, IndexDamaged, IndexStale):
        in_use = None
    if in_use is not None and in_use.name == name:
        return in_use, False
    kept = seeded(cache)
    articles = read_articles(corpus, kept)
    cached = CachedEncoder(encoder, kept)
    known = count(articles, kept, cached, progress)
    rows = Rows(cached, known, progress)
    counts, digests = write(remote, name, rows, lambda: _parts(articles, kept), progress)
    version = Version(
        name=name,
        format=FORMAT,
        corpus_path=str(corpus.resolve()),
        corpus=made_from,
        lexicon=terms.fingerprint(),
        encoder=encoder.name,
        model=model,
        dimension=encoder.dimension,
        articles=known.articles,
        asked=known.asked,
        lent=known.lent,
        chunks=known.chunks,
        sentences=known.sentences,
        average_length=known.length / known.chunks,
        rows=counts,
        digests=digests,
    )
    versions.publish(remote, version)
    return version, True


def write(
    remote: Remote, name: str, rows: Rows, parts: Parts, progress: Progress
) -> tuple[dict[str, int], dict[str, str]]:
    """Write all rows of a version; how many each collection holds, and the sum of their digests.

    Args:
        remote: the engine.
        name: the version, which is not put into use.
        rows: makes the rows.
        parts: gives the articles with their cuts, a slice at a time, as often as it is asked.
        progress: told of every batch.

    Raises:
        SearchIndexError: the engine is gone or refuses.
    """
    known = rows.known
    total = 3 * known.chunks + 3 * known.articles + len(known.ways) + len(rows.buckets)
    for again in (False, True):
        sink = Writing(remote, progress, total)
        _pour(remote, name, rows, parts, sink)
        for collection in sink.rows:
            remote.write("flush", collection)
        if all(versions.count_rows(remote, key) == n for key, n in sink.rows.items()):
            break
        if again:
            msg = f"检索引擎里的行数对不上。旧的一版没有动，请{rebuild(remote.uri)}"
            raise IndexDamaged(msg)
        for collection in sink.rows:  # rows of another program under the same name
            remote.write("drop_collection", collection)
    return sink.rows, sink.sums


def verify(corpus: Path | None, remote: Remote, encoder: Encoder, cache: Path) -> Version:
    """Compare every row of the version in use with what the corpus gives.

    Args:
        corpus: the folder of articles; None: the one that the version was made from.
        remote: the engine.
        encoder: the one that the version was made with.
        cache: vectors by content; what it does not hold is encoded.

    Raises:
        IndexMissing, IndexDamaged, IndexStale: what is wrong, and the command that mends it.
    """
    version = versions.checked(remote)
    place = corpus or Path(version.corpus_path)
    if (version.encoder, version.dimension) != (encoder.name, encoder.dimension):
        msg = f"索引是用另一个模型（{version.encoder}）建的。请{rebuild(remote.uri)}"
        raise IndexStale(msg)
    if folder.fingerprint(place) != version.corpus:
        msg = f"文章改过了，索引已过期。请{rebuild(remote.uri)} --corpus {place}"
        raise IndexStale(msg)
    kept = seeded(cache)
    articles = read_articles(place, kept)
    cached = CachedEncoder(encoder, kept)
    known = count(articles, kept, cached, quiet)
    rows = Rows(cached, known, quiet)
    sink = Checking(remote)
    _pour(remote, version.name, rows, lambda: _parts(articles, kept), sink)
    if sink.wrong or (sink.rows, sink.sums) != (version.rows, version.digests):
        msg = f"检索引擎里有 {sink.wrong} 行与文章对不上。请{rebuild(remote.uri)}"
        raise IndexDamaged(msg)
    return version


def count(
    articles: Sequence[Article], cache: Path, encoder: CachedEncoder, progress: Progress
) -> Statistics:
    """Cut all articles, in as many processes as there are cores if there are many, and count."""
    slices = list(_slices(articles))
    if len(slices) > 1:
        workers = min(len(slices), os.cpu_count() or 1)
        with ProcessPoolExecutor(workers, initializer=_end_with_parent) as pool:
            for done in pool.map(_cut, slices, [cache] * len(slices)):
                progress("切分", done, len(articles))
    whole = Statistics()
    for part in slices:
        cuts = cut_articles(part, cache, sound=True)  # since the articles were read
        asking, _, name = lent(part, cuts, encoder, quiet, 0)
        for article, cut in zip(asking, cuts, strict=True):
            whole.add(article, cut)
        whole.lent = whole.lent or name
    if not whole.held:
        msg = "文章里没有可以检索的文字，请先导入文章：python -m corpus import"
        raise CorpusError(msg)
    return whole


def _end_with_parent() -> None:
    """Have this process end when the one that started it does, even by kill -9."""

    def wait() -> None:
        parent = parent_process()
        if parent is not None:
            parent.join()
            os._exit(1)

    Thread(target=wait, daemon=True).start()


def _cut(articles: Sequence[Article], cache: Path) -> int:
    return len(cut_articles(articles, cache, sound=True))


def _slices(articles: Sequence[Article]) -> Iterator[Sequence[Article]]:
    for start in range(0, len(articles), SLICE):
        yield articles[start : start + SLICE]


def _parts(articles: Sequence[Article], cache: Path) -> Iterator[Part]:
    return ((part, cut_articles(part, cache, sound=True)) for part in _slices(articles))


def _pour(remote: Remote, name: str, rows: Rows, parts: Parts, sink: Sink) -> None:
    """Send all rows of a version to a sink, in batches."""
    search = search_collection(rows.dimension, rows.known.chunks)
    if isinstance(sink, Writing):
        versions.create(remote, searched(name), search)
        versions.create(remote, stored(name), STORE)
    first = 0
    for part, cuts in parts():
        found, records = rows.of(part, cuts, first)
        for batch in batches(found):
            sink.put(searched(name), search, batch)
        for batch in batches(records):
            sink.put(stored(name), STORE, batch)
        first += sum(len(cut.chunks) for cut in cuts)
    for batch in batches(chain(rows.of_ways(), rows.of_terms())):
        sink.put(stored(name), STORE, batch)
