"""Under which conditions a figure holds, and what it is of, by the words around it.

``claims.yaml`` holds the words. ``strict`` facets (住院 or 门诊, the tier of a hospital …) must be
equal before two figures are compared; of ``lenient`` ones (男 or 女 …) silence fits everything.
"""

import re
from collections.abc import Mapping, Sequence
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import yaml

from corpus.figures import Figure, figures
from corpus.records import NATIONAL, Article
from corpus.regions import PlacePath, mentions, within

Facets = tuple[tuple[str, frozenset[str]], ...]
PHONE = "电话"
_CLAUSE = re.compile(r"[，,；;、/（）()：:。！？\n]|——")
_BRACKET = re.compile(r"\s*[（(]([^（）()]{1,24})[)）]")
_YEAR = re.compile(r"(?<!\d)(20\d{2}|19\d{2})(?:年(?!\d{1,2}月\d)|[—–\-至到](?=20\d{2}))")
_EXAMPLE_PLACE = re.compile(r"(?:如|例如|比如|像|以)[^。；;]{0,12}$")


@cache
def words() -> dict[str, Any]:
    """The word lists of ``claims.yaml``."""
    data: dict[str, Any] = yaml.safe_load(
        Path(__file__).with_name("claims.yaml").read_text(encoding="utf-8")
    )
    return data


@cache
def pattern(name: str) -> re.Pattern[str]:
    """The single pattern of that name."""
    return re.compile(words()[name])


@cache
def patterns(kind: str, name: str) -> Mapping[str, re.Pattern[str]]:
    """The patterns of one table, by value."""
    table = words()[kind].get(name) or {}
    return {value: re.compile(text) for value, text in table.items()}


def cuts(sentence: str, found: Sequence[Figure] = ()) -> list[tuple[int, int]]:
    """Where the clauses of a sentence are divided; never inside one of its figures."""
    return [
        (m.start(), m.end())
        for m in _CLAUSE.finditer(sentence)
        if not any(f.start < m.end() and m.start() < f.end for f in found)
    ]


def near(sentence: str, found: Sequence[Figure], at: int) -> tuple[str, ...]:
    """The texts around figure ``at``, nearest first.

    Before it in its clause, a bracket just after it, after it, the clauses before.
    """
    figure = found[at]
    divided = cuts(sentence, found)
    begin = max((end for _, end in divided if end <= figure.start), default=0)
    stop = min((start for start, _ in divided if start >= figure.end), default=len(sentence))
    last = max((f.end for f in found[:at] if begin <= f.end <= figure.start), default=begin)
    following = min((f.start for f in found[at + 1 :] if f.start < stop), default=stop)
    bracket = _BRACKET.match(sentence, figure.end)
    texts = [sentence[last : figure.start]]
    if bracket and not figures(bracket.group(1)):
        texts.append(bracket.group(1))
    texts += [sentence[figure.end : following], sentence[begin:last]]
    edges = [0, *(end for _, end in divided if end <= begin)]
    starts = [*(start for start, end in divided if end <= begin), begin]
    earlier = [sentence[a:b] for a, b in zip(edges, starts, strict=True)]
    return tuple(text for text in [*texts, *reversed(earlier)] if text)


@lru_cache(maxsize=100_000)
def values_of(text: str) -> Mapping[str, tuple[str, ...]]:
    """The facet values that a text names, in their order."""
    found: dict[str, tuple[str, ...]] = {}
    for kind in ("strict", "lenient"):
        for facet in words()[kind]:
            hits = [
                (match.start(), value)
                for value, compiled in patterns(kind, facet).items()
                if (match := compiled.search(text))
            ]
            if hits:
                found[facet] = tuple(value for _, value in sorted(hits))
    return found


def _facet(name: str, around: Sequence[str], over: Sequence[str]) -> frozenset[str]:
    """The values of a facet in the nearest text that names any; a title with several says none."""
    for text in around:
        values = values_of(text).get(name)
        if values:
            return frozenset(values)
    for text in over:
        values = values_of(text).get(name)
        if values:
            return frozenset(values) if len(values) == 1 else frozenset()
    return frozenset()


def _settled(name: str, values: frozenset[str]) -> frozenset[str]:
    """One value where values include each other: a total, an illness seen as an outpatient.

    That a person pays, is treated at home, gives birth naturally is the rule: it need not be said.
    """
    values -= {"个人", "本地", "顺产"}
    if "灵活" in values:  # 没有单位的灵活就业人员
        return frozenset(("灵活",))
    if "未转诊" in values:
        values -= {"转诊"}
    for wide in ("合计", "门特", "大病", "大额", "普通门诊") if name == "setting" else ():
        if wide in values:
            return frozenset((wide,))
    return values


def facets(
    kind: str, around: Sequence[str], over: Sequence[str], only: Sequence[str] = ()
) -> Facets:
    """The facets of one kind that hold for a figure, those without a value left out."""
    names = only or words()[kind]
    found = ((name, _settled(name, _facet(name, around, over))) for name in names)
    return tuple((name, values) for name, values in found if values)


def both_sexes(sentence: str, found: Sequence[Figure], at: int) -> frozenset[str]:
    """男 and 女 if a figure of neither's clause follows both: 「男60岁、女55岁，满25年」."""
    figure = found[at]
    begin = max((end for _, end in cuts(sentence, found) if end <= figure.start), default=0)
    same = [f.end for f in found[:at] if f.unit == figure.unit]
    named = values_of(sentence[max(same, default=0) : begin]).get("sex", ())
    return frozenset(named if len(named) > 1 and "sex" not in values_of(sentence[begin:]) else ())


def subject(figure: Figure, around: Sequence[str], over: Sequence[str]) -> str:
    """What a figure is of: the word nearest before it, else nearest in the texts around it."""
    table = patterns("subjects", figure.unit)
    for text in (*around, *over):
        hits = [
            (match.end(), len(match.group()), name)
            for name, compiled in table.items()
            for match in compiled.finditer(text)
        ]
        if hits:
            return max(hits)[2]
    return ""


def named(found: str, figure: Figure, lenient: Facets) -> tuple[str, Facets]:
    """A subject under its one name, with the setting that goes with it."""
    if found == "救助" and figure.unit == "%":
        return "报销", (("setting", frozenset((found,))),)
    a_day = dict(lenient).get("period", frozenset()) & {"日", "次"}
    return ("支付标准" if found == "限额" and a_day else found), ()


def strict(
    around: Sequence[str], over: Sequence[str], subject: str, setting: Facets = ()
) -> Facets:
    """The strict facets that make a difference to a subject; a telephone number has purposes.

    Each kind of filing is one for care elsewhere; 门诊 with an illness is 门特.
    """
    if subject == PHONE:
        return ()
    values = dict((*facets("strict", around, over), *setting))
    if "care" in values:
        values.pop("away", None)
    if "shop" in values:  # 定点药店的门诊统筹
        values.pop("setting", None)
    treated = next(iter(values.get("setting", ())), "")
    if treated == "普通门诊":
        values["setting"] = frozenset(("门诊",))
    elif treated == "门诊" and "disease" in values:
        values["setting"] = frozenset(("门特",))
    needless = words()["needless"].get(subject, ())
    kept = ((name, each.difference(needless)) for name, each in values.items())
    return tuple((name, each) for name, each in kept if each)


def years(around: Sequence[str], article: Article) -> frozenset[str]:
    """The years for which a figure is stated: its sentence's, else the article's."""
    for text in around:
        found = _YEAR.findall(text)
        if found:
            return frozenset(found)
    stated = _YEAR.findall(article.title) or [article.effective_year]
    return frozenset(year for year in stated if year)


def places(text: str, figure: Figure, article: Article) -> tuple[PlacePath, ...]:
    """The place for which a figure is stated; another place named before it counts."""
    home = article.place or ((NATIONAL,) if pattern("national").search(text) else ())
    own = {m.path for m in mentions(article.title) if m.path}
    foreign: list[tuple[bool, PlacePath]] = []
    for mention in mentions(text):
        path = mention.path
        if path is None or path in own or (article.place and within(article.place, path)):
            continue
        after = mention.span.start > figure.start
        if after and (foreign or _EXAMPLE_PLACE.search(text[: mention.span.start])):
            continue
        foreign.append((after, path))
    before = [path for after, path in foreign if not after]
    named = before or [path for _, path in foreign]
    return tuple(dict.fromkeys(named)) or (home,)
