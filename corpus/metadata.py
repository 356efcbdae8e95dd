"""Metadata that stands in a text: found, never guessed; what is not there stays empty."""

import datetime as dt
import re
from collections.abc import Iterable, Sequence
from functools import cache
from urllib.parse import urlsplit

from corpus.import_words import words
from corpus.records import Audience, Authority
from corpus.sentences import complete

_RESIDENT = re.compile(r"居民|新农合|农合")
_EMPLOYEE = re.compile(r"职工")
_YEAR = re.compile(r"(20\d{2})\s*年")
_DAY = r"\d{4}\s*[-年/.]\s*\d{1,2}\s*[-月/.]\s*\d{1,2}(?!\d)\s*日?"
_ONES = "一二三四五六七八九"
_CHINESE_DAY = rf"[二一][〇○零О{_ONES}]{{3}}年[{_ONES}十]{{1,2}}月[{_ONES}十]{{1,3}}日"
_ANY_DAY = rf"(?:{_DAY}|{_CHINESE_DAY}|(?<!\d)(?:19|20)\d{{6}}(?!\d))"
_PARTS = re.compile(r"(\d{4})\D+(\d{1,2})\D+(\d{1,2})|(\d{4})(\d{2})(\d{2})")
_BARE_DAY = re.compile(
    rf"[\[（(【]?\s*{_ANY_DAY}(?:\s*T?\s*\d{{1,2}}:\d{{2}}(?::\d{{2}})?)?\s*[\]）)】]?"
)
_SIGNED = re.compile(rf"(.{{0,40}}?)\s*({_ANY_DAY})")
_RANGE = r"(?!\s*日?\s*(?:\d{1,2}:\d{2}(?::\d{2})?)?\s*(?:至|到|起|前|以前|—|～|~))"
_OPEN = r"(?:^|[\s|｜/【\[（(；;　])"
_DIGITS = {c: str(n) for n, c in enumerate("〇一二三四五六七八九")} | {
    "○": "0",
    "零": "0",
    "О": "0",
}
_NUMBER = re.compile(
    r"([\u4e00-\u9fff]{2,14})\s*[〔\[［（(【﹝]\s*((?:19|20)\d{2})\s*(?:年)?[〕\]］）)】﹞]\s*第?\s*(\d{1,4})\s*号"
)
_REFERENCE = re.compile(r"根据|按照|依据|依照|贯彻|落实|转发|废止|关于|《|参照|和|与")
_LEAD = 12  # lines in which a document bears its own number
_NO_SOURCE = frozenset({"本站", "本网", "原创", "网络", "互联网", "未知", "其他"})
_OFFICE = re.compile(
    r"(?:医疗保障局|医保局|人民政府|政府办公[厅室]|社会保障局|社会保险.{0,6}(?:局|中心)|社保(?:局|中心)"
    r"|医疗保障.{0,6}中心|医保中心|税务局|卫生健康委员会|卫健委|财政[厅局]|民政[厅局]|国务院.{0,8})$"
)
_PRESS = re.compile(r"日报|晚报|晨报|早报|都市报|新华|人民网|央视|电视台|融媒体|新闻网|广播")
_IN_FORCE = re.compile(
    r"本(?:通知|办法|规定|细则|方案|意见|标准|政策|规程|公告)自\s*(20\d{2})\s*年[^，。；]{0,10}?起"
)
_CUT = re.compile(r"(?:…|\.\.\.|[，、：；,（(]|阅读全文|查看全文|未完待续[)）]?)$")
_RUNNING = 25  # characters; a shorter last line may be a signature
_TAIL = 6  # lines in which a notice is signed


def audience_of(title: str) -> Audience:
    """For whom an article holds, by its title.

    >>> audience_of("惠州居民医保住院报销比例"), audience_of("生育津贴是社保")
    (<Audience.RESIDENT: '居民'>, <Audience.ANYONE: '不限'>)
    """
    resident, employee = _RESIDENT.search(title), _EMPLOYEE.search(title)
    if resident and not employee:
        return Audience.RESIDENT
    return Audience.EMPLOYEE if employee and not resident else Audience.ANYONE


def year_of(title: str) -> str:
    """The year that a title names, or an empty string.

    >>> year_of("惠州居民医保住院报销比例2024年")
    '2024'
    """
    found = _YEAR.search(title)
    return found.group(1) if found else ""


def effective_year_of(title: str, body: str) -> str:
    """The year that the title names, else the one from which the text says that it is in force.

    >>> effective_year_of("门诊通知", "本通知自2025年1月1日起施行。")
    '2025'
    """
    found = _IN_FORCE.search(body)
    return year_of(title) or (found.group(1) if found else "")


def _chinese_number(text: str) -> str:
    tens, mark, ones = text.rpartition("十")
    if not mark:
        return "".join(_DIGITS[char] for char in text)
    return str(int(_DIGITS.get(tens, "1")) * 10 + int(_DIGITS.get(ones, "0")))


def iso_date(text: str) -> str:
    """The first day in a text as ``2024-12-20``, or an empty string.

    >>> iso_date("2024年9月1日"), iso_date("二〇二四年十二月二十日"), iso_date("2024-13-45")
    ('2024-09-01', '2024-12-20', '')
    """
    found = re.search(_ANY_DAY, text)
    if not found:
        return ""
    day = found.group()
    if re.match(_CHINESE_DAY, day):
        day = "-".join(_chinese_number(part) for part in re.split("[年月日]", day)[:3])
    parts = _PARTS.search(day)
    if not parts:
        return ""
    year, month, number = (int(part) for part in parts.groups() if part)
    try:
        return dt.date(year, month, number).isoformat() if 1949 <= year <= 2100 else ""
    except ValueError:
        return ""


@cache
def _labelled(labels: str, value: str) -> list[re.Pattern[str]]:
    return [
        re.compile(rf"{_OPEN}{re.escape(label)}\s*[】\]]?\s*[:：]?\s*({value})")
        for label in words(labels)
    ]


def published_of(lines: Iterable[str]) -> str:
    """The publication date that one of the lines names as such, or an empty string.

    >>> published_of(["来源：某报　发布时间：2024-12-20 09:30"])
    '2024-12-20'
    >>> published_of(["缴费时间：2024-9-1"])
    ''
    """
    found = list(lines)
    for pattern in _labelled("date_labels", _ANY_DAY + _RANGE):
        for line in found:
            match = pattern.search(line)
            if match and (day := iso_date(match.group(1))):
                return day
    return ""


def bare_date_of(line: str) -> str:
    """The day of a line that is nothing but a day and perhaps a time.

    >>> bare_date_of("2025年03月10日 08:15"), bare_date_of("2025年3月10日起施行")
    ('2025-03-10', '')
    """
    return iso_date(line) if _BARE_DAY.fullmatch(line.strip()) else ""


def source_of(lines: Iterable[str]) -> str:
    """The source that one of the lines names, or an empty string.

    >>> source_of(["发布时间：2024-12-20 来源：某市医疗保障局 浏览次数：8"])
    '某市医疗保障局'
    """
    found = list(lines)
    for pattern in _labelled("source_labels", r"[^\s|｜，。；;:：】\]]{2,30}"):
        for line in found:
            match = pattern.search(line)
            if match and "：" in line.replace(":", "：") and match.group(1) not in _NO_SOURCE:
                return match.group(1)
    return ""


def signature_of(lines: Sequence[str]) -> tuple[str, str]:
    """(office, day) with which a notice is signed at its end; empty where it is not.

    >>> signature_of(["正文。", "某市医疗保障局", "2024年12月18日"])
    ('某市医疗保障局', '2024-12-18')
    """
    tail = [line.strip() for line in lines[-_TAIL:]]
    for at in range(len(tail) - 1, -1, -1):
        match = _SIGNED.fullmatch(tail[at])
        if not match:
            continue
        before = match.group(1) or (tail[at - 1] if at else "")
        if _OFFICE.search(before) and len(before) <= 40 and iso_date(match.group(2)):
            return before, iso_date(match.group(2))
    return "", ""


def _written(match: re.Match[str]) -> str:
    return f"{match.group(1)}〔{match.group(2)}〕{int(match.group(3))}号"


def document_number_of(title: str, lines: Sequence[str]) -> str:
    """The document's own number (文号), never one that it refers to.

    It stands in the title, behind a label, or on a line of its own near the top.

    >>> document_number_of("通知", ["皖医保发[2023] 5号", "根据国医保发〔2021〕5号，现通知如下。"])
    '皖医保发〔2023〕5号'
    """
    match = re.search(rf"[（(]\s*{_NUMBER.pattern}\s*[)）]\s*$", title)
    if match:
        return _written(match)
    for pattern in _labelled("number_labels", _NUMBER.pattern):
        for line in lines:
            labelled = pattern.search(line)
            if labelled and (found := _NUMBER.search(labelled.group(1))):
                return _written(found)
    for line in lines[:_LEAD]:
        found = _NUMBER.search(line)
        if not found or line[found.end() :].strip(" 　）)"):
            continue
        before = line[: found.start()].strip(" 　（(")
        if len(before) <= 30 and not _REFERENCE.search(before + found.group(1)):
            return _written(found)
    return ""


def is_office(name: str) -> bool:
    """Whether a source is a public office of this field.

    >>> is_office("某市医疗保障局"), is_office("某某健康网")
    (True, False)
    """
    return bool(_OFFICE.search(name))


def authority_of(source: str, url: str) -> Authority:
    """How far a source can be trusted, by its name and address.

    >>> authority_of("某市医疗保障局", ""), authority_of("", "")
    (<Authority.OFFICIAL: 'official'>, <Authority.UNVERIFIED: 'unverified'>)
    """
    host = urlsplit(url).hostname or ""
    if host.endswith(".gov.cn") or (is_office(source) and not host):  # others only say so
        return Authority.OFFICIAL
    if _PRESS.search(source):
        return Authority.MEDIA
    return Authority.SITE if source or url else Authority.UNVERIFIED


def breaks_off(body: str) -> bool:
    """Whether a text ends in the middle of a sentence.

    >>> breaks_off("起付线为100元。"), breaks_off("2025年该市的"), breaks_off("比例是80%，")
    (False, False, True)
    """
    last = body.rstrip().rpartition("\n")[2].strip()
    if _CUT.search(last):
        return True
    row = last.startswith(("- ", "#", "|")) or bool(re.match(r"\d{1,2}\. ", last))
    return len(last) > _RUNNING and not row and not complete(last)
