"""What no article can answer: subjects of other offices, and the asker's own file."""

import re
from functools import cache

import yaml

from chatbot.question import RULES


@cache
def _limits() -> dict[str, tuple[re.Pattern[str], re.Pattern[str]]]:
    data = yaml.safe_load((RULES / "limits.yaml").read_text(encoding="utf-8"))
    return {
        name: (re.compile(rule["asks"]), re.compile(rule["unless"])) for name, rule in data.items()
    }


def limit_of(text: str) -> str:
    """The name of the limit that a normalised message runs into, or empty.

    >>> limit_of("养老金今年涨多少"), limit_of("退休了养老金和医保怎么办")
    ('other_office', '')
    """
    for name, (asks, unless) in _limits().items():
        if asks.search(text) and not unless.search(text):
            return name
    return ""
