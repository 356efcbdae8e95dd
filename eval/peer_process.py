"""One peer on one collection, in a process of its own: hits, times, memory.

This module must import little: what it loads stands in the memory of every peer's process.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing import get_context
from time import perf_counter, process_time
from typing import Any

import numpy as np
import psutil
from tqdm import tqdm

from eval.peers import PEERS, Material

__all__ = ["Measured", "measure", "measure_each"]

WARM = 3  # questions before the clock runs
BUDGET = 15.0  # seconds after which no further question is timed, but
FEWEST = 10  # so many always are
MEGABYTE = 1e6


@dataclass(frozen=True, slots=True)
class Measured:
    """One peer on one collection.

    ``hits``: of each question, (position, score); ``seconds``: of each search, question encoding
    excluded; ``index_cpu`` and ``cpu``: the same as processor time of all threads, which other work
    on the machine hardly changes; ``resident_mb``: of its process after the last search;
    ``grown_mb``: of that, what came with the library, the index and the searches.
    """

    peer: str
    collection: str
    documents: int
    index_seconds: float
    index_cpu: float
    seconds: tuple[float, ...]
    cpu: tuple[float, ...]
    resident_mb: float
    grown_mb: float
    hits: tuple[tuple[tuple[int, float], ...], ...]

    def row(self) -> dict[str, Any]:
        """The figures alone, times of a search in milliseconds."""
        return {
            "peer": self.peer,
            "collection": self.collection,
            "documents": self.documents,
            "index_seconds": round(self.index_seconds, 3),
            "index_cpu_seconds": round(self.index_cpu, 3),
            "p50_ms": round(1000 * float(np.median(self.seconds)), 3),
            "p95_ms": round(1000 * float(np.quantile(self.seconds, 0.95)), 3),
            "cpu_p50_ms": round(1000 * float(np.median(self.cpu)), 3),
            "searches": len(self.seconds),
            "resident_mb": round(self.resident_mb, 1),
            "grown_mb": round(self.grown_mb, 1),
        }


def measure_each(
    names: Sequence[str],
    collection: str,
    material: Material,
    asked: Sequence[str],
    depth: int,
    budget: float | None,
    remarks: list[str],
) -> Iterator[Measured]:
    """Every named peer, each in a fresh process; one that fails is named in ``remarks``."""
    for name in (bar := tqdm(names, leave=False, disable=None)):
        bar.set_description(f"{collection} {name}")
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
            job = pool.submit(measure, name, collection, material, asked, depth, budget)
            try:
                yield job.result()
            except BrokenProcessPool:
                remarks.append(f"{name} 在 {collection} 上中途退出（多半是内存不够），没有成绩")
            except Exception as error:  # noqa: BLE001  # a foreign library may raise anything
                remarks.append(
                    f"{name} 在 {collection} 上出错，没有成绩：{type(error).__name__}：{error}"
                )


def measure(
    name: str,
    collection: str,
    material: Material,
    asked: Sequence[str],
    depth: int,
    budget: float | None,
) -> Measured:
    """Index the material with one peer and ask it all questions; runs in a process of its own.

    Args:
        name: a key of ``PEERS``.
        collection: how it is called in the tables.
        material: texts, vectors and question vectors.
        asked: the questions, in order.
        depth: hits a question.
        budget: seconds after which no further question is asked; None: all are.
    """
    process = psutil.Process()
    before = process.memory_info().rss
    started, started_cpu = perf_counter(), process_time()
    search = PEERS[name].build(material)
    index_seconds, index_cpu = perf_counter() - started, process_time() - started_cpu
    for question in asked[:WARM]:
        search(question, depth)
    hits, seconds, cpu = [], [], []
    for question in asked:
        started, started_cpu = perf_counter(), process_time()
        found = search(question, depth)
        seconds.append(perf_counter() - started)
        cpu.append(process_time() - started_cpu)
        hits.append(tuple(found))
        if budget is not None and len(seconds) >= FEWEST and sum(seconds) > budget:
            break
    resident = process.memory_info().rss
    return Measured(
        peer=name,
        collection=collection,
        documents=len(material.documents),
        index_seconds=index_seconds,
        index_cpu=index_cpu,
        seconds=tuple(seconds),
        cpu=tuple(cpu),
        resident_mb=resident / MEGABYTE,
        grown_mb=(resident - before) / MEGABYTE,
        hits=tuple(hits),
    )
