"""The answer ladder: whether the evidence answers the question, and on which rung."""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from chatbot.applicable import is_about_travel, is_local, treated_elsewhere
from chatbot.evidence import Source
from chatbot.measures import unknown_share
from chatbot.question import RULES, Question
from chatbot.records import Quote
from corpus.records import Article, Audience, Authority
from corpus.regions import PlacePath
from index.search import Index
from index.ways import Side

FEATURES = (
    "coverage",
    "title",
    "closeness",
    "wanted",
    "fit",
    "agreement",
    "known",
    "smallness",
    "length",
    "nearest",
    "all_ways",
)
LAST_LINES = 3  # what stands so near the end of a text that breaks off may go on there
# Characters: what else a long story tells lowers every other measure, and evenly beyond these.
SHORT, LONG = 12, 50
# log10 of the sentences of a large corpus: the best of more sentences is nearer by chance.
LARGE = 5


@dataclass(frozen=True, slots=True)
class Decision:
    """A fitted logistic: the quotes answer with sigmoid(weights · features + bias)."""

    weights: dict[str, float]
    bias: float
    threshold: float


@cache
def decisions() -> dict[str, Decision]:
    """The fitted values for ``hybrid`` and for ``bm25`` alone, from ``rules/decision.json``."""
    data: dict[str, Any] = json.loads((RULES / "decision.json").read_text(encoding="utf-8"))
    return {
        name: Decision(fit["weights"], fit["bias"], fit["threshold"])
        for name, fit in data["fits"].items()
    }


def features(
    index: Index,
    text: str,
    weights: dict[str, float],
    asked: frozenset[str],
    sources: Sequence[Source],
    quotes: Sequence[Quote],
    side: Side,
) -> dict[str, float]:
    """What the decision on ``text`` is made from, each 0…1.

    ``weights`` are those of its content words, ``asked`` the names of what it asks for; ``side``
    where it lies.
    """
    if not sources or not quotes:
        return dict.fromkeys(FEATURES, 0.0)
    best = sources[0]
    return {
        "coverage": best.coverage,
        "title": best.title,
        "closeness": best.closeness,
        "wanted": _wanted(asked, sources, quotes),
        "fit": best.fit,
        "agreement": best.agreement,
        "known": 1 - unknown_share(index, weights),
        "smallness": max(0.0, 1 - math.log10(index.engine.candidates.sentence_count or 1) / LARGE),
        "length": min(max((len(text) - SHORT) / (LONG - SHORT), 0.0), 1.0),
        "nearest": side.nearest,
        "all_ways": side.all_ways,
    }


def _wanted(asked: frozenset[str], sources: Sequence[Source], quotes: Sequence[Quote]) -> float:
    """The share of what is asked for that the quoted sentences show, 0…1; ½ if nothing certain."""
    quoted = {(quote.article.id, quote.start) for quote in quotes}
    shown = {
        name
        for source in sources
        for sentence in source.sentences
        if (source.article.id, sentence.span.start) in quoted
        for name in sentence.shows
    }
    return len(shown) / len(asked) if asked else 0.5


def probability(values: dict[str, float], *, dense: bool) -> float:
    """How likely the quotes answer the question, 0…1."""
    fit = decisions()["hybrid" if dense else "bm25"]
    total = fit.bias + sum(fit.weights[name] * values[name] for name in fit.weights)
    return 1 / (1 + math.exp(-total))


def answerable(values: dict[str, float], *, dense: bool) -> bool:
    """Whether the evidence is strong enough to be shown."""
    fit = decisions()["hybrid" if dense else "bm25"]
    return probability(values, dense=dense) >= fit.threshold


def year_of(article: Article) -> str:
    """The year for which an article holds, else the year it appeared in, else empty."""
    return article.effective_year or article.published[:4]


def caveats(
    question: Question, place: PlacePath | None, year: str, quotes: Sequence[Quote]
) -> list[tuple[str, dict[str, str]]]:
    """The reservations that must be printed first: template names with what fills them."""
    articles = list({quote.article.id: quote.article for quote in quotes}.values())
    found: list[tuple[str, dict[str, str]]] = []
    if "sum" in question.wants:
        found.append(("no_sum", {}))
    exact = [a for a in articles if place and a.place == place]
    if place and not exact:
        wider = next((a for a in articles if a.place), None)
        if wider:
            filled = {"asked": "".join(place), "place": wider.place_label}
            found.append(("wider", filled))
    care = treated_elsewhere(question, place)
    if care and not any(is_about_travel(a) for a in articles):
        found.append(("elsewhere", {"care": "".join(care)}))
    if any(not a.place for a in articles):
        found.append(("unplaced", {}))
    found += _one_audience(question, articles, quotes)
    return found + _doubts(year, articles, quotes)


def _doubts(
    year: str, articles: Sequence[Article], quotes: Sequence[Quote]
) -> list[tuple[str, dict[str, str]]]:
    """Reservations about the articles themselves: too old, unverified, breaking off."""
    found: list[tuple[str, dict[str, str]]] = []
    years = sorted({year_of(a) for a in articles if year_of(a)})
    if year and years and years[-1] < year:
        found.append(("older", {"asked": year, "found": years[-1]}))
    doubtful = [a for a in articles if a.authority in (Authority.SITE, Authority.UNVERIFIED)]
    if doubtful:
        found.append((_doubt(doubtful, len(doubtful) == len(articles)), {}))
    if any(_breaks_off(a, quotes) for a in articles):
        found.append(("breaks_off", {}))
    return found


def _doubt(doubtful: Sequence[Article], every: bool) -> str:
    """Which reservation: a website only if all that is doubtful is from one."""
    if all(article.authority is Authority.SITE for article in doubtful):
        return "unofficial" if every else "partly_unofficial"
    return "unverified" if every else "partly_unverified"


def _breaks_off(article: Article, quotes: Sequence[Quote]) -> bool:
    """Whether a quote stands in the last lines of an article of which the end is missing."""
    last = max(quote.end for quote in quotes if quote.article.id == article.id)
    return article.truncated and len(article.body[last:].split("\n")) <= LAST_LINES


def _one_audience(
    question: Question, articles: Sequence[Article], quotes: Sequence[Quote]
) -> list[tuple[str, dict[str, str]]]:
    """Says for which insurance a rule holds, if nobody said which one is meant.

    A wider rule counts if its title says so: 「居民医保怎么报」. Where the other one is told too,
    nothing is said.
    """
    if question.insurance:
        return _other_audience(question.insurance, articles, quotes)
    named = [a for a in articles if is_local(a) or a.audience.value in a.title]
    audiences = {article.audience for article in named}
    only = audiences.pop() if len(audiences) == 1 else Audience.ANYONE
    if only is Audience.ANYONE or any(_other(only) in quote.text for quote in quotes):
        return []
    return [("one_audience", {"audience": only.value})]


def _other(audience: str) -> Audience:
    """The other one of the two insurances."""
    return Audience.RESIDENT if audience == Audience.EMPLOYEE else Audience.EMPLOYEE


def _other_audience(
    asked: str, articles: Sequence[Article], quotes: Sequence[Quote]
) -> list[tuple[str, dict[str, str]]]:
    """Says that articles are about the other insurance, unless their quotes name the asked one."""
    other = _other(asked)
    named = {quote.article.id for quote in quotes if asked in quote.text}
    strangers = [a for a in articles if a.audience is other and a.id not in named]
    if not strangers:
        return []
    every = len(strangers) == len(articles)
    name = "other_audience" if every else "partly_other_audience"
    return [(name, {"asked": asked, "told": other.value})]
