"""Text → search terms. The only file that knows how Chinese is cut.

A text becomes a bag of jieba search-mode words plus the bigrams of its runs of Chinese characters;
Latin words and numbers stay whole. Questions are widened by the synonyms in
``lexicon/synonyms.yaml``.
"""

import hashlib
import re
import unicodedata
from collections.abc import Iterator
from functools import cache
from itertools import accumulate
from math import log
from pathlib import Path
from typing import Any

import ahocorasick
import jieba
import opencc
import yaml

from corpus.word_classes import word_classes

LEXICON = Path(__file__).with_name("lexicon")
_HAN_RUN = re.compile(r"[\u3400-\u9fff]{2,}")
_WORD = re.compile(r"[\w%.\-]*\w%?|[\u3400-\u9fff]")
_EMPTY_CLASSES = frozenset("rdpcuymqtofxwei")  # word classes that name no subject
FREQUENT, RARE = 8.0, 14.0  # natural logarithms: one word in 3,000, one in a million
COMMON = 0.1  # what the most frequent words count
SHORT = 2  # characters of a phrase that may by chance stand across or inside other words
_INVISIBLE = re.compile(r"[\u200b-\u200f\u2028-\u202f\u2060-\u2064\ufeff\u00ad]")


@cache
def _converter() -> opencc.OpenCC:
    return opencc.OpenCC("t2s")


def normalise(text: str) -> str:
    """NFKC, no invisible characters, traditional → simplified, lower case.

    >>> normalise("門診１００％ ＡＰＰ")
    '门诊100% app'
    """
    plain = _INVISIBLE.sub("", unicodedata.normalize("NFKC", text))
    return str(_converter().convert(plain)).lower()


@cache
def _tokenizer() -> jieba.Tokenizer:
    """A tokenizer of our own, so that the lexicon changes nobody else's jieba.

    Its dictionary starts as a copy of jieba's, so the words themselves are in memory once: 15 MB
    instead of 74 MB for a second reading.
    """
    jieba.initialize()
    tokenizer = jieba.Tokenizer()
    tokenizer.FREQ, tokenizer.total = dict(jieba.dt.FREQ), jieba.dt.total
    tokenizer.initialized = True
    for word, (frequency, tag) in _user_words().items():
        tokenizer.add_word(word, frequency, tag)
    return tokenizer


@cache
def _user_words() -> dict[str, tuple[int, str]]:
    lines = (LEXICON / "words.txt").read_text(encoding="utf-8").splitlines()
    return {word: (int(count), tag) for word, count, tag in map(str.split, lines)}


def listed_words() -> tuple[str, ...]:
    """The words of the user dictionary: terms, apps, papers, departments."""
    return tuple(_user_words())


def cut(text: str) -> list[str]:
    """An already normalised text as words, none left out: they join to the text.

    >>> cut("门特怎么办")
    ['门特', '怎么办']
    """
    return list(_tokenizer().cut(text))


@cache
def stop_words() -> frozenset[str]:
    """Words that ask, link or are polite; they carry no subject."""
    return frozenset((LEXICON / "stopwords.txt").read_text(encoding="utf-8").split())


def words(text: str) -> list[str]:
    """Search-mode words of an already normalised text, without punctuation and stop words."""
    stop = stop_words()
    return [
        word
        for word in (token.strip() for token in _tokenizer().cut_for_search(text))
        if word and _WORD.fullmatch(word) and word not in stop
    ]


def word_class(word: str) -> str:
    """The first letter of the word class (n, v, a …), ``?`` for a word that jieba does not know."""
    return word_classes().get(word, "?")[0]


def rarity(word: str) -> float:
    """How rare a word is in Chinese at large, ``COMMON`` to 1, by the counts of jieba's dictionary.

    On a scale of logarithms between one word in some 3,000 and one in a million.

    >>> rarity("东西") < rarity("钢丝") < rarity("牙周炎") == 1
    True
    """
    tokenizer = _tokenizer()
    one_in = log(tokenizer.total / (1 + (tokenizer.FREQ.get(word) or 0)))
    return min(max((one_in - FREQUENT) / (RARE - FREQUENT), COMMON), 1.0)


def is_word(word: str) -> bool:
    """Whether jieba's dictionary or the lexicon lists ``word``: if not, it is a guess of the cut.

    >>> is_word("断缴"), is_word("我能")
    (True, False)
    """
    return bool(_tokenizer().FREQ.get(word)) or word in _synonyms()


def subject_words(text: str) -> list[str]:
    """The words of an already normalised text that may name its subject, in order, each once.

    Spoken phrases of the lexicon count as one word. Pronouns, adverbs, numbers, times and particles
    are left out, and single characters if anything else is left.

    >>> subject_words("我想问一下卡里的钱平时怎么给家里人用")
    ['卡里的钱', '给家里人用']
    """
    phrases, rest = [], list(text)
    for start, phrase, _ in _phrases(text):
        phrases.append(phrase)
        rest[start : start + len(phrase)] = " " * len(phrase)
    found = [
        word
        for word in (token.strip() for token in cut("".join(rest)))
        if word
        and _WORD.fullmatch(word)
        and word not in stop_words()
        and word_class(word) not in _EMPTY_CLASSES
    ]
    long = [word for word in phrases + found if len(word) > 1]
    return list(dict.fromkeys(long or phrases + found))


def terms(text: str, *, bigrams: bool = True) -> list[str]:
    """All search terms of a text, with repetition: words, then character bigrams.

    >>> terms("生育津贴")
    ['生育', '津贴', '生育津贴', '生育', '育津', '津贴']
    """
    plain = normalise(text)
    if not bigrams:
        return words(plain)
    pairs = [run[at : at + 2] for run in _HAN_RUN.findall(plain) for at in range(len(run) - 1)]
    return words(plain) + pairs


@cache
def _lexicon() -> dict[str, Any]:
    data: dict[str, Any] = yaml.safe_load((LEXICON / "synonyms.yaml").read_text(encoding="utf-8"))
    return data


def same_words() -> tuple[str, ...]:
    """All words of the groups that are searched both ways."""
    return tuple(word for group in _lexicon()["same"] for word in group)


@cache
def _synonyms() -> ahocorasick.Automaton:
    data = _lexicon()
    wider: dict[str, list[str]] = {}
    for group in data["same"]:
        for word in group:
            wider.setdefault(word, []).extend(other for other in group if other != word)
    for family in data["spoken"]:
        for spoken in family["say"]:
            wider.setdefault(spoken, []).extend(m for m in family["mean"] if m != spoken)
    automaton = ahocorasick.Automaton()
    for word, others in wider.items():
        automaton.add_word(word, (word, tuple(dict.fromkeys(others))))
    automaton.make_automaton()
    return automaton


def _phrases(text: str) -> Iterator[tuple[int, str, tuple[str, ...]]]:
    """Phrases of the lexicon in a normalised text: start, phrase, what it also means.

    A short one must begin and end where words do: 改 stands in 「改医院」, not in 「改革」.
    """
    found = list(_synonyms().iter_long(text))
    if not found:
        return
    edges = {0, *accumulate(map(len, cut(text)))}
    for end, (phrase, others) in found:
        start = end + 1 - len(phrase)
        if len(phrase) > SHORT or {start, end + 1} <= edges:
            yield start, phrase, others


def synonyms(text: str) -> dict[str, tuple[str, ...]]:
    """The phrases of the lexicon in a question, each with what it also means.

    >>> synonyms("门槛费多少")
    {'门槛费': ('起付线', '起付标准', '门槛')}
    """
    return {phrase: others for _, phrase, others in _phrases(normalise(text))}


def expansions(text: str) -> list[str]:
    """The synonyms of the words that stand in a question, without what it says already.

    >>> expansions("门槛费多少")
    ['起付线', '起付标准']
    """
    plain = normalise(text)
    found: dict[str, None] = {}
    for _, _, others in _phrases(plain):
        found.update(dict.fromkeys(other for other in others if other not in plain))
    return list(found)


@cache
def fingerprint() -> str:
    """SHA-256 of the lexicon and of this file: an index made with other terms is stale."""
    digest = hashlib.sha256()
    for path in (*sorted(LEXICON.iterdir()), Path(__file__)):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()
