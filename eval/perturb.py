"""Six ways in which people type a question otherwise; each is a function of the question alone.

Deterministic: what is changed is drawn from a hash of the question, so a run can be repeated to the
byte. Place names are never changed: a misspelt place is another question.
"""

import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cache

import jieba
import opencc
from pypinyin import lazy_pinyin

from corpus.regions import mentions
from eval.datasets import Dataset
from index.repair import domain_terms, readings
from index.terms import cut, normalise

__all__ = ["PERTURBATIONS", "perturbed"]

SPOKEN = {"地": "di", "的": "de"}  # readings that pypinyin gives second
COMMON = 2500  # characters, by frequency in jieba's dictionary, from which a wrong one is taken
BEFORE = (
    "您好，请问一下，",
    "那个，我想问问啊，",
    "麻烦问一下哈，",
    "喂你好，我是帮家里老人问的，",
    "是这样的，",
)
AFTER = ("，谢谢啊", "，麻烦您了", "，这个我不太懂", "，急等回复，谢谢", "，有人知道吗")


def typo(question: str) -> str:
    """One slip of the fingers: two neighbours swapped, a character left out or typed twice."""
    places = [at for at in _free(question) if at + 1 < len(question) and at + 1 in _free(question)]
    if not places:
        return question
    at = places[_draw(question, "typo", len(places))]
    one, other = question[at], question[at + 1]
    slips = (other + one, other, one + one + other)
    return question[:at] + slips[_draw(question, "slip", len(slips))] + question[at + 2 :]


def homophone(question: str) -> str:
    """One character replaced by a common one that sounds the same.

    >>> homophone("生育津贴怎么领") != "生育津贴怎么领"
    True
    """
    places = [at for at in _free(question) if _sounding_like(question[at])]
    if not places:
        return question
    at = places[_draw(question, "place", len(places))]
    others = _sounding_like(question[at])
    return question[:at] + others[_draw(question, "sound", len(others))] + question[at + 1 :]


def traditional(question: str) -> str:
    """The whole question in traditional characters.

    >>> traditional("医保报销")
    '醫保報銷'
    """
    return str(_to_traditional().convert(question))


def pinyin(question: str) -> str:
    """One term, else the longest word, typed as pinyin without tones.

    >>> pinyin("生育津贴怎么领")
    'shengyujintie怎么领'
    """
    free = set(_free(question))
    spans = [
        (start, start + len(term))
        for term in sorted(domain_terms())
        for start in range(len(question) - len(term) + 1)
        if question.startswith(term, start) and free.issuperset(range(start, start + len(term)))
    ]
    if not spans:
        spans, start = [], 0
        for word in cut(question):
            end = start + len(word)
            if len(word) > 1 and free.issuperset(range(start, end)):
                spans.append((start, end))
            start = end
    if not spans:
        return question
    start, end = max(spans, key=lambda span: (span[1] - span[0], -span[0]))
    typed = "".join(SPOKEN.get(char) or lazy_pinyin(char)[0] for char in question[start:end])
    return question[:start] + typed + question[end:]


def word_order(question: str) -> str:
    """The last clause first; within a single clause the words after one of its breaks first.

    >>> word_order("门特批下来以后，怎么报")
    '怎么报，门特批下来以后'
    """
    bare = question.rstrip("。？！?!")
    clauses = bare.split("，")
    if len(clauses) > 1:
        return "，".join((clauses[-1], *clauses[:-1]))
    parts = cut(bare)
    if len(parts) < 2:  # one word has no order
        return question
    at = 1 + _draw(question, "order", len(parts) - 1)
    return "".join((*parts[at:], *parts[:at]))


def padding(question: str) -> str:
    """The words with which people begin and end when they speak."""
    before = BEFORE[_draw(question, "before", len(BEFORE))]
    after = AFTER[_draw(question, "after", len(AFTER))]
    return before + question.rstrip("。？！?!") + after


PERTURBATIONS: Mapping[str, Callable[[str], str]] = {
    "typo": typo,
    "homophone": homophone,
    "traditional": traditional,
    "pinyin": pinyin,
    "word order": word_order,
    "padding": padding,
}


def perturbed(dataset: Dataset, name: str) -> Dataset:
    """The same collection with every question changed in one way.

    Raises:
        KeyError: there is no such perturbation.
    """
    change = PERTURBATIONS[name]
    queries = tuple(replace(query, text=change(query.text)) for query in dataset.queries)
    return replace(dataset, queries=queries)


def _draw(question: str, salt: str, count: int) -> int:
    """A number below ``count``, the same in every run."""
    return zlib.crc32(f"{salt}\0{question}".encode()) % count


def _free(question: str) -> list[int]:
    """Positions of Chinese characters outside place names."""
    if len(normalise(question)) != len(question):
        return []
    spans = [mention.span for mention in mentions(normalise(question))]
    held = {at for span in spans for at in range(span.start, span.end)}
    return [at for at, c in enumerate(question) if "\u3400" <= c <= "\u9fff" and at not in held]


@cache
def _to_traditional() -> opencc.OpenCC:
    return opencc.OpenCC("s2t")


@cache
def _common_by_sound() -> Mapping[str, Sequence[str]]:
    jieba.initialize()
    single = [w for w in jieba.dt.FREQ if len(w) == 1 and "\u4e00" <= w <= "\u9fff"]
    single.sort(key=lambda char: (-jieba.dt.FREQ[char], char))
    found: dict[str, list[str]] = {}
    for char in single[:COMMON]:
        for sound in readings(char):
            found.setdefault(sound, []).append(char)
    return found


def _sounding_like(char: str) -> list[str]:
    others = {o for sound in readings(char) for o in _common_by_sound().get(sound, ())}
    return sorted(others - {char})
