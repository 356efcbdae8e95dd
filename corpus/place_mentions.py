"""Where a text names places: Aho–Corasick over all names, then what makes a hit a place or none.

Names come from ``place_names.py``, the words around a name that tell in ``regions.yaml``.
"""

import re
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import accumulate, pairwise

import jieba

from corpus.place_names import Name, PlacePath, automaton, rule, tables, within
from corpus.records import Span
from corpus.word_classes import word_classes

__all__ = ["Mention", "mentions"]

_SHORT = 2  # characters; names up to here may be a part of other words
_GOING = "去到在来从住转往回赴"  # a name behind one of these is one, whatever jieba glues together
_LONGEST = 16  # characters of the longest word of jieba's dictionary
_FROM_THERE = ("人", "同胞")  # 「台湾同胞」 is one word for jieba
_PARENT_REACH = 2  # characters between a name and the parent that settles it: 「福建的鼓楼区」
_BEFORE_REACH = 8  # characters in front of a name that are looked at
_RUN = re.compile(r"[\u4E00-\u9FD5a-zA-Z0-9+#&._%\-]+")  # jieba cuts each run by itself
_STOPS = frozenset(" \n\t，。、；：？！（）“”《》,:;?!()|")  # in no word
_HAN = re.compile(r"[\u4E00-\u9FD5]")

Parents = Mapping[int, Sequence[tuple[int, PlacePath]]]


@dataclass(frozen=True, slots=True)
class Mention:
    """A place name at a position; several ``candidates`` mean that the name is ambiguous."""

    span: Span
    candidates: tuple[PlacePath, ...]

    @property
    def path(self) -> PlacePath | None:
        """The one place that is meant, or None."""
        return self.candidates[0] if len(self.candidates) == 1 else None


@dataclass(frozen=True, slots=True)
class _Hit:
    """A name at a position; without places it is a word that only looks like one."""

    start: int
    end: int
    name: Name

    @property
    def places(self) -> tuple[PlacePath, ...]:
        return self.name.places

    @property
    def rank(self) -> tuple[int, bool, int]:
        """Longest first, then by place; but 阳性 goes before 信阳 in 「信阳性」."""
        length = self.end - self.start
        return -length, bool(self.places) and length <= _SHORT, self.start


def mentions(text: str) -> list[Mention]:
    """The places that ``text`` names, in order; longest names first, no overlaps.

    >>> [m.candidates for m in mentions("安徽和县医保")]
    [(('安徽省',),), (('安徽省', '马鞍山市', '和县'),)]
    """
    hits = [*_name_hits(text), *_letter_hits(text)]
    parents = _parents(hits)
    taken = bytearray(len(text))
    kept = []
    for hit in sorted(
        _whole_words(text, list(_likely(text, hits, parents)), parents), key=lambda hit: hit.rank
    ):
        if not any(taken[hit.start : hit.end]):
            taken[hit.start : hit.end] = b"\1" * (hit.end - hit.start)
            if hit.places:
                kept.append(hit)
    kept.sort(key=lambda hit: hit.start)
    return [
        Mention(Span(hit.start, hit.end), _settled(hit, parents))
        for hit in _without_name_givers(text, kept)
    ]


def _name_hits(text: str) -> Iterator[_Hit]:
    for last, name in automaton().iter(text):
        yield _Hit(last + 1 - len(name.text), last + 1, name)


@cache
def _letters() -> re.Pattern[str]:
    """One character for a province in the patterns in which it is one, and groups of them."""
    letter = f"[{''.join(tables()['letters'])}]"
    alone = "|".join(tables()["letter_patterns"]).replace("{}", letter)
    return re.compile(f"(?P<group>{'|'.join(tables()['letter_groups'])})|{alone}")


def _letter_hits(text: str) -> Iterator[_Hit]:
    meant = tables()["letters"] | tables()["group_letters"]
    for found in _letters().finditer(text):
        for at in range(*found.span()):
            name = Name(text[at], ((meant[text[at]],),), is_letter=not found["group"])
            yield _Hit(at, at + 1, name)


def _parents(hits: Sequence[_Hit]) -> Parents:
    """Unambiguous places by the offset at which their names end."""
    parents: dict[int, list[tuple[int, PlacePath]]] = defaultdict(list)
    for hit in hits:
        if len(hit.places) == 1 and not hit.name.needs_parent:
            parents[hit.end].append((hit.start, hit.places[0]))
    return parents


def _likely(text: str, hits: Sequence[_Hit], parents: Parents) -> Iterator[_Hit]:
    """The hits without those that the words around them rule out."""
    for hit in hits:
        if hit.name.needs_parent:
            places = _inside_parent(text, hit, parents)
            if places:
                yield replace(hit, name=Name(hit.name.text, places))
        elif not hit.places or _looks_like_a_place(text, hit, parents):
            yield hit


def _inside_parent(text: str, hit: _Hit, parents: Parents) -> tuple[PlacePath, ...]:
    """The place of a short county name that stands right behind the place that holds it."""
    start = hit.start - (text[hit.start - 1 : hit.start] == "的")
    holding = [parent for _, parent in parents.get(start, ())]
    places = tuple(p for p in hit.places if any(within(p, parent) for parent in holding))
    alone = len(places) == 1 and not rule("no_county_behind").match(text, hit.end)
    return places if alone else ()


def _looks_like_a_place(text: str, hit: _Hit, parents: Parents) -> bool:
    """Whether the words around a name let it be a place: no street, no everyday word."""
    if rule("no_place_behind").match(text, hit.end):
        return False
    if hit.name.text not in tables()["everyday"]:
        return True
    before = text[max(0, hit.start - _BEFORE_REACH) : hit.start]
    behind = rule("everyday_behind").match(text, hit.end)
    return bool(behind or parents.get(hit.start) or rule("everyday_before").search(before))


def _whole_words(text: str, hits: Sequence[_Hit], parents: Parents) -> Iterator[_Hit]:
    """The hits without short names that are a part of other words."""
    doubtful = [hit for hit in hits if _is_doubtful(text, hit)]
    edges = _with_joints(_edges(text, [hit.start for hit in doubtful]), hits, parents)
    out = {hit for hit in doubtful if not _is_a_word(text, hit, edges)}
    return (hit for hit in hits if hit not in out)


def _is_doubtful(text: str, hit: _Hit) -> bool:
    """Whether a name may be a part of other words: only then the text must be cut into words."""
    if not hit.places or hit.end - hit.start > _SHORT:
        return False
    if hit.end - hit.start == 1:
        return hit.name.is_letter
    return _crossed(text, hit.start) or _crossed(text, hit.end)


def _crossed(text: str, at: int) -> bool:
    """Whether a word of the dictionary could stand across an offset.

    If none could, the offset is an edge however jieba cuts. Its table also holds every beginning of
    a word, with frequency 0.
    """
    if text[at : at + 1] in _STOPS:
        return False
    table = jieba.dt.FREQ
    for begin in range(at - 1, max(-1, at - _LONGEST), -1):
        if text[begin] in _STOPS:
            break
        if text[begin:at] in table:
            for end in range(at + 1, len(text) + 1):
                frequency = table.get(text[begin:end])
                if frequency is None:
                    break
                if frequency:
                    return True
    return False


def _edges(text: str, starts: Sequence[int]) -> list[int]:
    """Offsets at which a word of the dictionary begins or ends, in the runs around ``starts``.

    jieba cuts a run of characters by itself, so cutting only the runs with a hit gives the same
    words as cutting the whole text, in a fraction of the time.
    """
    wanted = sorted(starts)
    edges: list[int] = []
    for run in _RUN.finditer(text) if wanted else ():
        at = bisect_left(wanted, run.start())
        if at < len(wanted) and wanted[at] < run.end():
            lengths = (len(word) for word in jieba.cut(run.group(), HMM=False))
            edges += accumulate(lengths, initial=run.start())
    return edges


def _with_joints(edges: Sequence[int], hits: Sequence[_Hit], parents: Parents) -> list[int]:
    """The edges and those between a place and its own parent: 「湖南永州」 is a word of jieba's."""
    known = set(edges)
    joints = {
        hit.start
        for hit in hits
        for begin, parent in parents.get(hit.start, ())
        if hit.end in known and begin in known and parent in {path[:-1] for path in hit.places}
    }
    return sorted(known | joints)


def _letter_stands_alone(text: str, hit: _Hit, edges: Sequence[int]) -> bool:
    """Whether a letter begins a word of its own: not 京 in 「天京医保」."""
    at = bisect_left(edges, hit.start)
    before = text[hit.start - 1 : hit.start]
    if not _HAN.match(before) or before in tables()["letter_openers"]:
        return True
    return edges[at] == hit.start and hit.start - edges[at - 1] > 1


def _is_a_word(text: str, hit: _Hit, edges: Sequence[int]) -> bool:
    """Whether a short name is no part of other words: 新余 in 「最新余额」 is none."""
    if hit.name.is_letter:
        return _letter_stands_alone(text, hit, edges)
    start, end = hit.start, hit.end
    after = bisect_right(edges, start)
    begin, stop = edges[after - 1], edges[after]
    if begin == start and edges[bisect_left(edges, end)] == end:
        return True
    if text[end - 1] == "县":  # 「省级和县级」
        return False
    if stop > end:  # within one longer word: an institution's name, or whoever is from there
        named = word_classes().get(text[begin:stop]) == "nt"
        return named or (begin == start and text.startswith(_FROM_THERE, end))
    return begin == start or (start > 0 and text[start - 1] in _GOING)


def _without_name_givers(text: str, hits: Sequence[_Hit]) -> Iterator[_Hit]:
    """Leave out 北京 in 「北京大学深圳医院」 and 南京 in 「南京军区福州总医院」."""
    for hit, following in pairwise((*hits, None)):
        named = rule("institution_behind").match(text, hit.end) if hit and following else None
        if hit and not (named and following and named.end() == following.start):
            yield hit


def _settled(hit: _Hit, parents: Parents) -> tuple[PlacePath, ...]:
    """The one path whose parent is named just before, else all of them."""
    before = [
        parent
        for at in range(hit.start - _PARENT_REACH, hit.end)
        for begin, parent in parents.get(at, ())
        if begin < hit.start
    ]
    near = tuple(p for p in hit.places if any(within(p, parent) for parent in before))
    return near if len(near) == 1 else hit.places
