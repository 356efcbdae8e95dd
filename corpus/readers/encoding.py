"""Bytes → text: UTF-8, GB18030 and UTF-16, each with and without its mark."""

import codecs
import re

from corpus.errors import SkippedFile

_BINARY_SHARE = 0.02  # share of control characters above which a file is no text
_LIKELY_SHARE = 0.9  # of the characters of an unmarked UTF-16 text are Chinese or ASCII
_LIKELY = re.compile(
    r"[\t\n\r -~\u2010-\u2027\u2460-\u2473\u3000-\u301c\u4e00-\u9fff\uff01-\uff65]"
)
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0e-\x1f]")
_SAMPLE = 20_000  # characters looked at for that
_DECLARED = re.compile(rb"(?:charset|encoding)\s*=\s*[\"']?\s*([A-Za-z0-9_-]+)")
_HEAD = 4096  # bytes within which a page names its encoding
_NO_TEXT = "不是文本文件，或文字编码认不出（请另存为 UTF-8）"


def _lines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _tried(data: bytes, encoding: str) -> str | None:
    """The text if the bytes are one in this encoding."""
    try:
        text = data.decode(encoding)
    except (UnicodeDecodeError, LookupError):
        return None
    if len(_CONTROL.findall(text)) > _BINARY_SHARE * len(text):
        return None
    return text


def _likely(text: str) -> bool:
    sample = text[:_SAMPLE]
    return len(_LIKELY.findall(sample)) >= _LIKELY_SHARE * len(sample)


def _unmarked_utf16(data: bytes) -> str | None:
    for encoding in ("utf-16-le", "utf-16-be"):
        text = _tried(data, encoding)
        if text is not None and _likely(text):
            return text
    return None


def decode(data: bytes) -> str:
    """The text of a file, its line ends made one.

    Raises:
        SkippedFile: the bytes are no text.
    """
    if data[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        text = _tried(data, "utf-16")
    elif b"\0" in data:
        text = _unmarked_utf16(data)
    else:
        found = (_tried(data, encoding) for encoding in ("utf-8-sig", "gb18030"))
        text = next((text for text in found if text is not None), None)
        text = _unmarked_utf16(data) if text is None else text
    if text is None:
        raise SkippedFile(_NO_TEXT)
    return _lines(text)


def decode_page(data: bytes, declared: str = "") -> str:
    """The text of a web page: a mark, then the encoding that it declares, then ``decode``.

    A page declared as GBK may hold a few stray bytes; they become U+FFFD.

    Raises:
        SkippedFile: the bytes are no text.
    """
    found = _DECLARED.search(data[:_HEAD])
    name = declared or (found.group(1).decode("ascii") if found else "")
    if name.lower().startswith("gb"):
        name = "gb18030"
    if name and data[:2] not in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE) and b"\0" not in data:
        text = _tried(data.removeprefix(codecs.BOM_UTF8), name)
        if text is not None:
            return _lines(text)
    try:
        return decode(data)
    except SkippedFile:
        if name != "gb18030" or b"\0" in data:
            raise
        return _lines(data.decode(name, errors="replace"))
