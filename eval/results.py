"""The files of a retrieval run: metrics.json, TREC runs, CSV tables and, apart from them, times."""

import csv
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from corpus.errors import InputError
from eval.metrics import METRICS, means
from eval.retrieval import Comparison, Evaluation, SystemRun
from eval.robustness import Loss
from eval.slices import slices

__all__ = [
    "make_folder",
    "slice_rows",
    "timings",
    "write_json",
    "write_results",
    "write_rows",
    "write_text",
]

MILLISECONDS = 1000.0  # in a second
LOSS_HEADER = (
    *("perturbation", "system", "clean", "changed", "share_lost"),
    *("difference", "low_95", "high_95", "p_value", "p_holm"),
)


def make_folder(folder: Path) -> None:
    """Make ``folder``; it may exist.

    Raises:
        InputError: it cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        msg = f"建不了结果文件夹 {folder}：{error.strerror}"
        raise InputError(msg) from error


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text with Unix line ends.

    Raises:
        InputError: the file cannot be written.
    """
    try:
        path.write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        msg = f"写不了文件 {path}：{error.strerror}"
        raise InputError(msg) from error


def write_json(path: Path, value: Any) -> None:  # noqa: ANN401  # any JSON value
    """Write ``value`` as indented JSON, Chinese as it is."""
    write_text(path, json.dumps(value, ensure_ascii=False, indent=2) + "\n")


def write_rows(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write a CSV table (UTF-8 with a mark, so that spreadsheets show Chinese).

    Raises:
        InputError: the file cannot be written.
    """
    try:
        with path.open("w", encoding="utf-8-sig", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(header)
            writer.writerows(rows)
    except OSError as error:
        msg = f"写不了文件 {path}：{error.strerror}"
        raise InputError(msg) from error


def write_results(
    evaluation: Evaluation,
    comparisons: Sequence[Comparison],
    out: Path,
    losses: Sequence[Loss] = (),
    stages: Mapping[str, NDArray[np.float64]] | None = None,
) -> None:
    """Write every file but the report into the folder ``out``.

    All but ``timings.json`` are the same, byte for byte, from run to run.
    """
    topics, qrels = evaluation.dataset.queries, evaluation.dataset.qrels
    write_text(out / "topics.tsv", "".join(f"{q.id}\t{' '.join(q.text.split())}\n" for q in topics))
    judged = (f"{q.query_id} 0 {q.document_id} {q.relevance}\n" for q in qrels)
    write_text(out / "qrels.trec", "".join(judged))
    write_rows(out / "slices.csv", ("slice", "queries", "system", *METRICS), slice_rows(evaluation))
    if losses:
        write_rows(out / "robustness.csv", LOSS_HEADER, _loss_rows(losses))
    write_json(out / "metrics.json", evaluation.metrics())
    for system in evaluation.systems:
        write_text(out / f"run.{system.name}.trec", "".join(_trec_lines(system)))
    write_rows(out / "per_query.csv", ("query_id", "system", *METRICS), _query_rows(evaluation))
    header = (
        *("system", "baseline", "metric", "difference", "low_95", "high_95"),
        *("p_value", "p_holm", "wins", "losses", "queries"),
    )
    queries = len(evaluation.dataset.queries)
    write_rows(out / "significance.csv", header, _significance_rows(comparisons, queries))
    times = {system.name: system.seconds for system in evaluation.systems}
    write_json(out / "timings.json", timings(times | dict(stages or {})))


def _trec_lines(system: SystemRun) -> Iterator[str]:
    """Lines of a TREC run whose order any evaluator reads as ours.

    trec_eval sorts by single-precision score and breaks ties its own way, so scores that are equal
    there are parted by the smallest step that single precision has.
    """
    for query_id, hits in system.hits.items():
        last = np.float32(np.inf)
        for rank, (document_id, score) in enumerate(hits, start=1):
            last = min(np.float32(score), np.nextafter(last, np.float32(-np.inf)))
            yield f"{query_id} Q0 {document_id} {rank} {last:.9g} {system.name}\n"


def _query_rows(evaluation: Evaluation) -> Iterator[tuple[str, ...]]:
    for row, query in enumerate(evaluation.dataset.queries):
        for system in evaluation.systems:
            yield (query.id, system.name, *(f"{value:.6f}" for value in system.values[row]))


def _significance_rows(comparisons: Sequence[Comparison], queries: int) -> Iterator[list[object]]:
    for c in comparisons:
        numbers = (c.difference.mean, c.difference.low, c.difference.high, c.p_value, c.p_holm)
        counts = (c.wins, c.losses, queries)
        yield [c.system, c.baseline, c.metric, *(f"{number:.6f}" for number in numbers), *counts]


def slice_rows(evaluation: Evaluation) -> Iterator[list[object]]:
    """Part, number of its queries, system and the mean of each metric there."""
    for name, mask in slices(evaluation.dataset).items():
        for system in evaluation.systems:
            yield [name, int(mask.sum()), system.name, *means(system.values[mask]).values()]


def _loss_rows(losses: Sequence[Loss]) -> Iterator[list[object]]:
    for loss in losses:
        d = loss.difference
        numbers = (loss.clean, loss.changed, loss.share, d.mean, d.low, d.high)
        tests = (loss.p_value, loss.p_holm)
        yield [loss.perturbation, loss.system, *(f"{n:.6f}" for n in (*numbers, *tests))]


def timings(seconds: Mapping[str, NDArray[np.float64]]) -> dict[str, dict[str, float]]:
    """Milliseconds a query: search of each system (vectors are cached), then each stage."""
    return {
        name: {
            "p50_ms": round(float(np.median(values)) * MILLISECONDS, 3),
            "p95_ms": round(float(np.quantile(values, 0.95)) * MILLISECONDS, 3),
        }
        for name, values in seconds.items()
        if len(values)
    }
