"""The seam: what ranking and ``Index`` need from whatever holds the passages.

``index/embedded.py`` (FAISS and a sparse BM25 matrix in this process) is one implementation,
``index/milvus.py`` the other. Fusion, place logic and answers know only this file. What is reached
by position or id may be fetched one at a time: ``fetch`` brings many at once.

Passages are addressed by position: an integer from 0 that belongs to one version of an index and
rises with the chunk's id.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from corpus.records import Article, Audience, Chunk, Span, Status
from corpus.regions import PlacePath, applies
from index.vectors import Float32

Positions = NDArray[np.int64]
Float64 = NDArray[np.float64]
Counted = Mapping[str, float]  # terms, each with how often it is counted


@dataclass(frozen=True, slots=True)
class Filter:
    """Which articles may be found; what is left out does not restrict.

    ``place``: the rule may hold there (the place itself, a wider one, or none named).
    ``audience``: for that one or for anyone. ``year``: for that year, or for no year in
    particular. ``status``: one of these. ``where``: whatever else, asked of every article; it sees
    the particulars, not the text and not the ways of asking.
    """

    place: PlacePath | None = None
    audience: Audience | None = None
    year: str = ""
    status: frozenset[Status] = frozenset()
    where: Callable[[Article], bool] | None = None

    def admits(self, article: Article) -> bool:
        """Whether the article's own particulars fit; ``where`` is not asked."""
        return (
            (self.place is None or applies(article, self.place))
            and (self.audience is None or article.audience in (self.audience, Audience.ANYONE))
            and (not self.year or article.effective_year in (self.year, ""))
            and (not self.status or article.status in self.status)
        )


@dataclass(frozen=True, slots=True)
class Phrase:
    """A phrase of the question as terms, and as terms each thing that it also means."""

    terms: Counted
    meanings: tuple[Counted, ...]


@dataclass(frozen=True, slots=True)
class WordQuery:
    """What the word leg looks for.

    The score of a passage is BM25 of ``terms``, plus for each phrase what ``weight`` times its best
    meaning would score there, as far as that is more than the phrase itself scores.
    """

    terms: Counted
    phrases: tuple[Phrase, ...] = ()
    weight: float = 0.0


class WordScores(Protocol):
    """Passages scored by one ``WordQuery``."""

    def best(self, k: int) -> Positions:
        """The ``k`` passages with the highest positive scores, best first, ties by position."""
        ...

    def of(self, positions: Positions) -> Float64:
        """Scores of the given passages, which must be admitted ones, shape (len(positions),)."""
        ...


class Candidates(Protocol):
    """The passages of one version of an index; every implementation gives the same results."""

    @property
    def version(self) -> str:
        """Names the version; it changes whenever positions may."""
        ...

    @property
    def chunks(self) -> Sequence[Chunk]:
        """Passages by position."""
        ...

    @property
    def articles(self) -> Mapping[str, Article]:
        """Articles by id, rising."""
        ...

    @property
    def spans(self) -> Mapping[str, Sequence[Span]]:
        """Each article's quotable sentences, rising."""
        ...

    @property
    def sentence_vectors(self) -> Mapping[str, Float32]:
        """Each article's sentence vectors, shape (its sentences, dimension), as in ``spans``."""
        ...

    @property
    def asked_vectors(self) -> Mapping[str, Float32]:
        """Vectors of an article's ways of asking, shape (ways, dimension), as in ``Article.asked``.

        Articles without any are left out.
        """
        ...

    @property
    def sentence_count(self) -> int:
        """How many sentences there are in all."""
        ...

    @property
    def has_vectors(self) -> bool:
        """Whether passages can be found by vector."""
        ...

    @property
    def has_sentences(self) -> bool:
        """Whether ``cosines`` knows the nearest sentence."""
        ...

    def __len__(self) -> int:
        """How many passages there are."""
        ...

    def answers(self) -> bool:
        """Whether the passages can be reached now; known within seconds, whatever happens."""
        ...

    def fetch(self, positions: Sequence[int]) -> list[tuple[Chunk, Article]]:
        """Passages with their articles, in the order of ``positions``."""
        ...

    def has_place(self, place: PlacePath) -> bool:
        """Whether there is an article for exactly this place."""
        ...

    def nearest(self, vector: Float32, k: int, allowed: Filter | None = None) -> Positions:
        """The ``k`` passages nearest to a unit vector of shape (dimension,), best first."""
        ...

    def cosines(self, vector: Float32, positions: Positions) -> tuple[Float32, Float32]:
        """Cosine of each passage and of its nearest sentence, two of shape (len(positions),).

        A passage without sentences is its own nearest sentence.
        """
        ...

    def asked_cosines(self, vector: Float32, positions: Positions) -> Float32:
        """Cosine of the nearest way of asking for each passage, of the same shape; −1: none."""
        ...

    def words(self, query: WordQuery, allowed: Filter | None = None) -> WordScores:
        """All admitted passages, scored by their words."""
        ...

    def chunks_with(self, term: str) -> int:
        """How many passages hold a term."""
        ...
