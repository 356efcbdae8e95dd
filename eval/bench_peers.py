"""Our search beside other libraries in one run: quality, time to index, time to search, memory.

Every measurement has a process of its own, so that one peer's memory is not counted as another's.
Quality is measured on real collections, speed also on made-up ones (``eval/bench_search.py``).
Start reading at ``run_peers``.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from os import cpu_count, getloadavg
from pathlib import Path
from typing import Any

import numpy as np
import typer
from tqdm import tqdm

from corpus.errors import InputError
from corpus.folder import SHIPPED
from eval.bench_search import make_collection
from eval.console import show_table
from eval.datasets import Dataset, load_dataset
from eval.peer_process import BUDGET, Measured, measure_each
from eval.peer_report import summary_rows, write_peer_report
from eval.peers import OURS, PEERS, Material, blanked, missing
from eval.report import retrieval_report
from eval.results import make_folder, write_json, write_results, write_text
from eval.retrieval import Evaluation, compare, scored, search_depth
from eval.systems import mended
from index.cache import CachedEncoder
from index.encoder import Encoder, load_encoder
from index.engine import passage_text
from index.vectors import Float32

__all__ = ["Choice", "bench_peers", "choose", "numbers", "run_peers"]

OWN = Path(__file__).parent / "questions" / "retrieval-dev"
TOP = 10  # hits asked for when a search is timed


@dataclass(frozen=True, slots=True)
class Choice:
    """What is measured: which peers, and with how many questions on made-up collections."""

    peers: tuple[str, ...] = tuple(PEERS)
    sizes: tuple[int, ...] = (1_000, 10_000, 50_000)
    questions: int = 100


QUICK = Choice(sizes=(1_000, 5_000), questions=30)


def choose(systems: str | None, sizes: str | None, *, quick: bool) -> Choice:
    """The choice that the options of the command name; ours is always measured, and first.

    Raises:
        InputError: a name is unknown or a size is no whole number above 0.
    """
    choice = QUICK if quick else Choice()
    if sizes is not None:
        choice = replace(choice, sizes=numbers(sizes))
    if systems is not None:
        names = [name.strip() for name in systems.split(",")]
        if unknown := set(names) - set(PEERS):
            msg = f"没有这个比较对象：{'、'.join(sorted(unknown))}；可选 {'、'.join(PEERS)}"
            raise InputError(msg)
        choice = replace(choice, peers=(OURS, *(name for name in PEERS if name in names)))
    return replace(choice, peers=tuple(dict.fromkeys(choice.peers)))


def numbers(text: str) -> tuple[int, ...]:
    """The sizes that an option names, parted by commas.

    Raises:
        InputError: one is no whole number above 0.
    """
    parts = text.split(",")
    if not all(part.strip().isdecimal() and int(part) for part in parts):
        msg = "--sizes 应是用逗号分开的整数，例如 1000,10000"
        raise InputError(msg)
    return tuple(map(int, parts))


def run_peers(
    datasets: Sequence[Dataset], encoder: Encoder, out: Path, choice: Choice
) -> dict[str, Any]:
    """Measure ours and every installed peer; write tables, plots, runs and reports into ``out``.

    Args:
        datasets: real collections; the made-up ones are drawn from their documents.
        encoder: makes all vectors; should be cached.
        out: folder for the results.
        choice: which peers and sizes.

    Returns:
        What ``peers.json`` holds; ``remarks`` has a sentence for each peer that was left out.

    Raises:
        InputError: ``out`` cannot be written.
    """
    make_folder(out)
    load = getloadavg()[0]
    names, remarks = _installed(choice.peers)
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
    for found in _on_sizes(datasets, encoder, names, choice, remarks):
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
    choice: Choice,
    *,
    limit: int | None,
    as_json: bool,
) -> None:
    """The command: read the collections (our own questions if none is named), measure, print.

    Raises:
        YibaoError: a collection, the encoder or a file fails.
    """
    found = [load_dataset(folder, "dev") for folder in folders]
    datasets = found or [load_dataset(OWN, "dev", SHIPPED)]
    datasets = [dataset.first(limit) for dataset in datasets]
    encoder = CachedEncoder(load_encoder(), cache)
    report = run_peers(datasets, encoder, out, choice)
    if as_json:
        typer.echo(json.dumps(report, ensure_ascii=False))
    else:
        show_table(*report["table"])
        typer.echo(f"报告在 {out}")
    for remark in report["remarks"]:
        typer.echo(remark, err=True)


def _installed(wanted: Sequence[str]) -> tuple[list[str], list[str]]:
    """The peers that can be measured, and a sentence for each that cannot."""
    absent = {name: missing(PEERS[name]) for name in wanted}
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
    questions = _question_vectors(asked, encoder)
    material = Material(documents, vectors, questions, encoder.name, _cut(documents))
    depth = search_depth(dataset)
    yield from measure_each(names, dataset.name, material, asked, depth, None, remarks)


def _on_sizes(
    datasets: Sequence[Dataset],
    encoder: Encoder,
    names: Sequence[str],
    choice: Choice,
    remarks: list[str],
) -> Iterator[list[Measured]]:
    """Every peer at each size, size by size."""
    passages = [(document.title, document.text) for of in datasets for document in of.documents]
    asked = _mixed(datasets, choice.questions)
    questions = _question_vectors(asked, encoder)
    if not choice.sizes:
        return
    made = make_collection(passages, encoder, max(choice.sizes))
    cut = _cut(made.documents)
    for size in choice.sizes:  # a smaller collection is the beginning of a larger one
        material = Material(
            made.documents[:size], made.vectors[:size], questions, encoder.name, cut[:size]
        )
        yield list(measure_each(names, f"made-{size}", material, asked, TOP, BUDGET, remarks))


def _cut(documents: Sequence[tuple[str, str]]) -> list[str]:
    """The terms of each document, cut once for all peers that search by the same ones."""
    bar = tqdm(documents, desc="jieba", leave=False, disable=None)
    return [blanked(passage_text(*document)) for document in bar]


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
