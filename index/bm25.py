"""BM25 as a sparse matrix: the scores of ``rank_bm25.BM25Okapi``, without walking every document.

``BM25Okapi`` defines k1, b, idf and epsilon. Its score of document d for question Q is

    sum over t in Q of  idf(t) · tf(t, d) · (k1 + 1) / (tf(t, d) + k1 · (1 − b + b · |d| / avgdl))

(Robertson & Zaragoza 2009, in rank_bm25's variant with a floor of epsilon · mean idf for very
common terms.) All but the sum is known when the index is built, so it is stored, one row a term.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from math import log
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rank_bm25 import BM25Okapi
from scipy import sparse

K1 = 1.5  # rank_bm25's default
B = 0.75  # rank_bm25's default
EPSILON = 0.25  # rank_bm25's default


class BM25(BM25Okapi):  # type: ignore[misc]
    """BM25Okapi over term lists, searched through a sparse matrix of shape (terms, documents)."""

    def __init__(
        self,
        documents: Sequence[Sequence[str] | Counter[str]],
        k1: float = K1,
        b: float = B,
    ) -> None:
        """Index term lists, or terms counted already (in the order in which they first stand).

        Args:
            documents: the terms of each document; one may be empty, not all of them.
            k1: saturation of term frequency.
            b: weight of document length.

        Raises:
            ValueError: there is no term at all.
        """
        if not any(documents):
            msg = "BM25 needs at least one document with terms"
            raise ValueError(msg)
        super().__init__(list(map(Counter, documents)), k1=k1, b=b, epsilon=EPSILON)
        self.vocabulary: dict[str, int] = {term: row for row, term in enumerate(sorted(self.idf))}
        self.weights = self._weights()
        self.doc_freqs: list[Counter[str]] = []  # as large as the corpus, and no longer needed

    def _initialize(self, corpus: Sequence[Counter[str]]) -> dict[str, int]:
        """Counts of documents a term, as ``BM25Okapi`` takes them from term lists."""
        self.doc_freqs = list(corpus)
        self.doc_len = [counts.total() for counts in corpus]
        self.corpus_size = len(corpus)
        self.avgdl = sum(self.doc_len) / self.corpus_size
        holding: Counter[str] = Counter()
        for counts in corpus:
            holding.update(counts.keys())
        return holding

    def _weights(self) -> sparse.csr_array:
        rows, columns, counts = [], [], []
        for position, frequencies in enumerate(self.doc_freqs):
            rows += [self.vocabulary[term] for term in frequencies]
            columns += [position] * len(frequencies)
            counts += list(frequencies.values())
        row = np.asarray(rows, dtype=np.int64)
        column = np.asarray(columns, dtype=np.int64)
        tf = np.asarray(counts, dtype=np.float64)
        idf = np.asarray([self.idf[term] for term in self.vocabulary], dtype=np.float64)
        length = np.asarray(self.doc_len, dtype=np.float64)
        norm = self.k1 * (1 - self.b + self.b * length / self.avgdl)
        values = idf[row] * tf * (self.k1 + 1) / (tf + norm[column])
        shape = (len(self.vocabulary), self.corpus_size)
        return sparse.csr_array(sparse.coo_array((values, (row, column)), shape=shape))

    def get_scores(self, query: Sequence[str]) -> NDArray[np.float64]:
        """Scores of all documents, float64, shape (documents,), higher is better."""
        return term_scores(self.weights, self.vocabulary, Counter(query))


def term_scores(
    weights: sparse.csr_array, vocabulary: Mapping[str, int], query: Mapping[str, float]
) -> NDArray[np.float64]:
    """Sum of the rows of the query's terms, each times its weight; float64, shape (documents,)."""
    scores = np.zeros(weights.shape[1], dtype=np.float64)
    indptr, indices, data = weights.indptr, weights.indices, weights.data
    for term, weight in query.items():
        row = vocabulary.get(term)
        if row is not None:
            part = slice(indptr[row], indptr[row + 1])
            scores[indices[part]] += weight * data[part]
    return scores


def most(query: Mapping[str, float], holding: Callable[[str], int], count: int) -> float:
    """The most that a passage could earn: every term of the query, however often, in it.

    The limit of the formula above for a rising tf: the sum of idf · (k1 + 1). A term in half of the
    passages or more says nothing and is left out, though BM25Okapi gives it a little.

    Args:
        query: terms with their weights.
        holding: in how many passages a term stands.
        count: number of passages.

    Returns:
        The bound; 1 for a query without a term that counts.
    """
    idf = {term: log(count - holding(term) + 0.5) - log(holding(term) + 0.5) for term in query}
    bound = (K1 + 1) * sum(weight * max(idf[term], 0.0) for term, weight in query.items())
    return bound or 1.0


def save(model: BM25, directory: Path) -> None:
    """Write the weights and the vocabulary; no pickle."""
    sparse.save_npz(directory / "bm25.npz", model.weights)
    (directory / "terms.txt").write_text("\n".join(model.vocabulary), encoding="utf-8")


def load(directory: Path) -> tuple[sparse.csr_array, dict[str, int]]:
    """The weights, shape (terms, documents), and the row of each term."""
    weights = sparse.csr_array(sparse.load_npz(directory / "bm25.npz"))
    text = (directory / "terms.txt").read_text(encoding="utf-8")
    return weights, {term: row for row, term in enumerate(text.split("\n"))}
