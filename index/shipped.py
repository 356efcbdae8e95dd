"""What the encoder reads of articles, and the vectors that are shipped with the program."""

import os
import re
import shutil
from collections.abc import Sequence
from pathlib import Path

from corpus import folder
from corpus.chunks import split
from corpus.records import Article, Chunk, Span
from corpus.sentences import quotable
from index.cache import CachedEncoder
from index.embedded import distinct_ways
from index.encoder import Encoder
from index.engine import passage_text
from index.vectors import Float32

# Vectors of the shipped articles, so that a first start need not encode them (``index vectors``).
SHORTEST = 4  # characters of a clause of a title that asks something
SHIPPED_VECTORS = Path(__file__).with_name("shipped.db")


def sentence_text(article: Article, span: Span) -> str:
    """What the encoder reads of a sentence: its article's title goes with it."""
    return passage_text(article.title, span.of(article.body))


def chunk_texts(articles: list[Article], chunks: list[Chunk]) -> list[str]:
    """What the encoder reads of each chunk."""
    titles = {article.id: article.title for article in articles}
    return [passage_text(titles[chunk.article_id], chunk.text) for chunk in chunks]


def sentence_texts(articles: list[Article], spans: dict[str, list[Span]]) -> list[str]:
    """What the encoder reads of all sentences, article by article."""
    return [sentence_text(article, span) for article in articles for span in spans[article.id]]


def _spans(articles: list[Article]) -> dict[str, list[Span]]:
    return {a.id: quotable(a.body, truncated=a.truncated) for a in articles}


def seeded(cache: Path) -> Path:
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
    texts = chunk_texts(articles, chunks) + sentence_texts(articles, _spans(articles))
    beside = out.with_name(f".{out.name}.{os.getpid()}")
    kept, ways = CachedEncoder(encoder, seeded(cache)), distinct_ways(articles)
    written = CachedEncoder(kept, beside)
    written.encode_passages(texts)
    written.encode_asked(ways)
    beside.replace(out)
    return len(set(texts)) + len(set(ways))


def answered(articles: Sequence[Article]) -> list[str]:
    """What a corpus answers as questions: its ways of asking, its titles and their clauses."""
    titles = [article.title for article in articles]
    clauses = [clause for title in titles for clause in re.split("[，？]", title)]
    clauses = [clause for clause in clauses if len(clause) >= SHORTEST]
    return list(dict.fromkeys([*distinct_ways(articles), *titles, *clauses]))


def shipped_ways(corpus: Path, encoder: Encoder, cache: Path) -> Float32:
    """The encoder's own vectors of what a corpus answers, shape (questions, dimension)."""
    return CachedEncoder(encoder, seeded(cache)).encode_asked(answered(folder.load(corpus)))


def shipped_sentences(corpus: Path, encoder: Encoder, cache: Path) -> Float32:
    """The encoder's own vectors of a corpus's sentences, shape (sentences, dimension)."""
    articles = folder.load(corpus)
    cached = CachedEncoder(encoder, seeded(cache))
    return cached.encode_passages(sentence_texts(articles, _spans(articles)))
