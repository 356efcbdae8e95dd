"""The word lists of the readers, from ``import_words.yaml``."""

from functools import cache
from pathlib import Path
from typing import Any

import yaml


@cache
def _lists() -> dict[str, Any]:
    text = Path(__file__).with_name("import_words.yaml").read_text(encoding="utf-8")
    lists: dict[str, Any] = yaml.safe_load(text)
    return lists


def words(name: str) -> tuple[str, ...]:
    """One list, in its order.

    >>> words("source_labels")[0]
    '来源'
    """
    return tuple(_lists()[name])


@cache
def columns() -> dict[str, str]:
    """Name of a column in lower case → field of an article.

    >>> columns()["标题"], columns()["url"]
    ('title', 'source_url')
    """
    return {word: name for name, found in _lists()["columns"].items() for word in found}
