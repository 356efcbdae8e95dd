"""The operator's page behind a token: corpus health, verdicts, kept questions."""

import datetime as dt
import hmac
from base64 import b64decode
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from chatbot.article_page import plain_page
from chatbot.markup import escape
from corpus.errors import FeedbackError
from corpus.lint import Finding, lint
from corpus.records import Article, Status

if TYPE_CHECKING:
    from chatbot.feedback import Feedback

SHOWN = 50  # rows of each list
STALE_YEARS = 2  # an article that is older, or holds for an earlier year, should be looked at


def authorised(header: str, token: str) -> bool:
    """Whether an ``Authorization`` header holds the token: as Bearer, or as Basic's password.

    >>> authorised("Bearer abc", "abc"), authorised("Basic b3A6YWJj", "abc")
    (True, True)
    >>> authorised("Basic ???", "abc"), authorised("Bearer ", "")
    (False, False)
    """
    scheme, _, value = header.partition(" ")
    given = value.strip()
    if scheme.lower() == "basic":
        try:
            given = b64decode(given, validate=True).decode().partition(":")[2]
        except ValueError:
            return False
    return bool(token) and hmac.compare_digest(given.encode(), token.encode())


def operator_page(articles: Collection[Article], feedback: "Feedback | None") -> str:
    """The page as HTML; everything that somebody typed in it is inert text.

    Args:
        articles: those in use.
        feedback: the store, or None if nothing is stored.
    """
    sections = [_health(articles), _stale(articles)]
    if feedback is None:
        sections.append("<h2>反馈</h2><p>没有设反馈数据库（YIBAO_FEEDBACK），什么都没有保存。</p>")
    else:
        sections += _told(feedback)
    return plain_page("管理页", "\n".join(("<h1>管理页</h1>", *sections)))


def _told(feedback: "Feedback") -> list[str]:
    try:
        bad = feedback.verdicts("bad")
        return [
            _disliked(feedback, len(bad)),
            _questions("没有答上来的问题", feedback.most_asked(SHOWN, unanswered=True)),
            _questions("问得最多的问题", feedback.most_asked(SHOWN)),
        ]
    except FeedbackError:
        return ["<h2>反馈</h2><p>反馈数据库（YIBAO_FEEDBACK）现在不应答，请检查它是否在运行。</p>"]


def stale(articles: Iterable[Article], today: dt.date) -> list[Article]:
    """Articles that hold no more or may not: superseded, of an earlier year, or long published."""
    oldest = today.year - STALE_YEARS
    return [
        article
        for article in articles
        if article.status is Status.SUPERSEDED
        or (article.effective_year.isdecimal() and int(article.effective_year) < today.year)
        or (article.published[:4].isdecimal() and int(article.published[:4]) < oldest)
    ]


@lru_cache(maxsize=1)
def _findings(articles: tuple[Article, ...], today: dt.date) -> tuple[Finding, ...]:
    return tuple(lint(articles, today))


def _health(articles: Collection[Article]) -> str:
    findings = _findings(tuple(articles), dt.date.today())
    open_ones = [each for each in findings if not each.acknowledged]
    counts = Counter((each.severity, each.rule) for each in open_ones)
    errors = sum(each.must_be_mended for each in findings)
    rows = [(rule, severity, str(n)) for (severity, rule), n in sorted(counts.items())]
    told = f"{len(articles)} 篇文章，{errors} 处要改，{len(open_ones) - errors} 处要看。"
    hint = "逐条看：python -m corpus lint"
    return f"<h2>文章检查</h2><p>{told}{hint}</p>{_table(('问题', '级别', '几处'), rows)}"


def _stale(articles: Collection[Article]) -> str:
    found = stale(articles, dt.date.today())
    rows = [(a.title, a.place_label, a.effective_year or a.published, a.id) for a in found[:SHOWN]]
    head = ("标题", "地方", "年份或日期", "编号")
    return f"<h2>可能过时的文章（{len(found)} 篇）</h2>{_table(head, rows)}"


def _disliked(feedback: "Feedback", bad: int) -> str:
    verdicts = feedback.verdicts()
    rows = [
        (each.day, each.reason, each.answer_kind, each.question)
        for each in verdicts
        if each.verdict == "bad"
    ]
    head = ("日期", "原因", "答案种类", "问题")
    told = f"<p>有帮助 {len(verdicts) - bad} 次，没帮助 {bad} 次。"
    return f"<h2>没帮助的答案</h2>{told}</p>{_table(head, rows[:SHOWN])}"


def _questions(title: str, found: Sequence[tuple[str, int]]) -> str:
    rows = [(question, str(count)) for question, count in found]
    return f"<h2>{title}</h2>{_table(('问题', '次数'), rows)}"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    if not rows:
        return "<p>没有。</p>"
    top = "".join(f'<th scope="col">{cell}</th>' for cell in head)
    lines = ("".join(f"<td>{escape(cell)}</td>" for cell in row) for row in rows)
    body = "".join(f"<tr>{line}</tr>" for line in lines)
    return f"<table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>"
