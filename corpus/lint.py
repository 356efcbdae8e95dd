"""What is wrong with a corpus: no metadata, broken-off texts, boilerplate, unplaced figures."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from corpus.records import Article

_BOILERPLATE = re.compile(r"不能代替面诊|^相关推荐$|^\S{2,8} \d{4}-\d{2}-\d{2}$", re.MULTILINE)
_FIGURE = re.compile(r"\d[\d,.]*\s*(?:%|％|元|万元|个百分点)|\d{3,4}-\d{7,8}")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to look at. ``severity`` is ``error`` (must be mended) or ``note``."""

    article_id: str
    title: str
    rule: str
    severity: str
    message: str


def _findings(article: Article) -> Iterator[tuple[str, str, str]]:
    if _BOILERPLATE.search(article.body):
        yield "boilerplate", "error", "正文里混进了网站的套话"
    if not article.place:
        yield "no-place", "note", "没有写明适用地区"
        if _FIGURE.search(article.body):
            yield "figure-without-place", "note", "有数字，却没有写明是哪里的规定"
    if not article.published and not article.effective_year:
        yield "no-date", "note", "没有日期，也没有年份"
    if not article.source_name:
        yield "no-source", "note", "没有写来源"
    if article.truncated:
        yield "truncated", "note", "原文没有收全，最后半句不会被引用"


def lint(articles: Iterable[Article]) -> list[Finding]:
    """All findings, in the order of the articles."""
    return [
        Finding(article.id, article.title, rule, severity, message)
        for article in articles
        for rule, severity, message in _findings(article)
    ]
