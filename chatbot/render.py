"""An answer as the citizen sees it: the message with its markers and its tools."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict

from chatbot.cards import authority_words, citation_dates, place_words, target
from chatbot.markup import escape, phones_in, with_phones
from chatbot.question import clean, mended
from chatbot.records import DISCLAIMER, Answer, Citation, Kind, Quote, Slots
from corpus.records import Authority, Status

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
_CALLS = {
    "120": "急救",
    "12356": "心理援助",
    "12393": "医保服务",
}
_SLOT_WORDS = {"region": "参保地", "insurance": "险种", "year": "年份"}
_REASONS = ("答非所问", "过期", "地区不对", "引用错", "看不懂")
_TOOLS = {"copy": "复制", "aloud": "朗读", "print": "打印", "share": "分享"}
_CHOOSE_PLACE = '<button class="yb-choose-place" type="button">选参保地</button>'
_CHOOSE_HERE = f'<p class="yb-choose">{_CHOOSE_PLACE}</p>'
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
        f'<h2 class="yb-kind">{KIND_WORDS[answer.kind]}</h2>',
        _calls(answer),
        _own_words("yb-lead", first),
        _CHOOSE_HERE if answer.kind is Kind.CLARIFY and not answer.slots.region else "",
        _own_words("yb-below", below),
        _quotes(answer, turn),
        _own_words("yb-closing", answer.closing),
        _sources(answer, turn),
        _how(answer),
        f'<p class="yb-disclaimer">{DISCLAIMER}</p>',
        _plain(answer),
        _tools(answer),
        "</div>",
    ]
    return "".join(parts)


def render_choices(questions: Sequence[str], subjects: Mapping[str, str] | None = None) -> str:
    """Questions to tap, each below its subject if it has one."""
    subjects = subjects or {}
    buttons = [
        f'<button class="yb-choice" type="button">{_subject(subjects.get(text, ""))}'
        f'<span class="yb-asks">{escape(text)}</span></button>'
        for text in questions
    ]
    return f'<div class="yb-choices">{"".join(buttons)}</div>' if buttons else ""


def render_after(questions: Sequence[str], title: str = "接着问") -> str:
    """What stands below the last answer: what to ask next, and how to start again."""
    title = f'<h2 class="yb-subtitle">{title}</h2>' if questions else ""
    restart = '<button class="yb-restart" id="yb-restart" type="button">重新开始</button>'
    return f"{title}{render_choices(questions)}{restart}"


def render_slots(slots: Slots, turn: str) -> str:
    """What is known of the person, each as a chip that a press takes away."""
    known = {name: value for name, value in asdict(slots).items() if value}
    chips = [
        f'<button class="yb-chip yb-slot-{name}" type="button">'
        f"{_SLOT_WORDS[name] + '：' if name in _SLOT_WORDS else ''}{escape(value)}</button>"
        for name, value in known.items()
    ]
    return f'<div class="yb-chips yb-{turn}">{"".join(chips)}{_CHOOSE_PLACE}</div>'


def _subject(subject: str) -> str:
    return f'<span class="yb-subject">{escape(subject)}</span>' if subject else ""


def _own_words(css_class: str, text: str) -> str:
    return f'<p class="{css_class}">{with_phones(text, own_words=True)}</p>' if text else ""


def _calls(answer: Answer) -> str:
    """Telephones to tap: first those that the card tells to call, then the other services."""
    if answer.kind not in (Kind.EMERGENCY, Kind.MEDICAL):
        return ""
    told = [n for n in phones_in(answer.lead) if n in _CALLS]
    others = [n for n in _CALLS if n not in told] if answer.kind is Kind.EMERGENCY else []
    first = "".join(_call(n, "yb-call") for n in told)
    rest = "".join(_call(n, "yb-call yb-call-other") for n in others)
    return first + (f'<div class="yb-calls-other">{rest}</div>' if rest else "")


def _call(number: str, css_class: str) -> str:
    words = f"拨打 {number}<span>（{_CALLS[number]}）</span>"
    return f'<a class="{css_class}" href="tel:{number}">{words}</a>'


def _plain(answer: Answer) -> str:
    """The answer's text for copying, reading aloud and announcing; never drawn."""
    lines = "".join(f"<p>{escape(line)}</p>" for line in answer.text.splitlines())
    return f'<div class="yb-plain">{lines}</div>'


def _tools(answer: Answer) -> str:
    tools = "".join(
        f'<button class="yb-act yb-{name}" type="button">{words}</button>'
        for name, words in _TOOLS.items()
    )
    if answer.kind in (Kind.EMERGENCY, Kind.INVALID):
        return f'<div class="yb-acts">{tools}</div>'
    reasons = "".join(
        f'<button class="yb-act yb-reason" type="button">{words}</button>'
        for words in (*_REASONS, "说不上来")
    )
    return (
        f'<div class="yb-acts">{tools}<button class="yb-act yb-good" type="button">有帮助</button>'
        '<button class="yb-act yb-bad" type="button">没帮助</button></div>'
        f'<div class="yb-reasons"><p>哪里不好？点一下就会连同这个问题一起送出。</p>{reasons}</div>'
    )


def _quotes(answer: Answer, turn: str) -> str:
    pairs = list(zip(answer.quotes, answer.cited, strict=True))
    if answer.kind is not Kind.CONFLICT:
        shown = [_quote(quote, n, turn) for quote, n in pairs]
        return "".join(shown[:UNFOLDED]) + _folded(shown[UNFOLDED:])
    sides = [
        f'<div class="yb-side"><h3 class="yb-side-name">{escape(_side_name(citation))} '
        f"{authority_words(Authority(citation.authority))}</h3>"
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
    """A quoted sentence; its marker stays on the line of its last character."""
    cut = len(quote.text) - (not quote.text[-1].isalnum())
    text, end = with_phones(quote.text[:cut], own_words=False), escape(quote.text[cut:])
    css = f"yb-cite yb-marker yb-at-{quote.start}"
    marker = f'<a class="{css}" href="#{target(turn, n)}">&#91;{n}&#93;</a>'
    return f'<p class="yb-quote">{text}<span class="yb-end">{end}{marker}</span></p>'


def _side_name(citation: Citation) -> str:
    return f"{place_words(citation.place)} · {citation_dates(citation)}"


def _sources(answer: Answer, turn: str) -> str:
    if not answer.citations:
        return ""
    lines = [
        f'<a class="yb-cite yb-source-line" href="#{target(turn, c.n)}">'
        f'<span class="yb-source-title">&#91;{c.n}&#93; {escape(c.title)}</span> '
        f'<span class="yb-source-facts">{escape(_source_facts(c))}</span> '
        f"{authority_words(Authority(c.authority))}</a>"
        for c in answer.citations
    ]
    return f'<h3 class="yb-sources-title">出处（点开看原文）</h3>{"".join(lines)}'


def _source_facts(citation: Citation) -> str:
    words = (
        place_words(citation.place),
        citation_dates(citation),
        citation.source_name or "来源未注明",
        "已废止" if citation.status == Status.SUPERSEDED else "",
    )
    return " · ".join(word for word in words if word)


def _how(answer: Answer) -> str:
    """How the search was done: for whom, in which words, with how much of the machinery."""
    if answer.kind in _UNSEARCHED:
        return ""
    known = [value for value in asdict(answer.slots).values() if value]
    notes = [escape(f"按这些情况查找：{'、'.join(known)}。")] if known else []
    rewritten = answer.retrieval.rewritten
    if rewritten and (answer.citations or is_mended(answer.question)):
        undo = '<button class="yb-act yb-undo" type="button">撤销</button>'
        notes.append(f"已按“{escape(rewritten)}”检索，{undo}")
    if answer.citations and answer.retrieval.legs == ("bm25",):
        notes.append(escape(_ONE_LEG))
    return "".join(f'<p class="yb-how">{note}</p>' for note in notes)


def is_mended(question: str) -> bool:
    """Whether misspelt terms of a question are mended before the search."""
    return mended(question) != clean(question)
