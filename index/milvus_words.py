"""The word leg over Milvus: it proposes passages, their term counts are fetched, we score.

Milvus searches BM25 weights as sparse vectors. It knows neither double precision nor phrases with
meanings, of which the best one counts. So it is asked for each choice of meanings by itself, which
is a product; where there are too many choices, for what bounds them from above. The passages it
proposes are scored by the one definition (``query_scores``). Their order is certain as soon as the
last one wanted scores more than any that was left out can; until then more are asked for.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np
from scipy import sparse

from index.bm25 import norms, weighed
from index.candidates import Counted, Float64, Positions, WordQuery
from index.embedded import query_scores
from index.fetched import Records

MARGIN = 56  # passages more than wanted in the first search
WIDER = 4  # times as many in the next one
MOST = 16_384  # that Milvus gives at once
CHOICES = 40  # sparse vectors in one search; see eval/LOG.md
SLACK = 1e-5  # how far Milvus's single precision may be off, relative

# Takes sparse vectors and a number; gives so many positions with the highest product with any of
# them, and the highest that others may have.
Propose = Callable[[Sequence[Mapping[int, float]], int], tuple[Positions, float]]


class Scores:
    """Passages scored by one ``WordQuery``; see ``WordScores``."""

    def __init__(
        self, query: WordQuery, records: Records, average_length: float, propose: Propose
    ) -> None:
        self._query, self._records, self._propose = query, records, propose
        self._average = average_length
        sides = [query.terms]
        for phrase in query.phrases:
            sides += [phrase.terms, *phrase.meanings]
        self._terms = records.terms(term for side in sides for term in side)

    def best(self, k: int) -> Positions:
        """The ``k`` passages with the highest positive scores, best first, ties by position."""
        bounds = self._bounds()
        limit = min(k + MARGIN, MOST)
        while bounds:
            positions, left_out = self._propose(bounds, limit)
            positions = np.sort(positions)
            scores = self.of(positions)
            order = np.lexsort((positions, -scores))[:k]
            order = order[scores[order] > 0]
            sure = len(order) == k and scores[order[-1]] > left_out * (1 + SLACK)
            if sure or left_out == 0.0 or limit == MOST:
                return positions[order]
            limit = min(limit * WIDER, MOST)
        return np.zeros(0, dtype=np.int64)

    def of(self, positions: Positions) -> Float64:
        """Scores of the given passages, which must be admitted ones, shape (len(positions),)."""
        if not self._terms or not len(positions):
            return np.zeros(len(positions), dtype=np.float64)
        return self._exact(positions)

    def _exact(self, at: Positions) -> Float64:
        """Scores by the terms that are known, as if the passages were in memory."""
        counts = self._records.counts(at)
        if len(counts) < len(set(at.tolist())):
            raise self._records.damaged()
        held = [counts[position] for position in at.tolist()]
        # Positions and rows as one rising number each: what is wanted is looked up in what is held.
        column = np.repeat(np.arange(len(at), dtype=np.int64), [len(of.rows) for of in held])
        rows = column << 32 | np.concatenate([of.rows for of in held]).astype(np.int64)
        known = np.asarray([term.row for term in self._terms.values()], dtype=np.int64)
        wanted = np.arange(len(at), dtype=np.int64)[:, None] << 32 | known
        found = np.minimum(np.searchsorted(rows, wanted), max(len(rows) - 1, 0))
        column, line = np.nonzero(rows[found] == wanted if len(rows) else np.zeros_like(wanted))
        tf = np.concatenate([of.counts for of in held])[found[column, line]].astype(np.float64)
        idf = np.asarray([term.idf for term in self._terms.values()], dtype=np.float64)
        norm = norms(np.asarray([of.length for of in held]), self._average)
        shape = (len(self._terms), len(at))
        values = weighed(idf[line], tf, norm[column])
        weights = sparse.csr_array(sparse.coo_array((values, (line, column)), shape=shape))
        return query_scores(
            weights, {term: line for line, term in enumerate(self._terms)}, self._query
        )

    def _bounds(self) -> list[dict[int, float]]:
        """Sparse weights; a passage's highest product with any of them is at least its score.

        For each phrase either nothing is added or one meaning, and what the phrase itself scores is
        taken off. Phrases beyond ``CHOICES`` add all their meanings' terms, each as often as it
        stands in any of them, and nothing is taken off.
        """
        whole: list[dict[str, float]] = [dict(self._query.terms)]
        for phrase in sorted(self._query.phrases, key=lambda phrase: len(phrase.meanings)):
            gains = [self._gain(meaning, phrase.terms) for meaning in phrase.meanings]
            if len(whole) * (1 + len(gains)) <= CHOICES:
                whole += [_sum(chosen, gain) for gain in gains for chosen in whole]
            else:
                widest = self._gain(_widest(phrase.meanings), {})
                whole = [_sum(chosen, widest) for chosen in whole]
        known = self._terms
        found = [
            {known[term].row + 1: float(n) for term, n in of.items() if n > 0 and term in known}
            for of in whole
        ]
        return [weights for weights in found if weights]

    def _gain(self, meaning: Counted, own: Counted) -> dict[str, float]:
        """What a meaning adds to the counts of terms, and what its phrase takes off."""
        return _sum(
            {t: -n for t, n in own.items()}, {t: n * self._query.weight for t, n in meaning.items()}
        )


def _sum(one: Counted, other: Counted) -> dict[str, float]:
    return {term: one.get(term, 0.0) + other.get(term, 0.0) for term in {**one, **other}}


def _widest(meanings: Iterable[Counted]) -> dict[str, float]:
    """Each term as often as it stands in any one of the meanings."""
    widest: dict[str, float] = {}
    for meaning in meanings:
        for term, count in meaning.items():
            widest[term] = max(count, widest.get(term, 0.0))
    return widest
