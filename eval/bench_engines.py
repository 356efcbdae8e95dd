"""The index in this process beside the index in Milvus: ``python -m eval bench --engines``.

Both are built from one made-up corpus (``eval/made_corpus.py``) the way an operator builds them,
cuts and vectors known beforehand and timed by themselves, and are asked the same questions. Each
is measured in a process of its own; Milvus is the one of ``MILVUS_URI``, else one started here.
"""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from os import cpu_count, getloadavg
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

import numpy as np
import psutil
import typer
from numpy.typing import NDArray

from corpus.records import Article, Status
from eval.bench_search import quantiles
from eval.bench_serve import MEGABYTE
from eval.console import show_table
from eval.made_corpus import Task, made_task
from eval.metrics import overlap
from eval.milvus_lite import engine_process
from eval.results import make_folder, write_json
from index import ingest, opening, store
from index.remote import Remote
from index.search import Hit, Index
from index.store import quiet
from index.vectors import Float32

__all__ = ["bench_engines", "show_engines"]

CHUNKS = 50_000
QUICK_CHUNKS = 3_000
CLIENTS = 8
TOP = 10
SECONDS = 1000.0  # milliseconds

Found = list[list[str]]  # ids of the best passages, a question


class _Timed(Remote):
    """Counts what is asked of the engine and how long that takes."""

    calls, seconds = 0, 0.0

    def read(self, name: str, *args: object, **options: object) -> Any:  # noqa: ANN401
        started = perf_counter()
        try:
            return super().read(name, *args, **options)
        finally:
            self.calls += 1
            self.seconds += perf_counter() - started


def bench_engines(index: Path, out: Path, *, quick: bool = False) -> dict[str, Any]:
    """Make the corpus, build and measure both, write the report.

    Args:
        index: a built index folder of the bundled encoder.
        out: the JSON file.
        quick: a smaller corpus.

    Raises:
        YibaoError: Milvus is not there, or the index, the encoder or a file fails.
    """
    make_folder(out.parent)
    load_before = round(getloadavg()[0], 2)
    with engine_process() as (uri, pid), TemporaryDirectory() as place:
        task, prepared = made_task(index, Path(place), uri, QUICK_CHUNKS if quick else CHUNKS)
        embedded, exact = _apart(_embedded, task)
        milvus, found = _apart(_milvus, task)
        if pid is not None:
            milvus["engine_mb"] = psutil.Process(pid).memory_info().rss / MEGABYTE
            milvus["disk_mb"] = _size(Path(f"/proc/{pid}/cwd").resolve())
    report = {
        "machine": {"cores": cpu_count(), "load_before": load_before},
        "corpus": prepared,
        "embedded": embedded | {"recall_10": overlap(exact["nearest"], exact["exact"])},
        "milvus": milvus | {"recall_10": overlap(found["nearest"], exact["exact"])},
        "overlap_10": overlap(found["best"], exact["best"]),
        "same_order": _same(found["best"], exact["best"]),
    }
    write_json(out, report)
    return report


def show_engines(report: dict[str, Any]) -> None:
    """Print the table."""
    made = report["corpus"]
    show_table(
        ("文集 corpus", ""),
        [(name, f"{value:,.1f}".removesuffix(".0")) for name, value in made.items()],
    )
    embedded, milvus = report["embedded"], report["milvus"]
    rows = [(name, _cell(embedded.get(name)), _cell(milvus.get(name))) for name in milvus]
    show_table(("", "embedded", "milvus"), rows)
    same = f"相同 {report['overlap_10']:.4f}，次序也相同的问题 {report['same_order']:.4f}"
    typer.echo(f"双路前 {TOP} 名：{same}")


def _cell(value: object) -> str:
    if isinstance(value, dict):
        return "  ".join(f"{key} {number:,.1f}" for key, number in value.items())
    if isinstance(value, float):
        return f"{value:,.4f}" if value <= 1 else f"{value:,.1f}"
    return "–" if value is None else f"{value:,}"


def _apart(
    measure: Callable[[Task], tuple[dict[str, Any], dict[str, Found]]], task: Task
) -> tuple[dict[str, Any], dict[str, Found]]:
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(measure, task).result()


def _embedded(task: Task) -> tuple[dict[str, Any], dict[str, Found]]:
    before = psutil.Process().memory_info().rss
    seconds = _in_child(_build_folder, task)
    started = perf_counter()
    index = store.open_index(task.out, task.drawn())
    opened = perf_counter() - started
    figures, found = _asked(index, task)
    vectors = index.engine.embedded.vectors
    figures = {"index_seconds": seconds, "open_seconds": opened, **figures}
    figures["process_mb"] = (psutil.Process().memory_info().rss - before) / MEGABYTE
    figures["disk_mb"] = _size(task.out)
    assert vectors is not None
    rows = vectors.rows(np.arange(len(vectors)))
    true = [np.argsort(-(rows @ v), kind="stable")[:TOP] for _, v in task.questions]
    return figures, found | {"exact": _ids(true)}


def _milvus(task: Task) -> tuple[dict[str, Any], dict[str, Found]]:
    before = psutil.Process().memory_info().rss
    seconds = _in_child(_build_engine, task)
    started = perf_counter()
    index, remote = _open_engine(task)
    opened = perf_counter() - started
    figures, found = _asked(index, task, remote)
    figures = {"index_seconds": seconds, "open_seconds": opened, **figures}
    figures["process_mb"] = (psutil.Process().memory_info().rss - before) / MEGABYTE
    return figures, found


def _in_child(build: Callable[[Task], None], task: Task) -> float:
    """Seconds of a build in a process of its own, whose memory is not counted."""
    started = perf_counter()
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        pool.submit(build, task).result()
    return perf_counter() - started


def _build_folder(task: Task) -> None:
    store.build(task.corpus, task.out, task.drawn(), cache=task.cache)


def _build_engine(task: Task) -> None:
    remote = Remote(task.uri, os.environ.get(opening.TOKEN, ""))
    ingest.build(task.corpus, remote, task.drawn(), task.cache, quiet)


def _open_engine(task: Task) -> tuple[Index, _Timed]:
    remote = _Timed(task.uri, os.environ.get(opening.TOKEN, ""))
    index = opening.open_remote(remote)
    store.attach(index, task.drawn())
    return index, remote


def _asked(
    index: Index, task: Task, remote: _Timed | None = None
) -> tuple[dict[str, Any], dict[str, Found]]:
    """Ask half of the questions by one client and half by eight, each twice; then compare.

    The first time passages have to be fetched from Milvus, the second time they are kept.
    """
    half = len(task.questions) // 2
    mine, theirs = task.questions[:half], task.questions[half:]
    _search(index, task.questions[-1])  # dictionaries are read on first use
    calls, seconds = (remote.calls, remote.seconds) if remote else (0, 0.0)
    figures: dict[str, Any] = {"one_client": _clients(index, mine, 1)}
    if remote is not None:
        figures["engine_calls"] = (remote.calls - calls) / half
        figures["engine_ms"] = (remote.seconds - seconds) / half * SECONDS
    figures["one_client_again"] = _clients(index, mine, 1)
    figures["eight_clients"] = _clients(index, theirs, CLIENTS)
    figures["eight_clients_again"] = _clients(index, theirs, CLIENTS)
    figures["one_client_where"] = _clients(index, mine, 1, _in_force)
    nearest = [index.engine.candidates.nearest(vector, TOP) for _, vector in task.questions]
    best = [[hit.chunk.id for hit in _search(index, pair)] for pair in task.questions]
    return figures, {"best": best, "nearest": _ids(nearest)}


def _in_force(article: Article) -> bool:
    """A condition in Python, such as every answer has."""
    return article.status is not Status.SUPERSEDED


def _search(
    index: Index,
    pair: tuple[str, Float32],
    where: Callable[[Article], bool] | None = None,
) -> list[Hit]:
    return index.search(pair[0], TOP, where=where, vector=pair[1], mend=False)


def _clients(
    index: Index,
    pairs: Sequence[tuple[str, Float32]],
    clients: int,
    where: Callable[[Article], bool] | None = None,
) -> dict[str, float]:
    """All questions, spread over threads that share the index: milliseconds a search, and rate."""

    def timed(pair: tuple[str, Float32]) -> float:
        started = perf_counter()
        _search(index, pair, where)
        return (perf_counter() - started) * SECONDS

    started = perf_counter()
    with ThreadPoolExecutor(clients) as pool:
        times = list(pool.map(timed, pairs))
    return quantiles(times) | {"per_second": len(pairs) / (perf_counter() - started)}


def _ids(positions: Sequence[NDArray[np.int64]]) -> Found:
    return [list(map(str, found)) for found in positions]


def _same(found: Found, true: Found) -> float:
    return float(np.mean([a == b for a, b in zip(found, true, strict=True)]))


def _size(folder: Path) -> float:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / MEGABYTE
