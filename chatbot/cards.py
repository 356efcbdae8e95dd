"""The evidence behind a marker: where it is from, for whom it holds, the passage, the article."""

from urllib.parse import quote as percent

from chatbot.markup import body_html, escape
from chatbot.records import Answer, Citation, Quote
from corpus.records import Authority, Span
from corpus.sentences import sentences

AROUND = 2  # sentences shown before and after a quoted one


def render_evidence(answer: Answer, turn: str) -> str:
    """One card for each source, with the passage around what is quoted from it."""
    return "".join(_card(answer, citation, turn) for citation in answer.citations)


def around(quotes: list[Quote]) -> list[Span]:
    """The parts of one article that show ``quotes`` with their neighbours, overlaps joined."""
    body = quotes[0].article.body
    spans = [span for span in sentences(body) if span.of(body).strip()]
    windows: list[Span] = []
    for quote in sorted(quotes, key=lambda one: one.start):
        touched = [i for i, s in enumerate(spans) if s.start < quote.end and s.end > quote.start]
        window = Span(
            min(quote.start, spans[max(0, touched[0] - AROUND)].start),
            max(quote.end, spans[min(len(spans) - 1, touched[-1] + AROUND)].end),
        )
        if windows and window.start <= windows[-1].end:
            last = windows.pop()
            window = Span(last.start, max(last.end, window.end))
        windows.append(window)
    return windows


def place_words(place: tuple[str, ...]) -> str:
    """``("广东省", "惠州市")`` → 广东省惠州市."""
    return "".join(place)


def date_words(published: str, effective_year: str) -> str:
    """When a source was published and for which year it holds, in words.

    >>> date_words("2025-04-19", "")
    '2025年4月19日发布'
    >>> date_words("", "")
    '日期未注明'
    """
    year = f"适用{effective_year}年" if effective_year else ""
    parts = published.split("-")
    units = zip(parts, "年月日", strict=False)
    day = "".join(f"{int(part)}{unit}" for part, unit in units if part.isdigit())
    return "，".join(word for word in (year, f"{day}发布" if day else "") if word) or "日期未注明"


def citation_dates(citation: Citation) -> str:
    """``date_words`` of a source."""
    return date_words(citation.published, citation.effective_year)


def authority_words(authority: Authority) -> str:
    """Who says it, in words and in colour."""
    return f'<span class="yb-auth yb-auth-{authority.value}">{authority.label}</span>'


def _card(answer: Answer, citation: Citation, turn: str) -> str:
    quotes = [q for q, n in zip(answer.quotes, answer.cited, strict=True) if n == citation.n]
    status = {"current": "现行", "superseded": "已废止"}.get(citation.status, "未注明")
    rows = (
        ("地方", escape(place_words(citation.place))),
        ("人群", escape(citation.audience)),
        ("时间", escape(citation_dates(citation))),
        ("来源", escape(citation.source_name or "未注明")),
        ("可靠程度", authority_words(Authority(citation.authority))),
        ("效力", status),
    )
    facts = "".join(f"<dt>{name}</dt><dd>{value}</dd>" for name, value in rows)
    return (
        f'<section class="yb-card" id="{target(turn, citation.n)}" tabindex="-1">'
        f'<h3 class="yb-card-title">&#91;{citation.n}&#93; {escape(citation.title)}</h3>'
        f"<dl>{facts}</dl>{_passages(quotes)}"
        f'<p><a class="yb-whole" target="_blank" rel="noopener" '
        f'href="{article_link(citation.article_id, quotes)}">看全文</a></p></section>'
    )


def _passages(quotes: list[Quote]) -> str:
    if not quotes:
        return ""
    body = quotes[0].article.body
    marks = sorted(Span(quote.start, quote.end) for quote in quotes)
    return "".join(
        f'<div class="yb-passage">{body_html(body, window, marks)}</div>'
        for window in around(quotes)
    )


def article_link(article_id: str, quotes: list[Quote]) -> str:
    """The address of the whole article with ``quotes`` marked in it."""
    where = ",".join(f"{one.start}-{one.end}" for one in sorted(quotes, key=lambda q: q.start))
    return f"/article/{percent(article_id, safe='')}" + (f"?quote={where}#quote" if where else "")


def target(turn: str, n: int) -> str:
    """The id of the card that marker ``n`` of a turn opens."""
    return f"src-{turn}-{n}"
