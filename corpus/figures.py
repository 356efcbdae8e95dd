"""The figures of a sentence: where they stand, their value in one unit, and how exactly they hold.

Units: ``%``, ``点`` (percentage points), ``元``, ``月`` (years count as twelve), ``周``, ``日``,
``工作日``, ``时``, ``岁``, ``期`` (a day of the year as month·100 + day), ``日期`` (yyyymmdd),
``号`` (a telephone number) and the measure words of counts (``家``, ``种``, ``次``, ``人`` …).
"""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import lru_cache

from corpus.numerals import number

DATED = ("期", "日期", "号")  # figures that are no quantities
ABOUT_SHARE = 0.10  # how far a figure given as 约 or 左右 may be off


class Bound(StrEnum):
    """How a figure is meant."""

    EXACT = "exact"
    ABOUT = "about"
    LEAST = "least"  # 不低于: a rule that names the bound
    ABOVE = "above"  # 以上: loosely
    MOST = "most"
    RAISE = "raise"  # 提高5个百分点
    CUT = "cut"


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure at ``start:end`` of its sentence, ``low`` to ``high`` in ``unit``."""

    start: int
    end: int
    unit: str
    low: float
    high: float
    bound: Bound

    @property
    def interval(self) -> tuple[float, float]:
        """The values that the statement allows; a change allows just itself."""
        if self.bound is Bound.ABOUT:
            return self.low * (1 - ABOUT_SHARE), self.high * (1 + ABOUT_SHARE)
        if self.bound in (Bound.LEAST, Bound.ABOVE):
            return self.low, math.inf
        return (0.0, self.high) if self.bound is Bound.MOST else (self.low, self.high)

    def in_days(self) -> "Figure":
        """The same length of time in days, a month counted as thirty; others unchanged."""
        days = _DAYS.get(self.unit, 1)
        return replace(
            self,
            unit="日" if self.unit in _DAYS else self.unit,
            low=self.low * days,
            high=self.high * days,
        )


_CHINESE = r"(?<![几数好多上])[零〇一二两三四五六七八九十百千万]+"
_ARABIC = r"\d+(?:,\d{3})*(?:\.\d+)?\s*[百千万亿]{0,2}"
_N = rf"(?:{_ARABIC}|{_CHINESE})"
_TO = r"\s*(?:-|–|—|~|～|至|到|或|和|、)\s*"
_UNIT = (
    r"(?:[%％]|个百分点|元|块钱?|成|年|个月|周(?!岁|年|[一二三四五六日边围])|个?工作日|个?自然日|天|日|"
    r"个?小时|周?岁|家|种|名|人(?!均|员|民|社|群|工|口)|位|次|张|个病种|个人)"
)
_RANGE = re.compile(rf"({_N})\s*({_UNIT})?{_TO}({_N})\s*({_UNIT})")
_SINGLE = re.compile(rf"({_N})\s*(多)?({_UNIT})")
_BARE_MONEY = re.compile(r"(\d+(?:\.\d+)?\s*万)(?![\d元人名户家种次亿多块余])")
_PERCENT_WORDS = re.compile(rf"百分之({_CHINESE})(?:{_TO}百分之({_CHINESE}))?")
_TENTHS = re.compile(r"([一二三四五六七八九])成([一二三四五六七八九半])")
_PHONE = re.compile(
    r"(?<!\d)(?:\(?0\d{2,3}\)?[- －—]?\d{7,8}|1[3-9]\d{9}|[48]00-?\d{3,4}-?\d{3,4})(?!\d)"
)
_DATE = re.compile(r"([12]\d{3})年(\d{1,2})月(\d{1,2})[日号]")
_DAY = re.compile(r"(?<![\d年])(\d{1,2})月(?:(\d{1,2})[日号]|(底|末|初)?)")
_DAY_TO = re.compile(r"\s*(?:-|–|—|~|～|至|到)\s*(?:次年|当年|本年)?$")
_MASKED = re.compile(
    r"〔\d{4}〕\d+号|\[\d{4}\]\d+号|第[\d零一二三四五六七八九十百]+(?:条|章|款|项|号|步|次|年|季度|批|届|天|个)"
    r"|令第?\d+号|https?://\S+|[12]\d{3}年(?:度|\d{1,2}月)?|[一两]年[内中度]?(?!以上|以内|的等待|有效|[以之]?后)"
    r"|(?<!满)(?<!续)(?<!少)[一]次性?|一[天月](?=医保|最|只|给|报|付)|[一二三两]级|一家人|(?<![\d一二两三四五六七八九十])个人|每[年月日天次家人位名种]|(?<![选定签绑能限择])一[位名个家人](?!或)|一种"
)
_HOTLINES = re.compile(
    r"(?<!\d)(?:123\d\d|11[09]|12[02])(?!\d|\s*[元块万亿天日个年家种人名位次%％.,])"
)
_MONTH_ENDS = (31, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)  # by month, from 1
_DAYS = {"月": 30, "周": 7, "日": 1}
_MONTHS = {"年": 12, "个月": 1}
_UNITS = {
    "％": "%",
    "个百分点": "点",
    "块": "元",
    "块钱": "元",
    "名": "人",
    "位": "人",
    "个人": "人",
}
_UNITS |= {
    "成": "%",
    "天": "日",
    "自然日": "日",
    "个自然日": "日",
    "个工作日": "工作日",
    "周岁": "岁",
}
_UNITS |= {"小时": "时", "个小时": "时", "个病种": "种"}

_NEAR = r"[^，,；;。、：:（(\d]{0,8}$"
_BEFORE = (
    (
        Bound.LEAST,
        re.compile(r"(?:不低于|不少于|不得低于|不得少于|至少|最低|最少|不小于|起码)" + _NEAR),
    ),
    (
        Bound.MOST,
        re.compile(r"(?:不超过|不高于|不得超过|不得高于|最高|最多|最长|至多|上限)" + _NEAR),
    ),
)
_BEFORE_ABOUT = re.compile(r"(?:约|大概|大致|通常|一般|原则上|平均|接近|差不多|多在)" + _NEAR)
_AFTER = (
    (Bound.ABOVE, re.compile(r"(?:及|或)?以上|多")),
    (Bound.LEAST, re.compile(r"起(?!付)")),
    (Bound.MOST, re.compile(r"(?:及|或)?以下|(?:以|之)?内|之前|以前|前")),
    (Bound.ABOUT, re.compile(r"左右|上下|不等")),
)
_BY = r"(?:[^，,。；\d到至为]{0,4}|[了发交付报缴])$"  # 增加产假15天, but not 提高到90%
_RAISE = re.compile(
    rf"(?:提高|上涨|增加|上调|上浮|增长){_BY}|(?<![最至提])[多加涨高增][了发交付报缴]?$"
)
_CUT = re.compile(rf"(?:降低|下降|减少|下调){_BY}|(?<![最至不])[少降减低][了发交付报缴]?$")


def _unit(word: str) -> str:
    return "月" if word in _MONTHS else _UNITS.get(word, word)


def _value(text: str, unit: str) -> float:
    value = number(re.sub(r"\s", "", text))
    return value * (10 if unit == "成" else _MONTHS.get(unit, 1))


def _bound(text: str, start: int, end: int, unit: str) -> Bound:
    before, after = text[max(0, start - 16) : start], text[end : end + 4]
    if unit in DATED:
        return Bound.MOST if re.match(r"之?[以]?前", after) else Bound.EXACT
    if _CUT.search(before) or (unit == "点" and re.search("降|减|低|少", before)):
        return Bound.CUT
    if _RAISE.search(before) or unit == "点":
        return Bound.RAISE
    for bound, pattern in _BEFORE:
        if pattern.search(before):
            return bound
    for bound, pattern in _AFTER:
        if pattern.match(after):
            return bound
    return Bound.ABOUT if _BEFORE_ABOUT.search(before) else Bound.EXACT


def _take(text: list[str], start: int, end: int) -> None:
    text[start:end] = "\0" * (end - start)


def _scan(text: str) -> Iterator[tuple[int, int, str, float, float]]:
    """Every figure as (start, end, unit, low, high); what is found is taken out of the text."""
    left = list(_HOTLINES.sub(lambda m: "\0" * len(m.group()), text))
    for match in _PHONE.finditer(text):
        _take(left, *match.span())
        value = float(re.sub(r"\D", "", match.group()))
        yield *match.span(), "号", value, value
    for match in _DATE.finditer(text):
        _take(left, *match.span())
        value = float("{}{:0>2}{:0>2}".format(*match.groups()))
        yield *match.span(), "日期", value, value
    for match in _MASKED.finditer("".join(left)):
        _take(left, *match.span())
    yield from _days(left)
    for match in _PERCENT_WORDS.finditer("".join(left)):
        _take(left, *match.span())
        low, high = number(match.group(1)), number(match.group(2) or match.group(1))
        yield *match.span(), "%", low, high
    for match in _TENTHS.finditer("".join(left)):
        _take(left, *match.span())
        value = number(match.group(1)) * 10 + number(match.group(2).replace("半", "五"))
        yield *match.span(), "%", value, value
    yield from _amounts(left)


def _days(left: list[str]) -> Iterator[tuple[int, int, str, float, float]]:
    """Days and months of the year; a window 「9月至12月」 is one figure."""
    text = "".join(left)
    open_from: tuple[int, int, float, float] | None = None
    for match in _DAY.finditer(text):
        month, day, edge = match.groups()
        value, last = float(month) * 100, _MONTH_ENDS[int(month) % 13]
        end_value = value + float(day or (10 if edge == "初" else last))
        start_value = value + float(day or (21 if edge in ("末", "底") else 1))
        _take(left, *match.span())
        if open_from and _DAY_TO.fullmatch(text, open_from[1], match.start()):
            yield open_from[0], match.end(), "期", open_from[2], end_value
            open_from = None
            continue
        if open_from:
            yield open_from[0], open_from[1], "期", open_from[2], open_from[3]
        open_from = (match.start(), match.end(), start_value, end_value)
    if open_from:
        yield open_from[0], open_from[1], "期", open_from[2], open_from[3]


def _amounts(left: list[str]) -> Iterator[tuple[int, int, str, float, float]]:
    for match in _RANGE.finditer("".join(left)):
        first, first_unit, second, unit = match.groups()
        if first_unit and _unit(first_unit) != _unit(unit):
            continue
        if not first_unit and match.group()[len(first) :].lstrip()[:1] in "和、":
            continue
        low, high = _value(first, first_unit or unit), _value(second, unit)
        if low < high and (first_unit is None or not re.search("[和、]", match.group())):
            factor = 10_000 if re.search(r"\d万", second) and low < 100 < high else 1
            _take(left, *match.span())
            yield *match.span(), _unit(unit), low * factor, high
    for match in _SINGLE.finditer("".join(left)):
        value = _value(match.group(1), match.group(3))
        _take(left, *match.span())
        yield *match.span(), _unit(match.group(3)), value, value
    yield from ((*m.span(), "月", 6.0, 6.0) for m in re.finditer("半年", "".join(left)))
    for match in _BARE_MONEY.finditer("".join(left)):
        value = number(re.sub(r"\s", "", match.group(1)))
        yield *match.span(), "元", value, value


@lru_cache(maxsize=50_000)
def figures(text: str) -> tuple[Figure, ...]:
    """The figures of a sentence in their order.

    >>> [(f.low, f.high, f.unit, f.bound.value) for f in figures("至少交满三十年，报四成到60%。")]
    [(360.0, 360.0, '月', 'least'), (40.0, 60.0, '%', 'exact')]
    """
    found = [
        Figure(start, end, unit, low, high, _bound(text, start, end, unit))
        for start, end, unit, low, high in _scan(text)
    ]
    return tuple(sorted(found, key=lambda figure: figure.start))
