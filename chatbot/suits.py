"""Whether a sentence suits the asker: place, insurance, care, hospital, paying or being paid."""

import re
from collections.abc import Iterable, Sequence
from functools import cache, lru_cache

from chatbot.question import RULES
from corpus.records import Article, Audience
from corpus.regions import PlacePath, mentions, read_places, within
from index.terms import normalise

CARE = ("门诊", "住院")
_TIER = re.compile(r"[一二三](?=[级甲])")
_TIERS = re.compile(r"以[上下]|各级|不同级别")
# What is paid in and what comes back: 「交多少」 against 「报多少」, in questions and in sentences.
_PAYS = re.compile(
    r"(?<!提)[交缴](?!上|材料|资料|单子)(?:费|钱|纳)?[^ ,.?!;]{0,4}"
    r"(?:多少|几|标准)(?![天日年岁]|个?月)"
    r"|缴费标准|(?:多少|几)[^ ,.?!;]{0,3}[交缴]"
)
_GETS = re.compile(
    r"报[^ ,.?!;]{0,4}(?:多少|几)(?![天日年岁]|个?月)|报销(?:比例|限额|额度|标准)"
    r"|(?:多少|几)[^ ,.?!;]{0,3}报"
)
_ASKS_WHOM = re.compile(r"电话|号码|热线|问谁|找谁")
_PAID = re.compile(r"[交缴]|收费|财政")
_GOT = re.compile(r"报(?!道|告|名)|支付|付|补偿|限额|起付|封顶|津贴|补贴|奖励")

_FIGURE = re.compile(r"\d")
_ASKS_PRAISE = re.compile(r"好处|作用|意义|优势|为什么|为啥|划算|目的")


@cache
def _filler() -> re.Pattern[str]:
    lines = (RULES / "filler.txt").read_text(encoding="utf-8").splitlines()
    return re.compile("|".join(line for line in lines if line and not line.startswith("#")))


def is_filler(question: str, text: str) -> bool:
    """Whether a sentence only praises or announces, and nobody asked for that.

    >>> is_filler("住院报几成", "这些调整旨在减轻居民医疗负担,提高医疗保障水平。")
    True
    """
    plain = normalise(text)
    told = bool(re.search(r"\d", plain)) or bool(_ASKS_PRAISE.search(question))
    return not told and bool(_filler().search(plain))


def for_others(asked: str, article: Article, text: str) -> bool:
    """Whether a sentence is for the other insurance than ``asked`` (职工, 居民 or empty)."""
    if not asked or asked in text:
        return False
    named = any(one.value in text for one in (Audience.EMPLOYEE, Audience.RESIDENT))
    return named or article.audience not in (Audience.ANYONE, asked)


def other_care(question: str, article: Article, text: str) -> bool:
    """Whether one asks for inpatient care and is told of outpatient care, or the reverse."""
    asked = [care for care in CARE if care in question]
    if len(asked) != 1:
        return False
    told = [care for care in CARE if care in article.title]
    return len(told) == 1 and told != asked and asked[0] not in text


def of_tier(question: str, texts: Sequence[str]) -> list[bool]:
    """Which texts suit the tier of hospital that is asked about.

    Those on other tiers only do if one on the asked tier stands beside them: a table stays whole.

    >>> of_tier("二级医院住院报几成", ["一级医院最高可达90%。", "起付线降低了。"])
    [False, True]
    >>> of_tier("二级医院住院报几成", ["一级医院报90%。", "二级医院报85%。"])
    [True, True]
    """
    asked = tiers(question)
    if len(asked) != 1:
        return [True] * len(texts)
    told = [tiers(text) for text in texts]
    if any(asked & tiers for tiers in told):
        return [True] * len(texts)
    return [not found or bool(_TIERS.search(text)) for found, text in zip(told, texts, strict=True)]


def tiers(text: str) -> set[str]:
    """The tiers of hospital that a text names: 一, 二, 三."""
    return set(_TIER.findall(normalise(text)))


def other_way(question: str, text: str) -> bool:
    """Whether one asks what is paid back and is told what is paid in, or the reverse.

    >>> other_way("居民医保能报多少", "居民医保一年交400元")
    True
    >>> other_way("居民医保交多少", "居民医保一年交400元")
    False
    """
    asked, told = asks_way(question), _way(text, _PAID, _GOT)
    return bool(asked and told and asked != told)


def way_missing(question: str, texts: Iterable[str]) -> bool:
    """Whether one asks what is paid in, or paid back, and none of the texts tells of it."""
    asked = asks_way(question)
    shows = {"in": _PAID, "back": _GOT}
    return bool(asked) and not any(shows[asked].search(text) for text in texts)


def asks_way(question: str) -> str:
    """``in`` if one asks what is paid in, ``back`` if what is paid back; else empty."""
    return "" if _ASKS_WHOM.search(question) else _way(question, _PAYS, _GETS)


def _way(text: str, pays: re.Pattern[str], gets: re.Pattern[str]) -> str:
    """``in`` or ``back`` if a text is about one of the two only; else empty."""
    found = bool(pays.search(text)), bool(gets.search(text))
    return {(True, False): "in", (False, True): "back"}.get(found, "")


@lru_cache(maxsize=20_000)
def _named(text: str) -> frozenset[PlacePath]:
    """The places that a text names for certain."""
    return frozenset(mention.path for mention in mentions(normalise(text)) if mention.path)


@lru_cache(maxsize=1_000)
def _treating(question: str) -> frozenset[PlacePath]:
    """The places that hold the one where somebody is treated."""
    care = read_places(normalise(question)).care or ()
    return frozenset(care[:size] for size in range(1, len(care) + 1))


def of_elsewhere(question: str, article: Article, text: str, place: PlacePath | None) -> bool:
    """Whether a sentence of a wider article is about a place that does not hold ``place``.

    Not if no place is known, nor if the question or the article's title names that place too, nor
    if the sentence names ``place`` as well, or one that holds it, but none within the latter. A
    figure is only for who is treated in that place, not for who compares.
    """
    if place is None or article.place == place:
        return False
    named = _named(text)
    strange = {one for one in named if not within(place, one)}
    asked = _treating(question) if _FIGURE.search(text) else _named(question)
    if not strange or strange <= asked | _named(article.title):
        return False
    here = named - strange
    return not any(one == place or not any(within(far, one) for far in strange) for one in here)
