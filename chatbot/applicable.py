"""Which articles may answer: their place, their year, their audience against the question's."""

import datetime as dt
import re
from collections.abc import Iterable
from functools import lru_cache

from chatbot.question import Question
from corpus.records import NATIONAL, Article, Audience, Status
from corpus.regions import PlacePath, applies, read_places, within
from index.terms import normalise

UNDATED = 0.8  # how well an article fits a year that says for no year that it holds
OLD = 0.5  # the same for one of a year long past
_DIGITS = re.compile(r"\d+")
_AWAY = re.compile(r"异地|外地|外省|跨省|转诊|备案|转院")
_YEAR = re.compile(r"20\d{2}")


def this_year() -> int:
    """The year of today's date."""
    return dt.date.today().year


def is_local(article: Article) -> bool:
    """Whether an article holds for one place only."""
    return bool(article.place) and article.place != (NATIONAL,)


@lru_cache(maxsize=20_000)
def _treated_in(title: str) -> PlacePath | None:
    """Where people are treated in an article on being treated elsewhere, by its title."""
    return read_places(normalise(title)).care


def may_answer(
    article: Article, place: PlacePath | None, care: PlacePath | None, year: str
) -> bool:
    """Whether an article may be shown at all.

    Args:
        article: the article.
        place: the 参保地, or None if it is not known: then every place may answer.
        care: another place of treatment, or None.
        year: the year that is asked for, or empty.
    """
    here = place is None or applies(article, place)
    return here and _same_care(article, care) and in_force(article, year)


def _same_care(article: Article, care: PlacePath | None) -> bool:
    """Whether an article on being treated elsewhere is about the same elsewhere."""
    there = None if care is None else _treated_in(article.title)
    return care is None or there is None or within(there, care) or within(care, there)


def treated_elsewhere(question: Question, place: PlacePath | None) -> PlacePath | None:
    """The place of treatment of someone who is insured in another place; else None."""
    care = question.places.care
    return care if place is not None and care != place else None


def is_about_travel(article: Article) -> bool:
    """Whether an article is on being treated away from the insured place, by its title."""
    return _treated_in(article.title) is not None or bool(_AWAY.search(article.title))


def in_force(article: Article, year: str) -> bool:
    """Whether an article may answer for a year, or at all if no year is asked for.

    One that holds for a certain year answers for that year, for the year that its title or date
    names, and with a reservation for the year after. A superseded one answers only if its own
    year is asked for.
    """
    named = {article.effective_year, article.published[:4], *_YEAR.findall(article.title)}
    if not year or year in named:
        return bool(year) or article.status is not Status.SUPERSEDED
    if article.status is Status.SUPERSEDED:
        return False
    return not article.effective_year or int(article.effective_year) == int(year) - 1


def fit(article: Article, question: Question, place: PlacePath | None) -> float:
    """How well place, audience and year fit, 0…1."""
    fits = []
    if place is not None:
        fits.append(1.0 if is_local(article) else 0.5 if article.place else 0.0)
        if treated_elsewhere(question, place):
            fits.append(1.0 if is_about_travel(article) else 0.0)
    if question.insurance and article.audience is not Audience.ANYONE:
        fits.append(1.0 if article.audience.value == question.insurance else 0.0)
    fits.append(_year_fit(article, int(question.year or this_year())))
    return sum(fits) / len(fits)


def _year_fit(article: Article, year: int) -> float:
    """1 for an article of that very year, less the older it is; undated ones stand between."""
    if not article.effective_year:
        return UNDATED
    return max(OLD, 1.0 - (1.0 - UNDATED) * _distance(article, year))


def of_one_year(articles: Iterable[Article], year: int) -> set[str]:
    """Ids to keep: of a place's articles whose titles differ only by the year, the nearest."""
    far = {a.id: (_series(a), _distance(a, year)) for a in articles}
    nearest: dict[tuple[PlacePath, str], int] = {}
    for key, distance in far.values():
        nearest[key] = min(distance, nearest.get(key, distance))
    return {name for name, (key, distance) in far.items() if distance == nearest[key]}


def _series(article: Article) -> tuple[PlacePath, str]:
    return article.place, _DIGITS.sub("", article.title)


def _distance(article: Article, year: int) -> int:
    """Years from ``year`` to the nearest that an article names; 0 if it holds for none surely."""
    if not article.effective_year:
        return 0
    named = [article.effective_year, *_YEAR.findall(article.title)]
    return min(abs(int(name) - year) for name in named)
