"""Several collections at once: does the mix beat the better of its legs? Tables and one page."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from eval import plots
from eval.metrics import METRICS
from eval.pages import page, section, table
from eval.results import write_json, write_rows, write_text
from eval.retrieval import GUARD, Evaluation
from eval.significance import DRAWS, Interval, bootstrap, holm, permutation_test

__all__ = ["Lift", "lifts", "write_summary"]

MIX, LEGS = "hybrid", ("bm25", "dense")
NDCG = METRICS.index("nDCG@10")
LEVEL = 0.05  # of significance
HEADER = (
    "collection",
    "better leg",
    "its nDCG@10",
    "hybrid",
    "difference",
    "95 %",
    "p",
    "p (Holm)",
)


@dataclass(frozen=True, slots=True)
class Lift:
    """The mix against its better leg on one collection, by nDCG@10; ``p_holm`` over collections."""

    collection: str
    leg: str
    leg_mean: float
    mix_mean: float
    difference: Interval
    p_value: float
    p_holm: float

    @property
    def verdict(self) -> str:
        """In words: clearly better, no clear difference, or below the guard."""
        if self.difference.mean < -GUARD:
            return "低于较好一路 1 分以上 · below the guard"
        if self.p_holm < LEVEL:
            return "显著更好 · better" if self.difference.mean > 0 else "显著更差 · worse"
        return "差别不显著 · no clear difference"


def lifts(evaluations: Sequence[Evaluation]) -> list[Lift]:
    """One row for each collection on which the mix and both legs were run."""
    found = []
    for evaluation in evaluations:
        of = {system.name: system.values[:, NDCG] for system in evaluation.systems}
        if {MIX, *LEGS} <= set(of):
            leg = max(LEGS, key=lambda name: float(of[name].mean()))
            found.append((evaluation.dataset.name, leg, of[leg], of[MIX]))
    p_values = [permutation_test(mix - single) for _, _, single, mix in found]
    return [
        Lift(
            collection=name,
            leg=leg,
            leg_mean=float(single.mean()),
            mix_mean=float(mix.mean()),
            difference=bootstrap(mix - single),
            p_value=p_value,
            p_holm=p_holm,
        )
        for (name, leg, single, mix), p_value, p_holm in zip(
            found, p_values, holm(p_values), strict=True
        )
    ]


def write_summary(evaluations: Sequence[Evaluation], out: Path) -> list[Lift]:
    """Write ``summary.json``, ``better_leg.csv``, ``ndcg.png`` and ``report.html`` into ``out``.

    Raises:
        InputError: a file cannot be written.
    """
    metrics = {of.dataset.name: of.metrics() for of in evaluations}
    write_json(out / "summary.json", metrics)
    found = lifts(evaluations)
    rows = list(_lift_rows(found))
    write_rows(out / "better_leg.csv", HEADER, rows)
    sections = [_means_section(evaluations, out)]
    if rows:
        note = (
            f"成对置换检验（双侧，{DRAWS:,} 次），对全部数据集作 Holm 校正；比的是 nDCG@10。"
            "Paired permutation test, Holm over the collections."
        )
        heading = "混合检索比较好的一路强吗 · The mix against its better leg"
        sections.append(section(heading, table(HEADER, rows), note))
    links = "".join(f'<li><a href="{name}/report.html">{name}</a></li>' for name in sorted(metrics))
    sections.append(section("逐个数据集 · Each collection", f"<ul>{links}</ul>"))
    write_text(out / "report.html", page("检索评测 · 汇总 Summary", sections))
    return found


def _means_section(evaluations: Sequence[Evaluation], out: Path) -> str:
    intervals: dict[str, dict[str, Interval]] = {
        system.name: {} for of in evaluations for system in of.systems
    }
    for of in evaluations:
        for system in of.systems:
            intervals[system.name][of.dataset.name] = bootstrap(system.values[:, NDCG])
    names = [of.dataset.name for of in evaluations]
    plots.save(plots.bars_figure(intervals), out / "ndcg.png")
    content = table(("system", *names, "mean"), _mean_rows(intervals, names))
    return section("nDCG@10", content + plots.bars(intervals), "竖线是 95 % 区间。")


def _mean_rows(
    intervals: Mapping[str, Mapping[str, Interval]], names: Sequence[str]
) -> Iterator[list[object]]:
    for system, of in intervals.items():
        values = [of[name].mean for name in names]
        yield [system, *values, float(np.mean(values))]


def _lift_rows(found: Sequence[Lift]) -> Iterator[list[object]]:
    for lift in found:
        d = lift.difference
        yield [
            *(lift.collection, lift.leg, f"{lift.leg_mean:.4f}", f"{lift.mix_mean:.4f}"),
            *(f"{d.mean:+.4f}", f"[{d.low:+.4f}, {d.high:+.4f}]"),
            *(f"{lift.p_value:.4f}", f"{lift.p_holm:.4f}", lift.verdict),
        ]
