"""Build, save, open and verify an index.

Layout of an index folder: ``CURRENT`` names the version in use, ``v-…/`` are versions (this one and
the one before), ``embeddings.db`` is the cache, ``.lock`` keeps two builders apart. A version is
written beside the old one and comes into use when ``CURRENT`` is replaced in one step; a killed
build leaves the old one in use.

    v-…/manifest.json   format, fingerprints, encoder, counts, SHA-256 of every other file
        passages.db     SQLite: articles, chunks, sentences
        bm25.npz        term weights        terms.txt      its rows
        chunks.faiss    chunk vectors       sentences.npy  sentence vectors, float16
"""

import fcntl
import hashlib
import json
import os
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from corpus import folder
from corpus.chunks import split
from corpus.errors import CorpusError, IndexDamaged, IndexStale, SearchIndexError
from corpus.records import Article, Chunk, Span
from corpus.sentences import quotable
from index import bm25, passages, terms
from index.cache import CachedEncoder
from index.cuts import Cut, cut_articles, read_articles
from index.embedded import Embedded, Library
from index.encoder import Encoder
from index.manifest import (
    CURRENT,
    FORMAT,
    REBUILD,
    Manifest,
    current_name,
    digest,
    read_manifest,
    version_of,
)
from index.search import Engine, Index, passage_text
from index.vectors import Vectors
from index.ways import space_of

DEFAULT = Path(__file__).with_name("data")
CACHE_FILE = "embeddings.db"
# Vectors of the shipped articles, so that a first start need not encode them (``index vectors``).
SHIPPED_VECTORS = Path(__file__).with_name("shipped.db")
_FILES = ("passages.db", "bm25.npz", "terms.txt", "chunks.faiss", "sentences.npy")


Progress = Callable[[str, int, int], None]
Read = TypeVar("Read")


def _quiet(stage: str, added: int, total: int) -> None:
    """No progress."""


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def _locked(out: Path) -> Iterator[None]:
    out.mkdir(parents=True, exist_ok=True)
    with (out / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            msg = f"另一个程序正在建 {out} 的索引，请等它完成再试"
            raise SearchIndexError(msg) from error
        try:
            yield
        finally:  # a failed build may have filled the disk
            for left in out.glob(".building-*"):
                shutil.rmtree(left, ignore_errors=True)


def sentence_text(article: Article, span: Span) -> str:
    """What the encoder reads of a sentence: its article's title goes with it."""
    return passage_text(article.title, span.of(article.body))


def _chunk_texts(articles: list[Article], chunks: list[Chunk]) -> list[str]:
    titles = {article.id: article.title for article in articles}
    return [passage_text(titles[chunk.article_id], chunk.text) for chunk in chunks]


def _sentence_texts(articles: list[Article], spans: dict[str, list[Span]]) -> list[str]:
    return [sentence_text(article, span) for article in articles for span in spans[article.id]]


def _spans(articles: list[Article]) -> dict[str, list[Span]]:
    return {a.id: quotable(a.body, truncated=a.truncated) for a in articles}


def build(
    corpus: Path,
    out: Path,
    encoder: Encoder,
    progress: Progress = _quiet,
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
        with _locked(out):
            if _is_current(out, corpus, made_from, encoder.name):
                return read_manifest(version_of(out)), False
            kept = _seeded(cache or out / CACHE_FILE)
            articles = read_articles(corpus, kept)
            beside = _fresh(out)
            cached = CachedEncoder(encoder, kept)
            counts = _write(articles, beside, cached, cut_articles(articles, kept), progress)
            manifest = Manifest(
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
                files={name: _sha256(beside / name) for name in _FILES},
            )
            _publish(beside, out, manifest)
            return manifest, True
    except (OSError, sqlite3.Error) as error:
        reason = getattr(error, "strerror", None) or error
        msg = f"写不了索引目录 {out}：{reason}。旧索引没有动，请检查磁盘和权限"
        raise SearchIndexError(msg) from error


def _fresh(out: Path) -> Path:
    """An empty folder to build in; what a killed build left behind goes."""
    for left in out.glob(".building-*"):
        shutil.rmtree(left)
    beside = out / f".building-{os.getpid()}"
    beside.mkdir()
    return beside


def _seeded(cache: Path) -> Path:
    """The cache file; a new one begins with the vectors of the shipped articles."""
    if not cache.exists() and SHIPPED_VECTORS.is_file():
        cache.parent.mkdir(parents=True, exist_ok=True)
        beside = cache.with_name(f".{cache.name}.{os.getpid()}")
        shutil.copyfile(SHIPPED_VECTORS, beside)
        beside.replace(cache)
    return cache


def ship_vectors(corpus: Path, encoder: Encoder, cache: Path, out: Path) -> int:
    """Write the vectors of a corpus into a new file ``out``; returns how many texts it holds.

    Args:
        corpus: folder of articles.
        encoder: what makes the vectors.
        cache: vectors that were made before; new ones are added to it.
        out: the file to write, replaced if it is there.
    """
    articles = folder.load(corpus)
    chunks = [chunk for article in articles for chunk in split(article)]
    texts = _chunk_texts(articles, chunks) + _sentence_texts(articles, _spans(articles))
    beside = out.with_name(f".{out.name}.{os.getpid()}")
    CachedEncoder(CachedEncoder(encoder, _seeded(cache)), beside).encode_passages(texts)
    beside.replace(out)
    return len(set(texts))


def shipped_sentences(corpus: Path, encoder: Encoder) -> "np.ndarray[Any, np.dtype[np.float32]]":
    """The encoder's own vectors of a corpus's sentences, shape (sentences, dimension)."""
    articles = folder.load(corpus)
    cached = CachedEncoder(encoder, _seeded(DEFAULT / CACHE_FILE))
    return cached.encode_passages(_sentence_texts(articles, _spans(articles)))


def _is_current(out: Path, corpus: Path, made_from: str, encoder_name: str) -> bool:
    try:
        manifest = verify(out)
    except SearchIndexError:
        return False
    return (manifest.corpus, manifest.encoder, manifest.corpus_path) == (
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
) -> tuple[int, int]:
    chunks = [chunk for cut in cuts for chunk in cut.chunks]
    spans = {a.id: list(cut.spans) for a, cut in zip(articles, cuts, strict=True)}
    passages.save(beside / "passages.db", articles, chunks, spans)
    found = [counts for cut in cuts for counts in cut.terms]
    if not any(found):
        msg = "文章里没有可以检索的文字，请先导入文章：python -m corpus import"
        raise CorpusError(msg)
    model = bm25.BM25(found)
    bm25.save(model, beside)

    def encode(stage: str, texts: list[str]) -> "np.ndarray[Any, np.dtype[np.float32]]":
        vectors = encoder.encode_passages(
            texts, progress=lambda added: progress(stage, added, len(texts))
        )
        return space_of(encoder.name, encoder.dimension).passages(vectors)

    texts, lines = _chunk_texts(articles, chunks), _sentence_texts(articles, spans)
    Vectors.build(encode("片段", texts)).save(beside / "chunks.faiss")
    np.save(beside / "sentences.npy", encode("句子", lines).astype(np.float16))
    return len(chunks), len(lines)


def _publish(beside: Path, out: Path, manifest: Manifest) -> None:
    """Put a finished version into use in one step and drop versions older than the one before."""
    text = json.dumps(asdict(manifest), ensure_ascii=False, indent=1)
    (beside / "manifest.json").write_text(text, encoding="utf-8")
    for path in beside.iterdir():
        with path.open("rb") as file:
            os.fsync(file.fileno())
    before = current_name(out)
    name = f"v-{time.time_ns():x}-{digest(text)}"
    beside.rename(out / name)
    pointer = out / f".{CURRENT}.{os.getpid()}"
    pointer.write_text(name, encoding="utf-8")
    pointer.replace(out / CURRENT)
    for old in out.glob("v-*"):
        if old.name not in (name, before):
            shutil.rmtree(old)


def verify(out: Path) -> Manifest:
    """Check every file of the version in use and that corpus and lexicon are still the same.

    Raises:
        IndexMissing, IndexDamaged, IndexStale: what is wrong, and the command that mends it.
    """
    return _in_use(out, lambda version: _verified(version, out))


def open_index(out: Path, encoder: Encoder | None = None) -> Index:
    """Open the version in use, every file checked; without an encoder only BM25 searches.

    Raises:
        IndexMissing, IndexDamaged, IndexStale: what is wrong, and the command that mends it.
    """
    index = _in_use(out, lambda version: _opened(version, out))
    if encoder is not None:
        attach(index, encoder)
    return index


def _in_use(out: Path, read: Callable[[Path], Read]) -> Read:
    """Read the version in use; if another one came into use meanwhile, that one."""
    while True:
        version = version_of(out)
        try:
            return read(version)
        except (SearchIndexError, OSError):
            if current_name(out) == version.name:
                raise


def _verified(version: Path, out: Path) -> Manifest:
    manifest = read_manifest(version)
    for name in _FILES:
        path = version / name
        if not path.is_file() or _sha256(path) != manifest.files.get(name):
            msg = f"索引文件 {name} 缺失或被改动。{REBUILD}"
            raise IndexDamaged(msg)
    if manifest.lexicon != terms.fingerprint():
        msg = f"词库改过了，索引已过期。{REBUILD}"
        raise IndexStale(msg)
    corpus = Path(manifest.corpus_path)
    if corpus.is_dir() and folder.fingerprint(corpus) != manifest.corpus:
        msg = f"文章改过了，索引已过期。{REBUILD} --corpus {corpus} --out {out}"
        raise IndexStale(msg)
    return manifest


def _opened(version: Path, out: Path) -> Index:
    manifest = _verified(version, out)
    articles, chunks, spans = passages.load(version / "passages.db")
    weights, vocabulary = bm25.load(version)
    vectors = Vectors.load(version / "chunks.faiss")
    flat = np.load(version / "sentences.npy", allow_pickle=False)
    _check(manifest, articles, chunks, len(vectors), len(flat))
    library = Library(chunks, articles, spans, flat.astype(np.float32))
    embedded = Embedded(weights, vocabulary, vectors, None, library, version.name)
    return Index(Engine(embedded, None), manifest.encoder, manifest.model)


def _check(
    manifest: Manifest,
    articles: dict[str, Article],
    chunks: list[Chunk],
    n_vectors: int,
    n_sentences: int,
) -> None:
    for chunk in chunks:
        chunk.check(articles[chunk.article_id])
    counts = (len(articles), len(chunks), n_vectors, n_sentences)
    if counts != (manifest.articles, manifest.chunks, manifest.chunks, manifest.sentences):
        msg = f"索引各部分的数目对不上。{REBUILD}"
        raise IndexDamaged(msg)


def attach(index: Index, encoder: Encoder) -> None:
    """Give an opened index its encoder; raises ``IndexStale`` if it was built with another one."""
    if encoder.name != index.encoder_name:
        msg = f"索引是用另一个模型（{index.encoder_name}）建的。{REBUILD}"
        raise IndexStale(msg)
    index.engine.encoder = encoder
