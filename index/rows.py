"""Articles → the rows of a version in Milvus (``index/layout.py`` says what they hold)."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from corpus.records import Article, Chunk, Span
from index.bm25 import inverse_frequencies, norms, weighed
from index.cache import CachedEncoder
from index.candidates import Float64
from index.cuts import Cut
from index.fetched import Bucket, Head, Lines, Passage, Term, TermCounts, Text, Way
from index.layout import Row, bucket, hashed, search_row, store_rows
from index.lending import lend
from index.shipped import chunk_texts, sentence_texts
from index.store import Progress
from index.vectors import Float32
from index.ways import space_of

if TYPE_CHECKING:
    from index.ingest import Statistics

PORTION = 10_000  # ways of asking whose vectors are in memory at once


class Rows:
    """Makes rows, a slice of articles at a time.

    Args:
        encoder: makes the vectors.
        known: what was counted over all passages.
        progress: called with the stage, the texts done since the last call, and the stage's total.
    """

    def __init__(self, encoder: CachedEncoder, known: "Statistics", progress: Progress) -> None:
        self.known, self.dimension = known, encoder.dimension
        self._encoder, self._progress = encoder, progress
        self._space = space_of(encoder.name, encoder.dimension)
        self._row = {term: row for row, term in enumerate(sorted(known.held))}
        idf = inverse_frequencies(known.held, known.chunks)
        self._idf = np.asarray([idf[term] for term in self._row], dtype=np.float64)
        self._average = known.length / known.chunks
        self.buckets: dict[str, list[str]] = {}
        for term in self._row:
            self.buckets.setdefault(bucket(term), []).append(term)

    def of(
        self, articles: Sequence[Article], cuts: Sequence[Cut], first: int
    ) -> tuple[Iterator[Row], Iterator[Row]]:
        """Rows to search, and records, of articles whose passages begin at position ``first``."""
        listed, lines, _ = lent(articles, cuts, self._encoder, self._progress, self.known.sentences)
        chunks = [chunk for cut in cuts for chunk in cut.chunks]
        spans = {a.id: list(cut.spans) for a, cut in zip(articles, cuts, strict=True)}
        vectors = self._passages("片段", chunk_texts(listed, chunks), self.known.chunks)
        owned = _split(lines, [len(cut.spans) for cut in cuts])
        numbers = self.known.ways
        asking = [
            np.asarray([numbers[way] for _, way in article.asked], dtype=np.uint32)
            for article in listed
        ]
        pairs = zip(listed, cuts, strict=True)
        counted = [
            self._counts(counts) for article, cut in pairs for counts in cut.counted(article)
        ]
        by_id = {article.id: article for article in listed}
        halves = {
            article.id: Lines(mine, ways_of)
            for article, mine, ways_of in zip(listed, owned, asking, strict=True)
        }

        def searched() -> Iterator[Row]:
            for at, (chunk, counts) in enumerate(zip(chunks, counted, strict=True)):
                words = self._weights(counts)
                yield search_row(first + at, by_id[chunk.article_id], vectors[at], words)

        def records() -> Iterator[Row]:
            for at, (chunk, counts) in enumerate(zip(chunks, counted, strict=True)):
                yield from store_rows(f"c{first + at}", counts.packed())
                owner = by_id[chunk.article_id]
                held = passage_of(chunk, owner, spans[owner.id], vectors[at], halves[owner.id])
                yield from store_rows(f"p{first + at}", held.packed())
            for article in listed:
                yield from store_rows(f"A{hashed(article.id)}", Head(article).packed())
                text = Text(article, tuple(spans[article.id]))
                yield from store_rows(f"t{hashed(article.id)}", text.packed())
                yield from store_rows(f"v{hashed(article.id)}", halves[article.id].packed())

        return searched(), records()

    def of_ways(self) -> Iterator[Row]:
        """Records of all ways of asking."""
        ways = list(self.known.ways)
        for start in range(0, len(ways), PORTION):
            raw = self._encoder.encode_asked(
                ways[start : start + PORTION],
                progress=lambda added: self._progress("问法", added, len(ways)),
            )
            for number, vector in enumerate(self._space.asked(raw), start):
                yield from store_rows(f"b{number}", Way(vector).packed())

    def of_terms(self) -> Iterator[Row]:
        """Records of all terms."""
        for name, terms in self.buckets.items():
            found = {t: Term(self._row[t], self.known.held[t], self._idf_of(t)) for t in terms}
            yield from store_rows(f"a{name}", Bucket(found).packed())

    def _idf_of(self, term: str) -> float:
        return float(self._idf[self._row[term]])

    def _passages(self, stage: str, texts: list[str], total: int) -> Float32:
        vectors = self._encoder.encode_passages(
            texts, progress=lambda added: self._progress(stage, added, total)
        )
        return self._space.passages(vectors)

    def _counts(self, counts: Counter[str]) -> TermCounts:
        rows = np.asarray([self._row[term] for term in counts], dtype=np.uint32)
        held = np.asarray(list(counts.values()), dtype=np.uint32)
        order = np.argsort(rows)
        return TermCounts(rows[order], held[order], float(held.sum()))

    def _weights(self, found: TermCounts) -> tuple[NDArray[np.uint32], Float64]:
        norm = norms(np.full(len(found.rows), found.length), self._average)
        return found.rows, weighed(self._idf[found.rows], found.counts.astype(np.float64), norm)


def passage_of(
    chunk: Chunk, article: Article, spans: Sequence[Span], vector: Float32, lines: Lines
) -> Passage:
    """A chunk with the vectors of the sentences that begin in it, and how it is asked for."""
    starts = [span.start for span in spans]
    inside = slice(bisect_left(starts, chunk.start), bisect_left(starts, chunk.end))
    span = Span(chunk.start, chunk.end)
    return Passage(
        chunk.id,
        article.id,
        span,
        chunk.heading_path,
        vector,
        lines.sentences[inside],
        lines.asked[[at for at, (part, _) in enumerate(article.asked) if _meet(part, span)]],
    )


def lent(
    articles: Sequence[Article],
    cuts: Sequence[Cut],
    encoder: CachedEncoder,
    progress: Progress,
    total: int,
) -> tuple[list[Article], Float32, str]:
    """The articles with what they are lent, their sentences' vectors, and the lender's name."""
    listed = list(articles)
    spans = {a.id: list(cut.spans) for a, cut in zip(articles, cuts, strict=True)}
    texts = sentence_texts(listed, spans)
    raw = encoder.encode_passages(texts, progress=lambda added: progress("句子", added, total))
    lines = space_of(encoder.name, encoder.dimension).passages(raw)
    asking, name = lend(listed, spans, lines, encoder)
    return asking, lines, name


def _meet(one: Span, other: Span) -> bool:
    return one.start < other.end and other.start < one.end


def _split(vectors: Float32, counts: Sequence[int]) -> list[Float32]:
    return np.split(vectors, np.cumsum(counts)[:-1])
