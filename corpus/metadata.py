"""Metadata that stands in a title: found, never guessed; what is not there stays empty."""

import re

from corpus.records import Audience

_RESIDENT = re.compile(r"居民|新农合|农合")
_EMPLOYEE = re.compile(r"职工")
_YEAR = re.compile(r"(20\d{2})\s*年")


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
