"""The questions that a first visitor can tap: common ones by subject, in everyday words."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any

import yaml

from chatbot.question import RULES
from corpus.records import Article

SHOWN = 6  # they fill a phone's first screen


@dataclass(frozen=True, slots=True)
class Starter:
    """A question, the subject above it, and the title of the article that answers it."""

    subject: str
    question: str
    answered_by: str


@cache
def common_starters() -> tuple[Starter, ...]:
    """The questions of ``rules/starters.yaml``, most wanted first."""
    return tuple(Starter(**row) for row in _data()["starters"])


def choose_starters(articles: Collection[Article]) -> tuple[str, ...]:
    """Up to six questions that ``articles`` answer: common ones, then titles, one a topic."""
    titles = {article.title for article in articles}
    common = [one.question for one in common_starters() if one.answered_by in titles]
    return tuple(dict.fromkeys([*common, *_titles(articles)]))[:SHOWN]


def _titles(articles: Iterable[Article]) -> list[str]:
    """The shortest title of each topic, short ones first."""
    chosen: dict[str, str] = {}
    for article in sorted(articles, key=lambda a: (len(a.title), a.id)):
        chosen.setdefault(article.topic or article.id, article.title)
    return list(chosen.values())


def subjects_of(articles: Collection[Article]) -> dict[str, str]:
    """The subject, in plain words, of each question that ``choose_starters`` may give."""
    plain = _data()["plain_subjects"]
    titles = {article.title: plain.get(article.topic, article.topic) for article in articles}
    return titles | {one.question: one.subject for one in common_starters()}


@cache
def _data() -> dict[str, Any]:
    data: dict[str, Any] = yaml.safe_load((RULES / "starters.yaml").read_text(encoding="utf-8"))
    return data
