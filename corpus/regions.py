"""Which place's rules a text is about: where someone is insured, where only treated.

``place_mentions.py`` finds the places; the words around them that tell the role stand in
``regions.yaml``.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from corpus.place_mentions import Mention, mentions
from corpus.place_names import PlacePath, county, rule, short_name, tables, within
from corpus.records import Article

__all__ = [
    "Mention",
    "PlacePath",
    "PlaceReading",
    "applies",
    "article_place",
    "county",
    "mentions",
    "read_places",
    "short_name",
    "within",
]

_ROLE_REACH = 16  # characters on either side of a name in which a sign of its role may stand
_HERE = "\ue000"  # stands for the name in a pattern: a private character
_JOINING = frozenset("和与及跟、")
_EXAMPLE = re.compile(r"(?:如|例如|比如|像|包括|以)[^。；;]{0,12}$")


@dataclass(frozen=True, slots=True)
class PlaceReading:
    """What a text says of places.

    ``insured`` is the place whose rules count (参保地), ``care`` one where someone is only treated,
    ``others`` further places, ``ambiguous`` the candidates of a name that several places share.
    ``visiting``: someone goes to the place of treatment from elsewhere, so its rules do not count.
    """

    insured: PlacePath | None = None
    care: PlacePath | None = None
    visiting: bool = False
    others: tuple[PlacePath, ...] = ()
    ambiguous: tuple[PlacePath, ...] = ()

    @property
    def place(self) -> PlacePath | None:
        """The insured place, else that of treatment unless one only travels there, else None."""
        return self.insured or (None if self.visiting else self.care)


def _deepest(paths: Sequence[PlacePath]) -> tuple[PlacePath, ...]:
    """The paths without those that only name a parent of another."""
    unique = list(dict.fromkeys(paths))
    return tuple(p for p in unique if not any(p != q and within(q, p) for q in unique))


def _one_city(paths: Sequence[PlacePath]) -> PlacePath | None:
    """The city that holds several different places, or None."""
    cities = {path[:2] for path in paths}
    several = len(set(paths)) > 1 and len(cities) == 1
    return cities.pop() if several and all(len(path) > 1 for path in paths) else None


@cache
def _role_pattern(kind: str) -> re.Pattern[str]:
    return re.compile("|".join(tables()[kind]).replace("{}", _HERE))


def _has_role(text: str, mention: Mention, kind: str) -> bool:
    """Whether a pattern of that kind holds for the mention."""
    start, end = mention.span.start, mention.span.end
    before, behind = text[max(0, start - _ROLE_REACH) : start], text[end : end + _ROLE_REACH]
    return bool(_role_pattern(kind).search(before + _HERE + behind))


class _Roles:
    """The unambiguous places of a text by the signs of their roles."""

    def __init__(self, text: str, known: Sequence[Mention]) -> None:
        self.text = text
        self.known = [m for m in known if m.path]
        self.deepest = _deepest([m.path for m in self.known if m.path])

    def having(self, kind: str) -> list[PlacePath]:
        """The places with a sign of that kind.

        A sign at a parent counts for the place, one at the last of several joined places for all.
        """
        signed: set[PlacePath] = set()
        following: Mention | None = None
        last = False
        for mention in reversed(self.known):
            joined = following and self.text[mention.span.end : following.span.start] in _JOINING
            if mention.path and (_has_role(self.text, mention, kind) or (joined and last)):
                signed.add(mention.path)
            last = mention.path in signed
            following = mention
        return [place for place in self.deepest if any(within(place, p) for p in signed)]


def read_places(text: str) -> PlaceReading:
    """Which place's rules a text is about.

    >>> read_places("湖南医保在广州看病").insured, read_places("湖南医保在广州看病").care
    (('湖南省',), ('广东省', '广州市'))
    """
    found = mentions(text)
    roles = _Roles(text, found)
    ambiguous = tuple(c for m in found if not m.path for c in m.candidates)
    denied = roles.having("denied_patterns")
    paid = [path for path in roles.having("paid_patterns") if path not in denied]
    stated = paid or [p for p in roles.having("insured_patterns") if p not in denied]
    mine = roles.having("own_patterns")
    aside = roles.having("aside_patterns") + (roles.having("kin_patterns") if mine else [])
    if not paid and any(p not in aside for p in mine):
        stated = [p for p in stated if p in mine or p not in aside]
    moved = bool(rule("insurance_moves").search(text))
    visited = [] if moved else roles.having("travel_patterns")
    care = [p for p in dict.fromkeys(visited + roles.having("care_patterns")) if p not in paid]
    insured = stated
    if len(stated) > 1:  # 「湖南医保在广东」: 「医保在广东」 alone would read as insured there
        insured = [path for path in stated if path not in care] or stated[:1]
        insured = [path for path in insured if path in mine] or insured
    care = [path for path in care if path not in insured]
    if stated and not moved:  # 「合肥医保卡，在杭州药店」: insured there, so only staying here
        care += [p for p in roles.having("stay_patterns") if p not in [*stated, *denied]]
    if not insured:
        others = [path for path in roles.deepest if path not in care and path not in denied]
        own = [path for path in others if path not in aside or path in mine]
        insured = [path for path in own if path in mine] or own
        insured = insured if insured or care else others
    first, treated = next(iter(insured), None), next(iter(care), None)
    if not first and treated:  # 「从惠阳搬到仲恺」: one city holds both, and its rules count
        first = _one_city([m.path for m in found if m.path])
    elsewhere = rule("insured_elsewhere").search(text)
    return PlaceReading(
        insured=first,
        care=treated,
        visiting=treated in visited or bool(elsewhere),
        others=tuple(path for path in roles.deepest if path not in (first, treated)),
        ambiguous=() if first or treated else ambiguous,
    )


def article_place(title: str, body: str) -> PlacePath:
    """The place that an article is for: from its title, else from its first sentence, else empty.

    Places given as examples (「如河南、洛阳」) do not count.
    """
    from corpus.sentences import sentences

    if mentions(title):
        named = read_places(title)
        return named.insured or named.care or ()
    first = next((s.of(body) for s in sentences(body) if s.of(body).strip()), "")
    if any(_EXAMPLE.search(first[: m.span.start]) for m in mentions(first)):
        return ()
    reading = read_places(first)
    return reading.place or () if not reading.others else ()


def applies(article: Article, place: PlacePath) -> bool:
    """Whether an article's rule may hold in ``place``: same place, a wider one, or none named."""
    return not article.place or article.place == ("全国",) or within(place, article.place)
