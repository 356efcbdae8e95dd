"""Plots of a report as self-contained SVG images; the same data gives the same bytes.

Labels are English, with the Chinese in the page around them: what fonts a machine has must not
change the picture. Names that come from data may be Chinese and are drawn with a Chinese font.
"""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from functools import cache
from html import escape
from io import BytesIO
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib import font_manager
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter
from numpy.typing import NDArray

from corpus.errors import InputError
from eval.significance import Interval

__all__ = [
    "BAR_WIDTH",
    "COLOURS",
    "bars",
    "bars_figure",
    "cost_quality",
    "curves",
    "image",
    "losses",
    "mark_cost_quality",
    "quiet",
    "save",
    "sorted_differences",
]

COLOURS = (
    "#0072B2",
    "#E69F00",
    "#009E73",
    "#CC79A7",
    "#56B4E9",
    "#D55E00",
    "#F0E442",
    "#000000",
)  # Okabe and Ito, 2008
SALT = "yibao-wenda"  # matplotlib's ids in an SVG come from it; any fixed text will do
BAR_WIDTH = 0.8  # of the distance between two groups
LABELLED = 5  # systems up to which every bar carries its figure
ABREAST = 2  # systems whose figures have room side by side
COLUMNS = 4  # of a legend in one row
CHINESE = (
    "Noto Sans CJK SC",
    "Noto Sans CJK JP",
    "Source Han Sans SC",
    "Microsoft YaHei",
    "SimHei",
)
RESOLUTION = 130  # dots an inch of a PNG


def bars(values: Mapping[str, Mapping[str, Interval]]) -> str:
    """Grouped bars with 95 % intervals, as an HTML ``<img>``; see ``bars_figure``."""
    return image(bars_figure(values), "bars: mean of each metric for each system")


def bars_figure(values: Mapping[str, Mapping[str, Interval]]) -> Figure:
    """Grouped bars with 95 % intervals.

    Args:
        values: ``{system: {metric: interval}}``, the same metrics for every system.
    """
    metrics = list(next(iter(values.values())))
    figure, axes = _figure(9.0, 4.0)
    width = BAR_WIDTH / len(values)
    for place, (system, of_metric) in enumerate(values.items()):
        middles = np.arange(len(metrics)) - BAR_WIDTH / 2 + width * (place + 0.5)
        heights = [of_metric[metric].mean for metric in metrics]
        below = [max(0.0, of_metric[metric].mean - of_metric[metric].low) for metric in metrics]
        above = [max(0.0, of_metric[metric].high - of_metric[metric].mean) for metric in metrics]
        colour = COLOURS[place % len(COLOURS)]
        axes.bar(middles, heights, width * 0.94, label=system, color=colour)
        axes.errorbar(middles, heights, [below, above], fmt="none", ecolor="#222", capsize=3)
        for middle, height, up in zip(middles, heights, above, strict=True):
            if len(values) > LABELLED:
                break
            label, turned = f"{height:.3f}", 90 if len(values) > ABREAST else 0
            axes.text(
                middle, height + up + 0.01, label,
                ha="center", va="bottom", fontsize=8, rotation=turned,
            )  # fmt: skip
    axes.set_xticks(range(len(metrics)), metrics)
    axes.set_ylim(0, 1.2)
    axes.set_ylabel("mean over queries, 95 % interval")
    _legend_below(axes, len(values))
    return figure


def sorted_differences(differences: Mapping[str, NDArray[np.float64]], baseline: str) -> str:
    """One panel a system: its per-query nDCG@10 minus the baseline's, from best to worst.

    Args:
        differences: ``{system: float64, shape (n_queries,)}``, at least one system.
        baseline: name of the system that was subtracted.
    """
    figure = Figure(figsize=(9.0, 1.7 * len(differences) + 0.3), layout="constrained")
    panels = np.atleast_1d(figure.subplots(len(differences), 1))
    for panel, (system, values) in zip(panels, differences.items(), strict=True):
        ordered = np.sort(values[values != 0])[::-1]
        colours = [COLOURS[2] if value > 0 else COLOURS[5] for value in ordered]
        panel.bar(np.arange(len(ordered)), ordered, width=1.0, color=colours)
        panel.axhline(0, color="#222", linewidth=0.8)
        panel.set_ylim(-1.05, 1.05)
        panel.set_xlim(-0.5, max(len(ordered) - 0.5, 0.5))
        panel.set_xticks([])
        panel.spines[["top", "right", "bottom"]].set_visible(False)
        wins, losses = int((values > 0).sum()), int((values < 0).sum())
        counts = f"better {wins}, worse {losses}, same {len(values) - wins - losses}"
        panel.set_title(f"{system} − {baseline}: {counts}", fontsize=9, loc="left")
    panels[-1].set_xlabel("queries that differ, sorted by difference in nDCG@10")
    return image(figure, "per-query differences in nDCG@10")


def curves(values: Mapping[str, Sequence[float]], cutoffs: Sequence[int]) -> str:
    """Mean recall against the number of hits looked at (logarithmic)."""
    figure, axes = _figure(9.0, 3.8)
    for place, (system, recalls) in enumerate(values.items()):
        colour = COLOURS[place % len(COLOURS)]
        axes.plot(cutoffs, recalls, marker="o", markersize=4, label=system, color=colour)
    axes.set_xscale("log")
    axes.set_xticks(list(cutoffs), [str(cutoff) for cutoff in cutoffs])
    axes.minorticks_off()
    axes.set_xlabel("hits looked at (k)")
    axes.set_ylabel("Recall@k")
    axes.legend(frameon=False)
    return image(figure, "recall against the number of hits")


def losses(shares: Mapping[str, Mapping[str, float]]) -> str:
    """Grouped bars of the part of nDCG@10 that each perturbation costs; 5 % is marked.

    Args:
        shares: ``{system: {perturbation: share of the clean value}}``, the same perturbations for
            every system; below 0 is a gain.
    """
    names = list(next(iter(shares.values())))
    figure, axes = _figure(9.0, 3.6)
    width = BAR_WIDTH / len(shares)
    for place, (system, of_name) in enumerate(shares.items()):
        middles = np.arange(len(names)) - BAR_WIDTH / 2 + width * (place + 0.5)
        colour = COLOURS[place % len(COLOURS)]
        heights = [100 * of_name[name] for name in names]
        axes.bar(middles, heights, width * 0.94, label=system, color=colour)
    axes.axhline(0, color="#222", linewidth=0.8)
    axes.axhline(5, color="#222", linewidth=0.8, linestyle="--")
    axes.set_xticks(range(len(names)), names)
    axes.set_ylabel("nDCG@10 lost (%)")
    _legend_below(axes, len(shares))
    return image(figure, "bars: share of nDCG@10 lost under each perturbation")


def cost_quality(points: Mapping[str, tuple[float, Interval]]) -> str:
    """Each system at its median milliseconds a search (logarithmic) and its nDCG@10.

    Args:
        points: ``{system: (milliseconds, nDCG@10 with its interval)}``.
    """
    figure, axes = _figure(9.0, 3.8)
    mark_cost_quality(axes, points)
    axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False)
    return image(figure, "median time of a search against nDCG@10")


def mark_cost_quality(axes: Axes, points: Mapping[str, tuple[float, Interval]]) -> None:
    """Draw the points of ``cost_quality``: upwards is better, to the left is cheaper."""
    for place, (system, (cost, quality)) in enumerate(points.items()):
        spread = [[quality.mean - quality.low], [quality.high - quality.mean]]
        colour = COLOURS[place % len(COLOURS)]
        axes.errorbar(cost, quality.mean, spread, fmt="o", color=colour, capsize=3, label=system)
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 3)))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda ms, _: f"{ms:g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.margins(x=0.1)
    axes.set_xlabel("ms a search, median (encoding the question excluded)")
    axes.set_ylabel("nDCG@10, 95 % interval")


def save(figure: Figure, path: Path) -> None:
    """Write a figure as PNG.

    Raises:
        InputError: the file cannot be written.
    """
    try:
        with mpl.rc_context(_settings()):
            figure.savefig(path, format="png", dpi=RESOLUTION, metadata={"Software": None})
    except OSError as error:
        msg = f"写不了文件 {path}：{error.strerror}"
        raise InputError(msg) from error


@cache
def _settings() -> dict[Any, Any]:
    """Reproducible SVG; matplotlib's own font, then the Chinese ones that the machine has."""
    there = {font.name for font in font_manager.fontManager.ttflist}
    fonts = ["DejaVu Sans", *(name for name in CHINESE if name in there)]
    return {"svg.hashsalt": SALT, "svg.fonttype": "path", "font.sans-serif": fonts}


def _figure(width: float, height: float) -> tuple[Figure, Axes]:
    """An empty figure, inches, with a quiet grid."""
    figure = Figure(figsize=(width, height), layout="constrained")
    axes = figure.subplots()
    quiet(axes)
    return figure, axes


def quiet(axes: Axes) -> None:
    """Only the left and lower edge and light horizontal lines."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", color="#ddd", linewidth=0.7)
    axes.set_axisbelow(True)


def _legend_below(axes: Axes, entries: int) -> None:
    columns = entries if entries <= COLUMNS else -(-entries // 2)
    axes.legend(ncols=columns, loc="upper center", bbox_to_anchor=(0.5, -0.08), frameon=False)


def image(figure: Figure, description: str) -> str:
    """An HTML ``<img>`` with the figure inside as SVG; ``description`` is its text."""
    buffer = BytesIO()
    with mpl.rc_context(_settings()):
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    data = b64encode(buffer.getvalue()).decode("ascii")
    source = f"data:image/svg+xml;base64,{data}"
    return f'<div class="wide"><img alt="{escape(description)}" src="{source}"></div>'
