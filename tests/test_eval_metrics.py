"""Metrics equal a slow twin written from the definitions."""

import math
from collections.abc import Sequence

import numpy as np
import pytest
import pytrec_eval
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from eval.datasets import Qrel
from eval.metrics import METRICS, means, per_query, recall_curve

DOCUMENTS = [f"d{number}" for number in range(130)]

rankings = st.lists(st.sampled_from(DOCUMENTS), unique=True, max_size=120)
relevances = st.dictionaries(st.sampled_from(DOCUMENTS), st.integers(0, 3), max_size=20)


def twin(relevance: dict[str, int], ranking: Sequence[str]) -> list[float]:
    """NDCG@10 (linear gain), three recalls, MRR@10 and MAP, as slow and plain as can be."""
    relevant = {document for document, grade in relevance.items() if grade > 0}

    def dcg(grades: Sequence[int]) -> float:
        return sum(grade / math.log2(rank + 1) for rank, grade in enumerate(grades[:10], start=1))

    best = dcg(sorted(relevance.values(), reverse=True))
    ndcg = dcg([relevance.get(document, 0) for document in ranking]) / best if best else 0.0
    recalls = [
        len(relevant.intersection(ranking[:k])) / len(relevant) if relevant else 0.0
        for k in (5, 10, 100)
    ]
    first = [rank for rank, d in enumerate(ranking[:10], start=1) if d in relevant]
    found = [rank for rank, d in enumerate(ranking, start=1) if d in relevant]
    precisions = [number / rank for number, rank in enumerate(found, start=1)]
    average = sum(precisions) / len(relevant) if relevant else 0.0
    return [ndcg, *recalls, 1 / first[0] if first else 0.0, average]


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(relevances, rankings), min_size=1, max_size=4))
def test_equals_the_slow_twin(rows: list[tuple[dict[str, int], list[str]]]) -> None:
    ids = [f"q{number}" for number in range(len(rows))]
    qrels = [
        Qrel(query, document, grade)
        for query, (relevance, _) in zip(ids, rows, strict=True)
        for document, grade in relevance.items()
    ]
    run = {query: ranking for query, (_, ranking) in zip(ids, rows, strict=True)}
    expected = [twin(relevance, ranking) for relevance, ranking in rows]
    np.testing.assert_allclose(per_query(ids, qrels, run), expected, atol=1e-6)


@settings(max_examples=100, deadline=None)
@given(relevances, rankings)
def test_equals_pytrec_eval_itself(relevance: dict[str, int], ranking: list[str]) -> None:
    assume(relevance and ranking)
    names = {"ndcg_cut.10", "recall.5,10,100", "recip_rank", "map"}
    scores = {document: float(-rank) for rank, document in enumerate(ranking)}
    asked = pytrec_eval.RelevanceEvaluator({"q": relevance}, names)
    found = asked.evaluate({"q": scores})["q"]
    first_ten = asked.evaluate({"q": dict(list(scores.items())[:10])})["q"]
    expected = [
        *(found[name] for name in ("ndcg_cut_10", "recall_5", "recall_10", "recall_100")),
        *(first_ten["recip_rank"], found["map"]),
    ]
    qrels = [Qrel("q", document, grade) for document, grade in relevance.items()]
    np.testing.assert_allclose(per_query(["q"], qrels, {"q": ranking})[0], expected, atol=1e-6)


def test_a_query_without_hits_scores_zero_and_stays_in_the_denominator() -> None:
    qrels = [Qrel("a", "d1", 1), Qrel("b", "d1", 1), Qrel("c", "d1", 1), Qrel("d", "d1", 1)]
    values = per_query(["a", "b", "c", "d"], qrels, {"a": ["d1"], "b": []})
    assert values.tolist() == [[1.0] * 6, [0.0] * 6, [0.0] * 6, [0.0] * 6]
    assert means(values) == dict.fromkeys(METRICS, 0.25)


def test_no_hits_or_no_queries_at_all() -> None:
    assert means(per_query(["a"], [Qrel("a", "d1", 1)], {})) == dict.fromkeys(METRICS, 0.0)
    assert means(per_query([], [], {})) == dict.fromkeys(METRICS, 0.0)


def test_our_order_counts_not_the_tie_rule_of_the_library() -> None:
    # trec_eval would put d9 before d1 if both had the same score.
    values = per_query(["a"], [Qrel("a", "d1", 1)], {"a": ["d1", "d9"]})
    assert values[0, METRICS.index("MRR@10")] == 1.0


@pytest.mark.parametrize(("rank", "expected"), [(1, 1.0), (10, 0.1), (11, 0.0), (30, 0.0)])
def test_mrr_is_cut_at_ten(rank: int, expected: float) -> None:
    ranking = [f"d{number}" for number in range(1, 40)]
    values = per_query(["a"], [Qrel("a", f"d{rank}", 1)], {"a": ranking})
    assert values[0, METRICS.index("MRR@10")] == pytest.approx(expected)


def test_a_document_twice_among_the_hits_is_refused() -> None:
    with pytest.raises(ValueError, match="twice"):
        per_query(["a"], [Qrel("a", "d1", 1)], {"a": ["d1", "d1"]})


@settings(max_examples=30, deadline=None)
@given(relevances, rankings)
def test_the_recall_curve_agrees_with_the_metric(
    relevance: dict[str, int], ranking: list[str]
) -> None:
    qrels = [Qrel("a", document, grade) for document, grade in relevance.items()]
    curve = recall_curve(["a"], qrels, {"a": ranking}, (1, 10, 100))
    scores = dict(zip(METRICS, per_query(["a"], qrels, {"a": ranking})[0], strict=True))
    assert curve[1:] == pytest.approx([scores["Recall@10"], scores["Recall@100"]])
    assert curve == sorted(curve)
