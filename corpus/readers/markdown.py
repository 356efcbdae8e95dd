"""Markdown with front matter: the form in which every article is kept (see the README)."""

import datetime
import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import frontmatter
import yaml

from corpus.errors import SkippedFile
from corpus.records import NATIONAL, UNPLACED, Article, Audience, Authority, Status

NOT_ARTICLES = frozenset({"README.md", "LICENSE.md", "SOURCES.md"})


def article_id(source_name: str, title: str) -> str:
    """The stable id of an imported article: 12 hexadecimal digits of its source and title."""
    return hashlib.sha256(f"{source_name}\n{title.strip()}".encode()).hexdigest()[:12]


def _text(value: object) -> str:
    return "" if value is None else str(value).strip()


def _place(value: object) -> tuple[str, ...]:
    names = value if isinstance(value, list) else [value] if value else []
    place = tuple(_text(name) for name in names if _text(name) and _text(name) != UNPLACED)
    return (NATIONAL,) if NATIONAL in place else place


def _date(value: object, name: str) -> str:
    text = value.isoformat() if isinstance(value, datetime.date) else _text(value)
    if text:
        try:
            datetime.date.fromisoformat(text)
        except ValueError as error:
            msg = f"{name} 应写成 2025-04-19 的样子，现在是“{text}”"
            raise SkippedFile(msg) from error
    return text


def to_article(fields: Mapping[str, Any], body: str, default_id: str) -> Article:
    """An article from front matter fields; raises ``SkippedFile`` naming the field that is wrong."""
    year = _text(fields.get("effective_year"))
    if year and not (year.isdigit() and len(year) == 4):
        msg = f"effective_year 应是四位年份，现在是“{year}”"
        raise SkippedFile(msg)
    try:
        return Article(
            id=_text(fields.get("id")) or default_id,
            title=_text(fields.get("title")),
            body=body,
            place=_place(fields.get("place")),
            audience=Audience(_text(fields.get("audience")) or "不限"),
            published=_date(fields.get("published"), "published"),
            effective_year=year,
            topic=_text(fields.get("topic")),
            source_name=_text(fields.get("source_name")),
            source_url=_text(fields.get("source_url")),
            authority=Authority(_text(fields.get("authority")) or "unverified"),
            status=Status(_text(fields.get("status")) or "unknown"),
            truncated=bool(fields.get("truncated", False)),
        )
    except ValueError as error:
        msg = f"文件头或正文不合要求：{error}"
        raise SkippedFile(msg) from error


def read(text: str, path: Path) -> Article:
    """Read one Markdown article; its id is the front matter's, else the file's name."""
    try:
        post = frontmatter.loads(text)
    except yaml.YAMLError as error:
        msg = "文件头（--- 之间）不是合格的 YAML"
        raise SkippedFile(msg) from error
    fields = dict(post.metadata)
    body = str(post.content).strip()
    if not fields.get("title"):
        first, _, rest = body.partition("\n")
        fields["title"] = first.lstrip("# ").strip()
        body = rest.strip()
    return to_article(fields, body, default_id=path.stem)


def render(article: Article, source_hash: str) -> str:
    """Markdown of an article; ``read`` gives the same article back.

    ``source_hash`` names what it was imported from, so that a second import leaves corrections alone.
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
        "truncated": article.truncated,
        "source_hash": source_hash,
    }
    head = yaml.safe_dump(fields, allow_unicode=True, sort_keys=False, default_flow_style=None)
    return f"---\n{head}---\n\n{article.body.strip()}\n"
