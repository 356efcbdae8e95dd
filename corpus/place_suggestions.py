"""Misspelt places: which place someone may have meant. Only ever to ask back, never to answer.

A suggestion differs from a city's or province's name by one character of the same sound, is no word
itself, and stands where places stand. Names of two characters need a sign of that beside them.
"""

from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from itertools import accumulate

import jieba

from corpus.place_mentions import mentions
from corpus.place_names import PlacePath, records, rule, short_name

__all__ = ["suggest_places"]

_LENGTHS = range(2, 6)  # characters of the names that are looked for
_SURE = 3  # from so many characters on a name needs no sign beside it
_GAP = "\0"  # stands for the character that may differ
_BEFORE_REACH = 8  # characters in front of a name that may be a sign of a place
# Sounds that many people do not tell apart: zh/z, ch/c, sh/s and -ing/-in, -eng/-en, -ang/-an.
_MERGED = (("zh", "z"), ("ch", "c"), ("sh", "s"), ("ng", "n"))


@cache
def _names() -> dict[str, list[tuple[str, PlacePath]]]:
    """Names of provinces and cities by what is left of them without one character."""
    found: dict[str, list[tuple[str, PlacePath]]] = defaultdict(list)
    for path, kind in records():
        name = short_name(path[-1])
        if kind in ("province", "city") and len(name) in _LENGTHS:
            for at in range(len(name)):
                found[_without(name, at)].append((name, path))
    return dict(found)


def _without(text: str, at: int) -> str:
    return text[:at] + _GAP + text[at + 1 :]


@cache
def _sounds(char: str) -> frozenset[str]:
    """The syllables of a character without tones, merged where many people merge them."""
    from pypinyin import Style, pinyin

    found = set()
    for syllable in pinyin(char, style=Style.NORMAL, heteronym=True)[0]:
        for sound, merged in _MERGED:
            syllable = syllable.replace(sound, merged)
        found.add(syllable)
    return frozenset(found)


def _meant(window: str) -> Iterator[PlacePath]:
    """The places whose names sound like ``window`` and differ in one character."""
    for at in range(len(window)):
        for name, path in _names().get(_without(window, at), ()):
            if name != window and _sounds(name[at]) & _sounds(window[at]):
                yield path


def _stands_like_a_place(text: str, start: int, end: int) -> bool:
    behind = end + text.startswith("市", end)
    before = text[max(0, start - _BEFORE_REACH) : start]
    sign = rule("everyday_behind").match(text, end) or rule("everyday_behind").match(text, behind)
    return bool(sign or rule("everyday_before").search(before))


def suggest_places(text: str) -> tuple[PlacePath, ...]:
    """The places that misspelt names in ``text`` may mean, in order; for 「您是不是想问惠州？」.

    >>> suggest_places("惠洲医保怎么报"), suggest_places("惠州医保怎么报")
    ((('广东省', '惠州市'),), ())
    """
    named = {at for m in mentions(text) for at in range(m.span.start, m.span.end)}
    edges = set(accumulate((len(word) for word in jieba.cut(text, HMM=False)), initial=0))
    found: list[PlacePath] = []
    for start in sorted(edges):
        for end in (start + length for length in _LENGTHS):
            window = text[start:end]
            if (
                end not in edges
                or jieba.dt.FREQ.get(window)
                or not named.isdisjoint(range(start, end))
            ):
                continue
            meant = list(_meant(window))
            sure = len(window) >= _SURE or _stands_like_a_place(text, start, end)
            if len(meant) == 1 and sure and meant[0] not in found:
                found += meant
    return tuple(found)
