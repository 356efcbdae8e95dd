"""Where the sections of an article lie, and how citizens ask for what stands in them."""

import re
from collections.abc import Iterator

from corpus.records import Article, Span

_HEADING = re.compile(r"^#{1,6}[ \t]+(\S.*?)[ \t]*$", re.MULTILINE)


def heading_of(body: str, at: int) -> Span | None:
    """The heading under which position ``at`` stands, without its marks."""
    last = None
    for found in _HEADING.finditer(body, 0, at):
        last = Span(*found.span(1))
    return last


def sections(body: str) -> Iterator[tuple[str, Span]]:
    """Each heading with the range from it to the next one; ``""`` for what stands before all."""
    heading, start = "", 0
    for found in _HEADING.finditer(body):
        if found.start() > start:
            yield heading, Span(start, found.start())
        heading, start = found.group(1), found.start()
    if len(body) > start:
        yield heading, Span(start, len(body))


def asked_by_heading(article: Article) -> dict[str, list[str]]:
    """``article.asked`` as a person writes it: the wordings under each heading."""
    headings = {span: heading for heading, span in sections(article.body)}
    found: dict[str, list[str]] = {}
    for span, way in article.asked:
        found.setdefault(headings[span], []).append(way)
    return found


def asked_within(article: Article, span: Span) -> list[str]:
    """The wordings of ``article.asked`` that ask for something that stands within ``span``."""
    return [way for part, way in article.asked if part.start < span.end and span.start < part.end]
