"""Zip archives: their files one by one, nothing written to disk, bombs and odd paths refused."""

import io
import lzma
import re
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import PurePosixPath

from corpus.errors import SkippedFile

MAX_FILES = 10_000
MAX_MEMBER = 20 * 1024**2  # bytes, as of a single file
MAX_TOTAL = 500 * 1024**2  # bytes unpacked
_MAX_RATIO = 200  # unpacked : packed; text packs some 3 to 10 times, a bomb a thousand times
_RATIO_FROM = 1024**2  # bytes; below that a high ratio does no harm
_OUTSIDE = re.compile(r"(?:^|[/\\])\.\.(?:[/\\]|$)|^[/\\]|^[A-Za-z]:")
_DAMAGE = (  # what zipfile raises on a damaged member
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    OSError,
    NotImplementedError,
    RuntimeError,
    ValueError,
)
_SYSTEM = re.compile(r"(?:^|/)(?:__MACOSX/|\.|Thumbs\.db$|desktop\.ini$)")


def members(data: bytes) -> Iterator[tuple[str, bytes | SkippedFile]]:
    """(name, bytes or why it cannot be read) of each file, in the order of their names.

    Raises:
        SkippedFile: the archive is broken or holds too many files.
    """
    try:
        packed = zipfile.ZipFile(io.BytesIO(data))
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        msg = "压缩文件坏了，打不开。请重新下载或重新打包再导入"
        raise SkippedFile(msg) from error
    with packed:
        files = [info for info in packed.infolist() if not info.is_dir()]
        if len(files) > MAX_FILES:
            msg = f"压缩包里超过 {MAX_FILES} 个文件，请分开打包再导入"
            raise SkippedFile(msg)
        left = MAX_TOTAL
        for name, info in sorted((_name(info), info) for info in files if not _system(info)):
            content = _content(packed, info, name, left)
            left -= len(content) if isinstance(content, bytes) else 0
            yield name, content


def _name(info: zipfile.ZipInfo) -> str:
    """The name; one without the UTF-8 mark was written by a Chinese program in GB18030."""
    if info.flag_bits & 0x800:
        return info.filename
    try:
        raw = info.filename.encode("cp437")
    except UnicodeEncodeError:
        return info.filename
    for encoding in ("utf-8", "gb18030"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    return info.filename


def _system(info: zipfile.ZipInfo) -> bool:
    return bool(_SYSTEM.search(info.filename)) and not _OUTSIDE.search(info.filename)


def _content(
    packed: zipfile.ZipFile, info: zipfile.ZipInfo, name: str, left: int
) -> bytes | SkippedFile:
    reason = _refusal(info, name)
    if reason:
        return SkippedFile(reason)
    limit = min(MAX_MEMBER, left)
    try:
        with packed.open(info) as stream:
            data = stream.read(limit + 1)  # what the archive says of the size is not trusted
    except _DAMAGE:
        return SkippedFile("压缩包里的这个文件坏了，读不出来")
    if len(data) > limit:
        return SkippedFile("解开以后太大，没有读")
    return data


def _refusal(info: zipfile.ZipInfo, name: str) -> str:
    if _OUTSIDE.search(name) or _OUTSIDE.search(info.filename):
        return "路径指到压缩包外面去了，不安全，没有读"
    if PurePosixPath(name).suffix.lower() == ".zip":
        return "压缩包里又有压缩包，请先解开外面一层再导入"
    if info.flag_bits & 0x1:
        return "加了密码，打不开。请去掉密码重新打包"
    if info.file_size > MAX_MEMBER:
        return f"解开以后太大（{info.file_size / 1024**2:.0f} MB），没有读"
    if info.file_size > max(_RATIO_FROM, _MAX_RATIO * info.compress_size):
        return "压缩得异常厉害，像是压缩炸弹，没有读"
    return ""
