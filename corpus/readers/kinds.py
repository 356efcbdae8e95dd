"""What a file is, by its first bytes before its name: a .doc may be a page, a .txt an image."""

import io
import re
import zipfile
from enum import StrEnum
from pathlib import PurePath

from corpus.errors import SkippedFile


class Kind(StrEnum):
    """A kind of file that can be read."""

    MARKDOWN = "markdown"
    TEXT = "text"
    PAGE = "page"
    ARCHIVE = "archive"
    PDF = "pdf"
    DOCX = "docx"
    JSON = "json"
    CSV = "csv"
    ZIP = "zip"


SUFFIXES = {
    ".md": Kind.MARKDOWN,
    ".markdown": Kind.MARKDOWN,
    ".txt": Kind.TEXT,
    ".text": Kind.TEXT,
    ".html": Kind.PAGE,
    ".htm": Kind.PAGE,
    ".xhtml": Kind.PAGE,
    ".shtml": Kind.PAGE,
    ".mhtml": Kind.ARCHIVE,
    ".mht": Kind.ARCHIVE,
    ".pdf": Kind.PDF,
    ".docx": Kind.DOCX,
    ".json": Kind.JSON,
    ".jsonl": Kind.JSON,
    ".ndjson": Kind.JSON,
    ".csv": Kind.CSV,
    ".tsv": Kind.CSV,
    ".zip": Kind.ZIP,
}
_IMAGE = "是图片，里面的文字读不出来。请换成文字版（网页、Word、PDF 或文本）再导入"
_OLD_OFFICE = "是旧版 Office 文件。请用 Word 或 WPS 另存为 .docx（表格另存为 .csv）再导入"
_PACKED = "是压缩文件，但不是 zip。请先解开，或改压成 zip 再导入"
_SHEET = "是电子表格。请在表格软件里另存为 CSV（UTF-8）再导入"
_SLIDES = "是演示文稿。请另存为 PDF 或 .docx 再导入"
_MEDIA = "是音频或视频，不能导入。请换成文字版"
_REFUSED = (  # first bytes → what to do
    (
        re.compile(rb"\x89PNG|\xff\xd8\xff|GIF8|BM.{4}\0\0\0\0|II\*\0|MM\0\*|RIFF.{4}WEBP", re.S),
        _IMAGE,
    ),
    (re.compile(rb".{4}ftyp(?:heic|heix|mif1|avif)", re.DOTALL), _IMAGE),
    (re.compile(rb".{4}ftyp|ID3|RIFF.{4}(?:AVI|WAVE)|OggS|\x1aE\xdf\xa3", re.DOTALL), _MEDIA),
    (re.compile(rb"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1|\{\\rtf"), _OLD_OFFICE),
    (re.compile(rb"Rar!|7z\xbc\xaf|\x1f\x8b|BZh|\xfd7zXZ"), _PACKED),
    (re.compile(rb"\x7fELF|MZ.{60}|SQLite format 3", re.DOTALL), "是程序或数据库，不是文章"),
)
_PAGE = re.compile(
    r"\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)*<(?:!doctype\s+html|html|head|body|meta|div)\b",
    re.IGNORECASE | re.DOTALL,
)
_ARCHIVE = re.compile(
    r"\A(?:[\w-]+:[^\n]*\n(?:[ \t]+[^\n]*\n)*)*?content-type:\s*multipart/related", re.IGNORECASE
)
_HEAD = 4096  # characters looked at


def _packed_kind(data: bytes) -> Kind:
    """A zip may be a document of an office program."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as packed:
            names = set(packed.namelist())
    except (zipfile.BadZipFile, ValueError, NotImplementedError, UnicodeError) as error:
        msg = "压缩文件坏了，打不开。请重新下载或重新打包再导入"
        raise SkippedFile(msg) from error
    if "word/document.xml" in names:
        return Kind.DOCX
    if "xl/workbook.xml" in names:
        raise SkippedFile(_SHEET)
    if "ppt/presentation.xml" in names:
        raise SkippedFile(_SLIDES)
    if "mimetype" in names or "Document.xml" in names or "OFD.xml" in names:
        msg = "这种文档格式读不了。请另存为 PDF 或 .docx 再导入"
        raise SkippedFile(msg)
    return Kind.ZIP


def kind_of_bytes(data: bytes) -> Kind | None:
    """The kind that the bytes themselves show; None for a text.

    Raises:
        SkippedFile: a kind that cannot be read; the error says what to do.
    """
    if b"%PDF-" in data[:1024]:
        return Kind.PDF
    if data[:4] in (b"PK\x03\x04", b"PK\x05\x06"):
        return _packed_kind(data)
    for pattern, reason in _REFUSED:
        if pattern.match(data):
            raise SkippedFile(reason)
    return None


def kind_of_text(text: str, path: PurePath) -> Kind:
    """The kind of a text by its layout, else by its name.

    Raises:
        SkippedFile: neither says that it is an article.
    """
    named = SUFFIXES.get(path.suffix.lower())
    if _ARCHIVE.match(text[:_HEAD]):
        return Kind.ARCHIVE
    if named is not Kind.MARKDOWN and _PAGE.match(text[:_HEAD].lstrip("\ufeff")):
        return Kind.PAGE
    if named in (Kind.PDF, Kind.DOCX, Kind.ZIP):
        msg = f"名字是 {path.suffix}，内容却不是，可能下载不全。请重新下载再导入"
        raise SkippedFile(msg)
    if named is Kind.ARCHIVE:
        msg = "不是完整的网页存档。请在浏览器里重新保存这个网页"
        raise SkippedFile(msg)
    if named is None:
        msg = f"不支持这种文件（{path.suffix or '没有扩展名'}），可以导入：{'、'.join(SUFFIXES)}"
        raise SkippedFile(msg)
    return named
