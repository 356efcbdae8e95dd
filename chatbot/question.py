"""Understand a question: normalise it, find place, insurance, year and what it asks for."""

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

from corpus.metadata import audience_of
from corpus.records import Audience
from corpus.regions import PlacePath, PlaceReading, mentions, read_places
from index.repair import repair
from index.terms import is_word, normalise, subject_words

RULES = Path(__file__).with_name("rules")
MAX_LENGTH = 500  # characters; a longer message is a document, not a question
_TAG = re.compile(r"<[^<>]{0,200}>")
_SAYS_SOMETHING = re.compile(r"[\u3400-\u9fff]|[a-z0-9]{2}", re.IGNORECASE)
# Not since when something goes on: 「从2022年起年年交」.
_YEAR = re.compile(r"(?<!\d)(?<![从自打])(20[0-4]\d)\s*(?:年|的)?(?!\d)")
# 「二零二三年」, 「二四年居民医保」, 「22年那阵」; not how long somebody has paid: 「交了22年」.
_SAID_YEAR = re.compile(
    r"(?<![\d一二三四五六七八九十百满够差了交缴从自打])(?:"
    r"[二2][零〇0]([一二12][零〇一二三四五六七八九\d])年?"
    r"|([一二12][零〇一二三四五六七八九\d])年"
    r"(?=那|的?时候|[初底春夏秋冬收]|[\d一二三四五六七八九十]{1,2}月|度|国家|居民|农合|新农合)"
    r"|(?<![^,?!。 ])(二[零〇一二三四五六七八九])年(?![多来]))"
)
_SAID_DIGITS = str.maketrans("零〇一二三四五六七八九", "00123456789")
# Not how old somebody is: 「今年七十了」, 「今年48」.
_RELATIVE_YEAR = re.compile(
    r"(前年|去年|今年|本年度|本年|明年|后年)"
    r"(?!(?:才|都|快|已经|刚)?[\d一二三四五六七八九十]{1,3}(?![\d一二三四五六七八九十]*[月日号个季种次级年共直定般样起整])"
    r"|虚岁|刚|都)"
)
_YEARS_FROM_NOW = {"前年": -2, "去年": -1, "今年": 0, "本年度": 0, "本年": 0, "明年": 1, "后年": 2}
_FLEXIBLE = re.compile(r"灵活就业|自己交|个体")
_COMPARED = re.compile(r"[照像跟和同比](?:职工|居民)(?:医保)?(?:那样|一样|那么)")
# Kinds of insurance as people call them: 「我妈那种农村的」, 「单位交的那个」.
_RESIDENTS = re.compile(
    r"农村(?:户口)?(?:的|那种|那个|医保|保险)|村里[交缴]|(?:大|中|小)学生|学生医保|新生儿|婴儿|少儿"
)
_EMPLOYED = re.compile(r"上班(?:的医保|的?那种)|(?:单位|公司|厂里)给?(?:我|他|她)?[交缴上]的|五险")
_CLAUSE = re.compile(
    r"[?!;。,、\n]+|还有|另外|顺便|再问一下|再问|还想问|(?<=[么样法办领报交])(?:和|以及|跟)"
)
_ASKS = re.compile(
    r"[吗呢哪谁啥咋几]|什么|怎么|怎样|如何|多少|多久|多长|[是能可]否"
    r"|能不能|是不是|要不要|有没有|可不可以|行不行"
)
_EITHER = re.compile(r"(.)[没不]\1")  # 涨没涨, 行不行
_ASKING = re.compile(r"多少|什么|怎么|怎样|如何|[几哪啥咋]")
_TIME_ASKED = re.compile(r"多[久长大]|[能要该可会][不以]?.")
# Characters that mark a word no dictionary lists as a wrong cut: 「我能」, 「这数」.
_WRONG_CUT = re.compile(r"[我你他她咱俺这那哪没不说讲听就都也还着过给把被跟比个点去来得总要想]")


@dataclass(frozen=True, slots=True)
class Question:
    """A question as understood: ``text`` is normalised, ``content`` its words without places."""

    text: str
    places: PlaceReading
    insurance: str
    year: str
    wants: frozenset[str]
    content: tuple[str, ...]

    @property
    def place(self) -> PlacePath | None:
        """The place whose rules are asked for; “where to go” means the place of treatment."""
        return self.places.place or (self.places.care if "where" in self.wants else None)


@dataclass(frozen=True, slots=True)
class Want:
    """One thing that a question may ask for: how it asks, and how a sentence shows it.

    ``needs`` is how it asks for a figure that differs by place, so that no wider text will do.
    """

    asks: re.Pattern[str]
    shows: re.Pattern[str]
    needs: re.Pattern[str] | None


@cache
def wants() -> Mapping[str, Want]:
    """All wants, from ``rules/wants.yaml``."""
    data = yaml.safe_load((RULES / "wants.yaml").read_text(encoding="utf-8"))
    return {
        name: Want(
            asks=re.compile(rule["asks"]),
            shows=re.compile(rule["shows"]),
            needs=re.compile(rule["needs"]) if "needs" in rule else None,
        )
        for name, rule in data.items()
    }


def clean(raw: str) -> str:
    r"""Normalised text without markup and control characters, white space joined.

    >>> clean("<b>門特</b>\n怎麼辦理？")
    '门特 怎么办理?'
    """
    text = normalise(_TAG.sub(" ", raw[: 4 * MAX_LENGTH]))
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def problem(raw: str) -> str:
    """Why a message is no question, as a sentence to the citizen; empty if it is one."""
    if not raw.strip():
        return "您还没有输入问题。"
    if len(raw) > MAX_LENGTH:
        return f"您输入的文字太长了（超过{MAX_LENGTH}字），请缩短成一两句话。"
    if not _SAYS_SOMETHING.search(clean(raw)):
        return "没有看懂您的问题，请用文字写出来。"
    return ""


def mended(raw: str) -> str:
    """A message with misspelt terms mended, or as it is if there is nothing to ask in it.

    >>> mended("门忒怎么办")
    '门特怎么办'
    """
    return raw if problem(raw) else repair(clean(raw)).text


def insurance_of(text: str) -> str:
    """职工 or 居民, if the text says so; else empty.

    >>> insurance_of("湖南新农合医保"), insurance_of("我妈那种农村的呢"), insurance_of("门特怎么办")
    ('居民', '居民', '')
    """
    audience = audience_of(_COMPARED.sub("", text))
    if audience is not Audience.ANYONE:
        return audience.value
    if _FLEXIBLE.search(text):
        return Audience.EMPLOYEE.value
    said = (_RESIDENTS, Audience.RESIDENT), (_EMPLOYED, Audience.EMPLOYEE)
    found = [kind.value for pattern, kind in said if pattern.search(text)]
    return found[0] if len(found) == 1 else ""


def year_of(text: str) -> str:
    """The year that a text names, or empty; 「今年」 is the year of today's date.

    >>> year_of("2024年居民医保交多少"), year_of("我今年48")
    ('2024', '')
    >>> year_of("二零二三年收的那次"), year_of("22年那阵"), year_of("交满25年")
    ('2023', '2022', '')
    """
    found = _YEAR.search(text)
    if found:
        return found.group(1)
    said = _SAID_YEAR.search(text)
    if said:
        digits = next(filter(None, said.groups()))
        return f"20{digits.translate(_SAID_DIGITS)}"
    relative = _RELATIVE_YEAR.search(text)
    if not relative:
        return ""
    return str(dt.date.today().year + _YEARS_FROM_NOW[relative.group(1)])


@cache
def story_words() -> frozenset[str]:
    """Words that tell who, when and how one feels, from ``rules/story_words.txt``."""
    lines = (RULES / "story_words.txt").read_text(encoding="utf-8").splitlines()
    return frozenset(word for line in lines if not line.startswith("#") for word in line.split())


def _names_nothing(word: str) -> bool:
    """Whether a word only tells a story or is a wrong cut."""
    if word in story_words() or _EITHER.fullmatch(word):
        return True
    return bool(_WRONG_CUT.search(word) and not is_word(word))


def asks_anything(text: str) -> bool:
    """Whether a normalised text asks for something that is known, or has a question mark."""
    return "?" in text or any(want.asks.search(text) for want in wants().values())


def asks_only(word: str) -> bool:
    """Whether a word asks and names nothing: 「几年」, 「怎么补」."""
    return bool(_ASKING.search(word)) or bool(_TIME_ASKED.fullmatch(word))


def content_words(text: str) -> tuple[str, ...]:
    """The words that carry the subject, places left out, each once.

    >>> content_words("我妈听说异地备案要跑好多趟")
    ('异地备案',)
    """
    held = list(text)
    for mention in mentions(text):
        held[mention.span.start : mention.span.end] = " " * (mention.span.end - mention.span.start)
    found = subject_words("".join(held))
    return tuple(word for word in found if not _names_nothing(word))


def parts(text: str) -> tuple[str, ...]:
    """The questions of a message, each with what is told before it; one that adds no word is none.

    >>> parts("我妈六十了,异地备案怎么办?生育津贴谁发")
    ('我妈六十了,异地备案怎么办', '生育津贴谁发')
    >>> parts("门特能报吗,报多少")
    ('门特能报吗,报多少',)
    """
    found: list[str] = []
    known: set[str] = set()
    told: list[str] = []
    for clause in filter(None, (piece.strip() for piece in _CLAUSE.split(text))):
        told.append(clause)
        if not _ASKS.search(clause):
            continue
        words = {w for w in content_words(",".join(told)) if not _ASKING.search(w)}
        if found and not words - known:
            told = [",".join((found.pop(), *told))]
        found.append(",".join(told))
        known |= words
        told = []
    if found and told:
        found[-1] = ",".join((found[-1], *told))
    return tuple(found)


def understand(raw: str) -> Question:
    """Read a question that ``problem`` has let through."""
    text = clean(raw)
    return Question(
        text=text,
        places=read_places(text),
        insurance=insurance_of(text),
        year=year_of(text),
        wants=frozenset(name for name, want in wants().items() if want.asks.search(text)),
        content=content_words(text),
    )
