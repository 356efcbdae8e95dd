"""A scanner that cuts Chinese text into sentences and keeps their offsets.

``sentences(text)`` gives pieces that join to the text again; ``quotable(text)`` gives the same
pieces without the white space and list marks around them: what may be shown as a quote.
"""

import re
from collections.abc import Iterator
from itertools import pairwise

from corpus.records import Span

TERMINATORS = "。！？!?…"
CLOSERS = "”’」』）)】》〉]\"'"
OPENERS = dict(zip("（(【《「『“〔", "）)】》」』”〕", strict=True))
# A terminator inside brackets ends no sentence while the bracket closes within so many characters.
BRACKET_REACH = 60
# A full stop behind these ends nothing: a number, 「a.」, 「e.g.」, 「Mr.」.
_NO_STOP = re.compile(r"(?:\d|(?<![A-Za-z])[A-Za-z]{1,2})$")
# Behind an end: the number of a footnote belongs to the sentence.
_NOTE = re.compile(r"(?:\[\d{1,3}\]|[⁰¹²³⁴-⁹])+")
_FIGURE_END = re.compile(r"\d\s*(?:[%％次种家岁年天日]|[万亿]?元|个(?:月|工作日))$")
_EMPHASIS = ("**", "__", "~~")  # Markdown marks that close behind an end
# A piece made of nothing but these says nothing by itself.
_EMPTY = re.compile(r"[\W_]*", re.UNICODE)
# Marks at the start of a line that belong to the layout, not to the sentence.
# 「1. 1.」 is a number that saving a page doubled; 「1.2.」 and 「10.1.」 (a date) are content.
_LEAD = re.compile(
    r"(?:[\s\u200b\u2060\ufeff]|[•●▪]\s?|[·*-]\s|#{1,6}\s|>\s)*(?:(\d{1,2})\.[ \t]+(?=\1\.))?"
)


def _closing(text: str, at: int) -> int:
    """Index just after the bracket that opens at ``at``, or ``at`` if it does not close soon."""
    opener, closer = text[at], OPENERS[text[at]]
    depth = 0
    for place in range(at, min(len(text), at + BRACKET_REACH)):
        if text[place] == "\n":
            break
        depth += (text[place] == opener) - (text[place] == closer)
        if depth == 0:
            return place + 1
    return at


def _ends_latin(text: str, at: int) -> bool:
    """Whether the full stop at ``at`` ends a sentence: not in 3.5, 1.2., e.g., a URL, a file."""
    after = text[at + 1 : at + 2]
    return (not after or after.isspace()) and not _NO_STOP.search(text, max(0, at - 3), at)


def _sentence_end(text: str, at: int, piece: int) -> int:
    """Index after the marks at ``at`` if they end the sentence from ``piece`` on, else ``at``."""
    end = at + 1
    while end < len(text) and text[end] in TERMINATORS + CLOSERS:
        if text[end] in "\"'" and text.count(text[end], piece, end) % 2 == 0:
            break  # a straight quote that opens the next sentence
        end += 1
    after = text[end : end + 1]
    if text[at] in "?!" and f"{text[at - 1 : at]}{after}".isascii() and after.isalnum():
        return at  # the query of a URL
    if after and not after.isspace() and set(text[at:end]) == {"…"}:
        return at  # 「高血压……都可以报。」
    return _tail(text, end, piece)


def _tail(text: str, end: int, piece: int) -> int:
    """Index after what belongs to the sentence that ends at ``end``: emphasis, footnotes."""
    for mark in _EMPHASIS:
        if text.startswith(mark, end) and text.count(mark, piece, end) % 2:
            end += len(mark)
    note = _NOTE.match(text, end)
    return note.end() if note else end


def _ends_sentence(bracketed: str, *, opens: bool) -> bool:
    """Whether a bracket and its content end a sentence: speech, or a piece that is all bracket."""
    if bracketed[-1] in "”」』":
        return bracketed.rstrip("”’」』")[-1:] in tuple("。！？")
    return opens and bracketed[-2] in "。！？" and bracketed[-1] != "》"


def _row_end(text: str, at: int) -> int:
    """Index after the character at ``at``, or after the table row that begins there."""
    if text[at] != "|" or text[at - 1 : at] not in ("", "\n"):
        return at + 1
    end = text.find("\n", at)
    return len(text) if end < 0 else end


def _cuts(text: str) -> Iterator[int]:
    """Positions after which a new piece begins, rising, the end of the text included."""
    at = piece = 0
    while at < len(text):
        char = text[at]
        if char == "\n":
            at = piece = at + 1
            yield at
        elif char in TERMINATORS or (char == "." and _ends_latin(text, at)):
            end = _sentence_end(text, at, piece)
            if end > at:
                piece = end
                yield end
            at = max(end, at + 1)
        elif char in OPENERS:
            end = _closing(text, at)
            if end > at and _ends_sentence(text[at:end], opens=not text[piece:at].strip()):
                piece = end
                yield end
            at = max(end, at + 1)
        else:
            at = _row_end(text, at)
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
    """The sentences of ``text`` that may be quoted, without white space and layout marks.

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
    r"""Whether the text ends with the end of a sentence; an ellipsis is a text that breaks off.

    A line that ends in a figure with its unit is whole if the one before it ends so too.

    >>> complete("2025年泰州地区为8"), complete("可以报销。")
    (False, True)
    >>> complete("5000元以下:90%\n5000元以上:95%"), complete("报销比例:\n5000元以上:95%")
    (True, False)
    """
    lines = [line for line in text.rstrip().splitlines() if not line.startswith("#")][-2:]
    if len(lines) > 1 and all(map(_FIGURE_END.search, lines)):
        return True
    return text.rstrip().rstrip(CLOSERS)[-1:] in tuple(TERMINATORS.replace("…", ""))
