"""BM25 as a sparse matrix: the scores of ``rank_bm25.BM25Okapi``, without walking every document.

``BM25Okapi`` defines k1, b, idf and epsilon. Its score of document d for question Q is

    sum over t in Q of  idf(t) · tf(t, d) · (k1 + 1) / (tf(t, d) + k1 · (1 − b + b · |d| / avgdl))

(Robertson & Zaragoza 2009, in rank_bm25's variant with a floor of epsilon · mean idf for very
common terms.) All but the sum is known when the index is built, so it is stored, one row a term.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from math import log
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rank_bm25 import BM25Okapi
from scipy import sparse

K1 = 1.5  # rank_bm25's default
B = 0.75  # rank_bm25's default
EPSILON = 0.25  # rank_bm25's default


@dataclass(frozen=True, slots=True, eq=False)
class Counts:
    """How often each document holds each term.

    ``vocabulary``: the row of each term, rows in alphabetical order, the terms themselves in the
    order in which they first stand; ``matrix``: shape (terms, documents), nothing stored where a
    document does not hold a term.
    """

    vocabulary: Mapping[str, int]
    matrix: sparse.csr_array

    @classmethod
    def of(cls, documents: Sequence[Counter[str]]) -> "Counts":
        """From the counted terms of each document."""
        terms = dict.fromkeys(chain.from_iterable(documents))
        rows = {term: row for row, term in enumerate(sorted(terms))}
        held = [len(counts) for counts in documents]
        row = np.fromiter(map(rows.__getitem__, chain.from_iterable(documents)), np.int32)
        count = np.fromiter(chain.from_iterable(map(dict.values, documents)), np.float64)
        column = np.repeat(np.arange(len(documents), dtype=np.int32), held)
        shape = (len(rows), len(documents))
        matrix = sparse.csr_array(sparse.coo_array((count, (row, column)), shape=shape))
        return cls({term: rows[term] for term in terms}, matrix)


class BM25(BM25Okapi):  # type: ignore[misc]
    """BM25Okapi over term lists, searched through a sparse matrix of shape (terms, documents)."""

    def __init__(
        self,
        documents: Sequence[Sequence[str] | Counter[str]] | Counts,
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
        if isinstance(documents, Counts):
            counts = documents
        else:
            counts = Counts.of(list(map(Counter, documents)))
        if not counts.vocabulary:
            msg = "BM25 needs at least one document with terms"
            raise ValueError(msg)
        super().__init__(counts, k1=k1, b=b, epsilon=EPSILON)
        self.vocabulary: dict[str, int] = dict(sorted(counts.vocabulary.items()))
        self.weights = self._weights(counts.matrix)

    def _initialize(self, corpus: Counts) -> dict[str, int]:
        """Counts of documents a term, as ``BM25Okapi`` takes them from term lists."""
        self.doc_len = corpus.matrix.sum(axis=0)
        self.corpus_size = corpus.matrix.shape[1]
        self.avgdl = float(self.doc_len.sum()) / self.corpus_size
        holding = np.diff(corpus.matrix.indptr).tolist()
        return {term: holding[row] for term, row in corpus.vocabulary.items()}

    def _weights(self, counts: sparse.csr_array) -> sparse.csr_array:
        idf = np.asarray([self.idf[term] for term in self.vocabulary], dtype=np.float64)
        idf, column = np.repeat(idf, np.diff(counts.indptr)), counts.indices
        length = np.asarray(self.doc_len, dtype=np.float64)
        norm = norms(length, self.avgdl, self.k1, self.b)
        values = weighed(idf, counts.data, norm[column], self.k1)
        return sparse.csr_array((values, column, counts.indptr), shape=counts.shape)

    def get_scores(self, query: Sequence[str]) -> NDArray[np.float64]:
        """Scores of all documents, float64, shape (documents,), higher is better."""
        return term_scores(self.weights, self.vocabulary, Counter(query))


def norms(
    length: NDArray[np.float64], average: float, k1: float = K1, b: float = B
) -> NDArray[np.float64]:
    """k1 · (1 − b + b · |d| / avgdl) of the formula above, for documents of these lengths."""
    return k1 * (1 - b + b * length / average)


def weighed(
    idf: NDArray[np.float64],
    tf: NDArray[np.float64],
    norm: NDArray[np.float64],
    k1: float = K1,
) -> NDArray[np.float64]:
    """Weights of terms in documents by the formula above; all arrays of one shape."""
    return idf * tf * (k1 + 1) / (tf + norm)


def inverse_frequencies(held: Mapping[str, int], count: int) -> dict[str, float]:
    """The idf of each term as ``BM25Okapi`` defines it.

    Args:
        held: how many documents hold a term, terms in the order in which they first stand (the
            floor is a mean, and a sum of floats depends on the order).
        count: number of documents.
    """
    model = object.__new__(BM25Okapi)
    model.corpus_size, model.epsilon, model.idf = count, EPSILON, {}
    model._calc_idf(held)
    return dict(model.idf)


def add_scores(
    scores: NDArray[np.float64],
    weights: sparse.csr_array,
    vocabulary: Mapping[str, int],
    query: Mapping[str, float],
) -> None:
    """Add the rows of the query's terms, each times its weight, to float64 (documents,).

    Only documents that hold a term are touched: ``np.add.at`` with the stored int32 positions took
    5 ns a posting, ``scores[positions] +=`` 10.
    """
    for term, weight in query.items():
        part = postings(weights, vocabulary, term)
        np.add.at(scores, weights.indices[part], weight * weights.data[part])


def postings(weights: sparse.csr_array, vocabulary: Mapping[str, int], term: str) -> slice:
    """Where a term's row stands in ``indices`` and ``data``; empty if no document holds it."""
    row = vocabulary.get(term)
    if row is None:
        return slice(0, 0)
    return slice(int(weights.indptr[row]), int(weights.indptr[row + 1]))


def term_scores(
    weights: sparse.csr_array, vocabulary: Mapping[str, int], query: Mapping[str, float]
) -> NDArray[np.float64]:
    """Sum of the rows of the query's terms, each times its weight; float64, shape (documents,)."""
    scores = np.zeros(weights.shape[1], dtype=np.float64)
    add_scores(scores, weights, vocabulary, query)
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
    bound = 0.0
    for term, weight in query.items():
        held = holding(term)
        bound += weight * max(log(count - held + 0.5) - log(held + 0.5), 0.0)
    return (K1 + 1) * bound or 1.0


def save(model: BM25, directory: Path) -> None:
    """Write the weights and the vocabulary; no pickle, and no time spent on compressing."""
    sparse.save_npz(directory / "bm25.npz", model.weights, compressed=False)
    (directory / "terms.txt").write_text("\n".join(model.vocabulary), encoding="utf-8")


def load(directory: Path) -> tuple[sparse.csr_array, dict[str, int]]:
    """The weights, shape (terms, documents), and the row of each term."""
    weights = sparse.csr_array(sparse.load_npz(directory / "bm25.npz"))
    text = (directory / "terms.txt").read_text(encoding="utf-8")
    return weights, {term: row for row, term in enumerate(text.split("\n"))}
