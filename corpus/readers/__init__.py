"""Readers: one module a format; ``readings`` chooses the right one for a file."""

import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePath

from corpus.errors import SkippedFile
from corpus.readers import (
    document,
    html,
    kinds,
    markdown,
    pack,
    plaintext,
    sitepage,
    table,
)
from corpus.readers.encoding import decode, decode_page
from corpus.readers.kinds import Kind
from corpus.records import Article

MAX_BYTES = 20 * 1024 * 1024  # a longer text is no article
MAX_PACKED = 100 * 1024 * 1024  # bytes of a document with images, or of an archive
_MAY_BE_LARGE = (Kind.PDF, Kind.DOCX, Kind.ZIP)
_NOTHING = "里面没有文章"
Found = Iterable[Article | SkippedFile]


@dataclass(frozen=True, slots=True)
class Reading:
    """What one file, or one file inside an archive, gave: articles, and reasons for what not."""

    path: Path
    articles: tuple[Article, ...] = ()
    reasons: tuple[str, ...] = ()


def read_bytes(path: Path) -> bytes:
    """The bytes of a file.

    Raises:
        SkippedFile: it is missing, unreadable, no ordinary file, empty or too large.
    """
    large = kinds.SUFFIXES.get(path.suffix.lower()) in _MAY_BE_LARGE
    limit = MAX_PACKED if large else MAX_BYTES
    try:
        about = path.stat()
        if stat.S_ISFIFO(about.st_mode) or stat.S_ISCHR(about.st_mode):
            msg = "不是普通文件，读不了"
            raise SkippedFile(msg)
        if about.st_size > limit:
            msg = f"文件太大（{about.st_size / 1_048_576:.0f} MB），上限是 {limit // 1_048_576} MB"
            raise SkippedFile(msg)
        return path.read_bytes()
    except FileNotFoundError as error:
        msg = "找不到这个文件"
        raise SkippedFile(msg) from error
    except OSError as error:
        msg = f"读不了（{error.strerror}）"
        raise SkippedFile(msg) from error


def read_text(path: Path) -> str:
    """The text of a file in any of the encodings that ``decode`` knows.

    Raises:
        SkippedFile: it is missing, unreadable, too large or no text.
    """
    return decode(read_bytes(path))


def readings(path: Path) -> Iterator[Reading]:
    """What a file gives; of an archive one reading for each file in it. Nothing is raised."""
    try:
        data = read_bytes(path)
        if kinds.kind_of_bytes(data) is Kind.ZIP:
            yield from _packed(data, path)
            return
    except SkippedFile as error:
        yield Reading(path, reasons=(str(error),))
        return
    yield _reading(data, path)


def _packed(data: bytes, path: Path) -> Iterator[Reading]:
    """One reading for each file of an archive; raises ``SkippedFile`` where there is none."""
    empty = True
    for name, content in pack.members(data):
        empty = False
        inside = path / name
        if isinstance(content, SkippedFile):
            yield Reading(inside, reasons=(str(content),))
        else:
            yield _reading(content, inside)
    if empty:
        raise SkippedFile(_NOTHING)


def read_file(path: Path) -> list[Article]:
    """The articles in one file.

    Raises:
        SkippedFile: there is none; the text of the error says why.
    """
    found = list(readings(path))
    articles = [article for reading in found for article in reading.articles]
    if not articles:
        reasons = [reason for reading in found for reason in reading.reasons]
        raise SkippedFile(reasons[0] if reasons else _NOTHING)
    return articles


def _reading(data: bytes, path: Path) -> Reading:
    try:
        found = list(_found(data, path))
    except SkippedFile as error:
        return Reading(path, reasons=(str(error),))
    except RecursionError:
        return Reading(path, reasons=("里面一层套一层，套得太深，读不了。请另存为文本再导入",))
    return Reading(
        path,
        tuple(item for item in found if isinstance(item, Article)),
        tuple(str(item) for item in found if isinstance(item, SkippedFile)) or _nothing(found),
    )


def _nothing(found: list[Article | SkippedFile]) -> tuple[str, ...]:
    return () if found else (_NOTHING,)


def _found(data: bytes, path: PurePath) -> Found:
    kind = kinds.kind_of_bytes(data)
    if kind is Kind.PDF:
        return document.read_pdf(data, path)
    if kind is Kind.DOCX:
        return document.read_docx(data, path)
    named = kinds.SUFFIXES.get(path.suffix.lower())
    text = decode_page(data) if named is Kind.PAGE else _text_of(data, path)
    if not text.strip():
        msg = "是空文件"
        raise SkippedFile(msg)
    return _of_text(text, data, path)


def _text_of(data: bytes, path: PurePath) -> str:
    try:
        return decode(data)
    except SkippedFile:
        kinds.kind_of_text("", path)  # a better reason for a name that says what it is not
        raise


def _of_text(text: str, data: bytes, path: PurePath) -> Found:
    kind = kinds.kind_of_text(text, path)
    if kind is Kind.MARKDOWN:
        article = markdown.read(text, path)
        return [article if markdown.has_fields(text) else plaintext.with_metadata(article, path)]
    if kind is Kind.PAGE:
        return html.read(data, path)
    if kind is Kind.ARCHIVE:
        return html.read_archive(data, path)
    if kind is Kind.CSV:
        return table.read_csv(text, path)
    if kind is Kind.JSON:
        return table.read_json(text, path)
    if sitepage.looks_like(text):
        return sitepage.read(text)
    return [plaintext.read(text, path)]


__all__ = ["MAX_BYTES", "Reading", "decode", "read_bytes", "read_file", "read_text", "readings"]
