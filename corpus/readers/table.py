"""Tables of articles (CSV, TSV, JSON, JSON lines): columns are known by their names."""

import csv
import dataclasses
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePath
from typing import Any

from corpus import metadata
from corpus.errors import SkippedFile
from corpus.import_words import columns
from corpus.readers import html, wrapping
from corpus.readers.draft import Draft, finish
from corpus.records import NATIONAL, Article
from corpus.regions import read_places

Row = Mapping[str, str]
_TAGGED = re.compile(r"<(?:p|br|div|table|ul|ol|h\d)\b[^>]*>", re.IGNORECASE)
_FIELD_CHARACTERS = 5_000_000  # more in one cell is no article
_NO_COLUMNS = "表里找不到标题和正文这两列，请把列名写成“标题”和“正文”（或 title 和 body）"


def read_csv(text: str, path: PurePath) -> Iterator[Article | SkippedFile]:
    """The articles of a table, one a row; a row that cannot be used gives its reason.

    Raises:
        SkippedFile: no columns of title and text, or a broken table.
    """
    csv.field_size_limit(_FIELD_CHARACTERS)
    first = text.split("\n", 1)[0]
    split = max(("\t", ",", ";", "，"), key=lambda mark: len(_fields(first.split(mark))))
    rows = csv.reader(text.splitlines(keepends=True), delimiter=split)
    try:
        header = next(rows)
        names = _fields(header)
        _check(names)
        table = [
            (rows.line_num, {name: row[at] for name, at in names.items() if at < len(row)})
            for row in rows
            if any(cell.strip() for cell in row)
        ]
    except (csv.Error, StopIteration) as error:
        msg = "表格的格式坏了（多半是引号没有成对）。请在表格软件里重新另存为 CSV（UTF-8）"
        raise SkippedFile(msg) from error
    yield from (_article(row, f"第 {number} 行", path) for number, row in table)


def read_json(text: str, path: PurePath) -> Iterator[Article | SkippedFile]:
    """The articles of a JSON list or of one JSON object a line.

    Raises:
        SkippedFile: no JSON, or no object with title and text.
    """
    yield from (
        row if isinstance(row, SkippedFile) else _article(_named(row), where, path)
        for where, row in _objects(text)
    )


def _objects(text: str) -> Iterator[tuple[str, Mapping[str, Any] | SkippedFile]]:
    try:
        whole = json.loads(text)
    except (ValueError, RecursionError):
        whole = None
    if whole is not None:
        for at, row in enumerate(_listed(whole), 1):
            yield f"第 {at} 条", row if isinstance(row, dict) else _fault(f"第 {at} 条")
        return
    lines = [(at, line) for at, line in enumerate(text.splitlines(), 1) if line.strip()]
    for at, line in lines:
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            row = None
        yield f"第 {at} 行", row if isinstance(row, dict) else _fault(f"第 {at} 行")


def _fault(where: str) -> SkippedFile:
    return SkippedFile(f"{where}不是合格的 JSON 对象")


def _listed(whole: object) -> list[object]:
    """The rows of a JSON file: a list, a list inside an object, or the object alone."""
    if isinstance(whole, list):
        return whole
    if isinstance(whole, dict) and not {"title", "body"} <= set(_fields(list(whole))):
        lists = [value for value in whole.values() if isinstance(value, list)]
        if len(lists) == 1:
            return lists[0]
    return [whole]


def _fields(header: Sequence[str]) -> dict[str, int]:
    """Field → place of the column that holds it; of two, the one named first in the list."""
    order = list(columns())
    keys = [re.sub(r"[\s\ufeff]", "", str(name)).lower() for name in header]
    known = sorted((k for k in set(keys) if k in columns()), key=order.index)
    found: dict[str, int] = {}
    for key in known:
        found.setdefault(columns()[key], keys.index(key))
    return found


def _check(names: Mapping[str, object]) -> None:
    if not {"title", "body"} <= set(names):
        raise SkippedFile(_NO_COLUMNS)


def _named(row: Mapping[str, Any]) -> Row:
    keys = list(row)
    return {name: _cell(row[keys[at]]) for name, at in _fields(keys).items()}


def _cell(value: object) -> str:
    if isinstance(value, list):
        return "".join(str(part) for part in value)
    return "" if value is None else str(value)


def _article(row: Row, where: str, path: PurePath) -> Article | SkippedFile:
    try:
        _check(row)
        return _finished({name: value.strip() for name, value in row.items()}, path)
    except SkippedFile as error:
        return SkippedFile(f"{where}：{error}")


def _finished(row: Row, path: PurePath) -> Article:
    body = row["body"]
    tagged = _TAGGED.search(body)
    lines = html.fragment_lines(body) if tagged else wrapping.unwrapped(body.splitlines())
    url = row.get("source_url", "")
    article = finish(
        Draft(
            title=wrapping.tidy(row["title"]),
            lines=lines,
            key=path.stem,
            published=metadata.iso_date(row.get("published", "")),
            source_name=row.get("source_name", ""),
            source_url=url if re.fullmatch(r"https?://\S+", url) else "",
        )
    )
    year = re.search(r"20\d{2}", row.get("effective_year", ""))
    return dataclasses.replace(
        article,
        place=_place(row.get("place", "")) or article.place,
        audience=metadata.audience_of(row["audience"]) if row.get("audience") else article.audience,
        effective_year=year.group() if year else article.effective_year,
        topic=row.get("topic", ""),
        document_number=metadata.document_number_of("", [row.get("document_number", "")])
        or article.document_number,
    )


def _place(text: str) -> tuple[str, ...]:
    """The place that a cell names; empty where the name is unknown or several places share it."""
    return (NATIONAL,) if text in (NATIONAL, "中国") else read_places(text).place or ()
