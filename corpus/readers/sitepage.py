"""Saved pages of a health-news site: one whole article and some twenty teasers that break off.

Layout: a title line, the body, the notice 「…不能代替面诊…」, 「相关推荐」, then teasers of three
blocks each: title, snippet, and a line 「健康新闻 2025-04-19」. Only white space and list marks of
the text are changed: what the saving program squeezed into one line is laid out again as headings,
lines and list items.
"""

import re
from collections.abc import Iterator

from corpus.metadata import audience_of, year_of
from corpus.readers.markdown import article_id
from corpus.records import Article, Authority
from corpus.regions import article_place
from corpus.sentences import TERMINATORS, complete

RELATED = "相关推荐"
_NOTICE = re.compile(r"^\s*(?:提示[:：])?\s*本内容不能代替面诊.*$", re.MULTILINE)
_DATE_LINE = re.compile(r"^\s*(\S{2,12})\s+(\d{4}-\d{2}-\d{2})\s*$")
_SPACE_BEFORE = re.compile(r"[ \t\u3000]+(?=[,，.。;；:：、!！?？)）%”])")
_SPACE_AFTER = re.compile(r"(?<=[(（“])[ \t\u3000]+")
_NUMBERED = re.compile(
    r"(?:[一二三四五六七八九十]{1,3}、|\d{1,2}\.|[（(][一二三四五六七八九十]+[)）])"
)
_HEAD_LENGTH = 16  # characters; a longer run is text, not a heading
_GLUED_START = re.compile(r"(?:和|与|是|作为|为|对|的|或|及|、|以及|以其|并|等|包括|[(（“])")
_SUBJECT_LENGTH = 8  # characters; a short label before one of these verbs is the sentence's subject
_VERB_START = re.compile(r"(?:需|可|将|由|在|应)")
_FIGURE_START = re.compile(r"\d[\d.]*[%％]")
_BRACKETED = re.compile(r"[(（][^)）]*[)）]")
_GLUED_END = tuple("为是达约至到按超满共即和与或的")
_PUNCTUATED = re.compile(r"[,，。;；:：!！?？]")


def looks_like(text: str) -> bool:
    """Whether a text is such a page."""
    lines = text.splitlines()
    at = next((i for i, line in enumerate(lines) if line.strip() == RELATED), None)
    return at is not None and any(_DATE_LINE.match(line) for line in lines[at:])


def read(text: str) -> Iterator[Article]:
    """The articles of a page, the whole one first."""
    main, _, related = text.partition(f"\n{RELATED}")
    dates = [match for line in related.splitlines() if (match := _DATE_LINE.match(line))]
    source = dates[0].group(1) if dates else ""
    title, _, body = main.strip().partition("\n")
    yield _article(title.strip(), _main_layout(_NOTICE.sub("", body)), source, "", truncated=False)
    block: list[str] = []
    for line in related.splitlines():
        date = _DATE_LINE.match(line)
        if date and len(block) >= 2:
            body = "\n".join(_inline_layout(part) for part in block[1:])
            yield _article(block[0], body, date.group(1), date.group(2), truncated=True)
        if date:
            block = []
        elif line.strip():
            block.append(line.strip())


def _article(title: str, body: str, source: str, published: str, *, truncated: bool) -> Article:
    return Article(
        id=article_id(source, title),
        title=title,
        body=body,
        place=article_place(title, body),
        audience=audience_of(title),
        published=published,
        effective_year=year_of(title),
        source_name=source,
        authority=Authority.SITE,
        truncated=truncated,
    )


def _main_layout(body: str) -> str:
    """Numbered sections become headings, • items list items; indentation goes."""
    lines = []
    for raw in body.splitlines():
        line = _tidy(raw.strip())
        doubled = re.match(r"\d{1,2}\.\s*(\d{1,2}\.[^:：]{2,16}[:：])(.+)", line)
        if doubled:
            lines += ["", f"## {doubled.group(1)}", *_label_lines(doubled.group(2))]
        elif _NUMBERED.match(line) and len(line) <= _HEAD_LENGTH:
            lines += ["", f"## {line}"]
        elif line.startswith("•"):
            lines.append("- " + line.lstrip("• "))
        else:
            lines.append(line)
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def _label_lines(text: str) -> list[str]:
    """「标签:说明。标签:说明。」 as list items."""
    parts = re.split(r"(?<=。)(?=[^。:：]{2,12}[:：])", text)
    return [f"- {part}" for part in parts if part] if len(parts) > 1 else [text]


def _tidy(text: str) -> str:
    return _SPACE_AFTER.sub("", _SPACE_BEFORE.sub("", text))


def _is_heading(token: str) -> bool:
    bare = token.rstrip(":：")
    return len(bare) <= _HEAD_LENGTH and not _PUNCTUATED.search(bare)


def _inline_layout(text: str) -> str:
    """Lay out a snippet that was squeezed into one line."""
    tokens = re.sub(r"(?<=\S)(?=[一二三四五六七八九十]、)", " ", _tidy(text)).split()
    lines: list[str] = []
    for token in tokens:
        if lines and _glued(lines[-1], token):
            lines[-1] += token
        else:
            lines.append("- " if token == "-" else token)
    last = len(lines) - 1
    return "\n".join(
        f"## {line}" if _is_heading(line) and not _figure(line) and at < last else line
        for at, line in enumerate(lines)
    )


def _figure(line: str) -> bool:
    """Whether a short line is a statement by itself: it holds a number after a colon."""
    return bool(re.search(r"[:：].*\d", line))


def _glued(before: str, token: str) -> bool:
    """Whether the space between them is only a trace of emphasis."""
    if _NUMBERED.fullmatch(before) or before == "- ":
        return True
    if before[-1] in TERMINATORS + ";；:：" or complete(before):
        return False
    if (before.endswith(_GLUED_END) and len(before) > 2) or before[-1] in ",，、":
        return True
    if _FIGURE_START.match(token) and not _NUMBERED.match(before):  # 「门诊报 70%」
        return True
    if _VERB_START.match(token):
        return len(_BRACKETED.sub("", before)) <= _SUBJECT_LENGTH
    return bool(_GLUED_START.match(token))
