"""``Index.search`` gives passages for a question: misspelt terms mended, filtered, with scores."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from corpus.records import Article, Chunk, Span
from corpus.regions import PlacePath
from index.candidates import Filter
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
from index.vectors import Float32

__all__ = [
    "LEGS",
    "Analysis",
    "Engine",
    "Filter",
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
    """An opened index: the engine, and the articles, chunks and sentences behind it.

    It knows its passages only as ``index/candidates.py`` shows them.
    """

    def __init__(self, engine: Engine, encoder_name: str, model: str = "") -> None:
        self.engine = engine
        self.encoder_name = encoder_name
        self.model = model

    @property
    def version(self) -> str:
        """Names what was opened; another build has another version."""
        return self.engine.candidates.version

    @property
    def chunks(self) -> Sequence[Chunk]:
        """Passages by position."""
        return self.engine.candidates.chunks

    @property
    def articles(self) -> Mapping[str, Article]:
        """Articles by id, rising."""
        return self.engine.candidates.articles

    @property
    def spans(self) -> Mapping[str, Sequence[Span]]:
        """Each article's quotable sentences, rising."""
        return self.engine.candidates.spans

    @property
    def sentence_vectors(self) -> Mapping[str, Float32]:
        """Each article's sentence vectors, shape (its sentences, dimension), as in ``spans``."""
        return self.engine.candidates.sentence_vectors

    @property
    def asked_vectors(self) -> Mapping[str, Float32]:
        """Vectors of an article's ways of asking, as in ``Article.asked``; see ``Candidates``."""
        return self.engine.candidates.asked_vectors

    def answers(self) -> bool:
        """Whether a search can be made now; see ``Candidates.answers``."""
        return self.engine.candidates.answers()

    def has_place(self, place: PlacePath) -> bool:
        """Whether there is an article for exactly this place."""
        return self.engine.candidates.has_place(place)

    def search(
        self,
        question: str,
        k: int = 10,
        *,
        only: Filter | None = None,
        where: Callable[[Article], bool] | None = None,
        legs: Sequence[str] = LEGS,
        vector: Float32 | None = None,
        mend: bool = True,
    ) -> Hits:
        """The ``k`` best passages of the articles that may be found, best first.

        Args:
            question: what is asked.
            k: how many, at least 1.
            only: which articles may be found, by place, audience, year and status.
            where: the same by whatever else; it is asked of every article, so it takes longer.
            legs: any of ``LEGS``; one that cannot search now is left out.
            vector: the question's vector if it is known already, shape (dimension,).
            mend: whether misspelt terms are mended first; see ``Hits.rewritten``.
        """
        mended = repair(question) if mend else Repaired(question)
        searched, rewrites = (mended.text, mended.rewrites) if mended.rewrites else (question, ())
        if rewrites:
            vector = None  # it belongs to the misspelt question
        allowed = only if where is None else replace(only or Filter(), where=where)
        ranked = self.engine.rank(searched, k, legs, vector=vector, allowed=allowed)
        found = self.engine.candidates.fetch([r.position for r in ranked])
        return Hits(map(_hit, ranked, found), searched, rewrites)


def _hit(r: Ranked, found: tuple[Chunk, Article]) -> Hit:
    chunk, article = found
    return Hit(chunk, article, r.score, r.bm25, r.bm25_rank, r.dense, r.dense_rank)
