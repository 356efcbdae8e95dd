"""A whole retrieval run: one collection or several, files, reports and a summary."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from corpus.errors import InputError
from eval.datasets import Dataset, load_dataset
from eval.report import retrieval_report
from eval.results import make_folder, write_results, write_text
from eval.retrieval import Evaluation, compare, evaluate, guard_warnings
from eval.robustness import robustness
from eval.summary import Lift, write_summary
from eval.systems import build_engine, needs_encoder, stage_seconds, systems
from index.cache import CachedEncoder
from index.encoder import Encoder, load_encoder

__all__ = ["Suite", "run_suite"]


@dataclass(frozen=True, slots=True)
class Suite:
    """What a run found: ``{collection: {system: {metric: mean}}}`` and sentences of warning.

    ``lifts``: the mix against its better leg, if there are several collections.
    """

    metrics: Mapping[str, Mapping[str, Mapping[str, float]]]
    warnings: tuple[str, ...]
    lifts: tuple[Lift, ...] = ()


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

    One collection is written into ``out``; several are written into ``out/<name>``, with a
    summary of all in ``out``. Everything is read before anything is run, so that a damaged file
    shows at once.

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
    evaluations = [
        _run(dataset, names, encoder, out / dataset.name if datasets[1:] else out, perturb=perturb)
        for dataset in datasets
    ]
    metrics = {of.dataset.name: of.metrics() for of in evaluations}
    warnings = [f"{name}：{w}" for name, means in metrics.items() for w in guard_warnings(means)]
    found = write_summary(evaluations, out) if datasets[1:] else []
    return Suite(metrics, tuple(warnings), tuple(found))


def _run(
    dataset: Dataset,
    names: Sequence[str],
    encoder: Encoder | None,
    folder: Path,
    *,
    perturb: bool,
) -> Evaluation:
    make_folder(folder)
    engine = build_engine(dataset, encoder)
    evaluation = evaluate(dataset, systems(engine, names, dataset))
    comparisons = compare(evaluation)
    losses = robustness(engine, names, evaluation) if perturb else []
    stages = stage_seconds(engine, dataset)
    write_results(evaluation, comparisons, folder, losses, stages)
    report = retrieval_report(evaluation, comparisons, losses, stages)
    write_text(folder / "report.html", report)
    return evaluation
