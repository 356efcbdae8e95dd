"""Lines and JSON lines of a UTF-8 file, numbered, so that every error can name its place."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from corpus.errors import InputError

__all__ = ["json_rows", "numbered_lines"]


def numbered_lines(path: Path) -> Iterator[tuple[int, str]]:
    """Yield ``(line number from 1, line without its end)`` of the non-blank lines of a UTF-8 file.

    Raises:
        InputError: the file is missing, unreadable, not UTF-8, or holds no line.
    """
    found = False
    try:
        with path.open(encoding="utf-8-sig") as lines:
            for number, line in enumerate(lines, start=1):
                if line.strip():
                    found = True
                    yield number, line.rstrip("\r\n")
    except UnicodeDecodeError as error:
        msg = f"{path}：不是 UTF-8 文字，请另存为 UTF-8（{error.reason}）"
        raise InputError(msg) from error
    except OSError as error:
        msg = f"读不了文件 {path}：{error.strerror}"
        raise InputError(msg) from error
    if not found:
        msg = f"{path}：文件是空的"
        raise InputError(msg)


def json_rows(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield ``(line number, object)`` of a JSON-lines file.

    Raises:
        InputError: see ``numbered_lines``; or a line is not a JSON object.
    """
    for number, line in numbered_lines(path):
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            msg = f"{path} 第 {number} 行：不是完整的 JSON"
            raise InputError(msg) from error
        if not isinstance(row, dict):
            msg = f"{path} 第 {number} 行：应是一个 JSON 对象"
            raise InputError(msg)
        yield number, row
