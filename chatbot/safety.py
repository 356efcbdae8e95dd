"""Red flags: decided before retrieval, by rules, in milliseconds.

A message is made flat (``safety_rules.flatten``) and its fixed expressions are blanked; each
category's patterns are searched in it, and a match counts only if no guard tells it apart:
negation, past, hypothesis, hearsay, insurance talk, treatment that is over. All words are in
``rules/safety.yaml``. What no rule describes is judged by how it sounds (``_heard``), and what a
rule describes counts unless it sounds harmless by far.
"""

import re
from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass, replace

from chatbot.safety_rules import (
    MAX_LENGTH,
    Category,
    Sound,
    literal,
    placeless,
    rules,
    sound,
    without_insurance,
)
from corpus.regions import mentions
from index.terms import normalise

WINDOW = 60  # characters of a clause that are looked at on each side of a sign
# Log odds, see eval/LOG.md: what a message needs more without its insurance clauses, and below what
# a rule has met its words in another sense.
MIXED = 1.3
HARMLESS, HARMLESS_TO_ONESELF = -2.5, -4.0
ALONE = 0.5  # by which a single clause is believed


@dataclass(frozen=True, slots=True)
class Alert:
    """A red flag: its category and fixed sentences on what to do now, the number to call first."""

    category: str
    card: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Reading:
    """A flat text with what holds for all of it, found once.

    ``has`` names the word lists and guards that occur; the others are positions in ascending order.
    """

    text: str
    has: frozenset[str]
    past: tuple[int, ...]
    present: tuple[int, ...]
    supposed: tuple[int, ...]
    reported: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Match:
    """A match in a reading, with what stands around it. Clauses are divided by commas."""

    reading: Reading
    start: int
    end: int

    @property
    def before(self) -> str:
        """The clause up to the match."""
        text, near = self.reading.text, max(0, self.start - WINDOW)
        return text[max(near, text.rfind(",", near, self.start) + 1) : self.start]

    @property
    def after(self) -> str:
        """The clause from the end of the match."""
        return self.reading.text[self.end : self.end + WINDOW].partition(",")[0]

    @property
    def clause(self) -> str:
        """The clause, or the clauses, that the match lies in."""
        return self.before + self.reading.text[self.start : self.end] + self.after

    @property
    def rest(self) -> str:
        """The clause from the end of the match, and the clause that follows."""
        return ",".join(self.reading.text[self.end : self.end + 2 * WINDOW].split(",", 2)[:2])

    def last(self, positions: tuple[int, ...]) -> int:
        """The last of ``positions`` before the end of the match, or -1."""
        index = bisect_left(positions, self.end)
        return positions[index - 1] if index else -1


def _read(raw: str) -> Reading:
    guards, words = rules().guards, rules().words
    text = rules().mixed["tail"].sub(",", literal(raw))
    history = [found.span() for found in guards["history"].finditer(text)]

    def starts(pattern: re.Pattern[str]) -> tuple[int, ...]:
        return tuple(found.start() for found in pattern.finditer(text))

    return Reading(
        text=text,
        has=frozenset(
            name for name, pattern in {**words, **guards}.items() if pattern.search(text)
        ),
        past=tuple(at for at in starts(guards["past"]) if not any(a <= at < b for a, b in history)),
        present=starts(words["present"]),
        supposed=starts(guards["hypothetical"]),
        reported=starts(guards["reported"]),
    )


def _negated(match: Match) -> bool:
    guards = rules().guards
    return bool(guards["negation"].search(match.before) or guards["listed"].search(match.before))


def _past(match: Match) -> bool:
    """Told of an earlier time in its clause, or in one before if costs or the outcome are told."""
    guards, reading = rules().guards, match.reading
    if guards["past_after"].search(match.after):
        return True
    marker = match.last(reading.past)
    if marker < 0 or match.last(reading.present) > marker:
        return False
    if reading.text.find(",", marker, match.end) < 0:
        return True
    talk = not reading.has.isdisjoint({"insurance", "outcome"})
    return talk and not guards["urgent"].search(match.clause)


def _supposed(match: Match) -> bool:
    """Only imagined: after 如果 or 万一, with no word for the present between."""
    marker = match.last(match.reading.supposed)
    return "的话" in match.after or (marker >= 0 and match.last(match.reading.present) < marker)


def _over(reading: Reading) -> bool:
    """Whether a message on insurance tells that the person is in treatment and out of danger."""
    return {"over", "insurance"} <= reading.has


def _set_aside(match: Match, ignores: frozenset[str]) -> bool:
    """Whether a guard applies that holds for every strength of sign."""
    if _negated(match) or _past(match) or match.last(match.reading.reported) >= 0:
        return True
    if (
        _over(match.reading)
        or ("dead" in match.reading.has and "dead" not in ignores)
        or ("hypothetical" not in ignores and _supposed(match))
    ):
        return True
    return "worry" not in ignores and bool(rules().guards["worry"].search(match.before))


def _strong(match: Match, ignores: frozenset[str]) -> bool:
    """Whether a description of what is happening counts."""
    guards, words = rules().guards, rules().words
    clause, rest = match.clause, match.rest
    subject = not match.reading.has.isdisjoint({"insurance", "hospital"})
    if _set_aside(match, ignores):
        return False
    told = match.reading.text[match.start : match.end + 1]
    begins = words["onset"].search(clause) or words["sudden"].search(clause)
    if begins or "subject" in ignores:
        return True
    if "treated" not in ignores and guards["treated"].search(told + rest):
        return False
    if subject and guards["lasting"].search(clause):
        return False
    if not subject or words["badly"].search(rest) or words["person"].search(clause):
        return True
    return bool(guards["nominal"].search(told)) and not words["insurance"].search(match.after)


def _dismissed(match: Match, ignores: frozenset[str]) -> bool:
    """Whether a complaint is set aside, asked about in general, or under treatment."""
    if _set_aside(match, ignores) or "general" in match.reading.has:
        return True
    treated = rules().guards["treated"]
    return bool(treated.search(match.clause) or treated.search(match.rest))


def _soft(match: Match, ignores: frozenset[str]) -> bool:
    """Whether a complaint counts that may be a mere subject of a question."""
    guards, words, has = rules().guards, rules().words, match.reading.has
    clause, rest = match.clause, match.rest
    if _dismissed(match, ignores):
        return False
    if has.isdisjoint({"insurance", "hospital"}):
        return True
    if guards["lasting"].search(clause):
        return False
    if words["onset"].search(clause) or words["badly"].search(rest):
        return True
    subject = words["insurance"].search(clause + rest) or "hospital" in has
    return bool(words["person"].search(clause)) and not subject


def _sign(match: Match, ignores: frozenset[str]) -> bool:
    """Whether one of several signs counts, of which a question on insurance may follow."""
    if match.reading.has & {"lasting", "chronic"} or _dismissed(match, ignores):
        return False
    return not rules().words["insurance"].search(match.clause)


def _named(match: Match, ignores: frozenset[str]) -> bool:
    """Whether the name of an illness counts: it needs a word that it happens now."""
    guards, has = rules().guards, match.reading.has
    if _set_aside(match, ignores) or not has.isdisjoint({"general", "treated", "lasting"}):
        return False
    if guards["named_onset"].search(match.before) or guards["named_after"].search(match.after):
        return True
    if not has.isdisjoint({"chronic", "insurance", "hospital"}):
        return False
    person = rules().words["person"].search(match.clause)
    return bool(person) or not has.isdisjoint({"onset", "badly"})


def _any(
    is_live: Callable[[Match, frozenset[str]], bool],
    pattern: re.Pattern[str],
    category: Category,
    reading: Reading,
) -> bool:
    """Whether a match of ``pattern`` counts."""
    return any(
        is_live(Match(reading, *found.span()), category.ignores)
        for found in pattern.finditer(reading.text)
    )


def _raised(category: Category, reading: Reading) -> bool:
    """Whether a sign of the category counts."""
    tiers = ((category.strong, _strong), (category.soft, _soft), (category.named, _named))
    for patterns, is_live in tiers:
        if any(_any(is_live, pattern, category, reading) for pattern in patterns):
            return True
    for is_live in (_soft, _sign):
        if sum(_any(is_live, pattern, category, reading) for pattern in category.any_two) > 1:
            return True
    return any(
        all(_any(_strong, pattern, category, reading) for pattern in group)
        for group in category.together
    )


def check(raw: str) -> Alert | None:
    """The red flag in a message, or None. Categories are tried in the order of the rule file.

    >>> check("我胸口疼得厉害，出冷汗").category
    'chest_pain'
    >>> check("120急救车的钱医保能报吗") is None
    True
    """
    reading = _read(raw)
    told = placeless(reading.text)
    described, heard = _described(reading), _heard(told)
    if described and (_believed(described, heard) or _clause_sounds_so(told)):
        return described
    if heard.red_flag < 0 or {"supposed_first", "insurance"} <= reading.has:
        return None
    name = "self_harm" if heard.self_harm > 0 else "critical"
    return next(Alert(c.name, c.card) for c in rules().categories if c.name == name)


def _believed(described: Alert, heard: Sound) -> bool:
    """Whether a message does not sound so harmless that the rule met its words in another sense."""
    to_oneself = described.category == "self_harm"
    return heard.red_flag >= (HARMLESS_TO_ONESELF if to_oneself else HARMLESS)


def _clause_sounds_so(text: str) -> bool:
    """Whether a single clause of a flat text sounds like a red flag."""
    return any(sound(clause).red_flag >= ALONE for clause in text.split(","))


def by_rule(raw: str) -> Alert | None:
    """As ``check``, by the rules alone: what the fit of the weights may lean on."""
    return _described(_read(raw))


def _described(reading: Reading) -> Alert | None:
    for category in rules().categories:
        if _raised(category, reading):
            return Alert(category.name, category.card)
    return None


def _heard(text: str) -> Sound:
    """How a flat text sounds; without its insurance clauses if that sounds more like a red flag."""
    denied = rules().guards["denied"]
    text = ",".join(clause for clause in text.split(",") if not denied.search(clause))
    whole, told = sound(text), without_insurance(text)
    if told in ("", text):
        return whole
    part = sound(told)
    return max(whole, replace(part, red_flag=part.red_flag - MIXED), key=lambda s: s.red_flag)


def insurance_part(raw: str) -> str:
    """The clauses of a message that ask about insurance, in their own words; empty if none do.

    For a message that also holds a red flag. Kept are clauses on insurance, without an emergency
    told in the same breath; a question that follows them at once; and, with these, clauses that
    name a place and no red flag.

    >>> insurance_part("我妈晕倒了叫不醒，我们是合肥的，急诊的钱医保能报吗？")
    '我们是合肥的，急诊的钱医保能报吗？'
    >>> insurance_part("医保又不给报，我不想活了")
    ''
    """
    about, asks = rules().mixed["about"], rules().mixed["asks"]
    kept: list[str] = []
    of_insurance: list[str] = []
    follows = False
    for clause in rules().mixed["clause"].findall(raw[:MAX_LENGTH]):
        if about.search(normalise(clause)):
            kept.append(_without_emergency(clause))
            of_insurance.append(kept[-1])
            follows = True
            continue
        question = follows and asks.search(normalise(clause)) and check(clause) is None
        if question:
            of_insurance.append(clause)
        if question or (check(clause) is None and mentions(normalise(clause))):
            kept.append(clause)
        follows = False
    asked = any(asks.search(normalise(clause).strip(" ,。!")) for clause in of_insurance)
    return "".join(kept).strip() if asked else ""


def _without_emergency(clause: str) -> str:
    """The longest end of a clause on insurance that tells of no emergency, or all of it."""
    if check(clause) is None:
        return clause
    for begin in rules().mixed["begins"].finditer(clause):
        rest = clause[begin.start() :]
        if rules().mixed["about"].search(normalise(rest)) and check(rest) is None:
            return rest
    return clause
