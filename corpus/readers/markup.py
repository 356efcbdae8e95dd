"""HTML as a tree and as lines of Markdown: headings, list items, paragraphs, rows of tables."""

import re
from collections.abc import Iterator
from typing import Any

import lxml.etree  # type: ignore[import-untyped]
import lxml.html  # type: ignore[import-untyped]

from corpus.errors import SkippedFile
from corpus.readers import grid

Element = Any  # lxml's elements are not typed
HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
_BLOCKS = """p div li td th tr table tbody thead ul ol dl dt dd section article main header footer
body center blockquote pre form fieldset hr figure figcaption address"""
BLOCKS = HEADINGS | frozenset(_BLOCKS.split())
_UNSEEN = """script style noscript iframe object embed svg canvas template head input select button
textarea"""
_HIDDEN = re.compile(r"display\s*:\s*none", re.IGNORECASE)
_CJK = r"[\u3000-\u303f\u4e00-\u9fff\uff00-\uffef\u2018-\u201d\u2026]"
_BREAK = re.compile(rf"(?<={_CJK})[ \t]*\n\s*(?={_CJK})")
_SPACES = re.compile(r"[ \t\n\r\f\v\xa0\u3000]+")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufffe\uffff]")
_INVISIBLE = re.compile(r"[\u200b-\u200f\u2060\ufeff\xad]")
_MARKED = re.compile(r"#|- |\d{1,3}\. ")
_LAYOUT_CELL = 400  # characters; a longer cell is a page's layout, not a table's cell


def parse(text: str) -> Element:
    """The tree of a page; entities of its own and addresses are never resolved.

    Raises:
        SkippedFile: there is nothing in it.
    """
    parser = lxml.html.HTMLParser(encoding="utf-8", no_network=True, huge_tree=False)
    try:
        return lxml.html.document_fromstring(
            _CONTROL.sub("", text).encode("utf-8", "replace"), parser=parser
        )
    except (lxml.etree.ParserError, lxml.etree.XMLSyntaxError) as error:
        msg = "网页是空的，或内容坏了。请在浏览器里重新保存"
        raise SkippedFile(msg) from error


def to_html(tree: Element) -> str:
    """The tree as a page again."""
    return str(lxml.html.tostring(tree, encoding="unicode"))


def drop(element: Element) -> None:
    """Take an element out of its tree; the text behind it stays."""
    if element.getparent() is not None:
        element.drop_tree()


def clean(tree: Element) -> None:
    """Take out what a reader of the page does not see."""
    for element in tree.xpath("//comment()|//processing-instruction()"):
        if element.getparent() is not None:
            tail, before = element.tail, element.getprevious()
            parent = element.getparent()
            if before is not None:
                before.tail = (before.tail or "") + (tail or "")
            else:
                parent.text = (parent.text or "") + (tail or "")
            parent.remove(element)
    for element in list(tree.iter(*_UNSEEN.split())):
        drop(element)
    for element in tree.xpath("//*[@style]|//*[@hidden]"):
        if _HIDDEN.search(element.get("style", "")) or element.get("hidden") is not None:
            drop(element)
    for element in tree.iter():
        element.text = _joined(element.text)
        element.tail = _joined(element.tail)


def _joined(text: str | None) -> str | None:
    """A line break between Chinese characters is the editor's, not the text's.

    ``&#1;`` and the like become characters that no tree may be given again.
    """
    return _BREAK.sub("", _CONTROL.sub("", text)) if text else text


def tidy(text: str) -> str:
    """One line: white space made one space, none at the ends."""
    return _SPACES.sub(" ", _INVISIBLE.sub("", text)).strip()


def text_of(element: Element) -> str:
    """The words of an element in one line."""
    return tidy(_in_order(element))


def _in_order(element: Element) -> str:
    parts: list[str] = [element.text or ""]
    for child in element:
        gap = " " if child.tag in BLOCKS | {"br"} else ""
        parts += [
            gap,
            _in_order(child) if isinstance(child.tag, str) else "",
            gap,
            child.tail or "",
        ]
    return "".join(parts)


def link_share(element: Element) -> float:
    """Which part of an element's words are links."""
    whole = len(re.sub(r"[\s|·>]", "", text_of(element)))
    linked = sum(len(re.sub(r"\s", "", text_of(a))) for a in element.iter("a"))
    return linked / whole if whole else 0.0


def table_rows(table: Element) -> list[str]:
    """The rows of a data table as lines."""
    rows = []
    for row in table.iter("tr"):
        cells = [cell for cell in row if cell.tag in ("td", "th")]
        rows.append(
            [
                (text_of(cell), _span(cell, "colspan"), _span(cell, "rowspan"), cell.tag == "th")
                for cell in cells
            ]
        )
    return grid.lines(grid.spread(rows))


def _span(cell: Element, name: str) -> int:
    found = re.match(r"\d{1,3}", cell.get(name, "1"))
    return min(max(1, int(found.group())), 50) if found else 1


def is_layout(table: Element) -> bool:
    """Whether a table only places the parts of a page."""
    rows = [[cell for cell in row if cell.tag in ("td", "th")] for row in table.iter("tr")]
    if table.find(".//table") is not None or max(map(len, rows), default=0) < 2 or len(rows) < 2:
        return True
    cells = [cell for row in rows for cell in row]
    return any(len(text_of(cell)) > _LAYOUT_CELL for cell in cells)


def settle_tables(tree: Element) -> None:
    """Data tables become lists of rows, layout tables plain blocks."""
    tables = [(table, is_layout(table)) for table in tree.iter("table")]
    for table, layout in reversed(tables):
        if layout:
            for part in list(table.iter("td", "th")):
                part.tag = "div"
            for part in [*table.iter("tr", "tbody", "thead", "tfoot", "font"), table]:
                part.tag = "div"
                part.attrib.clear()
            continue
        items = lxml.html.Element("ul")
        for line in table_rows(table):
            item = lxml.html.Element("li")
            item.text = line
            items.append(item)
        items.tail = table.tail
        table.getparent().replace(table, items)


def markdown_lines(element: Element) -> Iterator[str]:
    """The lines of an element without tables: 「## 标题」, 「- 一项」, paragraphs."""
    mark = _mark(element)
    for line in _lines(element):
        yield line if _MARKED.match(line) else mark + line
        mark = ""


def _lines(element: Element) -> Iterator[str]:
    line = element.text or ""
    for child in element:
        inner = list(markdown_lines(child)) if isinstance(child.tag, str) else []
        if child.tag in BLOCKS | {"br"}:
            yield from _shown(line)
            yield from inner
            line = ""
        elif inner:
            line += inner[0]
            for more in inner[1:]:  # a line break inside a span
                yield from _shown(line)
                line = more
        line += child.tail or ""
    yield from _shown(line)


def _mark(element: Element) -> str:
    if element.tag in HEADINGS:
        return f"{'#' * max(2, int(element.tag[1]))} "
    if element.tag == "li" and element.getparent() is not None and element.getparent().tag == "ol":
        return f"{len(list(element.itersiblings('li', preceding=True))) + 1}. "
    return "- " if element.tag in ("li", "dd") else ""


def _shown(text: str) -> list[str]:
    text = tidy(text)
    return [text] if text else []
