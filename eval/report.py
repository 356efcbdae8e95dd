"""One self-contained HTML page a run: tables, plots and the cases worth reading, in two languages.

No script, no style sheet, no picture from anywhere else; everything that came from data is escaped.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from html import escape

import numpy as np
from numpy.typing import NDArray

from eval import plots
from eval.metrics import METRICS, recall_curve
from eval.results import timings
from eval.retrieval import DEPTH, Comparison, Evaluation
from eval.robustness import Loss
from eval.significance import DRAWS, Interval, bootstrap
from eval.slices import slices

__all__ = ["TIMES", "page", "retrieval_report", "section", "table"]

CUTOFFS = (1, 2, 3, 5, 10, 20, 50, DEPTH)  # of the recall curve
EXAMPLES = 12  # queries shown each way
TIMES = "<!-- times -->"  # before and after what differs from run to run
SHORTEST_MS = 0.001  # what the clock cannot tell from 0 has a place on a logarithmic axis too
LEVEL = 0.05  # of significance

STYLE = """
:root { color-scheme: light; }
body { font: 16px/1.6 system-ui, "Noto Sans CJK SC", "Microsoft YaHei", sans-serif; color: #1b1b1b;
  max-width: 76rem; margin: 2rem auto; padding: 0 1rem; background: #fff; }
h1 { font-size: 1.6rem; } h2 { font-size: 1.2rem; margin-top: 2.2rem; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
.wide { overflow-x: auto; }
th, td { padding: .3rem .7rem; border-bottom: 1px solid #ddd; text-align: left;
  vertical-align: top; }
th { background: #f4f6f8; } td.n { text-align: right; white-space: nowrap; }
img { max-width: 100%; margin-top: 1rem; } .note { color: #555; }
.bad { background: #fdecea; } .good { background: #e9f6ec; }
details { margin: .6rem 0; padding: .4rem .8rem; border: 1px solid #ddd; border-radius: 6px; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; font: inherit; }
"""


def page(title: str, sections: Iterable[str]) -> str:
    """A whole HTML document around ready-made sections."""
    return (
        '<!doctype html>\n<html lang="zh-CN">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n"
        f"<h1>{escape(title)}</h1>\n" + "\n".join(sections) + "\n</body>\n</html>\n"
    )


def section(heading: str, content: str, note: str = "") -> str:
    """A headed part of a page; ``content`` is HTML, the others are text."""
    remark = f'<p class="note">{escape(note)}</p>\n' if note else ""
    return f"<section>\n<h2>{escape(heading)}</h2>\n{remark}{content}\n</section>"


def table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """An HTML table; numbers stand right-aligned.

    >>> "<td>&lt;b&gt;</td>" in table(("a",), [("<b>",)])
    True
    """
    head = "".join(f"<th>{escape(cell)}</th>" for cell in header)
    body = "".join(f"<tr>{''.join(_cell(cell) for cell in row)}</tr>\n" for row in rows)
    return f'<div class="wide"><table>\n<tr>{head}</tr>\n{body}</table></div>'


def _cell(value: object) -> str:
    if isinstance(value, float):
        return f'<td class="n">{value:.4f}</td>'
    if isinstance(value, int) and not isinstance(value, bool):
        return f'<td class="n">{value:,}</td>'
    return f"<td>{escape(str(value))}</td>"


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
        _missing_note(dataset.missing_documents),
        section(
            "各系统的平均成绩 · Means",
            table(
                ("system", *(f"{metric} [95 %]" for metric in METRICS)),
                [
                    (name, *(f"{i.mean:.4f} [{i.low:.4f}, {i.high:.4f}]" for i in row.values()))
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
    header = ("perturbation", "system", "clean", "changed", "lost", "95 %", "p (Holm)")
    rows = [
        (
            *(loss.perturbation, loss.system, loss.clean, loss.changed, f"{loss.share:+.1%}"),
            f"[{loss.difference.low:+.4f}, {loss.difference.high:+.4f}]",
            loss.p_holm,
        )
        for loss in losses
    ]
    shares: dict[str, dict[str, float]] = {}
    for loss in losses:
        shares.setdefault(loss.system, {})[loss.perturbation] = loss.share
    content = table(header, rows) + plots.losses(shares)
    note = "同样的问题换一种打法，nDCG@10 少了几成。The part of the clean nDCG@10 that is lost."
    return section("换个说法还找得到吗 · Robustness", content, note)


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
    differences = {system.name: system.values[:, 0] - baseline.values[:, 0] for system in others}
    return [
        section(
            f"与 {baseline.name} 比较 · Against the first system",
            table(header, rows) + plots.sorted_differences(differences, baseline.name),
            f"成对置换检验，双侧，{DRAWS:,} 次，固定种子；"
            f"▲ ▼ 是校正后 p < {LEVEL} 的。Paired two-sided permutation test.",
        ),
        section(
            f"差别最大的问题（{others[-1].name}） · Where they differ most",
            table(("query", "question", baseline.name, others[-1].name), _examples(evaluation)),
            "nDCG@10：先列变差最多的，再列变好最多的。Largest losses first, then largest gains.",
        ),
    ]


def _mark(comparison: Comparison) -> str:
    """▲ or ▼ where the difference is significant after correction."""
    if comparison.p_holm >= LEVEL:
        return ""
    return "▲" if comparison.difference.mean > 0 else "▼"


def _examples(evaluation: Evaluation) -> list[tuple[str, str, float, float]]:
    """Queries that the last system loses most, then those it gains most, against the first."""
    before, after = evaluation.systems[0].values[:, 0], evaluation.systems[-1].values[:, 0]
    order = np.argsort(after - before, kind="stable")
    worst = [row for row in order[:EXAMPLES] if after[row] < before[row]]
    best = [row for row in order[::-1][:EXAMPLES] if after[row] > before[row]]
    queries = evaluation.dataset.queries
    return [
        (queries[row].id, queries[row].text, float(before[row]), float(after[row]))
        for row in (*worst, *best)
    ]
