"""The whole article as a page of its own: printable, the quoted words marked, no script needed."""

import re

from chatbot.cards import authority_words, date_words, place_words
from chatbot.markup import body_html, escape
from chatbot.records import DISCLAIMER
from corpus.records import UNPLACED, Article, Span, Status

MAX_MARKS = 40  # ranges read from an address; an answer quotes far fewer
_RANGE = re.compile(r"(\d{1,9})-(\d{1,9})")
_STATUS_WORDS = {Status.CURRENT: "现行", Status.SUPERSEDED: "已废止"}
_SHELL = """<!doctype html>
<html lang="zh-CN">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>{title}</title>
<link rel="icon" href="/own/icon.svg" type="image/svg+xml">
<script src="/own/early.js"></script>
<link rel="stylesheet" href="/own/colours.css">
<link rel="stylesheet" href="/own/article.css">
<script type="module" src="/own/look.js"></script>
</head>
<body>
<nav aria-label="页面"><a href="/">医保问答首页</a>
<button class="yb-size" type="button">大字</button>
<button class="yb-contrast" type="button">高对比</button>
<button class="yb-dark" type="button">深色</button>
<button class="yb-print-page" type="button">打印</button></nav>
<main>
{main}
</main>
</body>
</html>
"""


def article_page(article: Article, marks: list[Span]) -> str:
    """The article as HTML.

    Args:
        article: what to show.
        marks: sorted parts of the body to highlight; the first gets the id ``quote``.
    """
    rows = (
        ("地方", escape(place_words(article.place) or UNPLACED)),
        ("人群", escape(article.audience.value)),
        ("时间", escape(date_words(article.published, article.effective_year))),
        ("来源", escape(article.source_name or "未注明")),
        ("可靠程度", authority_words(article.authority)),
        ("效力", _STATUS_WORDS.get(article.status, "未注明")),
    )
    facts = "".join(f"<dt>{name}</dt><dd>{value}</dd>" for name, value in rows)
    body = body_html(article.body, Span(0, len(article.body)), marks, anchor="quote")
    cut = '<p class="note">原文到这里中断，后面的内容没有收录。</p>' if article.truncated else ""
    main = (
        f"<h1>{escape(article.title)}</h1><dl>{facts}{_address(article.source_url)}</dl>"
        f'<article>{body}</article>{cut}<p class="disclaimer">{DISCLAIMER}</p>'
    )
    return plain_page(escape(article.title), main)


def plain_page(title: str, main: str) -> str:
    """A page that only reads.

    Args:
        title: escaped words for the browser's tab.
        main: safe HTML.
    """
    return _SHELL.format(title=f"{title} · 医保问答", main=main)


def missing_page() -> str:
    """What to say when there is no such article."""
    main = (
        "<h1>没有这篇文章</h1><p>它可能已经更新或者撤下。请回到首页重新提问。</p>"
        '<p><a href="/">回到医保问答</a></p>'
    )
    return plain_page("没有这篇文章", main)


def broken_page(sentence: str) -> str:
    """What to say when something cannot be shown now."""
    main = f'<h1>现在看不了</h1><p>{escape(sentence)}</p><p><a href="/">回到医保问答</a></p>'
    return plain_page("现在看不了", main)


def parse_marks(where: str, length: int) -> list[Span]:
    """The ranges in ``?quote=10-30,45-60`` that lie in a body of ``length`` characters, sorted.

    What is not a range of the body is left out: an old link still opens the article.

    >>> parse_marks("4-6,0-2,9-3,x,5-999", 10)
    [Span(start=0, end=2), Span(start=4, end=6)]
    """
    found = [_RANGE.fullmatch(part) for part in where.split(",")[:MAX_MARKS]]
    pairs = [(int(match[1]), int(match[2])) for match in found if match]
    return sorted(Span(start, end) for start, end in pairs if start < end <= length)


def _address(url: str) -> str:
    """The source's address as a link if it is one of the web, else as nothing."""
    if not url.startswith(("https://", "http://")):
        return ""
    safe = escape(url)
    link = f'<a href="{safe}" rel="noopener noreferrer" target="_blank">{safe}</a>'
    return f"<dt>网址</dt><dd>{link}</dd>"
