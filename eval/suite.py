"""A whole retrieval run: one collection or several, files, reports and a summary."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from corpus.errors import InputError
from eval.datasets import Dataset, load_dataset
from eval.report import retrieval_report
from eval.results import make_folder, write_json, write_results, write_text
from eval.retrieval import compare, evaluate, guard_warnings
from eval.robustness import robustness
from eval.systems import build_engine, needs_encoder, stage_seconds, systems
from index.cache import CachedEncoder
from index.encoder import Encoder, load_encoder

__all__ = ["Suite", "run_suite"]


@dataclass(frozen=True, slots=True)
class Suite:
    """What a run found: ``{collection: {system: {metric: mean}}}`` and sentences of warning."""

    metrics: Mapping[str, Mapping[str, Mapping[str, float]]]
    warnings: tuple[str, ...]


def run_suite(
    folders: Sequence[Path],
    split: str,
    names: Sequence[str],
    out: Path,
    *,
    limit: int | None,
    model: str | None,
    cache: Path,
    articles: Path | None = None,
    perturb: bool = False,
) -> Suite:
    """Evaluate the named systems on every collection and write all files.

    One collection is written into ``out``; several are written into ``out/<name>``, with
    ``out/summary.json``. Everything is read before anything is run, so that a damaged file shows
    at once.

    Args:
        folders: collections in BEIR layout.
        split: which judgements.
        names: systems; the first is the baseline.
        out: folder for the results.
        limit: first queries only; all if ``None``.
        model: another sentence-transformers model; the bundled one if ``None``.
        cache: file that keeps passage vectors.
        articles: folder of articles to search instead of each collection's ``corpus.jsonl``.
        perturb: whether every question is also asked in six other ways.

    Raises:
        InputError: a collection is damaged, two have the same name, or ``out`` cannot be written.
        ModelError: the encoder cannot be loaded.
    """
    datasets = [load_dataset(folder, split, articles).first(limit) for folder in folders]
    if len({dataset.name for dataset in datasets}) < len(datasets):
        msg = "有两个数据集的文件夹同名，请改名后再评测"
        raise InputError(msg)
    encoder = CachedEncoder(load_encoder(model), cache) if needs_encoder(names) else None
    metrics, warnings = {}, []
    for dataset in datasets:
        folder = out if len(datasets) == 1 else out / dataset.name
        metrics[dataset.name] = _run(dataset, names, encoder, folder, perturb=perturb)
        warnings += [f"{dataset.name}：{w}" for w in guard_warnings(metrics[dataset.name])]
    if len(datasets) > 1:
        write_json(out / "summary.json", metrics)
    return Suite(metrics, tuple(warnings))


def _run(
    dataset: Dataset,
    names: Sequence[str],
    encoder: Encoder | None,
    folder: Path,
    *,
    perturb: bool,
) -> dict[str, dict[str, float]]:
    make_folder(folder)
    engine = build_engine(dataset, encoder)
    evaluation = evaluate(dataset, systems(engine, names, dataset))
    comparisons = compare(evaluation)
    losses = robustness(engine, names, evaluation) if perturb else []
    write_results(evaluation, comparisons, folder, losses, stage_seconds(engine, dataset))
    write_text(folder / "report.html", retrieval_report(evaluation, comparisons, losses))
    return evaluation.metrics()
