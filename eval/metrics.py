"""nDCG@10, recall, MRR@10 and MAP a query, computed by ir_measures (pytrec_eval).

The order of hits is ours (score downwards, then document id), not trec_eval's own tie rule: the
library is handed strictly falling scores. A query without hits scores 0 and stays in the mean.
"""

from collections.abc import Iterable, Mapping, Sequence

import ir_measures
import numpy as np
from ir_measures import AP, RR, R, nDCG
from numpy.typing import NDArray

from eval.datasets import Qrel

__all__ = ["METRICS", "Run", "means", "overlap", "per_query", "recall_curve"]

# RR has no cutoff here: the provider takes RR @ 10 and gives the uncut value. per_query cuts it.
MEASURES = {
    "nDCG@10": nDCG @ 10,
    "Recall@5": R @ 5,
    "Recall@10": R @ 10,
    "Recall@100": R @ 100,
    "MRR@10": RR,
    "MAP": AP,
}
METRICS = tuple(MEASURES)
MRR_DEPTH = 10  # ranks that count for MRR@10

Run = Mapping[str, Sequence[str]]  # query id → document ids, best first; may lack a query


def per_query(query_ids: Sequence[str], qrels: Iterable[Qrel], run: Run) -> NDArray[np.float64]:
    """Score every query by every metric.

    Args:
        query_ids: the queries that count, in the order of the rows.
        qrels: judgements; queries that are not in ``query_ids`` are left out.
        run: hits a query, best first.

    Returns:
        float64, shape (len(query_ids), len(METRICS)), columns in the order of ``METRICS``, each
        in [0, 1].

    Raises:
        ValueError: a document stands twice among the hits of a query.
    """
    row_of = {query_id: row for row, query_id in enumerate(query_ids)}
    judgements = [
        ir_measures.Qrel(q.query_id, q.document_id, q.relevance)
        for q in qrels
        if q.query_id in row_of
    ]
    scored = [
        ir_measures.ScoredDoc(query_id, document_id, float(-rank))
        for query_id in query_ids
        for rank, document_id in enumerate(_distinct(query_id, run))
    ]
    values = np.zeros((len(query_ids), len(METRICS)))
    if not scored or not judgements:
        return values
    column_of = {measure: column for column, measure in enumerate(MEASURES.values())}
    for metric in ir_measures.pytrec_eval.iter_calc(list(column_of), judgements, scored):
        values[row_of[metric.query_id], column_of[metric.measure]] = metric.value
    reciprocal_ranks = values[:, column_of[RR]]
    reciprocal_ranks[reciprocal_ranks < 1 / MRR_DEPTH] = 0.0
    return values


def means(values: NDArray[np.float64]) -> dict[str, float]:
    """The mean of each metric over all queries, rounded to six places.

    >>> means(np.array([[1.0] * 6, [0.0] * 6]))["MRR@10"]
    0.5
    """
    averages = values.mean(axis=0) if len(values) else np.zeros(len(METRICS))
    return {name: round(float(mean), 6) for name, mean in zip(METRICS, averages, strict=True)}


def recall_curve(
    query_ids: Sequence[str], qrels: Iterable[Qrel], run: Run, cutoffs: Sequence[int]
) -> list[float]:
    """Mean recall at each cutoff, for the plot; the same definition as ``Recall@k``."""
    relevant: dict[str, set[str]] = {query_id: set() for query_id in query_ids}
    for qrel in qrels:
        if qrel.relevance > 0 and qrel.query_id in relevant:
            relevant[qrel.query_id].add(qrel.document_id)
    totals = np.zeros(len(cutoffs))
    for query_id, wanted in relevant.items():
        hits = run.get(query_id, ())
        for column, cutoff in enumerate(cutoffs):
            totals[column] += len(wanted.intersection(hits[:cutoff])) / max(len(wanted), 1)
    return [float(total) / max(len(relevant), 1) for total in totals]


def overlap(found: Sequence[Sequence[object]], wanted: Sequence[Sequence[object]]) -> float:
    """Share of what is wanted that was found, 0…1, mean over questions, whatever the order.

    >>> overlap([["a", "b"], []], [["b", "c"], []])
    0.75
    """
    shares = [
        len({*of} & {*best}) / len(best) if best else float(not of)
        for of, best in zip(found, wanted, strict=True)
    ]
    return float(np.mean(shares))


def _distinct(query_id: str, run: Run) -> Sequence[str]:
    hits = run.get(query_id, ())
    if len(set(hits)) != len(hits):
        msg = f"the hits of query {query_id} name a document twice"
        raise ValueError(msg)
    return hits
