"""Readers: one module a format; ``read_file`` chooses the right one."""

from collections.abc import Callable, Mapping
from pathlib import Path

from corpus.errors import SkippedFile
from corpus.readers import markdown, plaintext, sitepage
from corpus.records import Article

MAX_BYTES = 20 * 1024 * 1024  # a longer text file is no article
_ENCODINGS = ("utf-8-sig", "gb18030")
_BINARY_SHARE = 0.02  # share of control characters above which a file is no text


def _txt(text: str, path: Path) -> list[Article]:
    return list(sitepage.read(text)) if sitepage.looks_like(text) else [plaintext.read(text, path)]


def _md(text: str, path: Path) -> list[Article]:
    return [markdown.read(text, path)]


READERS: Mapping[str, Callable[[str, Path], list[Article]]] = {
    ".md": _md,
    ".markdown": _md,
    ".txt": _txt,
}


def decode(data: bytes) -> str:
    """Text of a file in UTF-8, UTF-16 (with its mark) or GB18030.

    Raises:
        SkippedFile: the bytes are no text.
    """
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        encodings: tuple[str, ...] = ("utf-16",)
    elif b"\0" in data:
        encodings = ()
    else:
        encodings = _ENCODINGS
    for encoding in encodings:
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        controls = sum(1 for char in text if ord(char) < 32 and char not in "\t\n\r\f")
        if controls <= _BINARY_SHARE * len(text):
            return text.replace("\r\n", "\n").replace("\r", "\n")
    msg = "不是文本文件，或文字编码认不出（请另存为 UTF-8）"
    raise SkippedFile(msg)


def read_file(path: Path) -> list[Article]:
    """The articles in one file.

    Raises:
        SkippedFile: it cannot be used; the text of the error says why.
    """
    reader = READERS.get(path.suffix.lower())
    if reader is None:
        msg = f"不支持这种文件（{path.suffix or '没有扩展名'}），现在可以导入：{'、'.join(READERS)}"
        raise SkippedFile(msg)
    text = read_text(path)
    if not text.strip():
        msg = "是空文件"
        raise SkippedFile(msg)
    return reader(text, path)


def read_text(path: Path) -> str:
    """The text of a file in any of the encodings that ``decode`` knows.

    Raises:
        SkippedFile: it is missing, unreadable, too large or no text.
    """
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            msg = f"文件太大（{size / 1_048_576:.0f} MB），上限是 {MAX_BYTES // 1_048_576} MB"
            raise SkippedFile(msg)
        data = path.read_bytes()
    except FileNotFoundError as error:
        msg = "找不到这个文件"
        raise SkippedFile(msg) from error
    except OSError as error:
        msg = f"读不了（{error.strerror}）"
        raise SkippedFile(msg) from error
    return decode(data)


__all__ = ["MAX_BYTES", "READERS", "decode", "read_file", "read_text"]
