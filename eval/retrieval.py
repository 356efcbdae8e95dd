"""Rank every query of a collection by every system, score the runs, compare them in pairs.

A system is any function from a question to ranked positions; ``eval/systems.py`` makes the named
ones. Start reading at ``evaluate``.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from time import perf_counter

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from eval.datasets import Dataset
from eval.metrics import METRICS, Run, means, per_query
from eval.significance import Interval, bootstrap, holm, permutation_test

__all__ = [
    "DEPTH",
    "Comparison",
    "Evaluation",
    "Ranker",
    "SystemRun",
    "compare",
    "evaluate",
    "guard_warnings",
    "scored",
    "search_depth",
]

DEPTH = 100  # hits kept a query: Recall@100 needs no more
PASSAGES = 4  # hits asked for a wanted hit, where several passages belong to one article
GUARD = 0.01  # nDCG@10 that the mix may lose against its better leg (DESIGN, decision 3)

Ranker = Callable[[str, int], Sequence[tuple[int, float]]]
"""Question, number of hits → (position of the document, score), best first, ties by position."""


@dataclass(frozen=True, slots=True)
class SystemRun:
    """What one system did.

    ``hits[query id]`` are (document id, score), best first; ``values`` is float64, shape
    (n_queries, n_metrics), rows and columns in the order of the queries and of ``METRICS``;
    ``seconds[i]`` is the time of query ``i``.
    """

    name: str
    hits: Mapping[str, tuple[tuple[str, float], ...]]
    values: NDArray[np.float64]
    seconds: NDArray[np.float64]

    @property
    def run(self) -> Run:
        """The document ids alone."""
        return {query: [document for document, _ in hits] for query, hits in self.hits.items()}


@dataclass(frozen=True, slots=True)
class Evaluation:
    """All systems over one collection; the first one is the baseline."""

    dataset: Dataset
    systems: tuple[SystemRun, ...]

    def metrics(self) -> dict[str, dict[str, float]]:
        """``{system: {metric: mean}}``."""
        return {system.name: means(system.values) for system in self.systems}


@dataclass(frozen=True, slots=True)
class Comparison:
    """One system against the baseline under one metric; ``difference`` is system − baseline."""

    system: str
    baseline: str
    metric: str
    difference: Interval
    p_value: float
    p_holm: float
    wins: int
    losses: int


def evaluate(dataset: Dataset, rankers: Mapping[str, Ranker]) -> Evaluation:
    """Run every system over every query; progress goes to standard error.

    ``rankers`` return positions in ``dataset.documents``.
    """
    return Evaluation(dataset, tuple(_run(dataset, name, rank) for name, rank in rankers.items()))


def search_depth(dataset: Dataset) -> int:
    """Hits to ask a system for, so that ``DEPTH`` judged ones come together."""
    several = any(document.article for document in dataset.documents)
    return DEPTH * PASSAGES if several else DEPTH


def _run(dataset: Dataset, name: str, rank: Ranker) -> SystemRun:
    found: list[Sequence[tuple[int, float]]] = []
    seconds = np.zeros(len(dataset.queries))
    depth = search_depth(dataset)
    bar = tqdm(dataset.queries, desc=f"{dataset.name} {name}", unit="q", leave=False, disable=None)
    for row, query in enumerate(bar):
        started = perf_counter()
        found.append(rank(query.text, depth))
        seconds[row] = perf_counter() - started
    return scored(dataset, name, found, seconds)


def scored(
    dataset: Dataset,
    name: str,
    found: Sequence[Sequence[tuple[int, float]]],
    seconds: NDArray[np.float64],
) -> SystemRun:
    """Score what a system found: a ranking of positions for every query, in their order."""
    ids = [query.id for query in dataset.queries]
    hits = {id_: _judged(dataset, ranked) for id_, ranked in zip(ids, found, strict=True)}
    run = {id_: [document for document, _ in of_query] for id_, of_query in hits.items()}
    return SystemRun(name, hits, per_query(ids, dataset.qrels, run), seconds)


def _judged(dataset: Dataset, ranked: Sequence[tuple[int, float]]) -> tuple[tuple[str, float], ...]:
    """Hits by the ids that the judgements use, each once, at its best passage."""
    best: dict[str, float] = {}
    for place, score in ranked:
        best.setdefault(dataset.documents[place].judged, score)
    return tuple(best.items())[:DEPTH]


def compare(evaluation: Evaluation) -> list[Comparison]:
    """Every system but the first against the first, by every metric.

    Holm's correction runs over all of them.
    """
    baseline, *others = evaluation.systems
    rows = [
        (system, metric, system.values[:, column] - baseline.values[:, column])
        for system in others
        for column, metric in enumerate(METRICS)
    ]
    p_values = [permutation_test(differences) for _, _, differences in rows]
    return [
        Comparison(
            system=system.name,
            baseline=baseline.name,
            metric=metric,
            difference=bootstrap(differences),
            p_value=p_value,
            p_holm=p_holm,
            wins=int((differences > 0).sum()),
            losses=int((differences < 0).sum()),
        )
        for (system, metric, differences), p_value, p_holm in zip(
            rows, p_values, holm(p_values), strict=True
        )
    ]


def guard_warnings(metrics: Mapping[str, Mapping[str, float]]) -> list[str]:
    """One sentence for each mix that falls more than a point below its better leg.

    >>> scores = {"bm25": {"nDCG@10": 0.9}, "dense": {"nDCG@10": 0.5}, "hybrid": {"nDCG@10": 0.8}}
    >>> guard_warnings(scores)
    ['注意：hybrid 的 nDCG@10 为 0.8000，比较好的一路 0.9000 低了 1 分以上。']
    """
    legs = [metrics[leg]["nDCG@10"] for leg in ("bm25", "dense") if leg in metrics]
    return [
        f"注意：{mix} 的 nDCG@10 为 {metrics[mix]['nDCG@10']:.4f}，"
        f"比较好的一路 {max(legs):.4f} 低了 1 分以上。"
        for mix in ("hybrid",)
        if mix in metrics and legs and metrics[mix]["nDCG@10"] < max(legs) - GUARD
    ]
