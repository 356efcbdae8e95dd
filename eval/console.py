"""Tables on standard output, for a person at a terminal."""

from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.table import Column, Table

from eval.metrics import METRICS

__all__ = ["show_metrics", "show_table"]

WIDTH = 160  # columns when the output is no terminal


def show_table(header: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print a table; ``None`` shows as a dash, a fraction with four places."""
    first, *others = header
    table = Table(Column(first, no_wrap=True), *(Column(name, overflow="fold") for name in others))
    for row in rows:
        table.add_row(*map(_cell, row))
    console = Console()
    (console if console.is_terminal else Console(width=WIDTH)).print(table)


def show_metrics(metrics: Mapping[str, Mapping[str, Mapping[str, float]]]) -> None:
    """Print ``{collection: {system: {metric: mean}}}``."""
    rows = [
        (collection, system, *(means[metric] for metric in METRICS))
        for collection, by_system in metrics.items()
        for system, means in by_system.items()
    ]
    show_table(("数据集", "系统", *METRICS), rows)


def _cell(value: object) -> str:
    if value is None:
        return "–"
    return f"{value:.4f}" if isinstance(value, float) else str(value)
