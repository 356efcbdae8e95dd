"""Text → HTML that stays text: nothing in an article or a question can become markup.

The result is put inside Gradio's Markdown as well as into pages of our own, so the special
characters of Markdown and LaTeX become numeric entities too, and a line break becomes ``<br>`` (a
blank line would end the HTML block in which Markdown leaves everything alone).
"""

import re
from collections.abc import Iterator, Sequence

from corpus.records import Span

_SPECIAL = re.compile(r"[\x00-\x08\x0b-\x1f!\"#$%&'()*+./:<=>@\[\\\]^_`{|}~-]")
# Numbers that a tap may call. 120: emergency; 110: police; 12356: psychological help;
# 12393: 医保; 12333: 社保; 12345: government. Those of three digits are linked in our own
# sentences only: 「120元」 is no telephone.
_SERVICE = re.compile(r"(?<![\d.\-—–])(?:12393|12356|12333|12345)(?![\d.\-]|\s*[元块万%％])")
_ANY_PHONE = re.compile(
    r"(?<![\d.\-—–])(?:12393|12356|12333|12345|120|110)(?![\d.\-]|\s*[元块万天岁个年月日%％])"
)
_HEADING = re.compile(r"(#{1,6})\s+")
_ITEM = re.compile(r"\s*(?:[-*•·]\s+|•)")


def escape(text: str) -> str:
    r"""``text`` as inert HTML and Markdown; control characters go, line breaks become ``<br>``.

    >>> escape("<b>*a*</b>")
    '&#60;b&#62;&#42;a&#42;&#60;&#47;b&#62;'
    >>> escape("甲\n\n乙")
    '甲<br><br>乙'
    """
    plain = text.replace("\r\n", "\n").replace("\r", "\n")
    return _SPECIAL.sub(_entity, plain).replace("\n", "<br>")


def with_phones(text: str, *, own_words: bool) -> str:
    """Escaped ``text`` whose service numbers can be tapped to call.

    Args:
        text: plain text.
        own_words: True for the program's fixed sentences, where 「120」 is a telephone number;
            False for quoted text, where only the unmistakable five-digit numbers are linked.
    """
    parts: list[str] = []
    done = 0
    for match in (_ANY_PHONE if own_words else _SERVICE).finditer(text):
        parts.append(escape(text[done : match.start()]))
        parts.append(f'<a class="yb-tel" href="tel:{match.group()}">{match.group()}</a>')
        done = match.end()
    parts.append(escape(text[done:]))
    return "".join(parts)


def phones_in(text: str) -> list[str]:
    """The numbers that ``with_phones(text, own_words=True)`` links, in order, each once.

    >>> phones_in("请立即拨打120，也可拨打12356。")
    ['120', '12356']
    """
    return list(dict.fromkeys(_ANY_PHONE.findall(text)))


def body_html(body: str, window: Span, marks: Sequence[Span], *, anchor: str = "") -> str:
    """The lines of ``body[window.start:window.end]`` as paragraphs, ``marks`` highlighted.

    The class of each mark says where in the body it begins, as that of the marker which opens it.

    Args:
        body: an article's body; a line may start with ``#`` (heading) or a bullet.
        window: the part to show.
        marks: offsets into ``body``, sorted; what lies outside the window is left out.
        anchor: the id of the first mark, if wanted.
    """
    html = "".join(_line_html(body, line, marks) for line in _lines(body, window))
    return html.replace("<mark", f'<mark id="{anchor}"', 1) if anchor else html


def _lines(body: str, window: Span) -> Iterator[Span]:
    start = window.start
    while start < window.end:
        stop = body.find("\n", start, window.end)
        stop = window.end if stop < 0 else stop
        if body[start:stop].strip():
            yield Span(start, stop)
        start = stop + 1


def _line_html(body: str, line: Span, marks: Sequence[Span]) -> str:
    at_start = line.start == 0 or body[line.start - 1] == "\n"
    heading = _HEADING.match(body, line.start, line.end) if at_start else None
    if heading:
        return f'<p class="yb-heading">{_with_marks(body, _after(heading, line), marks)}</p>'
    item = _ITEM.match(body, line.start, line.end) if at_start else None
    if item and item.end() < line.end:
        return f'<p class="yb-item">{_with_marks(body, _after(item, line), marks)}</p>'
    return f"<p>{_with_marks(body, line, marks)}</p>"


def _after(prefix: re.Match[str], line: Span) -> Span:
    return Span(prefix.end(), line.end) if prefix.end() < line.end else line


def _with_marks(body: str, line: Span, marks: Sequence[Span]) -> str:
    parts: list[str] = []
    done = line.start
    for mark in marks:
        start, end = max(mark.start, done), min(mark.end, line.end)
        if start >= end:
            continue
        parts.append(escape(body[done:start]))
        parts.append(f'<mark class="yb-at-{mark.start}">{escape(body[start:end])}</mark>')
        done = end
    parts.append(escape(body[done : line.end]))
    return "".join(parts)


def _entity(match: re.Match[str]) -> str:
    code = ord(match.group())
    return "\n" if code == ord("\n") else f"&#{code};" if code >= ord(" ") else ""
