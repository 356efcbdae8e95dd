"""Markdown with front matter: the form in which every article is kept (see the README)."""

import datetime as dt
import hashlib
import re
from collections.abc import Mapping
from enum import StrEnum
from pathlib import PurePath
from typing import Any, TypeVar

import frontmatter
import yaml
from frontmatter.default_handlers import YAMLHandler

from corpus.errors import SkippedFile
from corpus.records import NATIONAL, UNPLACED, Article, Audience, Authority, Span, Status
from corpus.sections import asked_by_heading, sections

_ID = re.compile(r"[\w.-]{1,80}")  # goes into file names, page addresses and run files
_NOT_IN_ID = re.compile(r"[^\w.-]+")
_YEAR = re.compile(r"[12][0-9]{3}")
_ADDRESS = re.compile(r"https?://\S+")
Choice = TypeVar("Choice", bound=StrEnum)
NOT_ARTICLES = frozenset({"README.md", "LICENSE.md", "SOURCES.md"})


def article_id(source_name: str, title: str) -> str:
    """The stable id of an imported article: 12 hexadecimal digits of its source and title."""
    return hashlib.sha256(f"{source_name}\n{title.strip()}".encode()).hexdigest()[:12]


def _text(value: object) -> str:
    if isinstance(value, list | dict):
        msg = f"文件头里这一项应是文字：{str(value)[:80]}"
        raise SkippedFile(msg)
    return "" if value is None else str(value).strip()


def _place(value: object) -> tuple[str, ...]:
    names = value if isinstance(value, list) else [value] if value else []
    place = tuple(_text(name) for name in names if _text(name) and _text(name) != UNPLACED)
    return (NATIONAL,) if NATIONAL in place else place


def _date(value: object, name: str) -> str:
    text = value.isoformat() if isinstance(value, dt.date) else _text(value)
    if text:
        try:
            proper = dt.date.fromisoformat(text).isoformat() == text
        except ValueError:
            proper = False
        if not proper:
            msg = f"{name} 应写成 2025-04-19 的样子，现在是“{text}”"
            raise SkippedFile(msg)
    return text


def _matching(fields: Mapping[str, Any], name: str, pattern: re.Pattern[str], wanted: str) -> str:
    """A field that must look like ``pattern`` unless it is empty."""
    text = _text(fields.get(name))
    if text and not pattern.fullmatch(text):
        msg = f"{name} 应是{wanted}，现在是“{text[:80]}”"
        raise SkippedFile(msg)
    return text


def _choice(fields: Mapping[str, Any], name: str, default: Choice) -> Choice:
    text = _text(fields.get(name))
    kinds = type(default)
    if text and text not in set(kinds):
        msg = f"{name} 应是 {'、'.join(kinds)} 之一，现在是“{text[:80]}”"
        raise SkippedFile(msg)
    return kinds(text) if text else default


def _yes(fields: Mapping[str, Any], name: str) -> bool:
    value = fields.get(name)
    if value is not None and not isinstance(value, bool):
        msg = f"{name} 应写 true 或 false，现在是“{value}”"
        raise SkippedFile(msg)
    return bool(value)


def _reasons(fields: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """``lint_ok``: findings of the corpus check that are all right here, each with its reason."""
    value = fields.get("lint_ok") or {}
    if not isinstance(value, dict) or not all(_text(reason) for reason in value.values()):
        msg = "lint_ok 应写成“代码: 理由”，一行一条，理由不能空"
        raise SkippedFile(msg)
    return tuple((_text(rule), _text(reason)) for rule, reason in value.items())


def _asked(fields: Mapping[str, Any], body: str) -> tuple[tuple[Span, str], ...]:
    """``asked``: under each heading of the article the ways in which citizens ask for it."""
    value = fields.get("asked") or {}
    lists = value.values() if isinstance(value, dict) else [None]
    if not all(isinstance(found, list) and all(map(_text, found)) for found in lists):
        msg = "asked 应写成“小标题: [问法, 问法]”，问法不能空"
        raise SkippedFile(msg)
    known = dict(sections(body))
    for heading in value:
        if _text(heading) not in known:
            msg = f"asked 里的“{heading}”不是这篇文章的小标题；没有小标题的开头部分写 ''"
            raise SkippedFile(msg)
    return tuple(
        (known[_text(heading)], _text(way)) for heading, found in value.items() for way in found
    )


def to_article(fields: Mapping[str, Any], body: str, default_id: str) -> Article:
    """An article from front matter fields; raises ``SkippedFile`` naming the wrong field."""
    try:
        return Article(
            id=_matching(fields, "id", _ID, "不超过 80 个字母、数字或汉字") or default_id,
            title=_text(fields.get("title")),
            body=body,
            place=_place(fields.get("place")),
            audience=_choice(fields, "audience", Audience.ANYONE),
            published=_date(fields.get("published"), "published"),
            effective_year=_matching(fields, "effective_year", _YEAR, "四位年份"),
            topic=_text(fields.get("topic")),
            source_name=_text(fields.get("source_name")),
            source_url=_matching(fields, "source_url", _ADDRESS, "http 开头的网址"),
            authority=_choice(fields, "authority", Authority.UNVERIFIED),
            status=_choice(fields, "status", Status.UNKNOWN),
            truncated=_yes(fields, "truncated"),
            document_number=_text(fields.get("document_number")),
            lint_ok=_reasons(fields),
            asked=_asked(fields, body),
        )
    except ValueError as error:
        msg = str(error)
        raise SkippedFile(msg) from error


def has_fields(text: str) -> bool:
    """Whether a Markdown text begins with front matter."""
    return text.strip().startswith("---")


def read(text: str, path: PurePath) -> Article:
    """Read one Markdown article; its id is the front matter's, else the file's name.

    Raises:
        SkippedFile: the front matter is broken or title or body is missing.
    """
    fields: dict[str, Any] = {}
    body = text.strip()
    if has_fields(body):
        try:
            post = frontmatter.loads(body, handler=YAMLHandler())
        except (yaml.YAMLError, ValueError) as error:  # ValueError: a date such as 2025-13-45
            msg = "文件头（--- 之间）不是合格的 YAML"
            raise SkippedFile(msg) from error
        fields, body = dict(post.metadata), str(post.content).strip()
    if not fields.get("title"):
        first, _, rest = body.partition("\n")
        fields["title"] = first.lstrip("# ").strip()
        body = rest.strip()
    return to_article(fields, body, default_id=_NOT_IN_ID.sub("-", path.stem)[:80])


def render(article: Article, source_hash: str) -> str:
    """Markdown of an article; ``read`` gives the same article back.

    ``source_hash`` names what it was imported from, so that a second import leaves corrections
    alone.
    """
    fields = {
        "id": article.id,
        "title": article.title,
        "place": list(article.place),
        "audience": article.audience.value,
        "published": article.published or None,
        "effective_year": int(article.effective_year) if article.effective_year else None,
        "topic": article.topic or None,
        "authority": article.authority.value,
        "status": article.status.value,
        "source_name": article.source_name or None,
        "source_url": article.source_url or None,
        **({"document_number": article.document_number} if article.document_number else {}),
        "truncated": article.truncated,
        "source_hash": source_hash,
        **({"lint_ok": dict(article.lint_ok)} if article.lint_ok else {}),
        **({"asked": asked_by_heading(article)} if article.asked else {}),
    }
    head = yaml.safe_dump(fields, allow_unicode=True, sort_keys=False, default_flow_style=None)
    return f"---\n{head}---\n\n{article.body.strip()}\n"
