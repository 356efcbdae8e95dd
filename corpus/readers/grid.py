"""Tables as lines that can each be quoted alone: 「医院等级：二级；起付标准：100元」.

A row of a table says nothing without the names of its columns, so each row carries them. Only
names and cells of the table are written, in their order.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from corpus.import_words import words

_HEADER_LENGTH = 20  # characters; a longer cell is content
_FIGURE = re.compile(r"\d")


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell at its place in the grid; one that covers several columns or rows stands in each."""

    text: str
    columns: int = 1
    header: bool = False


Grid = Sequence[Sequence[Cell]]


def spread(rows: Sequence[Sequence[tuple[str, int, int, bool]]]) -> list[list[Cell]]:
    """Rows of (text, columns, rows, header) as a grid in which every place is filled."""
    grid: list[list[Cell]] = []
    hanging: dict[
        int, tuple[Cell, int]
    ] = {}  # column → a cell from above, rows that it still covers
    for row in rows:
        line: list[Cell] = []
        cells = list(row)
        while cells or len(line) in hanging:
            at = len(line)
            if at in hanging:
                cell, left = hanging.pop(at)
                line.append(cell)
                if left > 1:
                    hanging[at] = (cell, left - 1)
                continue
            text, columns, down, header = cells.pop(0)
            for _ in range(max(1, columns)):
                cell = Cell(text, max(1, columns), header)
                if down > 1:
                    hanging[len(line)] = (cell, down - 1)
                line.append(cell)
        grid.append(line)
    return grid


def _header_rows(grid: Grid) -> int:
    """How many rows at the top hold the names of the columns."""
    marked = 0
    while marked < len(grid) and grid[marked] and all(cell.header for cell in grid[marked]):
        marked += 1
    if marked:
        return marked
    if len(grid) < 2 or not _names(grid[0]):
        return 0
    merged = any(cell.columns > 1 for cell in grid[0])
    return 2 if merged and len(grid) > 2 and _names(grid[1]) else 1


def _names(row: Sequence[Cell]) -> bool:
    """Whether a row may hold the names of columns."""
    texts = [cell.text for cell in row]
    if len(texts) < 2 or any(not t or len(t) > _HEADER_LENGTH for t in texts):
        return False
    if any(_FIGURE.search(text) for text in texts) or len(set(texts)) == 1:
        return False
    named = sum(re.sub(r"[（(].*[)）]$", "", t).endswith(words("header_words")) for t in texts)
    return named > 0 if len(texts) > 2 else named == len(texts)


def _column_name(grid: Grid, headers: int, column: int) -> str:
    parts = [row[column].text for row in grid[:headers] if column < len(row)]
    return "".join(dict.fromkeys(part for part in parts if part))


def lines(grid: Grid) -> list[str]:
    """One line a row, without those that hold the names of the columns."""
    grid = [row for row in grid if any(cell.text for cell in row)]
    headers = _header_rows(grid)
    if headers == len(grid):
        headers = 0
    found = []
    for row in grid[headers:]:
        parts: list[str] = []
        for column, cell in enumerate(row):
            spans = cell.columns > 1
            if not cell.text or (spans and column and row[column - 1] == cell):
                continue
            name = "" if spans else _column_name(grid, headers, column)
            parts.append(f"{name}：{cell.text}" if name and name != cell.text else cell.text)
        pair = len(parts) == 2 and (not headers or row[-1].columns > 1)
        label = row[0].text.rstrip("：:")
        found.append(f"{label}：{parts[1]}" if pair else "；".join(parts))
    return found
