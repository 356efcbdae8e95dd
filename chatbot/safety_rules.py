"""The rules of ``chatbot/safety.py``, read from ``rules/safety.yaml``, and the text they meet."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from math import fsum, sqrt
from pathlib import Path
from typing import Any

import yaml

from corpus.regions import mentions
from index.terms import normalise

RULES = Path(__file__).with_name("rules") / "safety.yaml"
WEIGHTS = RULES.with_name("safety_weights.json")  # by eval/calibrate_safety.py, with its run
MAX_LENGTH = 10_000  # characters that are read; a longer message is a document, not a call for help
_BLANK = "〇"
_MACRO = re.compile(r"\{([a-z_]+)\}")
_BREAK = re.compile(r"(?<!\d)\.|\.(?!\d)|[^\w.%°、+]+")
_SPLIT = re.compile(r"(?:(?<![^,])[\u3400-\u9fff]{1,3},){2,}")  # 「我爸,胸口,疼得厉害」

Pattern = re.Pattern[str]


@dataclass(frozen=True, slots=True)
class Category:
    """Patterns of one family of red flags.

    ``strong`` describe what is happening; ``soft`` are complaints that may be a mere subject;
    ``named`` are illnesses, which need a word that it happens now; of each group in ``together``
    all must be there; of ``any_two``, two different ones; ``ignores`` names guards without force.
    """

    name: str
    card: tuple[str, ...]
    strong: tuple[Pattern, ...]
    soft: tuple[Pattern, ...]
    named: tuple[Pattern, ...]
    together: tuple[tuple[Pattern, ...], ...]
    any_two: tuple[Pattern, ...]
    ignores: frozenset[str]


@dataclass(frozen=True, slots=True)
class Rules:
    """The compiled rule file; its comments say what each part is for."""

    spellings: Mapping[str, str]
    spelling: Pattern
    reassurance: Pattern
    harmless: Pattern
    words: Mapping[str, Pattern]
    guards: Mapping[str, Pattern]
    categories: tuple[Category, ...]
    asks: tuple[Pattern, ...]
    advice: Mapping[str, Pattern]
    mixed: Mapping[str, Pattern]


def _expand(pattern: str, words: Mapping[str, str]) -> str:
    """Replace ``{name}`` by a group of the alternatives of that word list."""
    return _MACRO.sub(lambda found: f"(?:{_expand(words[found.group(1)], words)})", pattern)


def _compiled(patterns: Iterable[object], words: Mapping[str, str]) -> tuple[Pattern, ...]:
    return tuple(re.compile(_expand(str(one), words)) for one in patterns)


def _category(name: str, rule: Mapping[str, Any], data: Mapping[str, Any]) -> Category:
    words = data["words"]
    return Category(
        name=name,
        card=tuple(data["cards"][rule["card"]]),
        strong=_compiled(rule.get("strong", ()), words),
        soft=_compiled(rule.get("soft", ()), words),
        named=_compiled(rule.get("named", ()), words),
        together=tuple(_compiled(group, words) for group in rule.get("together", ())),
        any_two=_compiled(rule.get("any_two", ()), words),
        ignores=frozenset(rule.get("ignores", ())),
    )


@cache
def rules() -> Rules:
    """The rules of ``rules/safety.yaml``, compiled once."""
    data = yaml.safe_load(RULES.read_text(encoding="utf-8"))
    words, advice = data["words"], dict(data["advice"])
    spellings = {str(wrong): str(right) for wrong, right in data["spellings"].items()}
    longest_first = sorted(spellings, key=len, reverse=True)
    return Rules(
        spellings=spellings,
        spelling=re.compile("|".join(map(re.escape, longest_first))),
        reassurance=re.compile(_expand(data["reassurance"], words)),
        harmless=re.compile("|".join(f"(?:{_expand(one, words)})" for one in data["harmless"])),
        words={name: re.compile(_expand(words[name], words)) for name in words},
        guards={name: re.compile(_expand(one, words)) for name, one in data["guards"].items()},
        categories=tuple(_category(name, rule, data) for name, rule in data["categories"].items()),
        asks=_compiled(advice.pop("asks"), words),
        advice={name: re.compile(_expand(one, words)) for name, one in advice.items()},
        mixed={name: re.compile(_expand(one, words)) for name, one in data["mixed"].items()},
    )


def flatten(raw: str) -> str:
    """Normalised text in the rules' wording, one comma for every run of punctuation or space.

    Dialect words and typing slips are replaced; 「家里人说没事」 and the like are left out, so that
    they never change a decision.

    >>> flatten("我媽暈倒咗！！點算？家里人說沒事")
    '我妈晕倒了,怎么办'
    """
    text = _BREAK.sub(",", normalise(raw[:MAX_LENGTH])).strip(",")
    text = _SPLIT.sub(lambda found: found.group().replace(",", ""), text)
    spellings = rules().spellings
    for _ in range(2):  # 「食咗」→「食了」→「吃了」
        text = rules().spelling.sub(lambda found: spellings[found.group()], text)
    return rules().reassurance.sub("", text)


def literal(raw: str) -> str:
    """Flat text with figures of speech and names of things blanked out.

    >>> literal("气死我了！医保怎么查")
    '〇,医保怎么查'
    """
    return rules().harmless.sub(_BLANK, flatten(raw))


def placeless(flat: str) -> str:
    """A flat text without the places that it names: they say nothing of a danger.

    >>> placeless("辽阳有人晕倒了")
    '有人晕倒了'
    """
    kept, end = [], 0
    for mention in mentions(flat):
        kept.append(flat[end : mention.span.start])
        end = mention.span.end
    return "".join((*kept, flat[end:]))


def without_insurance(flat: str) -> str:
    """The clauses of a flat text that say nothing of insurance."""
    about = rules().mixed["about"]
    return ",".join(clause for clause in flat.split(",") if not about.search(clause))


@dataclass(frozen=True, slots=True)
class Sound:
    """How a message sounds, as log odds above a fitted threshold: it counts if > 0.

    ``self_harm`` holds among red flags, ``advice`` (it asks for medical advice) among the rest.
    """

    red_flag: float
    self_harm: float
    advice: float


def characters(flat: str) -> set[str]:
    """Single characters and pairs of neighbours within the clauses of a flat text.

    >>> sorted(characters("吐血,晕"))
    ['吐', '吐血', '晕', '血']
    """
    return {
        clause[at : at + size]
        for clause in flat.split(",")
        for size in (1, 2)
        for at in range(len(clause) - size + 1)
    }


@cache
def _weights() -> dict[str, Any]:
    data: dict[str, Any] = json.loads(WEIGHTS.read_text(encoding="utf-8"))
    return data


def sound(flat: str) -> Sound:
    """How a flat text sounds, by the fitted weights of its characters and pairs.

    Their sum is divided by the root of their number: a long story says no more than a cry for help.
    """
    data = _weights()
    found = [data["weights"][gram] for gram in characters(flat) if gram in data["weights"]]
    # exact: the order of a set differs from run to run, and a plain sum with it
    sums = map(fsum, zip(*found, strict=True)) if found else (0.0, 0.0, 0.0)
    root = sqrt(len(found) or 1)
    return Sound(*(bias + told / root for bias, told in zip(data["bias"], sums, strict=True)))
