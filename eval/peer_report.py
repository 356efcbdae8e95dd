"""Tables and plots of ``python -m eval bench --peers``: Markdown, CSV, PNG and one HTML page."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from eval import plots
from eval.pages import page, section, table
from eval.results import write_rows, write_text
from eval.retrieval import Evaluation, SystemRun
from eval.significance import Interval, bootstrap

__all__ = ["markdown", "mean_over_collections", "summary_rows", "write_peer_report"]

COST = "processor ms a search, median"
SPEED_HEADER = (
    *("peer", "collection", "documents", "index_seconds", "index_cpu_seconds", "p50_ms"),
    *("p95_ms", "cpu_p50_ms", "searches", "resident_mb", "grown_mb"),
)
NOTE = (
    "同样的文字、同样的向量；问题的编码不算在检索时间里，切问题的词算。建索引的时间里，"
    "我们的含切词，别家的词事先一次切好、不算在内。made-N 是造出来的文集："
    "文字由真词抽样拼成，向量是真片段的向量加小噪声，只用来计时。CPU 是处理器时间，"
    "机器上有别的活时比钟表时间可靠。内存是各自进程在检索之后"
    "比开始之前多占的。Same texts and vectors; made-N collections serve for times "
    "only; indexing excludes cutting into words for all but ours."
)

Rows = tuple[Sequence[str], list[Sequence[object]]]


def write_peer_report(
    report: Mapping[str, Any], quality: Mapping[str, Evaluation], out: Path
) -> None:
    """Write ``peers.md``, ``peers.csv``, ``peers.png`` and ``peers.html``.

    Args:
        report: what ``peers.json`` holds.
        quality: the evaluation of each real collection.
        out: an existing folder.

    Raises:
        InputError: a file cannot be written.
    """
    header, rows = report["table"]
    write_text(out / "peers.md", markdown(header, rows))
    speed = [[row[name] for name in SPEED_HEADER] for row in report["speed"]]
    write_rows(out / "peers.csv", SPEED_HEADER, speed)
    write_rows(out / "peers_quality.csv", header, rows)
    figure = _picture(report, quality)
    plots.save(figure, out / "peers.png")
    remarks = "".join(f"<p>{remark}</p>" for remark in report["remarks"])
    picture = plots.image(figure, "quality, cost and time by size of each peer")
    sections = [
        section("总表 · Summary", table(header, rows) + picture + remarks, NOTE),
        section("每次测量 · Every measurement", table(SPEED_HEADER, speed)),
        section("版本 · Versions", table(("peer", "version"), list(report["versions"].items()))),
    ]
    write_text(out / "peers.html", page("与同类程序比较 · Peers", sections))


def markdown(header: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A Markdown table.

    >>> print(markdown(("a", "b"), [("x", 1)]), end="")
    | a | b |
    |---|---|
    | x | 1 |
    """
    lines = [header, ["---"] * len(header), *rows]
    text = "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines) + "\n"
    return text.replace("| --- ", "|---").replace("--- |", "---|")


def summary_rows(report: Mapping[str, Any], quality: Mapping[str, Evaluation]) -> Rows:
    """One row a peer: nDCG@10 of each collection and their mean; time and memory.

    These are taken at the largest size that all were measured at; ``CPU × ours`` says how many
    times the processor time of ours a search takes.
    """
    size = common_size(report)
    at_size = {row["peer"]: row for row in report["speed"] if row["collection"] == f"made-{size}"}
    header = ["", *quality, "mean", "ours − it [95 %]"]
    header += [f"index {size:,} (CPU s)", "search p50 / p95 (ms)", "CPU (ms)", "CPU × ours"]
    header.append("memory (MB)")
    ours, *_ = report["versions"]
    rows: list[Sequence[object]] = []
    for peer in report["versions"]:
        row = at_size.get(peer)
        times = [
            f"{row['index_cpu_seconds']:.1f}",
            f"{row['p50_ms']:.1f} / {row['p95_ms']:.1f}",
            f"{row['cpu_p50_ms']:.1f}",
                f"{row['cpu_p50_ms'] / at_size[ours]['cpu_p50_ms']:.1f}",
            f"{row['grown_mb']:,.0f}",
        ] if row and ours in at_size else ["–"] * 5  # fmt: skip
        rows.append([peer, *_quality_cells(peer, ours, quality), *times])
    return header, rows


def _quality_cells(peer: str, ours: str, quality: Mapping[str, Evaluation]) -> Iterator[str]:
    runs = {name: _run_of(of, peer) for name, of in quality.items()}
    for run in runs.values():
        yield f"{_ndcg(run).mean():.4f}" if run else "–"
    found = [_ndcg(run) for run in runs.values() if run]
    if len(found) < len(runs):
        yield from ("–", "–")
        return
    yield f"{np.mean([values.mean() for values in found]):.4f}"
    best = [_ndcg(run) for of in quality.values() if (run := _run_of(of, ours))]
    if peer == ours or len(best) < len(found):
        yield "–"
        return
    gap = mean_over_collections([a - b for a, b in zip(best, found, strict=True)])
    yield f"{gap.mean:+.4f} [{gap.low:+.4f}, {gap.high:+.4f}]"


def mean_over_collections(values: Sequence[np.ndarray[Any, np.dtype[np.float64]]]) -> Interval:
    """The mean of the collections' means; every collection is resampled by itself.

    The half-widths of independent means add up as squares; each end has its own.
    """
    parts = [bootstrap(of_collection) for of_collection in values]
    mean = float(np.mean([part.mean for part in parts]))
    below = np.linalg.norm([part.mean - part.low for part in parts]) / len(parts)
    above = np.linalg.norm([part.high - part.mean for part in parts]) / len(parts)
    return Interval(mean, mean - float(below), mean + float(above))


def common_size(report: Mapping[str, Any]) -> int:
    """The largest made-up collection on which all measured peers have a row; 0 if none."""
    peers: dict[int, set[str]] = {}
    for row in report["speed"]:
        if row["collection"] == f"made-{row['documents']}":
            peers.setdefault(row["documents"], set()).add(row["peer"])
    most = max(map(len, peers.values()), default=0)
    return max((size for size, of in peers.items() if len(of) == most), default=0)


def _run_of(evaluation: Evaluation, peer: str) -> SystemRun | None:
    return next((run for run in evaluation.systems if run.name == peer), None)


def _ndcg(run: SystemRun) -> np.ndarray[Any, np.dtype[np.float64]]:
    return run.values[:, 0]


def _picture(report: Mapping[str, Any], quality: Mapping[str, Evaluation]) -> Figure:
    size = common_size(report)
    whole = {
        peer: [_ndcg(run) for of in quality.values() if (run := _run_of(of, peer))]
        for peer in report["versions"]
    }
    whole = {peer: values for peer, values in whole.items() if len(values) == len(quality)}
    speed: dict[str, list[tuple[int, float]]] = {}
    for row in report["speed"]:
        if row["collection"] == f"made-{row['documents']}":
            speed.setdefault(row["peer"], []).append((row["documents"], row["cpu_p50_ms"]))
    cost = {
        peer: (dict(speed[peer])[size], mean_over_collections(values))
        for peer, values in whole.items()
        if size in dict(speed.get(peer, ()))
    }
    by_set = {
        peer: dict(zip(quality, (float(v.mean()) for v in values), strict=True))
        for peer, values in whole.items()
    }
    return _panels(by_set, cost, speed)


def _panels(
    quality: Mapping[str, Mapping[str, float]],
    cost: Mapping[str, tuple[float, Interval]],
    speed: Mapping[str, Sequence[tuple[int, float]]],
) -> Figure:
    """Three panels: nDCG@10 of each peer on each collection, cost against quality, time by size.

    Args:
        quality: ``{peer: {collection: nDCG@10}}``, the same collections for every peer.
        cost: ``{peer: (processor milliseconds, mean nDCG@10 with its interval)}``.
        speed: ``{peer: [(documents, processor milliseconds), …]}``.
    """
    figure = Figure(figsize=(13.5, 4.6), layout="constrained")
    left, middle, right = figure.subplots(1, 3, width_ratios=(1.25, 1, 1))
    collections = list(next(iter(quality.values())))
    width = plots.BAR_WIDTH / len(quality)
    for place, (peer, of_collection) in enumerate(quality.items()):
        middles = np.arange(len(collections)) - plots.BAR_WIDTH / 2 + width * (place + 0.5)
        heights = [of_collection[name] for name in collections]
        colour = plots.COLOURS[place % len(plots.COLOURS)]
        left.bar(middles, heights, width * 0.94, label=peer, color=colour)
        if points := speed.get(peer):
            right.plot(*zip(*points, strict=True), marker="o", markersize=4, color=colour)
    left.set_xticks(range(len(collections)), [name.replace("_", "\n") for name in collections])
    left.set_ylabel("nDCG@10")
    left.set_title("Quality", fontsize=11)
    plots.mark_cost_quality(middle, cost)
    middle.set_xlabel(f"{COST} at the largest size")
    middle.set_title("Quality against cost", fontsize=11)
    right.set_xscale("log")
    right.set_yscale("log")
    right.set_xlabel("passages")
    right.set_ylabel(COST)
    right.set_title("Time by size", fontsize=11)
    for axes in (left, middle, right):
        plots.quiet(axes)
    handles = left.get_legend_handles_labels()
    figure.legend(*handles, loc="outside lower center", ncols=len(quality), frameon=False)
    return figure
