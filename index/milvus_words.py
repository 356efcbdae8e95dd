"""The word leg over Milvus: it proposes passages, their term counts are fetched, we score.

Milvus searches BM25 weights as sparse vectors. It knows neither phrases with meanings nor double
precision, so it is asked for what bounds a passage's score from above, and the passages it proposes
are scored by the one definition (``query_scores``). Their order is certain as soon as the last one
wanted scores more than any that was left out can; until then more are asked for.
"""

from collections.abc import Callable, Mapping

import numpy as np
from scipy import sparse

from index.bm25 import norms, weighed
from index.candidates import Counted, Float64, Positions, WordQuery
from index.embedded import query_scores
from index.fetched import Records

MARGIN = 56  # passages more than wanted in the first search
WIDER = 4  # times as many in the next one
MOST = 16_384  # that Milvus gives at once
SLACK = 1e-5  # how far Milvus's single precision may be off, relative

# Takes sparse weights and a number; gives that many positions, and what the others score at most.
Propose = Callable[[Mapping[int, float], int], tuple[Positions, float]]


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
        bound = self._bound()
        limit = min(k + MARGIN, MOST)
        while bound:
            positions, left_out = self._propose(bound, limit)
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

    def _bound(self) -> dict[int, float]:
        """Sparse weights whose product with a passage is at least its score.

        A phrase's best meaning scores no more than all its meanings' terms, each as often as it
        stands in any one of them; what the phrase itself scores is not taken off.
        """
        whole: dict[str, float] = dict(self._query.terms)
        for phrase in self._query.phrases:
            widest: dict[str, float] = {}
            for meaning in phrase.meanings:
                _raise(widest, meaning)
            for term, count in widest.items():
                whole[term] = whole.get(term, 0.0) + self._query.weight * count
        known = self._terms
        return {known[term].row + 1: float(count) for term, count in whole.items() if term in known}


def _raise(widest: dict[str, float], counted: Counted) -> None:
    for term, count in counted.items():
        widest[term] = max(count, widest.get(term, 0.0))
