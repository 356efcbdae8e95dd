"""The files of a retrieval run: metrics.json, TREC runs, CSV tables and, apart from them, times."""

import csv
import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from corpus.errors import InputError
from eval.metrics import METRICS
from eval.retrieval import Comparison, Evaluation, SystemRun

__all__ = ["make_folder", "write_json", "write_results", "write_rows", "write_text"]

MILLISECONDS = 1000.0  # in a second


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


def write_results(evaluation: Evaluation, comparisons: Sequence[Comparison], out: Path) -> None:
    """Write every file but the report into the folder ``out``.

    All but ``timings.json`` are the same, byte for byte, from run to run.
    """
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
    write_json(out / "timings.json", _timings(evaluation))


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


def _timings(evaluation: Evaluation) -> dict[str, dict[str, float]]:
    """Search time a query in milliseconds, question encoding not included (vectors are cached)."""
    return {
        system.name: {
            "p50_ms": round(float(np.median(system.seconds)) * MILLISECONDS, 3),
            "p95_ms": round(float(np.quantile(system.seconds, 0.95)) * MILLISECONDS, 3),
        }
        for system in evaluation.systems
        if len(system.seconds)
    }
