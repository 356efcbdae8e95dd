"""The report of one collection: tables, plots and the cases worth reading, in two languages."""

from collections.abc import Iterator, Mapping, Sequence
from html import escape

import numpy as np
from numpy.typing import NDArray

from eval import plots
from eval.metrics import METRICS, recall_curve
from eval.pages import folded, page, section, table
from eval.results import timings
from eval.retrieval import DEPTH, Comparison, Evaluation, SystemRun
from eval.robustness import Loss
from eval.significance import DRAWS, Interval, bootstrap
from eval.slices import slices

__all__ = ["TIMES", "retrieval_report"]

CUTOFFS = (1, 2, 3, 5, 10, 20, 50, DEPTH)  # of the recall curve
EXAMPLES = 12  # queries shown each way
TIMES = "<!-- times -->"  # before and after what differs from run to run
SHORTEST_MS = 0.001  # what the clock cannot tell from 0 has a place on a logarithmic axis too
LEVEL = 0.05  # of significance


def retrieval_report(
    evaluation: Evaluation,
    comparisons: Sequence[Comparison],
    losses: Sequence[Loss] = (),
    stages: Mapping[str, NDArray[np.float64]] | None = None,
) -> str:
    """The report of one collection.

    All measured times stand in the last section, between ``TIMES``; but for that, two runs are
    equal to the byte.

    Args:
        evaluation: what the systems did.
        comparisons: of ``compare``.
        losses: of ``robustness``; left out if empty.
        stages: seconds of each stage of a hybrid search, a question.
    """
    dataset = evaluation.dataset
    intervals = {
        system.name: {
            metric: bootstrap(system.values[:, column]) for column, metric in enumerate(METRICS)
        }
        for system in evaluation.systems
    }
    sections = [
        f"<p>检索评测 retrieval · {escape(dataset.name)} / {escape(dataset.split)} · "
        f"文档 documents {len(dataset.documents):,} · 问题 queries {len(dataset.queries):,}</p>",
        _lead(evaluation, comparisons),
        _missing_note(dataset.missing_documents),
        section(
            "各系统的平均成绩 · Means",
            table(
                ("system", *(f"{metric} [95 %]" for metric in METRICS)),
                [
                    (name, *(f"{i.mean:.4f} [{i.low:.3f}, {i.high:.3f}]" for i in row.values()))
                    for name, row in intervals.items()
                ],
            )
            + plots.bars(intervals),
            "没有命中的问题记 0 分，仍然计入。A query without hits scores 0 and stays in the mean. "
            f"区间由 {DRAWS:,} 次自助抽样得到 (bootstrap over queries).",
        ),
    ]
    sections += _comparison_sections(evaluation, comparisons)
    curve = {
        system.name: recall_curve(
            [query.id for query in dataset.queries], dataset.qrels, system.run, CUTOFFS
        )
        for system in evaluation.systems
    }
    sections.append(section("看前几条能找到 · Recall", plots.curves(curve, CUTOFFS)))
    sections.append(_slice_section(evaluation))
    if losses:
        sections.append(_robustness_section(losses))
    sections.append(_times_section(evaluation, intervals, stages or {}))
    return page(f"检索评测 · {dataset.name}", sections)


def _slice_section(evaluation: Evaluation) -> str:
    header = ("slice", "queries", *(system.name for system in evaluation.systems))
    note = (
        "按问题的长短、有没有地名和数字、属于哪一类分开看 nDCG@10；其余指标在 slices.csv。"
        "nDCG@10 by sort of question; slices.csv has the other measures."
    )
    return section("分类看 · Slices", table(header, _slice_rows(evaluation)), note)


def _slice_rows(evaluation: Evaluation) -> Iterator[list[object]]:
    for name, mask in slices(evaluation.dataset).items():
        means = [float(system.values[mask, 0].mean()) for system in evaluation.systems]
        yield [name, int(mask.sum()), *means]


def _times_section(
    evaluation: Evaluation,
    intervals: Mapping[str, Mapping[str, Interval]],
    stages: Mapping[str, NDArray[np.float64]],
) -> str:
    found = timings({system.name: system.seconds for system in evaluation.systems})
    points = {
        name: (max(of["p50_ms"], SHORTEST_MS), intervals[name]["nDCG@10"])
        for name, of in found.items()
    }
    content = plots.cost_quality(points) + _times_table("system", found)
    if stages:
        content += "<h3>混合检索的各步 · Stages of a hybrid search</h3>\n"
        content += _times_table("stage", timings(stages))
    note = (
        "毫秒；问题的向量事先算好，不算在检索时间里（见 encode 一行）。这一节每次运行都不同。"
        "Milliseconds a question, its vector known; this section differs from run to run."
    )
    return f"{TIMES}\n{section('时间 · Times', content, note)}\n{TIMES}"


def _times_table(first: str, times: Mapping[str, Mapping[str, float]]) -> str:
    rows = [(name, f"{of['p50_ms']:.2f}", f"{of['p95_ms']:.2f}") for name, of in times.items()]
    return table((first, "p50 (ms)", "p95 (ms)"), rows)


def _robustness_section(losses: Sequence[Loss]) -> str:
    names = list(dict.fromkeys(loss.system for loss in losses))
    shares: dict[str, dict[str, float]] = {name: {} for name in names}
    for loss in losses:
        shares[loss.system][loss.perturbation] = loss.share
    found = {(loss.perturbation, loss.system): _loss_cell(loss) for loss in losses}
    ways = dict.fromkeys(loss.perturbation for loss in losses)
    rows = [(way, *(found[way, name] for name in names)) for way in ways]
    note = (
        "同样的问题换一种打法，nDCG@10 少了百分之几；* 是校正后 p < .05 的，区间在 robustness.csv。"
        "The part of the clean nDCG@10 that is lost; * is significant after Holm's correction."
    )
    content = plots.losses(shares) + table(("perturbation", *names), rows)
    return section("换个说法还找得到吗 · Robustness", content, note)


def _loss_cell(loss: Loss) -> str:
    return f"{loss.share:+.1%}{' *' if loss.p_holm < LEVEL else ''}"


def _lead(evaluation: Evaluation, comparisons: Sequence[Comparison]) -> str:
    """The outcome in one sentence, and how each system stands to the first."""
    means = {system.name: float(system.values[:, 0].mean()) for system in evaluation.systems}
    best = max(means, key=lambda name: means[name])
    words = [
        f"{c.system} {c.difference.mean:+.4f}（{'显著' if c.p_holm < LEVEL else '不显著'}）"
        for c in comparisons
        if c.metric == METRICS[0]
    ]
    against = f"与 {evaluation.systems[0].name} 相比：{'，'.join(words)}。" if words else ""
    text = f"nDCG@10 最高的是 {best}：{means[best]:.4f}。{against}"
    return f'<p class="lead">{escape(text)}</p>'


def _missing_note(missing: int) -> str:
    if not missing:
        return ""
    return (
        f'<p class="bad">有 {missing} 篇已标注的文档不在 corpus.jsonl 里，召回率到不了 1。 '
        f"{missing} judged documents are not in the corpus.</p>"
    )


def _comparison_sections(evaluation: Evaluation, comparisons: Sequence[Comparison]) -> list[str]:
    """Everything against the first system; nothing if there is only one."""
    baseline, *others = evaluation.systems
    if not others:
        return []
    header = ("system", "metric", "difference", "95 %", "p", "p (Holm)", "", "better", "worse")
    rows = [
        (
            *(c.system, c.metric, f"{c.difference.mean:+.4f}"),
            f"[{c.difference.low:+.4f}, {c.difference.high:+.4f}]",
            *(c.p_value, c.p_holm, _mark(c), c.wins, c.losses),
        )
        for c in comparisons
    ]
    first = [row for row in rows if row[1] == METRICS[0]]
    rest = [row for row in rows if row[1] != METRICS[0]]
    differences = {system.name: system.values[:, 0] - baseline.values[:, 0] for system in others}
    picture = plots.sorted_differences(differences, baseline.name)
    other_measures = folded("其余指标 · Other measures", table(header, rest))
    other = _other(evaluation)
    examples = _examples(evaluation, other)
    header_of_examples = ("query", "question", baseline.name, other.name)
    return [
        section(
            f"与 {baseline.name} 比较 · Against the first system",
            table(header, first) + picture + other_measures,
            f"成对置换检验，双侧，{DRAWS:,} 次，固定种子；"
            f"▲ ▼ 是校正后 p < {LEVEL} 的。Paired two-sided permutation test.",
        ),
        section(
            f"差别最大的问题（{other.name}） · Where they differ most",
            table(header_of_examples, examples) if examples else "<p>没有差别。No difference.</p>",
            "nDCG@10：先列变差最多的，再列变好最多的。Largest losses first, then largest gains.",
        ),
    ]


def _mark(comparison: Comparison) -> str:
    """▲ or ▼ where the difference is significant after correction."""
    if comparison.p_holm >= LEVEL:
        return ""
    return "▲" if comparison.difference.mean > 0 else "▼"


def _other(evaluation: Evaluation) -> SystemRun:
    """The best of the other systems that differs from the first anywhere, by nDCG@10."""
    baseline, *others = evaluation.systems
    different = [of for of in others if (of.values[:, 0] != baseline.values[:, 0]).any()]
    return max(different or others, key=lambda system: float(system.values[:, 0].mean()))


def _examples(evaluation: Evaluation, other: SystemRun) -> list[tuple[str, str, float, float]]:
    """Queries that ``other`` loses most, then those it gains most, against the first system."""
    before, after = evaluation.systems[0].values[:, 0], other.values[:, 0]
    order = np.argsort(after - before, kind="stable")
    worst = [row for row in order[:EXAMPLES] if after[row] < before[row]]
    best = [row for row in order[::-1][:EXAMPLES] if after[row] > before[row]]
    queries = evaluation.dataset.queries
    return [
        (queries[row].id, queries[row].text, float(before[row]), float(after[row]))
        for row in (*worst, *best)
    ]
