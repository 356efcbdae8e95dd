"""A scanner that cuts Chinese text into sentences and keeps their offsets.

``sentences(text)`` gives pieces that join to the text again; ``quotable(text)`` gives the same pieces
without the white space and list marks around them: what may be shown as a quote.
"""

import re
from collections.abc import Iterator
from itertools import pairwise

from corpus.records import Span

TERMINATORS = "。！？!?…"
CLOSERS = "”’」』）)】》〉]\"'"
OPENERS = {"（": "）", "(": ")", "【": "】", "《": "》", "「": "」", "『": "』", "“": "”", "〔": "〕"}
# A terminator inside brackets does not end the sentence while the bracket closes this soon (characters).
BRACKET_REACH = 60
# A piece made of nothing but these says nothing by itself.
_EMPTY = re.compile(r"[\W_]*", re.UNICODE)
# Marks at the start of a line that belong to the layout, not to the sentence.
_LEAD = re.compile(r"(?:[\s\u3000]|[•·●▪*-]\s|#{1,6}\s|>\s)+|(?:\d{1,2}\.[ \t]*){1,2}(?=\d{1,2}\.)")


def _closing(text: str, at: int) -> int:
    """Index just after the bracket that opens at ``at``, or ``at`` if it does not close soon."""
    closer = OPENERS[text[at]]
    line_end = text.find("\n", at)
    stop = min(len(text) if line_end < 0 else line_end, at + BRACKET_REACH)
    found = text.find(closer, at + 1, stop)
    return found + 1 if found >= 0 else at


def _ends_latin(text: str, at: int) -> bool:
    """Whether the full stop at ``at`` ends a sentence: not in 3.5, 1.2., e.g., a URL or a file name."""
    before = text[at - 1] if at else ""
    after = text[at + 1] if at + 1 < len(text) else "\n"
    return after.isspace() and not before.isdigit() and not ("a" <= before.lower() <= "z" and at < 3)


def _sentence_end(text: str, at: int) -> int:
    """Index after the terminators at ``at`` and the closing marks behind them."""
    at += 1
    while at < len(text) and text[at] in TERMINATORS + CLOSERS:
        at += 1
    return at


def _cuts(text: str) -> Iterator[int]:
    """Positions after which a new piece begins, rising, the end of the text included."""
    at = piece = 0
    while at < len(text):
        char = text[at]
        if char == "\n":
            at = piece = at + 1
            yield at
        elif char in TERMINATORS or (char == "." and _ends_latin(text, at)):
            at = piece = _sentence_end(text, at)
            yield at
        elif char in OPENERS:
            opens_piece = not text[piece:at].strip()
            at = max(_closing(text, at), at + 1)
            speech = text[at - 1] in "”」』"
            if text[at - 2] in "。！？" and (speech or opens_piece):
                piece = at
                yield at
        else:
            at += 1
    if text:
        yield len(text)


def sentences(text: str) -> list[Span]:
    """Cut ``text`` into sentences; line breaks always cut.

    >>> [span.of("能报吗？（先备案。）能！") for span in sentences("能报吗？（先备案。）能！")]
    ['能报吗？', '（先备案。）', '能！']
    """
    cuts = [0, *dict.fromkeys(_cuts(text))]
    return [Span(start, end) for start, end in pairwise(cuts) if start < end]


def quotable(text: str, *, truncated: bool = False) -> list[Span]:
    """The sentences of ``text`` that may be quoted, without white space and layout marks around them.

    Args:
        text: an article's body.
        truncated: the text breaks off; a last sentence without an end is then left out.
    """
    spans = []
    for span in sentences(text):
        start, end = span.start, span.end
        if text.startswith("#", start):  # a heading says nothing alone
            continue
        lead = _LEAD.match(text, start, end)
        start = lead.end() if lead else start
        while end > start and text[end - 1].isspace():
            end -= 1
        if start < end and not _EMPTY.fullmatch(text, start, end):
            spans.append(Span(start, end))
    if truncated and spans and not complete(text):
        spans.pop()
    return spans


def complete(text: str) -> bool:
    """Whether the text ends with the end of a sentence.

    >>> complete("2025年泰州地区为8"), complete("可以报销。")
    (False, True)
    """
    return text.rstrip().rstrip(CLOSERS)[-1:] in tuple(TERMINATORS)
