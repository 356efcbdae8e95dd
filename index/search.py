"""Hybrid search: ``Engine`` ranks documents by position, ``Index.search`` gives hits and passages.

The engine is all that evaluation needs; an index adds the stored articles, filters and sentence
vectors.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from corpus.records import Article, Chunk, Span
from index import fusion
from index.bm25 import BM25, term_scores
from index.encoder import Encoder
from index.repair import Repaired, Rewrite, repair
from index.terms import expansions, terms
from index.vectors import Float32, Vectors

LEGS = ("bm25", "dense")
CANDIDATES = 200  # passages a leg hands to the fusion
TITLE_WEIGHT = 2  # how often a title's terms are counted
SYNONYM_WEIGHT = 0.4  # of a synonym's term against a word of the question itself
Fusion = Literal["convex", "rrf"]


@dataclass(frozen=True, slots=True)
class Ranked:
    """A document by position, its fused score, each leg's score and rank (0: not in its best)."""

    position: int
    score: float
    bm25: float = 0.0
    bm25_rank: int = 0
    dense: float = 0.0
    dense_rank: int = 0


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage that was found, with the scores of ``Ranked``."""

    chunk: Chunk
    article: Article
    score: float
    bm25: float
    bm25_rank: int
    dense: float
    dense_rank: int


class Hits(list[Hit]):
    """Hits, best first, with the question that was searched for and how it was rewritten."""

    def __init__(
        self, hits: Iterable[Hit] = (), searched: str = "", rewrites: Sequence[Rewrite] = ()
    ) -> None:
        super().__init__(hits)
        self.searched = searched
        self.rewrites = tuple(rewrites)

    @property
    def rewritten(self) -> str | None:
        """The text searched for instead of the question; None if that was left as it is."""
        return self.searched if self.rewrites else None


def document_terms(title: str, text: str) -> list[str]:
    """The terms under which a passage is found."""
    return terms(title) * TITLE_WEIGHT + terms(text)


def passage_text(title: str, text: str) -> str:
    """What the encoder reads of a passage."""
    return f"{title}\n{text}" if title else text


def query_terms(question: str) -> dict[str, float]:
    """Weighted terms of a question: its own, and those of its synonyms at a lower weight."""
    weighted: dict[str, float] = dict(Counter(terms(question)))
    for phrase in expansions(question):
        for term in set(terms(phrase)):
            weighted.setdefault(term, SYNONYM_WEIGHT)
    return weighted


class Engine:
    """Two legs over the same documents, addressed by position."""

    def __init__(
        self,
        weights: sparse.csr_array,
        vocabulary: Mapping[str, int],
        vectors: Vectors | None,
        encoder: Encoder | None,
    ) -> None:
        self.weights = weights
        self.vocabulary = vocabulary
        self.vectors = vectors
        self.encoder = encoder

    @classmethod
    def build(cls, documents: Sequence[tuple[str, str]], encoder: Encoder | None) -> "Engine":
        """Index (title, text) pairs in memory; without an encoder only the bm25 leg works."""
        model = BM25([document_terms(title, text) for title, text in documents])
        vectors = None
        if encoder is not None:
            passages = [passage_text(title, text) for title, text in documents]
            vectors = Vectors.build(encoder.encode_passages(passages))
        return cls(model.weights, model.vocabulary, vectors, encoder)

    def __len__(self) -> int:
        return int(self.weights.shape[1])

    def legs(self, wanted: Sequence[str] = LEGS) -> tuple[str, ...]:
        """The wanted legs that can search now; dense needs vectors and an encoder.

        Raises:
            ValueError: an unknown leg is named.
        """
        if unknown := set(wanted) - set(LEGS):
            msg = f"unknown leg {sorted(unknown)}; there are {LEGS}"
            raise ValueError(msg)
        dense = self.vectors is not None and self.encoder is not None
        return tuple(leg for leg in LEGS if leg in wanted and (leg == "bm25" or dense))

    def encode(self, question: str) -> Float32 | None:
        """The question's unit vector, shape (dimension,), or None while there is no encoder."""
        return None if self.encoder is None else self.encoder.encode_questions([question])[0]

    def rank(
        self,
        question: str,
        k: int,
        legs: Sequence[str] = LEGS,
        *,
        vector: Float32 | None = None,
        allowed: NDArray[np.int64] | None = None,
        fuse: Fusion = "convex",
        depth: int = CANDIDATES,
    ) -> list[Ranked]:
        """The ``k`` best documents, sorted by (−score, position); fewer if fewer match.

        Args:
            question: what is asked.
            k: how many, at least 1.
            legs: any of ``LEGS``; one that cannot search now is left out.
            vector: the question's vector if it is known already, shape (dimension,).
            allowed: rising positions to choose from; None means all.
            fuse: how two legs are mixed.
            depth: candidates a leg hands over; never below ``k``.
        """
        active = self.legs(legs)
        depth = max(depth, k)
        lexical = self._lexical(question, allowed) if "bm25" in active else None
        best_lexical = _best(lexical, depth)
        best_dense = np.zeros(0, dtype=np.int64)
        if "dense" in active and self.vectors is not None:
            vector = self.encode(question) if vector is None else vector
            if vector is not None:
                best_dense, _ = self.vectors.search(vector, depth, allowed)
        pool = np.union1d(best_lexical, best_dense)
        bm25 = lexical[pool] if lexical is not None else np.zeros(len(pool))
        dense = np.zeros(len(pool))
        if self.vectors is not None and vector is not None and "dense" in active:
            dense = self.vectors.score(vector, pool).astype(np.float64)
        ranks = (_ranks(best_lexical, pool), _ranks(best_dense, pool))
        score = _fused(active, bm25, dense, ranks, fuse)
        order = np.lexsort((pool, -score))[:k]
        return [
            Ranked(
                int(pool[at]),
                float(score[at]),
                float(bm25[at]),
                int(ranks[0][at]),
                float(dense[at]),
                int(ranks[1][at]),
            )
            for at in order
        ]

    def _lexical(self, question: str, allowed: NDArray[np.int64] | None) -> NDArray[np.float64]:
        scores = term_scores(self.weights, self.vocabulary, query_terms(question))
        if allowed is None:
            return scores
        kept = np.zeros_like(scores)
        kept[allowed] = scores[allowed]
        return kept


def _best(scores: NDArray[np.float64] | None, depth: int) -> NDArray[np.int64]:
    """Positions of the ``depth`` highest positive scores, best first, ties by position."""
    if scores is None:
        return np.zeros(0, dtype=np.int64)
    positive = np.flatnonzero(scores > 0)
    if len(positive) > depth:
        edge = np.partition(scores[positive], len(positive) - depth)[len(positive) - depth]
        positive = positive[scores[positive] >= edge]
    order = np.lexsort((positive, -scores[positive]))
    return positive[order][:depth]


def _ranks(best: NDArray[np.int64], pool: NDArray[np.int64]) -> NDArray[np.int64]:
    """Rank (from 1) of each pool member in one leg, 0 if it is not there."""
    ranks = np.zeros(len(pool), dtype=np.int64)
    ranks[np.searchsorted(pool, best)] = np.arange(1, len(best) + 1)
    return ranks


def _fused(
    legs: Sequence[str],
    bm25: NDArray[np.float64],
    dense: NDArray[np.float64],
    ranks: tuple[NDArray[np.int64], NDArray[np.int64]],
    fuse: Fusion,
) -> NDArray[np.float64]:
    if len(legs) < len(LEGS):
        return dense if "dense" in legs else bm25
    return fusion.reciprocal_rank(*ranks) if fuse == "rrf" else fusion.convex(bm25, dense)


class Index:
    """An opened index: the engine over chunks, the articles, and a vector for every sentence.

    ``sentence_vectors``: float32, shape (sentences, dimension), by article in the order of
    ``articles``, within an article in the order of ``spans``.
    """

    def __init__(
        self,
        engine: Engine,
        chunks: Sequence[Chunk],
        articles: Mapping[str, Article],
        spans: Mapping[str, Sequence[Span]],
        sentence_vectors: Float32,
        encoder_name: str,
        model: str = "",
    ) -> None:
        self.engine = engine
        self.chunks = chunks
        self.articles = articles
        self.spans = spans
        self.all_sentence_vectors = sentence_vectors
        self.sentence_vectors: dict[str, Float32] = {}
        at = 0
        for key in articles:
            self.sentence_vectors[key] = sentence_vectors[at : at + len(spans[key])]
            at += len(spans[key])
        self.encoder_name = encoder_name
        self.model = model

    def search(
        self,
        question: str,
        k: int = 10,
        *,
        where: Callable[[Article], bool] | None = None,
        legs: Sequence[str] = LEGS,
        vector: Float32 | None = None,
        mend: bool = True,
    ) -> Hits:
        """The ``k`` best passages of the articles for which ``where`` is true, best first.

        Args:
            question: what is asked.
            k: how many, at least 1.
            where: which articles may be found; None means all.
            legs: any of ``LEGS``; one that cannot search now is left out.
            vector: the question's vector if it is known already, shape (dimension,).
            mend: whether misspelt terms are mended first; see ``Hits.rewritten``.
        """
        mended = repair(question) if mend else Repaired(question)
        searched, rewrites = (mended.text, mended.rewrites) if mended.rewrites else (question, ())
        if rewrites:
            vector = None  # it belongs to the misspelt question
        allowed = None
        if where is not None:
            wanted = {key for key, article in self.articles.items() if where(article)}
            allowed = np.asarray(
                [at for at, chunk in enumerate(self.chunks) if chunk.article_id in wanted],
                dtype=np.int64,
            )
            if not len(allowed):
                return Hits((), searched, rewrites)
        ranked = self.engine.rank(searched, k, legs, vector=vector, allowed=allowed)
        return Hits(map(self._hit, ranked), searched, rewrites)

    def _hit(self, r: Ranked) -> Hit:
        return Hit(
            chunk=self.chunks[r.position],
            article=self.articles[self.chunks[r.position].article_id],
            score=r.score,
            bm25=r.bm25,
            bm25_rank=r.bm25_rank,
            dense=r.dense,
            dense_rank=r.dense_rank,
        )
