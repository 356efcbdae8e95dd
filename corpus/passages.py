"""The sentences of an article, each with what stands over it and so holds for it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from corpus import facets
from corpus.records import Article, Span
from corpus.sentences import complete, quotable, sentences

_HEADING = re.compile(r"^#{1,6} *(.+)$", re.MULTILINE)
_LEAD_IN = re.compile(r"[：:]\s*$")


@dataclass(frozen=True, slots=True)
class Passage:
    """A sentence with what stands over it, nearest first: lead-in, heading, title."""

    span: Span
    text: str
    over: tuple[str, ...]
    heading: bool = False
    header: str = ""  # first row of the table to which the sentence belongs as a row

    def column(self, at: int) -> tuple[str, ...]:
        """The header cell over the character ``at`` of a table row; of other sentences nothing."""
        cells = self.header.split("|")
        number = self.text.count("|", 0, at) + (not self.text.startswith("|"))
        return (cells[number].strip(),) if 0 < number < len(cells) else ()


def _spans(article: Article, *, unquotable: bool) -> list[Span]:
    """The sentences; with ``unquotable`` headings and the whole clauses of a broken-off end too."""
    spans = quotable(article.body, truncated=article.truncated)
    if not unquotable:
        return spans
    extra = [Span(*m.span(1)) for m in _HEADING.finditer(article.body)]
    if article.truncated and not complete(article.body):
        last = sentences(article.body)[-1]
        ends = [start for start, _ in facets.cuts(last.of(article.body)) if start]
        extra += [Span(last.start, last.start + ends[-1])] if ends else []
    return sorted({*spans, *extra})


def passages(article: Article, *, unquotable: bool = False) -> Iterator[Passage]:
    """The sentences of an article in their order.

    Args:
        article: the article.
        unquotable: headings, too, and the whole clauses of a sentence that breaks off.
    """
    body = article.body
    headings = [(m.start(), m.group(1)) for m in _HEADING.finditer(body)]
    lead_in, header, line_start = "", "", 0
    for span in _spans(article, unquotable=unquotable):
        start = body.rfind("\n", 0, span.start) + 1
        heading = next((text for at, text in reversed(headings) if at < start), "")
        if any(line_start <= at < start for at, _ in headings):
            lead_in = ""
        line_start = start
        text = span.of(body)
        over = (lead_in, heading, article.title)
        row = text.startswith("|")
        header = (header or text) if row else ""
        yield Passage(
            span,
            text,
            tuple(part for part in over if part),
            heading=body.startswith("#", start),
            header=header if row and header != text else "",
        )
        lead_in = text if _LEAD_IN.search(text) else lead_in
