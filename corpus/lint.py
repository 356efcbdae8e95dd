"""What is wrong with a corpus, article by article and pair by pair.

``error`` must be mended, ``note`` should be looked at. A person who has looked writes into the
front matter why it is all right (``lint_ok``), and the finding is then listed as acknowledged::

    lint_ok:
      no-date: 名词解释，不随年份变
      contradiction huizhou-fund-limit: 两篇各说各的，都写明了来源
"""

import datetime as dt
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from corpus.claims import claims_of
from corpus.conflicts import conflicts, within_article
from corpus.duplicates import near_duplicates
from corpus.records import NATIONAL, Article, Authority
from corpus.regions import mentions
from corpus.sentences import complete

YEARS_BEFORE = 5  # an effective year so long before the article's date is probably a slip
YEARS_AHEAD = 1  # notices come out in the year before they hold
_FIGURE = re.compile(r"\d[\d,.]*\s*(?:%|％|元|万元|个百分点)|\d{3,4}-\d{7,8}")
_LINK = re.compile(
    r"(?<!!)\[[^\]\n]+\]\(\s*<?([^)\s>]+)>?[^)\n]*\)|\[\[([^\]\n|]+)(?:\|[^\]\n]*)?\]\]"
)
_LAYOUT_LINE = re.compile(r"\s*(?:[-*•·|>]|\d{1,2}[.、]|https?://)")
_DOCUMENT = re.compile(
    r"《[^》]+》|〔\d{4}〕|\[\d{4}\]\d+号|第\d+号|第[\d一二三四五六七八九十百]+条"
)
_HOST = re.compile(r"(?:[\w-]+\.)+[a-zA-Z\u4e00-\u9fff]{2,}(?::\d+)?")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to look at; of a pair of articles, ``other_id`` names the second.

    ``sentences`` holds the two that contradict each other, ``acknowledged`` the reason for which
    the article's front matter says that it is all right.
    """

    article_id: str
    title: str
    rule: str
    severity: str
    message: str
    other_id: str = ""
    sentences: tuple[str, ...] = ()
    acknowledged: str = ""

    @property
    def code(self) -> str:
        """What ``lint_ok`` must name: the rule, of a pair with the id of the other article."""
        return f"{self.rule} {self.other_id}".strip()

    @property
    def must_be_mended(self) -> bool:
        """Whether it is an error that nobody has acknowledged."""
        return self.severity == "error" and not self.acknowledged


Found = Iterator[tuple[str, str]]


@cache
def _data() -> dict[str, Any]:
    data: dict[str, Any] = yaml.safe_load(
        Path(__file__).with_name("lint.yaml").read_text(encoding="utf-8")
    )
    return data


@cache
def _boilerplate() -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{line})" for line in _data()["boilerplate"]), re.MULTILINE)


def _texts(article: Article) -> Found:
    found = _boilerplate().search(article.body)
    if found:
        yield "boilerplate", f"正文里混进了网页的套话：{found.group().strip()[:30]}"
    if article.truncated:
        yield "truncated", "原文没有收全，最后半句不会被引用"
    last = article.body.rstrip().rpartition("\n")[2]
    if not (article.truncated or complete(article.body) or _LAYOUT_LINE.match(last)):
        yield "breaks-off", f"正文最后一句没有结束，却没有标 truncated：{last[-30:]}"


def _is_known(place: Sequence[str]) -> bool:
    """Whether the administrative table has the place."""
    path = tuple(place)
    return path == (NATIONAL,) or any(path in m.candidates for m in mentions("".join(path)))


def _places(article: Article) -> Found:
    if not article.place:
        yield "no-place", "没有写明适用地区"
        if _FIGURE.search(article.body) or claims_of(article):
            yield "figure-without-place", "有数字，却没有写明是哪里的规定"
    elif not _is_known(article.place):
        yield "unknown-place", f"行政区划里没有“{article.place_label}”，要从省写到市、县，用全称"


def _date(text: str) -> dt.date | None:
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        return None


def _dates(article: Article, today: dt.date) -> Found:
    published = _date(article.published)
    if not article.published and not article.effective_year:
        yield "no-date", "没有日期，也没有年份"
    if article.published and published is None:
        yield "bad-date", f"日期应写成 2025-04-19 的样子，现在是“{article.published}”"
    if published and published > today:
        yield "future-date", f"发布日期 {article.published} 还没有到"
    if not article.effective_year:
        return
    year = int(article.effective_year) if article.effective_year.isdecimal() else 0
    latest = max(today, published or today).year + YEARS_AHEAD
    if not 1949 < year <= latest:
        yield "bad-year", f"年份 {article.effective_year} 不可能"
    elif published and year < published.year - YEARS_BEFORE:
        yield "old-year", f"年份 {year} 比发布日期 {published} 早得太多"


def _sources(article: Article) -> Found:
    if not article.source_name:
        yield "no-source", "没有写来源"
    if article.source_url and not _is_address(article.source_url):
        yield "bad-url", f"来源网址不对：{article.source_url[:60]}"
    named = _DOCUMENT.search(article.source_name + article.body)
    if article.authority is Authority.OFFICIAL and not (article.source_url or named):
        yield "unproven", "说是官方来源，却没有网址，也没有写文件名或文号"
    marked = "核实" in article.body or "不知道" in article.body
    if article.authority is Authority.UNVERIFIED and claims_of(article) and not marked:
        yield "not-marked", "来源可靠程度没有写，正文有数字却没有写“待核实”"


def _is_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(_HOST.fullmatch(parts.netloc))


def _links(article: Article, ids: frozenset[str]) -> Found:
    for match in _LINK.finditer(article.body):
        target = (match.group(1) or match.group(2)).strip()
        if "://" in target:
            if not _is_address(target):
                yield "bad-url", f"正文里的网址不对：{target[:60]}"
        elif not target.startswith(("#", "mailto:", "tel:")):
            name = target.partition("#")[0].rpartition("/")[2].removesuffix(".md")
            if name not in ids:
                yield "dead-link", f"正文提到的文章不存在：{target[:60]}"


def _pairs(articles: Sequence[Article]) -> Iterator[tuple[str, str, str, str, tuple[str, ...]]]:
    """(article id, rule, message, other id, sentences) of findings about two articles."""
    for first, second, share in near_duplicates(articles):
        yield first, "near-duplicate", f"和 {second} 的文字有 {share:.0%} 相同", second, ()
    for found in conflicts(articles, unquotable=True):
        a, b = found.first, found.second
        message = f"和 {b.article_id} 的{a.kind}对不上：{a.value} 对 {b.value}"
        yield a.article_id, "contradiction", message, b.article_id, (a.text, b.text)
    for article in articles:
        for inside in within_article(article):
            a, b = inside.first, inside.second
            message = f"自己前后对不上：{a.value} 对 {b.value}"
            yield a.article_id, "contradiction", message, "", (a.text, b.text)


def _acknowledged(finding: Finding, by_id: dict[str, Article]) -> Finding:
    reasons = dict(by_id[finding.article_id].lint_ok)
    reason = reasons.get(finding.code, "")
    if not reason and finding.other_id:
        turned = f"{finding.rule} {finding.article_id}"
        reason = dict(by_id[finding.other_id].lint_ok).get(turned, "")
    return replace(finding, acknowledged=reason)


def _leftover(article: Article, findings: Sequence[Finding]) -> Found:
    """Acknowledgements that fit no finding."""
    codes = {f.code for f in findings if f.article_id == article.id}
    codes |= {f"{f.rule} {f.article_id}" for f in findings if f.other_id == article.id}
    for code, _ in article.lint_ok:
        if code.partition(" ")[0] not in _data()["severity"]:
            yield "unknown-lint-ok", f"lint_ok 里没有“{code}”这个代码"
        elif code not in codes:
            yield "unused-lint-ok", f"lint_ok 里的“{code}”已经没有对应的问题，请删掉"


def lint(articles: Iterable[Article], today: dt.date | None = None) -> list[Finding]:
    """All findings, in the order of the articles; acknowledged ones say why they are all right.

    Args:
        articles: a whole corpus, or one article.
        today: after which no article can have been published; default: the clock's date.
    """
    held = list(articles)
    ids = frozenset(article.id for article in held)
    by_id = {article.id: article for article in held}
    day = today or dt.date.today()

    def finding(article: Article, rule: str, message: str) -> Finding:
        return Finding(article.id, article.title, rule, _data()["severity"][rule], message)

    found = [
        finding(article, rule, message)
        for article in held
        for rules in (
            _texts(article),
            _places(article),
            _dates(article, day),
            _sources(article),
            _links(article, ids),
        )
        for rule, message in rules
    ]
    found += [
        replace(finding(by_id[key], rule, message), other_id=other, sentences=sentences)
        for key, rule, message, other, sentences in _pairs(held)
    ]
    found = [_acknowledged(each, by_id) for each in found]
    found += [finding(a, rule, message) for a in held for rule, message in _leftover(a, found)]
    order = {article.id: at for at, article in enumerate(held)}
    return sorted(found, key=lambda each: order[each.article_id])
