"""``Index.search`` gives passages for a question: misspelt terms mended, filtered, with scores."""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from corpus.records import Article, Chunk, Span
from index.engine import (
    LEGS,
    Analysis,
    Engine,
    Fusion,
    Ranked,
    document_terms,
    passage_text,
)
from index.repair import Repaired, Rewrite, repair
from index.vectors import Float32, SentenceVectors

__all__ = [
    "LEGS",
    "Analysis",
    "Engine",
    "Fusion",
    "Hit",
    "Hits",
    "Index",
    "Ranked",
    "document_terms",
    "passage_text",
]


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
        engine.sentences = _sentences_of(chunks, spans, sentence_vectors)
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


def _sentences_of(
    chunks: Sequence[Chunk], spans: Mapping[str, Sequence[Span]], vectors: Float32
) -> SentenceVectors | None:
    """The sentences that begin in each chunk; ``spans`` rise within an article."""
    if not len(vectors):
        return None
    starts = {key: [span.start for span in of_article] for key, of_article in spans.items()}
    offsets = dict(zip(starts, np.cumsum([0, *map(len, starts.values())]).tolist(), strict=False))
    first, last = [], []
    for chunk in chunks:
        inside, base = starts[chunk.article_id], offsets[chunk.article_id]
        first.append(base + bisect_left(inside, chunk.start))
        last.append(base + bisect_left(inside, chunk.end))
    return SentenceVectors(vectors, np.asarray(first), np.asarray(last))
