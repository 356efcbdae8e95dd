"""PDF and Word documents: paragraphs put together again, tables as lines, the title of the page."""

import io
import logging
import re
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import PurePath

from corpus import metadata
from corpus.errors import SkippedFile
from corpus.readers import markup, pdf_pages
from corpus.readers.draft import Draft, finish, is_byline
from corpus.readers.limits import bounded
from corpus.readers.pdf_pages import Line
from corpus.records import Article

_HEAD = 12  # lines in which the title stands
_TITLE_LINES = 4  # at most
_TITLE_LENGTH = 80  # characters; a longer first line is text
_TITLE_END = re.compile(
    r"(?:通知|办法|细则|意见|方案|规定|公告|通告|指南|须知|问答|解读|标准|规程|决定|函|目录|政策|流程)"
    r"(?:[（(].*[)）])?$"
)
_LETTERHEAD = re.compile(r"文\s*件$")
_HEADING_SIZE, _TEXT_SIZE = 20.0, 10.0  # points; Word's headings have a level, no size
_STYLES = "p[style-name='Title'] => h1:fresh\np[style-name='标题'] => h1:fresh"


@contextmanager
def _quiet() -> Iterator[None]:
    """What the libraries say of odd files is nothing that an operator can act on."""
    loggers = [logging.getLogger(name) for name in ("pdfminer", "mammoth")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL)
    try:
        with warnings.catch_warnings(action="ignore"):
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


def read_pdf(data: bytes, path: PurePath) -> list[Article]:
    """The article of a PDF.

    Raises:
        SkippedFile: it is broken, locked, scanned, or its letters have no code.
    """
    with _quiet(), bounded():
        lines = pdf_pages.read(data)
    return [_article(lines, path)]


def read_docx(data: bytes, path: PurePath) -> list[Article]:
    """The article of a Word document (.docx).

    Raises:
        SkippedFile: it is broken or empty.
    """
    import mammoth  # type: ignore[import-untyped]

    with _quiet(), bounded():
        try:
            result = mammoth.convert_to_html(
                io.BytesIO(data), style_map=_STYLES, convert_image=mammoth.images.img_element(_no)
            )
        except (SkippedFile, MemoryError):
            raise
        except Exception as error:
            msg = "Word 文档坏了，打不开。请用 Word 或 WPS 打开后重新另存为 .docx 再导入"
            raise SkippedFile(msg) from error
        tree = markup.parse(result.value or "<p></p>")
        markup.clean(tree)
        markup.settle_tables(tree)
        found = [
            Line(line.lstrip("# ") if line.startswith("## ") else line, _size(line))
            for line in markup.markdown_lines(tree)
        ]
    if not found:
        msg = "Word 文档里没有文字"
        raise SkippedFile(msg)
    return [_article(found, path)]


def _no(_: object) -> dict[str, str]:
    return {}


def _size(line: str) -> float:
    level = len(line) - len(line.lstrip("#"))
    return _HEADING_SIZE - level if level else _TEXT_SIZE


def _article(found: Sequence[Line], path: PurePath) -> Article:
    title, rest = take_title(found)
    lines = [line.text for line in rest]
    return finish(Draft(title=title or path.stem, lines=lines, key=path.stem))


def take_title(lines: Sequence[Line]) -> tuple[str, list[Line]]:
    """(title, the other lines): the largest print of the head, else its first line.

    The title is empty where the text begins without one.
    """
    body_size = _common_size(lines)
    head = [at for at, line in enumerate(lines[:_HEAD]) if _may_be_title(line)]
    larger = [at for at in head if lines[at].size > body_size + 0.9]
    if larger:
        biggest = max(lines[at].size for at in larger)
        first = next(at for at in larger if lines[at].size > biggest - 0.5)
    elif head and len(lines[head[0]].text) <= _TITLE_LENGTH and head[0] < _TITLE_LINES:
        first = head[0]
    else:
        return "", list(lines)
    parts = [first]
    while len(parts) < _TITLE_LINES and parts[-1] + 1 < len(lines) - 1:
        text = "".join(lines[at].text for at in parts)
        after = lines[parts[-1] + 1]
        alike = abs(after.size - lines[first].size) < 0.5
        goes_on = alike if larger else bool(_TITLE_END.search(after.text)) and len(after.text) < 40
        if _TITLE_END.search(text) or not goes_on or not _may_be_title(after):
            break
        parts.append(parts[-1] + 1)
    title = "".join(lines[at].text for at in parts)
    return title, [line for at, line in enumerate(lines) if at not in parts]


def _may_be_title(line: Line) -> bool:
    text = line.text.strip()
    if len(text) < 4 or text.startswith(("- ", "|")) or text.endswith(("。", "：", ":", "；")):
        return False
    number = metadata.document_number_of("", [text])
    return not (_LETTERHEAD.search(text) or is_byline(text) or metadata.is_office(text) or number)


def _common_size(lines: Sequence[Line]) -> float:
    """The size in which most of the text is printed."""
    counts: dict[float, int] = {}
    for line in lines:
        size = round(line.size, 1)
        counts[size] = counts.get(size, 0) + len(line.text)
    return max(counts, key=lambda size: counts[size]) if counts else 0.0
