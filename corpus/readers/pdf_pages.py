"""Pages of a PDF as paragraphs: lines joined, page numbers out, tables as lines."""

import io
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from corpus.errors import SkippedFile
from corpus.readers import grid, wrapping
from corpus.readers.grid import Cell

_PAGE_NUMBER = re.compile(
    r"[-—–―\s·]*\d{1,4}[-—–―\s·]*|第\s*\d+\s*页(?:[，,/\s]*共\s*\d+\s*页)?|\d+\s*/\s*\d+|Page\s*\d+.*",
    re.IGNORECASE,
)
_NO_CODE = re.compile(r"\(cid:\d+\)")
_NO_CODE_SHARE = 0.05  # of the letters; more is no text any more
_MAX_PAGES = 500
_BROKEN = "PDF 坏了，打不开，可能下载不全。请重新下载再导入"


@dataclass(frozen=True, slots=True)
class Line:
    """A paragraph or one row of a table; ``size`` in points."""

    text: str
    size: float


@dataclass(frozen=True, slots=True)
class _Printed:
    """A line of print: text, size and where it begins and ends (points)."""

    text: str
    size: float
    left: float
    right: float


_Table = list[list[Cell]]


def read(data: bytes) -> list[Line]:
    """The paragraphs of a PDF in reading order.

    Raises:
        SkippedFile: it is broken, locked, too long, scanned, or its letters have no code.
    """
    import pdfplumber  # late: a quarter of a second that serving does not need

    try:
        with pdfplumber.open(io.BytesIO(data)) as document:
            if len(document.pages) > _MAX_PAGES:
                msg = f"PDF 超过 {_MAX_PAGES} 页，请拆小再导入"
                raise SkippedFile(msg)
            pages = []
            for page in document.pages:
                pages.append(list(_blocks(page)))
                page.close()
    except (SkippedFile, MemoryError):
        raise
    except Exception as error:
        raise SkippedFile(_reason(error)) from error
    lines = list(_paragraphs(_without_margins(pages)))
    text = "".join(line.text for line in lines)
    if not text.strip():
        msg = "PDF 里只有图片，没有文字（扫描件）。请先做文字识别，或换成文字版再导入"
        raise SkippedFile(msg)
    if len(_NO_CODE.findall(text)) > _NO_CODE_SHARE * len(_NO_CODE.sub("x", text)):
        msg = "PDF 里的字没有编码，读出来是乱码。请换成网页或 Word 版再导入"
        raise SkippedFile(msg)
    return lines


def _reason(error: BaseException) -> str:
    from pdfminer.pdfdocument import PDFEncryptionError, PDFPasswordIncorrect
    from pdfplumber.utils.exceptions import PdfminerException

    inner = error.args[0] if isinstance(error, PdfminerException) and error.args else error
    if isinstance(inner, PDFPasswordIncorrect | PDFEncryptionError):
        return "PDF 加了密码，打不开。请先去掉密码再导入"
    return _BROKEN


def _blocks(page: Any) -> Iterator[_Printed | _Table]:  # noqa: ANN401 - pdfplumber is not typed
    """Lines and tables of a page from top to bottom."""
    tables = [table for table in page.find_tables() if len(table.rows) > 1]
    found: list[tuple[float, _Printed | _Table]] = []
    for table in tables:
        cells = _grid(table)
        if cells and len(cells[0]) > 1:
            found.append((table.bbox[1], cells))
    boxes = [table.bbox for table in tables if len(_grid(table)[0]) > 1]

    def outside(item: dict[str, Any]) -> bool:
        across, down = (item["x0"] + item["x1"]) / 2, (item["top"] + item["bottom"]) / 2
        return not any(x0 <= across <= x1 and y0 <= down <= y1 for x0, y0, x1, y1 in boxes)

    text = page.filter(lambda item: item["object_type"] != "char" or outside(item))
    for line in text.extract_text_lines(strip=True, return_chars=True):
        size = Counter(round(char["size"], 1) for char in line["chars"]).most_common(1)[0][0]
        printed = _Printed(wrapping.tidy(line["text"]), size, line["x0"], line["x1"])
        found.append((line["top"], printed))
    found.sort(key=lambda item: item[0])
    return (block for _, block in found)


def _grid(table: Any) -> _Table:  # noqa: ANN401
    """The cells of a table, those that cover several columns or rows in each place."""
    texts = {
        box: wrapping.join((text or "").splitlines())
        for row, values in zip(table.rows, table.extract(), strict=True)
        for box, text in zip(row.cells, values, strict=True)
        if box
    }
    columns = _middles(x for box in texts for x in (box[0], box[2]))
    rows = _middles(y for box in texts for y in (box[1], box[3]))
    return [[_cell_at(texts, across, down, columns) for across in columns] for down in rows]


def _middles(edges: Iterator[float]) -> list[float]:
    places: list[float] = []
    for edge in sorted(edges):
        if not places or edge - places[-1] > 2:  # points; thinner than that is a double line
            places.append(edge)
    return [(a + b) / 2 for a, b in pairwise(places)]


def _cell_at(
    texts: dict[tuple[float, float, float, float], str],
    across: float,
    down: float,
    columns: Sequence[float],
) -> Cell:
    for (x0, y0, x1, y1), text in texts.items():
        if x0 <= across <= x1 and y0 <= down <= y1:
            return Cell(text, sum(x0 <= middle <= x1 for middle in columns))
    return Cell("")


def _without_margins(
    pages: Sequence[Sequence[_Printed | _Table]],
) -> Iterator[list[_Printed | _Table]]:
    """Pages without page numbers and lines that stand at the edge of most pages."""
    edges = Counter(
        key for page in pages for key in {_edge_key(b) for b in (*page[:1], *page[-1:])}
    )
    for page in pages:
        kept = []
        for at, block in enumerate(page):
            key = _edge_key(block)
            edge = at in (0, len(page) - 1)
            number = isinstance(block, _Printed) and _PAGE_NUMBER.fullmatch(block.text)
            often = key and len(pages) > 1 and edges[key] * 2 > len(pages)
            if not (edge and (number or often)):
                kept.append(block)
        yield kept


def _edge_key(block: _Printed | _Table) -> str:
    return re.sub(r"\d+", "0", block.text) if isinstance(block, _Printed) else ""


def _paragraphs(pages: Iterator[list[_Printed | _Table]]) -> Iterator[Line]:
    """Lines joined to paragraphs, over the end of a page too; tables likewise."""
    open_text: list[str] = []
    before: tuple[_Printed, float] | None = None
    table: _Table = []
    for page in pages:
        printed = [block for block in page if isinstance(block, _Printed)]
        left = min((line.left for line in printed), default=0.0)
        right = max((line.right for line in printed), default=0.0)
        for block in page:
            if isinstance(block, list):
                yield from _closed(open_text, before)
                open_text, before = [], None
                if table and len(table[0]) != len(block[0]):
                    yield from _rows(table)
                    table = []
                table += block[1:] if table and block[0] == table[0] else block
                continue
            yield from _rows(table)
            table = []
            if before and not _goes_on(before[0], before[1], block, left):
                yield from _closed(open_text, before)
                open_text = []
            open_text.append(block.text)
            before = (block, right)
    yield from _closed(open_text, before)
    yield from _rows(table)


def _goes_on(before: _Printed, right: float, line: _Printed, left: float) -> bool:
    """Whether a line of print continues the one before it."""
    if abs(before.size - line.size) > 0.5 or before.right < right - 2 * before.size:
        return False
    indented = line.left > left + 1.2 * line.size
    return not indented and wrapping.may_continue(before.text, line.text)


def _closed(parts: Sequence[str], last: tuple[_Printed, float] | None) -> Iterator[Line]:
    text = wrapping.join(parts)
    if text and last:
        yield Line(text, last[0].size)


def _rows(table: _Table) -> Iterator[Line]:
    return (Line(f"- {row}", 0.0) for row in grid.lines(table)) if table else iter(())
