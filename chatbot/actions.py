"""What somebody wants done, and which sentences are about that: 「怎么解绑」 is not 「怎么绑」."""

import re
from collections.abc import Sequence
from functools import cache

import yaml

from chatbot.evidence import Source
from chatbot.question import RULES
from index.terms import normalise


@cache
def _actions() -> tuple[tuple[re.Pattern[str], re.Pattern[str]], ...]:
    data = yaml.safe_load((RULES / "actions.yaml").read_text(encoding="utf-8"))
    return tuple((re.compile(r["asks"]), re.compile(r["shows"])) for r in data.values())


def actions_of(text: str) -> tuple[re.Pattern[str], ...]:
    """How sentences look that are about what a normalised question wants done; empty if nothing.

    >>> bool(actions_of("亲情账户怎么解绑")), bool(actions_of("亲情账户怎么绑"))
    (True, False)
    """
    return tuple(shows for asks, shows in _actions() if asks.search(text))


def acting(actions: Sequence[re.Pattern[str]], sources: Sequence[Source]) -> set[tuple[str, int]]:
    """Article id and order of each sentence that is about one of ``actions``."""
    return {
        (source.article.id, s.order)
        for source in sources
        for s in source.sentences
        if any(one.search(normalise(s.span.of(source.article.body))) for one in actions)
    }
