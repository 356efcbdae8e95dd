"""Put an answer together: quotes and sources, fixed sentences (``rules/templates.yaml``)."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import cache

import yaml

from chatbot.applicable import is_local
from chatbot.dialogue import Turn, is_courtesy
from chatbot.evidence import Source
from chatbot.question import RULES, clean
from chatbot.records import DISCLAIMER, Answer, Citation, Kind, Quote, Retrieval, Slots
from corpus.records import Article, Audience, Authority, Status
from corpus.regions import Mention, PlacePath

MAX_FOLLOWUPS = 3
MAX_PLACES = 6  # places named when an answer tells which ones are covered
# Reservations on the articles themselves, and their short forms for one sentence.
_MARKS = {
    "one_audience": "one_audience_mark",
    "unplaced": "unplaced_mark",
    "unofficial": "unofficial_mark",
    "partly_unofficial": "partly_unofficial_mark",
    "unverified": "unverified_mark",
    "partly_unverified": "partly_unverified_mark",
    "breaks_off": "breaks_off_mark",
}
_PLACE_BOUND_FIGURE = re.compile(r"\d[\d.,]*\s*(?:%|％|万|元|亿)|\d{3,4}-\d{7,8}|百分之|百分点")


@cache
def templates() -> dict[str, str]:
    """The fixed sentences by name."""
    data: dict[str, str] = yaml.safe_load((RULES / "templates.yaml").read_text(encoding="utf-8"))
    return data


def say(name: str, /, **filled: str) -> str:
    """A fixed sentence with its gaps filled."""
    return templates()[name].format(**filled)


def has_place_bound_figure(text: str) -> bool:
    """Whether a sentence holds money, a percentage or a telephone number.

    >>> has_place_bound_figure("一级医院报90%"), has_place_bound_figure("审核3个工作日")
    (True, False)
    """
    return bool(_PLACE_BOUND_FIGURE.search(text))


def reservations(notes: Sequence[tuple[str, dict[str, str]]]) -> str:
    """The reservations as a citizen reads them: several on the articles share one sentence."""
    on_articles = [(name, filled) for name, filled in notes if name in _MARKS]
    if len(on_articles) < 2:
        return "".join(say(name, **filled) for name, filled in notes)
    marks = "，".join(say(_MARKS[name], **filled) for name, filled in on_articles)
    others = "".join(say(name, **filled) for name, filled in notes if name not in _MARKS)
    return others + say("marked", marks=marks)


def timed(answer: Answer, elapsed_ms: float) -> Answer:
    """The same answer with the time it took, in milliseconds."""
    return replace(answer, elapsed_ms=elapsed_ms)


def describe(article: Article) -> str:
    """For which place and year a source holds and who says it, as a citizen reads it."""
    facts = [say("place", place=article.place_label)]
    if article.audience is not Audience.ANYONE:
        facts.append(say("audience", audience=article.audience.value))
    if article.effective_year:
        facts.append(say("year", year=article.effective_year))
    if article.published:
        facts.append(say("published", published=article.published))
    if not article.effective_year and not article.published:
        facts.append(say("undated"))
    name = article.source_name
    label = article.authority.label
    facts.append(say("source", source=f"{name}，{label}" if name else label))
    if article.status is Status.SUPERSEDED:
        facts.append(say("superseded"))
    return "；".join(facts)


def _cite(quotes: Sequence[Quote]) -> tuple[tuple[int, ...], tuple[Citation, ...]]:
    """Citation number of each quote, and the citations, numbered in order of appearance."""
    numbers: dict[str, int] = {}
    articles: list[Article] = []
    for quote in quotes:
        if quote.article.id not in numbers:
            numbers[quote.article.id] = len(numbers) + 1
            articles.append(quote.article)
    cited = tuple(numbers[quote.article.id] for quote in quotes)
    return cited, tuple(Citation.of(n, article) for n, article in enumerate(articles, 1))


def _body(quotes: Sequence[Quote], cited: Sequence[int]) -> str:
    """The quotes under a line for each source."""
    lines: list[str] = []
    last = 0
    for quote, n in zip(quotes, cited, strict=True):
        if n != last:
            facts = describe(quote.article)
            head = say("source_line", n=str(n), title=quote.article.title, facts=facts)
            lines += ["", head] if lines else [head]
            last = n
        lines.append(f"{quote.text}[{n}]")
    return "\n".join(lines)


def _answer(
    raw: str,
    kind: Kind,
    *,
    lead: str = "",
    quotes: Sequence[Quote] = (),
    closing: str = "",
    slots: Slots | None = None,
    followups: Sequence[str] = (),
    retrieval: Retrieval | None = None,
) -> Answer:
    cited, citations = _cite(quotes)
    parts = [lead, _body(quotes, cited), closing, DISCLAIMER]
    return Answer(
        question=raw,
        kind=kind,
        text="\n\n".join(part for part in parts if part),
        lead=lead,
        closing=closing,
        quotes=tuple(quotes),
        cited=cited,
        citations=citations,
        slots=slots or Slots(),
        followups=tuple(followups),
        retrieval=retrieval or Retrieval(),
    )


def _office(place: PlacePath | None) -> str:
    return say("office_of", place="".join(place)) if place else say("office")


def _whom(place: PlacePath | None) -> str:
    return say("whom", office=_office(place))


def _followups(sources: Sequence[Source], quotes: Sequence[Quote] = ()) -> list[str]:
    """Titles of further articles that apply, as questions to press."""
    cited = {quote.article.id for quote in quotes}
    titles = [s.article.title for s in sources if s.article.id not in cited]
    return list(dict.fromkeys(titles))[:MAX_FOLLOWUPS]


def _places(places: Iterable[PlacePath]) -> str:
    return "、".join("".join(place) for place in list(dict.fromkeys(places))[:MAX_PLACES])


def invalid(raw: str, why: str) -> Answer:
    """Nothing to answer: says why and what to type."""
    return _answer(raw, Kind.INVALID, lead=f"{why}{say('invalid')}")


def small_talk(raw: str, slots: Slots) -> Answer:
    """A greeting, thanks or chat: says what can be asked."""
    text = clean(raw)
    name = "thanks" if "谢" in text else "greeting" if is_courtesy(text) else "small_talk"
    return _answer(raw, Kind.INVALID, lead=say(name), slots=slots)


def emergency(raw: str, card: Sequence[str], slots: Slots, below: Answer | None = None) -> Answer:
    """The emergency card comes first; an answer to an insurance question stands below it."""
    lead = "\n".join(card)
    if below is None or not below.quotes:
        return _answer(raw, Kind.EMERGENCY, lead=lead, slots=slots)
    return _answer(
        raw,
        Kind.EMERGENCY,
        lead="\n".join((lead, "", say("below"), below.lead)).rstrip(),
        quotes=below.quotes,
        closing=below.closing,
        slots=below.slots,
        retrieval=below.retrieval,
    )


def medical(raw: str, slots: Slots) -> Answer:
    """Diagnosis, doses, drugs: not answered here."""
    lead = f"{say('medical')}\n{say('medical_insurance')}"
    return _answer(raw, Kind.MEDICAL, lead=lead, slots=slots)


def beyond(raw: str, limit: str, slots: Slots) -> Answer:
    """What no article can answer: says so and whom to ask instead."""
    return _answer(raw, Kind.NO_ANSWER, lead=say(limit), slots=slots)


def ask_name(raw: str, turn: Turn, found: Sequence[Mention]) -> Answer:
    """A place name that several places share is asked back."""
    mention = next(m for m in found if m.path is None)
    choices = ["".join(path) for path in mention.candidates]
    lead = say("clarify_name", name=mention.span.of(turn.question.text), choices="、".join(choices))
    return _answer(raw, Kind.CLARIFY, lead=lead, slots=turn.slots, followups=choices[:6])


def ask_place(raw: str, turn: Turn, retrieval: Retrieval, meant: Sequence[PlacePath]) -> Answer:
    """A misspelt place is asked back, never guessed."""
    choices = ["".join(path) for path in meant[:MAX_PLACES]]
    lead = say("suggest_place", places="、".join(choices))
    return _answer(
        raw,
        Kind.CLARIFY,
        lead=lead,
        slots=turn.slots,
        followups=choices,
        retrieval=retrieval,
    )


def clarify(
    raw: str, turn: Turn, retrieval: Retrieval, local: Sequence[Source], meanwhile: Sequence[Quote]
) -> Answer:
    """The answer depends on the 参保地: ask for it, and quote what holds everywhere meanwhile."""
    covered = list(dict.fromkeys(s.article.place for s in local if is_local(s.article)))
    lead = f"{say('clarify')}{say('clarify_covered', places=_places(covered))}"
    if meanwhile:
        notes = [say("clarify_meanwhile")] if all(q.article.place for q in meanwhile) else []
        notes += [say("unplaced")] if any(not q.article.place for q in meanwhile) else []
        lead = f"{lead}\n{''.join(notes)}"
    return _answer(
        raw,
        Kind.CLARIFY,
        lead=lead,
        quotes=meanwhile,
        closing=_whom(None),
        slots=turn.slots,
        followups=[place[-1] for place in covered[:MAX_PLACES]],
        retrieval=retrieval,
    )


def no_answer(
    raw: str,
    turn: Turn,
    retrieval: Retrieval,
    sources: Sequence[Source],
    covered: Sequence[PlacePath],
) -> Answer:
    """The corpus does not hold it: says so and whom to ask; no figure of another place."""
    if turn.place and covered and all(place != turn.place for place in covered):
        lead = say("no_answer_place", asked="".join(turn.place))
        lead += say("covered", places=_places(covered))
    else:
        lead = say("no_answer_near" if sources else "no_answer")
    return _answer(
        raw,
        Kind.NO_ANSWER,
        lead=lead,
        closing=_whom(turn.place),
        slots=turn.slots,
        followups=_followups(sources),
        retrieval=retrieval,
    )


def nothing_more(raw: str, turn: Turn, retrieval: Retrieval, sources: Sequence[Source]) -> Answer:
    """A follow-up finds only what has just been said: says so instead of saying it again."""
    return _answer(
        raw,
        Kind.NO_ANSWER,
        lead=say("nothing_more"),
        closing=_whom(turn.place),
        slots=turn.slots,
        followups=_followups(sources),
        retrieval=retrieval,
    )


def answer(
    raw: str,
    turn: Turn,
    retrieval: Retrieval,
    quotes: Sequence[Quote],
    notes: Sequence[tuple[str, dict[str, str]]],
    sources: Sequence[Source],
    *,
    disputed: bool = False,
) -> Answer:
    """Quotes with their sources; reservations first, above all that the sources differ."""
    kind = Kind.CONFLICT if disputed else Kind.CAVEAT if notes else Kind.ANSWER
    lead = say("conflict") if kind is Kind.CONFLICT else ""
    lead += reservations(notes)
    official = all(quote.article.authority is Authority.OFFICIAL for quote in quotes)
    sure = official and kind is Kind.ANSWER
    closing = "" if sure else say("verify", office=_office(turn.place))
    return _answer(
        raw,
        kind,
        lead=lead,
        quotes=quotes,
        closing=closing,
        slots=turn.slots,
        followups=_followups(sources, quotes),
        retrieval=retrieval,
    )
