"""Which claims contradict each other: everything is the same but the number.

Precision first: where a condition is doubtful, nothing is said. Other place, other audience, other
tier, outpatient against inpatient, another year (a change over time), a range that holds the other
value: none of these is a contradiction.
"""

import math
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations, product

from corpus import facets
from corpus.claims import STANCE, Claim, claims_of
from corpus.figures import Bound, Figure, figures
from corpus.records import Article

_ALIKE = 0.28  # share of the shorter sentence's character pairs that the other has too (dev set)
_ALIKE_DATED = 0.5  # many rules come into force on some day; or neither names its subject
_ALIKE_UNNAMED = 0.4  # one of the sentences does not name what its figure is of
_NOT_CONTENT = re.compile(r"[\d\W_a-zA-Z]|[零一二两三四五六七八九十百千万]")
_YEAR_OFF = 0.015  # a year is 365 days, twelve months of thirty days are 360
_COMMON = re.compile(
    "从今年|起施行|起执行|起实施|生效|待核实|规定|医保|每人|以内|之内|最多|至少|最低|最高"
)


@dataclass(frozen=True, slots=True)
class Conflict:
    """Two claims that cannot both be right, in the order of their articles' ids."""

    first: Claim
    second: Claim


@lru_cache(maxsize=100_000)
def _pairs(text: str) -> frozenset[str]:
    marked = list(text)
    for figure in figures(text):
        marked[figure.start : figure.end] = " " * (figure.end - figure.start)
    words = facets.pattern("attribution").sub("", "".join(marked))
    content = _NOT_CONTENT.sub("", _COMMON.sub("", words))
    return frozenset(content[i : i + 2] for i in range(len(content) - 1))


def _is_vague(claim: Claim) -> bool:
    return not claim.strict and claim.subject in facets.words()["vague"]


def _likeness(a: Claim, b: Claim) -> float:
    """How far two sentences, without or with their titles, are about the same thing; 0 to 1."""

    def share(first: frozenset[str], second: frozenset[str]) -> float:
        return len(first & second) / max(1, min(len(first), len(second)))

    x, y = _pairs(a.text), _pairs(b.text)
    return max(share(x, y), share(x | _pairs(a.title), y | _pairs(b.title)))


def _are_kin(first: str, second: str) -> bool:
    """Whether two subjects are nearly the same, or one of them is not named."""
    unnamed = not (first and second)
    return unnamed or any({first, second} <= set(kin) for kin in facets.words()["kin"])


def _same_setting(a: Claim, b: Claim) -> bool:
    """Whether the settings are the same; some go without saying in one of two like sentences."""
    if a.setting == b.setting:
        return True
    unsaid = {*facets.words()["unsaid"], *(("门特",) if "disease" in dict(a.strict) else ())}
    return (
        a.setting | b.setting <= unsaid
        and not (a.setting and b.setting)
        and _likeness(a, b) >= _ALIKE_UNNAMED
    )


def _same_subject(a: Claim, b: Claim) -> bool:
    """Whether two figures are of the same thing: by their subjects, in doubt by the sentences."""
    if a.subject != b.subject:
        return _are_kin(a.subject, b.subject) and _likeness(a, b) >= _ALIKE_UNNAMED
    if not a.subject:
        return _likeness(a, b) >= _ALIKE_DATED
    if not _is_vague(a):
        return True
    return _likeness(a, b) >= (_ALIKE_DATED if a.figure.unit == "日期" else _ALIKE)


def comparable(a: Claim, b: Claim) -> bool:
    """Whether two claims speak of the same thing under conditions that fit each other."""
    if a.key != b.key or not (a.states and b.states):
        return False
    if a.years and b.years and not a.years & b.years:
        return False
    theirs = dict(b.lenient)
    if any(name in theirs and not values & theirs[name] for name, values in a.lenient):
        return False
    if a.bands and b.bands and a.bands != b.bands:
        return False
    return _same_setting(a, b) and _same_subject(a, b)


def _days_agree(a: Figure, b: Figure) -> bool:
    """Of days in a year: windows must be equal; a month holds its days."""
    if a.low < a.high and b.low < b.high:
        return (a.low, a.high) == (b.low, b.high)
    if a.low < a.high or b.low < b.high:
        return b.high // 100 == a.high // 100
    return (a.low, a.high) == (b.low, b.high)


def agrees(a: Claim, b: Claim) -> bool:
    """Whether the figures of two comparable claims can both be right."""
    if a.figure.unit == STANCE:
        return a.stance == b.stance
    x, y = a.figure, b.figure
    changes = (Bound.RAISE, Bound.CUT)
    if (x.bound in changes or y.bound in changes) and x.bound != y.bound:
        return True
    if x.unit == "期":
        return _days_agree(x, y)
    if x.unit != y.unit:
        x, y = x.in_days(), y.in_days()
    if x.bound is y.bound and x.bound in (Bound.LEAST, Bound.MOST):
        return math.isclose(x.low, y.low, rel_tol=_YEAR_OFF)
    return x.interval[0] <= y.interval[1] and y.interval[0] <= x.interval[1]


def contradicts(a: Claim, b: Claim) -> bool:
    """Whether two claims of different articles cannot both be right."""
    return a.article_id != b.article_id and comparable(a, b) and not agrees(a, b)


def _confirmed(claim: Claim, others: Sequence[Claim]) -> bool:
    """Whether one of ``others`` says the same as ``claim``; stances are never confirmed away."""
    return claim.figure.unit != STANCE and any(
        comparable(claim, other) and agrees(claim, other) for other in others
    )


def _alternatives(claims: Sequence[Claim]) -> list[list[Claim]]:
    """Claims of one key by all that ``contradicts`` looks at."""
    found: dict[tuple[object, ...], list[Claim]] = defaultdict(list)
    for claim in claims:
        about = claim.text if _is_vague(claim) or not claim.subject else ""
        value = (claim.figure.unit, claim.figure.interval, claim.figure.bound, claim.stance)
        conditions = (claim.subject, claim.setting, claim.years, claim.lenient, claim.bands)
        found[(*value, *conditions, about)].append(claim)
    return list(found.values())


def _in_group(claims: Sequence[Claim]) -> Iterator[tuple[Claim, Claim]]:
    """The contradicting pairs among claims of one key."""
    of_article: dict[str, list[Claim]] = defaultdict(list)
    for claim in claims:
        of_article[claim.article_id].append(claim)
    for some, others in combinations(_alternatives(claims), 2):
        if not comparable(some[0], others[0]) or agrees(some[0], others[0]):
            continue
        for a, b in product(some, others):
            if a.article_id != b.article_id and not (
                _confirmed(a, of_article[b.article_id]) or _confirmed(b, of_article[a.article_id])
            ):
                yield (a, b) if a.article_id < b.article_id else (b, a)


def conflicts(articles: Iterable[Article], *, unquotable: bool = False) -> tuple[Conflict, ...]:
    """The contradictions among articles, each pair of values of two articles once.

    A figure that the other article states too, under any fitting condition, contradicts nothing.

    Args:
        articles: the articles to compare.
        unquotable: see ``claims_of``.
    """
    groups: dict[tuple[object, ...], list[Claim]] = defaultdict(list)
    for article in articles:
        for claim in claims_of(article, unquotable=unquotable):
            if claim.states:
                groups[claim.key].append(claim)
    found: dict[tuple[object, ...], Conflict] = {}
    for group in groups.values():
        for a, b in _in_group(group):
            seen = (a.article_id, b.article_id, a.key, a.figure.interval, b.figure.interval)
            found.setdefault(seen, Conflict(a, b))
    return tuple(
        sorted(
            found.values(),
            key=lambda c: (c.first.article_id, c.second.article_id, c.first.start, c.second.start),
        )
    )


def within_article(article: Article) -> tuple[Conflict, ...]:
    """Where an article contradicts itself: both sides of one question, or a whole and its parts.

    Other figures of one article are not compared: they nearly always have conditions of their own.
    """
    claims = [claim for claim in claims_of(article, unquotable=True) if claim.states]
    sides: dict[str, Conflict] = {}
    for a, b in combinations([c for c in claims if c.stance], 2):
        if comparable(a, b) and a.stance != b.stance and a.span != b.span:
            sides.setdefault(a.subject, Conflict(a, b))
    overall = facets.pattern("overall")
    wholes = [c for c in claims if c.kind == "比例" and overall.search(c.text) and not c.bands]
    parts = [c for c in claims if c.kind == "比例" and c.bands]
    outside = [
        Conflict(whole, parts[0])
        for whole in wholes
        if parts and {part.subject for part in parts} == {whole.subject}
        if all(whole.figure.interval[1] < part.figure.low for part in parts)
        or all(whole.figure.interval[0] > part.figure.high for part in parts)
    ]
    return (*sides.values(), *outside)
