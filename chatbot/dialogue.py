"""Slots that carry over between turns, and follow-ups that are completed from the turn before."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from chatbot import safety
from chatbot.question import Question, asks_anything, clean, mended, problem, understand
from chatbot.records import Slots
from chatbot.suits import CARE
from corpus.regions import PlacePath, county, mentions, read_places
from index.terms import normalise

_FOLLOW_UP = re.compile(
    r"^(?:那|那么|换成|要是|如果是|如果|还有|他|她|它|这|这个|我是|我家是|老人家|反过来)"
    r"|呢[?？]?$|的那个[?？]?$|说回|回到刚才|刚才[说问]的"
)
# 「那高血压呢」: it asks the same of something else than the substitute before it.
_SUBSTITUTE = re.compile(r"(?:那么?|换成|要是|如果是?)?[^,?!。]{1,8}呢[?？]?")
# Talk with the program itself.
_CHAT = re.compile(
    r"(?:你|您)(?:叫(?:什么|啥)|是谁|是(?:真人|人工|机器人?|ai|什么人)|几岁|多大|会(?:什么|啥)|"
    r"吃饭|是男|是女|真(?:好|棒|笨|聪明))",
    re.IGNORECASE,
)
_ONLY_A_NAME = re.compile(r"(?:那|换成|要是|如果是)?([\u4e00-\u9fff]{2,5}?)的?呢?[?？]?")
_NEW_SUBJECT = re.compile(r"换个|另外问|再问|还想问|顺便问|问个别的|别的事")
_COURTESY = re.compile(
    r"(?:你好|您好|好的?|谢谢|多谢|感谢|明白|知道|晓得|了解|再见|拜拜|嗯|哦|行|辛苦|麻烦"
    r"|[你您了啊呀吧哈啦呢嘛!！。,，~ ])+"
)
# What one says of an answer, without asking anything.
_REMARK = re.compile(
    r"(?:[哈呵嘿]{2,}|[哦噢嗯唉哎]+|好[的嘞吧呀]|行[吧啊]?|懂了|明白了?|知道了|晓得了?|原来|怪不得)"
)
_MAY_ASK = re.compile(r"[啥咋怎哪谁几吗么呢]|什么|多少|能不|可以|要不|办|[哦噢嗯唉哎]+,?那")
# Their people ask as residents of the mainland; no 医保局 is there to send anybody to.
_NO_INSURED_PLACE = ("香港特别行政区", "澳门特别行政区", "台湾省")
OPPOSITES = (CARE, ("职工", "居民"), ("在职", "退休"))
_SHORT = 12  # characters; a longer message stands alone unless it begins like a follow-up
_LONGER, _FEW_WORDS = 20, 1  # so does one of so many characters with so few content words
_SUBJECT_WORDS = 1  # content words that a message needs to be a subject of its own


@dataclass(frozen=True, slots=True)
class Turn:
    """The last message in the light of the earlier ones.

    ``text`` is what to search for first. ``completed`` is the other reading, the message together
    with the subject before it, or empty if the message stands alone.
    """

    question: Question
    text: str
    completed: str
    place: PlacePath | None
    insurance: str
    year: str

    @property
    def slots(self) -> Slots:
        """The slots as the contract shows them."""
        return Slots("".join(self.place or ()), self.insurance, self.year)


def _without_places(text: str, keep: PlacePath | None = None) -> str:
    """The text without the places that it names, but for the place of treatment ``keep``."""
    held = list(text)
    for mention in mentions(text):
        if keep is None or mention.path != keep:
            held[mention.span.start : mention.span.end] = [""] * (
                mention.span.end - mention.span.start
            )
    return "".join(held)


def _swapped(before: str, text: str) -> str:
    """The message before, with what 「X呢」 puts in the place of its opposite.

    >>> _swapped("门诊怎么报", "住院呢")
    '住院怎么报'
    """
    for pair in OPPOSITES:
        for old, new in (pair, pair[::-1]):
            if new in text and old not in text and new not in before:
                before = before.replace(old, new)
    return before


def _bare_county(text: str) -> PlacePath | None:
    """The county of a message that says nothing else: 「那当涂呢」."""
    found = _ONLY_A_NAME.fullmatch(text)
    return county(found.group(1)) if found else None


def _depends(question: Question) -> bool:
    """Whether a message may need the one before it to be understood."""
    text = question.text
    if _NEW_SUBJECT.search(text):
        return False
    few = len(question.content) <= _FEW_WORDS and len(text) <= _LONGER
    return len(text) <= _SHORT or few or leans_on_before(text)


def leans_on_before(text: str) -> bool:
    """Whether a message says by its words that it goes on from the one before.

    >>> leans_on_before("那能授权给谁用"), leans_on_before("明天股票会涨吗")
    (True, False)
    """
    return bool(_FOLLOW_UP.search(text))


def is_courtesy(text: str) -> bool:
    """Whether a message only greets or thanks.

    >>> is_courtesy("好的谢谢你啊"), is_courtesy("好的那怎么办")
    (True, False)
    """
    return bool(_COURTESY.fullmatch(text))


def is_chat(text: str) -> bool:
    """Whether a message talks with the program about itself.

    >>> is_chat("你叫什么名字"), is_chat("你们医保局几点上班")
    (True, False)
    """
    return bool(_CHAT.match(text))


def is_remark(text: str) -> bool:
    """Whether a message remarks on an answer and asks nothing.

    >>> is_remark("哈哈那我得好好看看我们那家药店"), is_remark("哦那要带什么材料")
    (True, False)
    """
    asks = _MAY_ASK.search(text) or asks_anything(text) or leans_on_before(text)
    return bool(_REMARK.match(text)) and not asks


def says_nothing(text: str) -> bool:
    """Whether a message is only courtesy, talk or a remark."""
    return is_courtesy(text) or is_chat(text) or is_remark(text)


def _recalled(earlier: Sequence[str], latest: str, question: Question) -> str:
    """The subject that a follow-up goes on from: an earlier one if it holds more of its words.

    >>> known = ["急诊抢救没备案要自己垫吗", "社保卡丢了能用手机吗"]
    >>> _recalled(known, known[-1], understand("那急诊那次算备案过吗"))
    '急诊抢救没备案要自己垫吗'
    """

    def shared(subject: str) -> int:
        return sum(word in subject for word in question.content)

    best = max(reversed(earlier), key=shared, default=latest)
    return best if shared(best) > shared(latest) else latest


def questions(history: Sequence[str]) -> list[str]:
    """The earlier messages that ask or tell something: no courtesies, no red flags."""
    return [message for message in _telling(history) if not safety.check(message)]


def _telling(history: Sequence[str]) -> list[str]:
    """The earlier messages without courtesies and what is no message."""
    return [m for m in history if not (problem(m) or says_nothing(clean(m)))]


def read(
    history: Sequence[str],
    raw: str,
    region: str = "",
    *,
    mend: bool = True,
    forget: Collection[str] = (),
) -> Turn:
    """Understand a message with the earlier ones of its dialogue.

    Args:
        history: earlier messages, oldest first.
        raw: the message; ``question.problem`` has let it through.
        region: the 参保地 that the person has chosen, or empty.
        mend: whether misspelt terms of the message are mended; the earlier ones always are.
        forget: names of slots that earlier messages filled and the person has taken away.
    """
    place = read_places(normalise(region)).place if region.strip() else None
    insurance = year = subject = base = ""
    subjects: list[str] = []
    insured_known = place is not None
    chosen = (place, insured_known)
    earlier = _telling(history)
    for n, message in enumerate((*earlier, raw)):
        last = n == len(earlier)
        question = understand(mended(message) if mend or not last else clean(message))
        if not last and safety.check(message):  # only its place is remembered
            place = place if insured_known else question.place or place
            continue
        before = _recalled(subjects, subject, question)
        if last:
            place, insured_known = chosen if "region" in forget else (place, insured_known)
            insurance = "" if "insurance" in forget else insurance
            year = "" if "year" in forget else year
        named = question.places.insured or (None if insured_known else question.place)
        named = named or _bare_county(question.text)
        if named and named[0] not in _NO_INSURED_PLACE:
            place, insured_known = named, named != question.places.care
        insurance = question.insurance or insurance
        follows = bool(before) and _depends(question)
        if len(question.content) >= _SUBJECT_WORDS or follows:
            year = question.year or (year if follows else "")
            swaps = follows and bool(_SUBSTITUTE.fullmatch(question.text))
            told = base if swaps and base else before
            base = told if swaps else ""
            care = None if mentions(question.text) else read_places(told).care
            before = _without_places(told, care)
            before = _swapped(before, question.text) if swaps else before
            subject = f"{before} {question.text}" if follows else question.text
            subjects.append(question.text)
    return Turn(
        question=question,
        text=question.text,
        completed=subject if subject != question.text else "",
        place=place,
        insurance=insurance,
        year=year,
    )
