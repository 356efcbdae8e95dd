"""Build, save, open and verify an index.

Layout of an index folder: ``CURRENT`` names the version in use, ``v-…/`` are versions (this one and
the one before), ``embeddings.db`` is the cache, ``.lock`` keeps two builders apart. A version is
written beside the old one and comes into use when ``CURRENT`` is replaced in one step; a killed
build leaves the old one in use.

    v-…/manifest.json   format, fingerprints, encoder, counts, SHA-256 of every other file
        passages.db     SQLite: articles, chunks, sentences
        bm25.npz        term weights        terms.txt      its rows
        chunks.faiss    chunk vectors       sentences.npy  sentence vectors, float16
        asked.npy       vectors of the ways of asking that articles bring or are lent, float16
"""

import sqlite3
from collections.abc import Callable
from pathlib import Path

import numpy as np

from corpus import folder
from corpus.errors import CorpusError, IndexDamaged, IndexStale, SearchIndexError
from corpus.records import Article, Chunk
from index import bm25, manifest, passages, terms
from index.cache import CachedEncoder
from index.cuts import Cut, cut_articles, read_articles
from index.embedded import Embedded, Library, distinct_ways
from index.encoder import Encoder
from index.lending import lend, lender
from index.manifest import FORMAT, REBUILD, Manifest, read_manifest, sha256, version_of
from index.search import Engine, Index
from index.shipped import chunk_texts, seeded, sentence_texts
from index.vectors import Float32, Vectors
from index.ways import space_of

DEFAULT = Path(__file__).with_name("data")
CACHE_FILE = "embeddings.db"
_FILES = ("passages.db", "bm25.npz", "terms.txt", "chunks.faiss", "sentences.npy", "asked.npy")

Progress = Callable[[str, int, int], None]


def quiet(stage: str, added: int, total: int) -> None:
    """No progress."""


def build(
    corpus: Path,
    out: Path,
    encoder: Encoder,
    progress: Progress = quiet,
    model: str = "",
    *,
    cache: Path | None = None,
) -> tuple[Manifest, bool]:
    """Build the index of a corpus folder; returns its manifest and whether anything was to do.

    Args:
        corpus: folder of articles.
        out: index folder.
        encoder: what makes the vectors.
        progress: called with the stage, the texts done since the last call, and the stage's total.
        model: the name or path by which ``load_encoder`` finds this encoder again; empty: the
            bundled one.
        cache: the file that keeps vectors by content; None: ``embeddings.db`` in ``out``.

    Raises:
        CorpusError: the corpus cannot be read.
        SearchIndexError: another program is building here, or the disk refuses.
    """
    made_from = folder.fingerprint(corpus)
    try:
        with manifest.locked(out):
            if _is_current(out, corpus, made_from, encoder.name):
                return read_manifest(version_of(out)), False
            kept = seeded(cache or out / CACHE_FILE)
            articles = read_articles(corpus, kept)
            beside = manifest.fresh(out)
            cached = CachedEncoder(encoder, kept)
            counts = _write(articles, beside, cached, cut_articles(articles, kept), progress)
            made = Manifest(
                format=FORMAT,
                corpus_path=str(corpus.resolve()),
                corpus=made_from,
                lexicon=terms.fingerprint(),
                encoder=encoder.name,
                model=model,
                dimension=encoder.dimension,
                articles=len(articles),
                chunks=counts[0],
                sentences=counts[1],
                lent=counts[2],
                files={name: sha256(beside / name) for name in _FILES},
            )
            manifest.publish(beside, out, made)
            return made, True
    except (OSError, sqlite3.Error) as error:
        reason = getattr(error, "strerror", None) or error
        msg = f"写不了索引目录 {out}：{reason}。旧索引没有动，请检查磁盘和权限"
        raise SearchIndexError(msg) from error


def _is_current(out: Path, corpus: Path, made_from: str, encoder_name: str) -> bool:
    try:
        found = verify(out)
    except SearchIndexError:
        return False
    return (found.corpus, found.encoder, found.corpus_path) == (
        made_from,
        encoder_name,
        str(corpus.resolve()),
    )


def _write(
    articles: list[Article],
    beside: Path,
    encoder: CachedEncoder,
    cuts: list[Cut],
    progress: Progress,
) -> tuple[int, int, str]:
    chunks = [chunk for cut in cuts for chunk in cut.chunks]
    spans = {a.id: list(cut.spans) for a, cut in zip(articles, cuts, strict=True)}
    space = space_of(encoder.name, encoder.dimension)

    def encode(stage: str, texts: list[str]) -> Float32:
        vectors = encoder.encode_passages(
            texts, progress=lambda added: progress(stage, added, len(texts))
        )
        return space.passages(vectors)

    if not any(counts for cut in cuts for counts in cut.terms):
        msg = "文章里没有可以检索的文字，请先导入文章：python -m corpus import"
        raise CorpusError(msg)
    texts, lines = chunk_texts(articles, chunks), sentence_texts(articles, spans)
    Vectors.build(encode("片段", texts)).save(beside / "chunks.faiss")
    sentences = encode("句子", lines)
    np.save(beside / "sentences.npy", sentences.astype(np.float16))
    asking, lent = lend(articles, spans, sentences, encoder)
    ways = distinct_ways(asking)
    asked = encoder.encode_asked(ways, progress=lambda added: progress("问法", added, len(ways)))
    np.save(beside / "asked.npy", space.asked(asked).astype(np.float16))
    passages.save(beside / "passages.db", asking, chunks, spans)
    pairs = zip(cuts, asking, strict=True)
    bm25.save(bm25.BM25([counts for cut, a in pairs for counts in cut.counted(a)]), beside)
    return len(chunks), len(lines), lent


def verify(out: Path) -> Manifest:
    """Check every file of the version in use and that corpus and lexicon are still the same.

    Raises:
        IndexMissing, IndexDamaged, IndexStale: what is wrong, and the command that mends it.
    """
    return manifest.in_use(out, lambda version: _verified(version, out))


def open_index(out: Path, encoder: Encoder | None = None) -> Index:
    """Open the version in use, every file checked; without an encoder only BM25 searches.

    Raises:
        IndexMissing, IndexDamaged, IndexStale: what is wrong, and the command that mends it.
    """
    index = manifest.in_use(out, lambda version: _opened(version, out))
    if encoder is not None:
        attach(index, encoder)
    return index


def _verified(version: Path, out: Path) -> Manifest:
    found = read_manifest(version)
    for name in _FILES:
        path = version / name
        if not path.is_file() or sha256(path) != found.files.get(name):
            msg = f"索引文件 {name} 缺失或被改动。{REBUILD}"
            raise IndexDamaged(msg)
    if found.lexicon != terms.fingerprint():
        msg = f"词库改过了，索引已过期。{REBUILD}"
        raise IndexStale(msg)
    if found.lent and found.lent != lender():
        msg = f"附带的问法改过了，索引已过期。{REBUILD}"
        raise IndexStale(msg)
    corpus = Path(found.corpus_path)
    if corpus.is_dir() and folder.fingerprint(corpus) != found.corpus:
        msg = f"文章改过了，索引已过期。{REBUILD} --corpus {corpus} --out {out}"
        raise IndexStale(msg)
    return found


def _opened(version: Path, out: Path) -> Index:
    found = _verified(version, out)
    articles, chunks, spans = passages.load(version / "passages.db")
    weights, vocabulary = bm25.load(version)
    vectors = Vectors.load(version / "chunks.faiss")
    flat = np.load(version / "sentences.npy", allow_pickle=False)
    asked = np.load(version / "asked.npy", allow_pickle=False)
    _check(found, articles, chunks, len(vectors), len(flat), len(asked))
    library = Library(chunks, articles, spans, flat.astype(np.float32), asked.astype(np.float32))
    embedded = Embedded(weights, vocabulary, vectors, None, library, version.name)
    return Index(Engine(embedded, None), found.encoder, found.model)


def _check(
    found: Manifest,
    articles: dict[str, Article],
    chunks: list[Chunk],
    n_vectors: int,
    n_sentences: int,
    n_asked: int,
) -> None:
    for chunk in chunks:
        chunk.check(articles[chunk.article_id])
    counts = (len(articles), len(chunks), n_vectors, n_sentences, n_asked)
    ways = len(distinct_ways(articles.values()))
    if counts != (found.articles, found.chunks, found.chunks, found.sentences, ways):
        msg = f"索引各部分的数目对不上。{REBUILD}"
        raise IndexDamaged(msg)


def attach(index: Index, encoder: Encoder) -> None:
    """Give an opened index its encoder; raises ``IndexStale`` if it was built with another one."""
    if encoder.name != index.encoder_name:
        msg = f"索引是用另一个模型（{index.encoder_name}）建的。{REBUILD}"
        raise IndexStale(msg)
    index.engine.encoder = encoder
