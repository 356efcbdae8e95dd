"""An answer as the citizen sees it: the message, and the evidence that its markers open."""

from urllib.parse import quote as percent

from chatbot.markup import body_html, escape, phones_in, with_phones
from chatbot.records import DISCLAIMER, Answer, Citation, Kind, Quote
from corpus.records import Authority, Span, Status
from corpus.sentences import sentences

AROUND = 2  # sentences shown before and after a quoted one
UNFOLDED = 6  # quotes shown at once, the others are unfolded
KIND_WORDS = {
    Kind.ANSWER: "找到了原文",
    Kind.CAVEAT: "有保留的回答",
    Kind.CLARIFY: "需要您补充",
    Kind.CONFLICT: "几处说法不一样",
    Kind.NO_ANSWER: "没有找到",
    Kind.EMERGENCY: "紧急情况",
    Kind.MEDICAL: "请找医生",
    Kind.INVALID: "没有看明白",
}
_UNSEARCHED = frozenset({Kind.EMERGENCY, Kind.MEDICAL, Kind.INVALID})
_CALLS = {"120": "拨打 120（急救）", "12356": "拨打 12356（心理援助）"}
_ONE_LEG = "语义查找还在准备，这次只按字词查找，过一会儿再问会更准。"


def render_question(question: str) -> str:
    """The citizen's own words as an inert message."""
    return f'<div class="yb-question">{escape(question)}</div>'


def render_answer(answer: Answer, turn: str) -> str:
    """The answer as one block of HTML without a blank line, safe inside Gradio's Markdown.

    Args:
        answer: what to show.
        turn: a token for this turn, letters and digits; it makes the markers' targets unique.
    """
    first, _, below = answer.lead.partition("\n\n")  # the emergency card, what stands below it
    parts = [
        f'<div class="yb-answer yb-{answer.kind.value}">',
        f'<p class="yb-kind">{KIND_WORDS[answer.kind]}</p>',
        _own_words("yb-lead", first),
        _calls(answer),
        _own_words("yb-below", below),
        _quotes(answer, turn),
        _own_words("yb-closing", answer.closing),
        _sources(answer, turn),
        _how(answer),
        f'<p class="yb-disclaimer">{DISCLAIMER}</p>',
        "</div>",
    ]
    return "".join(parts)


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


def _own_words(css_class: str, text: str) -> str:
    return f'<p class="{css_class}">{with_phones(text, own_words=True)}</p>' if text else ""


def _calls(answer: Answer) -> str:
    if answer.kind not in (Kind.EMERGENCY, Kind.MEDICAL):
        return ""
    numbers = [n for n in phones_in(answer.lead + "\n" + answer.closing) if n in _CALLS]
    return "".join(f'<a class="yb-call" href="tel:{n}">{_CALLS[n]}</a>' for n in numbers)


def _quotes(answer: Answer, turn: str) -> str:
    pairs = list(zip(answer.quotes, answer.cited, strict=True))
    if answer.kind is not Kind.CONFLICT:
        shown = [_quote(quote, n, turn) for quote, n in pairs]
        return "".join(shown[:UNFOLDED]) + _folded(shown[UNFOLDED:])
    sides = [
        f'<div class="yb-side"><p class="yb-side-name">{escape(_side_name(citation))}</p>'
        + "".join(_quote(quote, n, turn) for quote, n in pairs if n == citation.n)
        + "</div>"
        for citation in answer.citations
    ]
    return f'<div class="yb-sides">{"".join(sides)}</div>'


def _folded(quotes: list[str]) -> str:
    """The quotes that a citizen unfolds; a single one is not worth a tap."""
    if len(quotes) < 2:
        return "".join(quotes)
    return (
        f'<details class="yb-more"><summary>展开另外{len(quotes)}句</summary>'
        f"{''.join(quotes)}</details>"
    )


def _quote(quote: Quote, n: int, turn: str) -> str:
    text = with_phones(quote.text, own_words=False)
    marker = f'<a class="yb-cite yb-marker" href="#{_target(turn, n)}">&#91;{n}&#93;</a>'
    return f'<p class="yb-quote">{text}{marker}</p>'


def _side_name(citation: Citation) -> str:
    return f"{place_words(citation.place)} · {_dates(citation)}"


def _sources(answer: Answer, turn: str) -> str:
    if not answer.citations:
        return ""
    lines = [
        f'<a class="yb-cite yb-source-line" href="#{_target(turn, c.n)}">'
        f"&#91;{c.n}&#93; {escape(_source_line(c))}</a>"
        for c in answer.citations
    ]
    return f'<p class="yb-sources-title">出处（点开看原文）</p>{"".join(lines)}'


def _source_line(citation: Citation) -> str:
    words = (
        citation.title,
        place_words(citation.place),
        _dates(citation),
        citation.source_name or "来源未注明",
        Authority(citation.authority).label,
        "已废止" if citation.status == Status.SUPERSEDED else "",
    )
    return " · ".join(word for word in words if word)


def _dates(citation: Citation) -> str:
    return date_words(citation.published, citation.effective_year)


def _how(answer: Answer) -> str:
    """How the search was done: for whom, in which words, with how much of the machinery."""
    if answer.kind in _UNSEARCHED:
        return ""
    known = (answer.slots.region, answer.slots.insurance, answer.slots.year)
    notes = []
    if any(known):
        notes.append(f"按这些情况查找：{'、'.join(word for word in known if word)}")
    if answer.citations and answer.retrieval.rewritten:
        notes.append(f"已按“{answer.retrieval.rewritten}”检索")
    if answer.citations and answer.retrieval.legs == ("bm25",):
        notes.append(_ONE_LEG)
    return "".join(f'<p class="yb-how">{escape(note)}</p>' for note in notes)


def _card(answer: Answer, citation: Citation, turn: str) -> str:
    quotes = [q for q, n in zip(answer.quotes, answer.cited, strict=True) if n == citation.n]
    rows = (
        ("地方", place_words(citation.place)),
        ("人群", citation.audience),
        ("时间", _dates(citation)),
        ("来源", citation.source_name or "未注明"),
        ("可靠程度", Authority(citation.authority).label),
        ("效力", {"current": "现行", "superseded": "已废止"}.get(citation.status, "未注明")),
    )
    facts = "".join(f"<dt>{name}</dt><dd>{escape(value)}</dd>" for name, value in rows)
    return (
        f'<section class="yb-card" id="{_target(turn, citation.n)}" tabindex="-1">'
        f'<p class="yb-card-title">&#91;{citation.n}&#93; {escape(citation.title)}</p>'
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


def _target(turn: str, n: int) -> str:
    return f"src-{turn}-{n}"
