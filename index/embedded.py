"""The passages in this process: FAISS, a sparse BM25 matrix, articles in memory."""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from corpus.records import Article, Chunk, Span
from corpus.regions import PlacePath
from corpus.sections import asked_within
from index.bm25 import add_scores, postings, term_scores
from index.candidates import Filter, Float64, Phrase, Positions, WordQuery, WordScores
from index.vectors import Float32, SentenceVectors, Vectors

FILTERS = 64  # filters whose passages are remembered
STRIDE = 16  # one in so many scores is looked at for a first edge: 4.8 → 0.6 ms of 1,000,000
LEAST = float(np.nextafter(0.0, 1.0))  # the smallest score above 0


def query_scores(
    weights: sparse.csr_array, vocabulary: Mapping[str, int], query: WordQuery
) -> Float64:
    """Scores of all passages as ``WordQuery`` defines them, float64, shape (passages,)."""
    total = term_scores(weights, vocabulary, query.terms)
    for phrase in query.phrases:
        _add_meanings(total, weights, vocabulary, phrase, query.weight)
    return total


def _add_meanings(
    total: Float64,
    weights: sparse.csr_array,
    vocabulary: Mapping[str, int],
    phrase: Phrase,
    weight: float,
) -> None:
    """Add what the best meaning gains over the phrase, where a passage holds a term of either."""
    sides = (phrase.terms, *phrase.meanings)
    holding = np.zeros(len(total), dtype=bool)
    for term in {term for side in sides for term in side}:
        holding[weights.indices[postings(weights, vocabulary, term)]] = True
    touched = np.flatnonzero(holding)
    scratch = np.zeros(len(total))  # pages that are never touched cost nothing
    found = []
    for side in sides:
        add_scores(scratch, weights, vocabulary, side)
        found.append(scratch[touched])
        scratch[touched] = 0.0
    own, *meanings = found
    best = np.max(meanings, axis=0)
    total[touched] += np.maximum(0.0, weight * best - own)


def _kth_best(scores: Float64, k: int) -> float:
    """The ``k``-th highest score, 0 if there are no more than ``k``."""
    return float(np.partition(scores, len(scores) - k)[len(scores) - k]) if len(scores) > k else 0.0


class _Scores:
    """A score for every passage; see ``WordScores``."""

    def __init__(self, scores: Float64) -> None:
        self._scores = scores

    def best(self, k: int) -> Positions:
        some = self._scores[::STRIDE]  # the k-th of some is at most the k-th of all
        found = np.flatnonzero(self._scores >= max(_kth_best(some, k), LEAST))
        found = found[self._scores[found] >= _kth_best(self._scores[found], k)]
        order = np.lexsort((found, -self._scores[found]))
        return found[order][:k]

    def of(self, positions: Positions) -> Float64:
        return self._scores[positions]


class Embedded:
    """``Candidates`` held in memory.

    ``weights``: BM25, shape (terms, passages); ``vocabulary``: the row of each term; ``vectors``
    and ``sentences``: of the passages and of the sentences in them. Without articles (as in
    evaluation) nothing can be fetched or filtered.
    """

    def __init__(
        self,
        weights: sparse.csr_array,
        vocabulary: Mapping[str, int],
        vectors: Vectors | None = None,
        sentences: SentenceVectors | None = None,
        library: "Library | None" = None,
        version: str = "",
        asked: SentenceVectors | None = None,
    ) -> None:
        self.weights = weights
        self.vocabulary = vocabulary
        self.vectors = vectors
        self.library = library or Library((), {}, {}, np.zeros((0, 0), np.float32))
        self.sentences = sentences or self.library.sentences
        self.asked = asked or self.library.asked
        self.asked_vectors = self.library.asked_vectors
        self.version = version
        self.chunks = self.library.chunks
        self.articles = self.library.articles
        self.spans = self.library.spans
        self.sentence_vectors = self.library.sentence_vectors
        self.sentence_count = len(self.library.vectors)

    def __len__(self) -> int:
        return int(self.weights.shape[1])

    def answers(self) -> bool:
        """Always: they are in this process."""
        return True

    def fetch(self, positions: Sequence[int]) -> list[tuple[Chunk, Article]]:
        """Passages with their articles, in the order of ``positions``."""
        chunks = [self.chunks[position] for position in positions]
        return [(chunk, self.articles[chunk.article_id]) for chunk in chunks]

    def has_place(self, place: PlacePath) -> bool:
        """Whether there is an article for exactly this place."""
        return place in self.library.places

    @property
    def has_vectors(self) -> bool:
        """Whether passages can be found by vector."""
        return self.vectors is not None

    @property
    def has_sentences(self) -> bool:
        """Whether ``cosines`` knows the nearest sentence."""
        return self.sentences is not None

    def nearest(self, vector: Float32, k: int, allowed: Filter | None = None) -> Positions:
        """The ``k`` passages nearest to a unit vector of shape (dimension,), best first."""
        if self.vectors is None:
            return np.zeros(0, dtype=np.int64)
        positions = None if allowed is None else self.library.admitted(allowed)
        return self.vectors.search(vector, k, positions)[0]

    def cosines(self, vector: Float32, positions: Positions) -> tuple[Float32, Float32]:
        """Cosine of each passage and of its nearest sentence, two of shape (len(positions),)."""
        if self.vectors is None:
            nothing = np.zeros(len(positions), dtype=np.float32)
            return nothing, nothing
        whole = self.vectors.score(vector, positions)
        if self.sentences is None:
            return whole, whole
        return whole, self.sentences.best(vector, positions, whole)

    def asked_cosines(self, vector: Float32, positions: Positions) -> Float32:
        """Cosine of the nearest way of asking for each passage, of the same shape; −1: none."""
        none = np.full(len(positions), -1.0, dtype=np.float32)
        return none if self.asked is None else self.asked.best(vector, positions, none)

    def words(self, query: WordQuery, allowed: Filter | None = None) -> WordScores:
        """All admitted passages, scored by their words."""
        scores = query_scores(self.weights, self.vocabulary, query)
        if allowed is not None:
            positions = self.library.admitted(allowed)
            kept = np.zeros_like(scores)
            kept[positions] = scores[positions]
            scores = kept
        return _Scores(scores)

    def chunks_with(self, term: str) -> int:
        """How many passages hold a term."""
        part = postings(self.weights, self.vocabulary, term)
        return int(part.stop - part.start)


class Library:
    """Articles, their chunks and sentences, and which of them a filter admits.

    ``vectors``: float32, shape (sentences, dimension), by article in the order of ``articles``,
    within an article in the order of ``spans``. ``asked``: the same of the ways of asking, shape
    (ways, dimension), in the order of ``distinct_ways``.
    """

    def __init__(
        self,
        chunks: Sequence[Chunk],
        articles: Mapping[str, Article],
        spans: Mapping[str, Sequence[Span]],
        vectors: Float32,
        asked: Float32 | None = None,
    ) -> None:
        self.chunks, self.articles, self.spans, self.vectors = chunks, articles, spans, vectors
        self.asked_vectors = AskedVectors(articles, asked)
        self.asked = self.asked_vectors.of_chunks(chunks)
        counts = [len(spans[key]) for key in articles]
        first = np.concatenate(([0], np.cumsum(counts, dtype=np.int64)))
        rows = {key: row for row, key in enumerate(articles)}
        self.sentence_vectors: dict[str, Float32] = {
            key: vectors[first[row] : first[row + 1]] for key, row in rows.items()
        }
        self.sentences = _sentences_of(chunks, spans, vectors, first, rows)
        self._row = np.asarray([rows[chunk.article_id] for chunk in chunks], dtype=np.int64)
        self._kind, self._kinds = _kinds(articles)
        self.places = frozenset(article.place for article in self._kinds)
        self._remembered = lru_cache(maxsize=FILTERS)(self._admitted)

    def admitted(self, allowed: Filter) -> Positions:
        """Rising positions of the chunks whose articles a filter admits."""
        return self._admitted(allowed) if allowed.where else self._remembered(allowed)

    def _admitted(self, allowed: Filter) -> Positions:
        fits = np.asarray([allowed.admits(article) for article in self._kinds], dtype=bool)
        wanted = fits[self._kind]
        if allowed.where is not None:
            for row, article in enumerate(self.articles.values()):
                wanted[row] = wanted[row] and allowed.where(article)
        return np.flatnonzero(wanted[self._row]) if len(self._row) else self._row


def distinct_ways(articles: Iterable[Article]) -> list[str]:
    """All ways of asking, each once: articles may share them."""
    return list(dict.fromkeys(way for article in articles for _, way in article.asked))


class AskedVectors(Mapping[str, Float32]):
    """The vectors of each article's ways of asking, as in ``Article.asked``; none where none are.

    ``vectors``: float32, shape (ways, dimension), in the order of ``distinct_ways``; None: no
    article has any.
    """

    def __init__(self, articles: Mapping[str, Article], vectors: Float32 | None) -> None:
        self._vectors = np.zeros((0, 0), np.float32) if vectors is None else vectors
        self._articles = articles
        self._keys = [
            key for key, article in articles.items() if article.asked and len(self._vectors)
        ]
        self._row = {way: row for row, way in enumerate(distinct_ways(articles.values()))}

    def __getitem__(self, key: str) -> Float32:
        rows = [self._row[way] for _, way in self._articles[key].asked]
        if not rows or not len(self._vectors):
            raise KeyError(key)
        return self._vectors[rows]

    def __iter__(self) -> Iterator[str]:
        return iter(self._keys)

    def __len__(self) -> int:
        return len(self._keys)

    def of_chunks(self, chunks: Sequence[Chunk]) -> SentenceVectors | None:
        """The ways of asking for each chunk; None if there are none at all."""
        if not self:
            return None
        rows: list[int] = []
        counts = []
        for chunk in chunks:
            ways = asked_within(self._articles[chunk.article_id], Span(chunk.start, chunk.end))
            rows += map(self._row.__getitem__, ways)
            counts.append(len(ways))
        return SentenceVectors.build(self._vectors, counts, np.asarray(rows, dtype=np.int64))


def _kinds(articles: Mapping[str, Article]) -> tuple[NDArray[np.int64], list[Article]]:
    """The kind of each article, and one article of each: a kind is what ``Filter`` looks at."""
    numbers: dict[tuple[object, ...], int] = {}
    examples: list[Article] = []
    kind = np.zeros(len(articles), dtype=np.int64)
    for row, article in enumerate(articles.values()):
        key = (article.place, article.audience, article.effective_year, article.status)
        if key not in numbers:
            numbers[key] = len(examples)
            examples.append(article)
        kind[row] = numbers[key]
    return kind, examples


def _sentences_of(
    chunks: Sequence[Chunk],
    spans: Mapping[str, Sequence[Span]],
    vectors: Float32,
    offsets: NDArray[np.int64],
    rows: Mapping[str, int],
) -> SentenceVectors | None:
    """The sentences that begin in each chunk; ``spans`` rise within an article."""
    if not len(vectors):
        return None
    starts = {key: [span.start for span in of_article] for key, of_article in spans.items()}
    first, last = [], []
    for chunk in chunks:
        inside, base = starts[chunk.article_id], int(offsets[rows[chunk.article_id]])
        first.append(base + bisect_left(inside, chunk.start))
        last.append(base + bisect_left(inside, chunk.end))
    return SentenceVectors(vectors, np.asarray(first), np.asarray(last))
