"""``Engine`` ranks documents by position: words, vectors, and both mixed.

It is all that evaluation needs; ``index/search.py`` adds the stored articles and filters.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from index import fusion
from index.bm25 import BM25, most
from index.candidates import Candidates, Filter, Phrase, Positions, WordQuery
from index.embedded import Embedded
from index.encoder import Encoder
from index.terms import synonyms, terms
from index.vectors import Float32, SentenceVectors, Vectors
from index.ways import Side, Space, space_of

LEGS = ("bm25", "dense")
CANDIDATES = 200  # passages a leg hands to the fusion
TITLE_WEIGHT = 2  # how often a title's terms are counted
SYNONYM_WEIGHT = 0.6  # of what a phrase also means against the phrase itself; see eval/LOG.md
SENTENCE_WEIGHT = 0.7  # of a passage's nearest sentence against the whole passage; see eval/LOG.md
# Two questions are nearer to each other than a question to its answer; see eval/LOG.md
ASKED_LESS = 0.1
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
class Analysis:
    """How texts and questions become terms; the switches are for ablation in ``eval``."""

    bigrams: bool = True
    synonyms: bool = True


PLAIN = Analysis()


def document_terms(
    title: str, text: str, asked: Sequence[str] = (), *, bigrams: bool = True
) -> list[str]:
    """The terms under which a passage is found; those of the ways of asking for it count once."""
    found = terms(title, bigrams=bigrams) * TITLE_WEIGHT + terms(text, bigrams=bigrams)
    ways = dict.fromkeys(term for way in asked for term in terms(way, bigrams=bigrams))
    return found + list(ways)


def passage_text(title: str, text: str) -> str:
    """What the encoder reads of a passage."""
    return f"{title}\n{text}" if title else text


def word_query(question: str, analysis: Analysis) -> WordQuery:
    """A question's own terms; a phrase of the lexicon counts as what it also means.

    A passage gains what its best synonym would score, at ``SYNONYM_WEIGHT``, as far as that is
    more than the phrase itself scores there, so a list of all names of a thing gains little.
    """

    def counted(text: str) -> Counter[str]:
        return Counter(terms(text, bigrams=analysis.bigrams))

    meanings = synonyms(question) if analysis.synonyms else {}
    phrases = tuple(
        Phrase(counted(phrase), tuple(map(counted, others)))
        for phrase, others in meanings.items()
        if others
    )
    return WordQuery(counted(question), phrases, SYNONYM_WEIGHT)


class Engine:
    """Two legs over the same documents, addressed by position."""

    def __init__(
        self, candidates: Candidates, encoder: Encoder | None, analysis: Analysis = PLAIN
    ) -> None:
        self.candidates = candidates
        self.encoder = encoder
        self.analysis = analysis

    @property
    def embedded(self) -> Embedded:
        """The parts of an engine in this process; raises ``TypeError`` if they are elsewhere."""
        if isinstance(self.candidates, Embedded):
            return self.candidates
        msg = "only an embedded index holds its parts in this process"
        raise TypeError(msg)

    @property
    def weights(self) -> sparse.csr_array:
        """BM25 weights of an embedded index, shape (terms, passages)."""
        return self.embedded.weights

    @property
    def vocabulary(self) -> Mapping[str, int]:
        """The row of each term in ``weights``."""
        return self.embedded.vocabulary

    @classmethod
    def build(
        cls,
        documents: Sequence[tuple[str, str]],
        encoder: Encoder | None,
        sentences: Sequence[Sequence[str]] | None = None,
        analysis: Analysis = PLAIN,
        asked: Sequence[Sequence[str]] = (),
    ) -> "Engine":
        """Index documents in memory; without an encoder only the bm25 leg works.

        Args:
            documents: (title, text) pairs.
            encoder: makes the vectors.
            sentences: what the encoder reads of each document's sentences; None: no such vectors.
            analysis: how texts become terms.
            asked: how citizens ask for each document; empty: not known of any.
        """
        ways = asked or [()] * len(documents)
        found = [
            document_terms(*document, wordings, bigrams=analysis.bigrams)
            for document, wordings in zip(documents, ways, strict=True)
        ]
        model = BM25(found)
        vectors = nearest = questions = None
        if encoder is not None:
            passages = [passage_text(title, text) for title, text in documents]
            space = space_of(encoder.name, encoder.dimension)
            vectors = Vectors.build(space.passages(encoder.encode_passages(passages)))
            if sentences is not None:
                lines = [line for lines in sentences for line in lines]
                counts = [len(lines) for lines in sentences]
                centred = space.passages(encoder.encode_passages(lines))
                nearest = SentenceVectors.build(centred, counts)
            if asked:
                centred = space.asked(encoder.encode_questions([w for of in asked for w in of]))
                questions = SentenceVectors.build(centred, [len(of) for of in asked])
        candidates = Embedded(model.weights, model.vocabulary, vectors, nearest, asked=questions)
        return cls(candidates, encoder, analysis)

    def __len__(self) -> int:
        return len(self.candidates)

    def legs(self, wanted: Sequence[str] = LEGS) -> tuple[str, ...]:
        """The wanted legs that can search now; dense needs vectors and an encoder.

        Raises:
            ValueError: an unknown leg is named.
        """
        if unknown := set(wanted) - set(LEGS):
            msg = f"unknown leg {sorted(unknown)}; there are {LEGS}"
            raise ValueError(msg)
        dense = self.candidates.has_vectors and self.encoder is not None
        return tuple(leg for leg in LEGS if leg in wanted and (leg == "bm25" or dense))

    def encode(self, question: str) -> Float32 | None:
        """What to search for: a unit vector, shape (dimension,), or None without an encoder."""
        placed = self._placed(question)
        if placed is None:
            return None
        space, vector = placed
        return space.question(vector)

    def heard(self, question: str) -> tuple[Float32 | None, Side]:
        """What to search for, and on which side a question lies."""
        placed = self._placed(question)
        if placed is None:
            return None, Side()
        space, vector = placed
        return space.question(vector), space.side(vector)

    def _placed(self, question: str) -> tuple[Space, Float32] | None:
        """The encoder's space and its own vector of a question, or None without an encoder."""
        if self.encoder is None:
            return None
        space = space_of(self.encoder.name, self.encoder.dimension)
        return space, self.encoder.encode_questions([question])[0]

    def rank(
        self,
        question: str,
        k: int,
        legs: Sequence[str] = LEGS,
        *,
        vector: Float32 | None = None,
        allowed: Filter | None = None,
        fuse: Fusion = "convex",
        depth: int = CANDIDATES,
    ) -> list[Ranked]:
        """The ``k`` best documents, sorted by (−score, position); fewer if fewer match.

        Args:
            question: what is asked.
            k: how many, at least 1.
            legs: any of ``LEGS``; one that cannot search now is left out.
            vector: the question's vector if it is known already, shape (dimension,).
            allowed: which articles to choose from; None means all.
            fuse: how two legs are mixed.
            depth: candidates a leg hands over; never below ``k``.
        """
        active = self.legs(legs)
        depth = max(depth, k)
        query = word_query(question, self.analysis)
        lexical = None
        best_lexical = best_dense = np.zeros(0, dtype=np.int64)
        if "bm25" in active:
            lexical = self.candidates.words(query, allowed)
            best_lexical = lexical.best(depth)
        if "dense" in active:
            vector = self.encode(question) if vector is None else vector
            if vector is not None:
                best_dense = self.candidates.nearest(vector, depth, allowed)
        pool = np.union1d(best_lexical, best_dense)
        bm25 = lexical.of(pool) if lexical is not None else np.zeros(len(pool))
        dense = np.zeros(len(pool))
        if vector is not None and "dense" in active:
            dense = self._closeness(vector, pool)
            nearness = dense[np.searchsorted(pool, best_dense)]
            best_dense = best_dense[np.lexsort((best_dense, -nearness))]
        ranks = (_ranks(best_lexical, pool), _ranks(best_dense, pool))
        nearer = self.candidates.has_sentences
        weight = fusion.SENTENCE_DENSE_WEIGHT if nearer else fusion.DENSE_WEIGHT
        bound = most(query.terms, self.candidates.chunks_with, len(self))
        score = _fused(active, (bm25, bound), dense, ranks, fuse, weight)
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

    def _closeness(self, vector: Float32, positions: Positions) -> NDArray[np.float64]:
        """Cosine of the passage, mixed with that of its nearest sentence if there are sentences.

        A way of asking for the passage stands for a sentence, if it is nearer by ``ASKED_LESS``.
        """
        whole, nearest = self.candidates.cosines(vector, positions)
        if not self.candidates.has_sentences:
            return whole.astype(np.float64)
        asked = self.candidates.asked_cosines(vector, positions)
        nearest = np.maximum(nearest, asked - ASKED_LESS)
        mixed = (1 - SENTENCE_WEIGHT) * whole + SENTENCE_WEIGHT * nearest
        return np.asarray(mixed, dtype=np.float64)


def _ranks(best: NDArray[np.int64], pool: NDArray[np.int64]) -> NDArray[np.int64]:
    """Rank (from 1) of each pool member in one leg, 0 if it is not there."""
    ranks = np.zeros(len(pool), dtype=np.int64)
    ranks[np.searchsorted(pool, best)] = np.arange(1, len(best) + 1)
    return ranks


def _fused(
    legs: Sequence[str],
    words: tuple[NDArray[np.float64], float],
    dense: NDArray[np.float64],
    ranks: tuple[NDArray[np.int64], NDArray[np.int64]],
    fuse: Fusion,
    dense_weight: float,
) -> NDArray[np.float64]:
    if len(legs) < len(LEGS):
        return dense if "dense" in legs else words[0]
    if fuse == "rrf":
        return fusion.reciprocal_rank(*ranks)
    return fusion.convex(*words, dense, dense_weight)
