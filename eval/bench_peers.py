"""Our search beside other libraries in one run: quality, time to index, time to search, memory.

Every measurement has a process of its own, so that one peer's memory is not counted as another's.
Quality is measured on real collections, speed also on made-up ones (``eval/bench_search.py``).
Start reading at ``run_peers``.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from os import cpu_count, getloadavg
from pathlib import Path
from typing import Any

import numpy as np
import typer
from tqdm import tqdm

from corpus.folder import SHIPPED
from eval.bench_search import make_collection
from eval.console import show_table
from eval.datasets import Dataset, load_dataset
from eval.peer_process import BUDGET, Measured, measure_each
from eval.peer_report import summary_rows, write_peer_report
from eval.peers import OURS, PEERS, Material, missing
from eval.report import retrieval_report
from eval.results import make_folder, write_json, write_results, write_text
from eval.retrieval import Evaluation, compare, scored, search_depth
from eval.systems import mended
from index.cache import CachedEncoder
from index.encoder import Encoder, load_encoder
from index.engine import passage_text
from index.vectors import Float32

__all__ = ["Sizes", "bench_peers", "run_peers"]

OWN = Path(__file__).parent / "questions" / "retrieval-dev"
TOP = 10  # hits asked for when a search is timed


@dataclass(frozen=True, slots=True)
class Sizes:
    """How large the made-up collections are and how many questions are timed on each."""

    every: tuple[int, ...] = (1_000, 10_000, 50_000)
    ours: tuple[int, ...] = (200_000,)
    questions: int = 100


QUICK = Sizes((1_000, 5_000), (), 30)
QUICK_QUESTIONS = 100  # of each collection, with --quick


def run_peers(
    datasets: Sequence[Dataset], encoder: Encoder, out: Path, sizes: Sizes | None = None
) -> dict[str, Any]:
    """Measure ours and every installed peer; write tables, plots, runs and reports into ``out``.

    Args:
        datasets: real collections; the made-up ones are drawn from their documents.
        encoder: makes all vectors; should be cached.
        out: folder for the results.
        sizes: of the made-up collections.

    Returns:
        What ``peers.json`` holds; ``remarks`` has a sentence for each peer that was left out.

    Raises:
        InputError: ``out`` cannot be written.
    """
    make_folder(out)
    load = getloadavg()[0]
    names, remarks = _installed()
    quality: dict[str, Evaluation] = {}
    rows: list[Measured] = []
    machine = {"cores": cpu_count(), "load_before": round(load, 2)}
    versions = {name: PEERS[name].versions for name in names}
    report: dict[str, Any] = {"machine": machine, "versions": versions, "remarks": remarks}
    for dataset in datasets:
        found = list(_on_dataset(dataset, encoder, names, remarks))
        rows += found
        quality[dataset.name] = _evaluation(dataset, found)
        _write_collection(quality[dataset.name], out / dataset.name)
        _write(report, rows, quality, out)
    for found in _on_sizes(datasets, encoder, names, sizes or Sizes(), remarks):
        rows += found
        _write(report, rows, quality, out)
    return report


def _write(
    report: dict[str, Any],
    rows: Sequence[Measured],
    quality: Mapping[str, Evaluation],
    out: Path,
) -> None:
    """Bring the report up to date and write it: a run of an hour may be broken off."""
    report["quality"] = {name: of.metrics() for name, of in quality.items()}
    report["speed"] = [row.row() for row in rows]
    report["table"] = summary_rows(report, quality)
    write_json(out / "peers.json", report)
    write_peer_report(report, quality, out)


def bench_peers(
    folders: Sequence[Path],
    out: Path,
    cache: Path,
    *,
    limit: int | None,
    quick: bool,
    as_json: bool,
) -> None:
    """The command: read the collections (our own questions if none is named), measure, print.

    Raises:
        YibaoError: a collection, the encoder or a file fails.
    """
    found = [load_dataset(folder, "dev") for folder in folders]
    datasets = found or [load_dataset(OWN, "dev", SHIPPED)]
    most = QUICK_QUESTIONS if quick and limit is None else limit
    datasets = [dataset.first(most) for dataset in datasets]
    encoder = CachedEncoder(load_encoder(), cache)
    report = run_peers(datasets, encoder, out, QUICK if quick else Sizes())
    if as_json:
        typer.echo(json.dumps(report, ensure_ascii=False))
    else:
        show_table(*report["table"])
        typer.echo(f"报告在 {out}")
    for remark in report["remarks"]:
        typer.echo(remark, err=True)


def _installed() -> tuple[list[str], list[str]]:
    """The peers that can be measured, and a sentence for each that cannot."""
    absent = {name: missing(peer) for name, peer in PEERS.items()}
    remarks = [
        f"没有装 {'、'.join(packages)}，这次不比 {name}；要比请先运行 pip install -e '.[peers]'"
        for name, packages in absent.items()
        if packages
    ]
    return [name for name, packages in absent.items() if not packages], remarks


def _on_dataset(
    dataset: Dataset, encoder: Encoder, names: Sequence[str], remarks: list[str]
) -> Iterator[Measured]:
    documents = [(document.title, document.text) for document in dataset.documents]
    vectors = encoder.encode_passages([passage_text(*document) for document in documents])
    asked = [query.text for query in dataset.queries]
    material = Material(documents, vectors, _question_vectors(asked, encoder))
    depth = search_depth(dataset)
    yield from measure_each(names, dataset.name, material, asked, depth, None, remarks)


def _on_sizes(
    datasets: Sequence[Dataset],
    encoder: Encoder,
    names: Sequence[str],
    sizes: Sizes,
    remarks: list[str],
) -> Iterator[list[Measured]]:
    """Every peer at each size, size by size."""
    passages = [(document.title, document.text) for of in datasets for document in of.documents]
    asked = _mixed(datasets, sizes.questions)
    questions = _question_vectors(asked, encoder)
    for size in (*sizes.every, *sizes.ours):
        made = make_collection(passages, encoder, size)
        material = Material(made.documents, made.vectors, questions)
        who = names if size in sizes.every else [OURS]
        yield list(measure_each(who, f"made-{size}", material, asked, TOP, BUDGET, remarks))


def _mixed(datasets: Sequence[Dataset], count: int) -> list[str]:
    """As many questions of each collection, ``count`` in all at most, none blank."""
    share = -(-count // len(datasets))
    texts = [query.text for of in datasets for query in of.queries[:share] if query.text.strip()]
    return texts[:count]


def _question_vectors(asked: Sequence[str], encoder: Encoder) -> Mapping[str, Float32]:
    """Each question's vector and that of what our search may rewrite it to; encoded one by one."""
    texts = dict.fromkeys([*asked, *map(mended, asked)])
    bar = tqdm(texts, desc="questions", leave=False, disable=None)
    return {text: encoder.encode_questions([text])[0] for text in bar}


def _evaluation(dataset: Dataset, measured: Sequence[Measured]) -> Evaluation:
    runs = [scored(dataset, of.peer, of.hits, np.asarray(of.seconds)) for of in measured]
    return Evaluation(dataset, tuple(runs))


def _write_collection(evaluation: Evaluation, folder: Path) -> None:
    make_folder(folder)
    comparisons = compare(evaluation)
    write_results(evaluation, comparisons, folder)
    write_text(folder / "report.html", retrieval_report(evaluation, comparisons))
