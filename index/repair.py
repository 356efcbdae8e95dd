"""Mend misspelt terms of the domain in a question, and say what was changed.

Three kinds of slips are known: a character that only sounds right (医保统抽), a wrong character
within a long term (生育律贴), and a term typed as pinyin or its initials (yibao, ybm). Only terms
of the lexicon are ever put in; a place name and a word that jieba knows are left alone unless
the whole term fits. The word lists are in ``lexicon/repair.yaml``.
"""

import os
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import accumulate, product
from typing import Any

import yaml

from corpus.regions import mentions
from index.terms import LEXICON, cut, is_word, listed_words, normalise, same_words

SHORT = 2  # characters of a term that is mended by sound only, and only if it is listed
WHOLE = 4  # from this length on a term that sounds the same throughout outweighs known words in it
INITIALS = 3  # letters from which initials are read, if they stand for one term only
_LATIN = re.compile(r"[a-z]{2,}(?: [a-z]{2,})*")
# Sounds that many speakers do not tell apart.
_ALIKE = (("zh", "z"), ("ch", "c"), ("sh", "s"), ("ng", "n"), ("l", "n"), ("h", "f"))


@dataclass(frozen=True, slots=True)
class Rewrite:
    """``before`` stood at ``start:end`` of the normalised question; ``after`` stands there now."""

    before: str
    after: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Repaired:
    """The question to search for and, in their order, the changes that led to it."""

    text: str
    rewrites: tuple[Rewrite, ...] = ()


@dataclass(frozen=True, slots=True)
class _Rules:
    terms: frozenset[str]
    short: frozenset[str]
    function: frozenset[str]
    always: Mapping[str, str]
    keep: frozenset[str]
    latin: Mapping[str, str]
    foreign: frozenset[str]


@cache
def _rules() -> _Rules:
    data: dict[str, Any] = yaml.safe_load((LEXICON / "repair.yaml").read_text(encoding="utf-8"))
    lists = {
        name: frozenset(data[name].split())
        for name in ("short", "further", "function", "keep", "foreign")
    }
    long = {
        word
        for word in (*listed_words(), *same_words())
        if len(word) > SHORT and all(map(_is_han, word))
    }
    return _Rules(
        terms=lists["short"] | lists["further"] | long,
        short=lists["short"],
        function=lists["function"],
        always=data["always"],
        keep=lists["keep"],
        latin=data["latin"],
        foreign=lists["foreign"],
    )


def domain_terms() -> frozenset[str]:
    """The terms that can be mended, all in Chinese characters."""
    return _rules().terms


@lru_cache(maxsize=20_000)
def readings(char: str) -> frozenset[str]:
    """All toneless readings of a character; the character itself if it has none.

    >>> sorted(readings("行"))
    ['hang', 'heng', 'xing']
    """
    # Without its table of phrases pypinyin takes 12 MB instead of 55; single characters need none.
    os.environ.setdefault("PYPINYIN_NO_PHRASES", "true")
    from pypinyin import Style, pinyin

    return frozenset(pinyin(char, heteronym=True, style=Style.NORMAL)[0])


@lru_cache(maxsize=20_000)
def _alike(char: str) -> frozenset[str]:
    """The readings of a character with the sounds that are often mixed up made one."""
    merged = set()
    for sound in readings(char):
        for one, other in _ALIKE:
            sound = sound.replace(one, other)
        merged.add(sound)
    return frozenset(merged)


@cache
def _by_character() -> Mapping[str, tuple[tuple[str, int], ...]]:
    """Character → the terms that hold it, and where."""
    found: dict[str, list[tuple[str, int]]] = defaultdict(list)
    for term in sorted(_rules().terms):
        for at, char in enumerate(term):
            found[char].append((term, at))
    return {char: tuple(places) for char, places in found.items()}


@cache
def _by_pinyin() -> Mapping[str, str]:
    """Pinyin of a whole term, without blanks → the term, if it stands for that term alone."""
    meant: dict[str, set[str]] = defaultdict(set)
    for term in _rules().terms:
        for sounds in product(*map(readings, term)):
            meant["".join(sounds)].add(term)
    return {letters: min(terms) for letters, terms in meant.items() if len(terms) == 1}


@cache
def _by_initials() -> Mapping[str, str]:
    """Initials → the only term that they stand for, and the spellings that are listed."""
    meant: dict[str, set[str]] = defaultdict(set)
    for term in _rules().terms:
        for sounds in product(*map(readings, term)):
            meant["".join(sound[0] for sound in sounds)].add(term)
    certain = {
        letters: min(terms)
        for letters, terms in meant.items()
        if len(letters) >= INITIALS and len(terms) == 1
    }
    return certain | dict(_rules().latin)


def repair(question: str) -> Repaired:
    """Mend what can be mended with certainty; the text is normalised in any case.

    >>> repair("门忒怎么办")
    Repaired(text='门特怎么办', rewrites=(Rewrite(before='门忒', after='门特', start=0, end=2),))
    >>> repair("yibao能报多少").text
    '医保能报多少'
    """
    text = normalise(question)
    changes = _best([*_chinese(text), *_pinyin(text)])
    if changes:
        places = [mention.span for mention in mentions(text)]
        changes = [c for c in changes if all(c.end <= p.start or p.end <= c.start for p in places)]
    mended = text
    for change in reversed(changes):
        mended = mended[: change.start] + change.after + mended[change.end :]
    return Repaired(mended, tuple(changes))


def _best(changes: list[Rewrite]) -> list[Rewrite]:
    """Changes that do not overlap, the longest first, in the order of the text."""
    kept: list[Rewrite] = []
    for change in sorted(changes, key=lambda c: (c.start - c.end, c.start, c.after)):
        if all(change.end <= other.start or other.end <= change.start for other in kept):
            kept.append(change)
    return sorted(kept, key=lambda c: c.start)


def _chinese(text: str) -> Iterator[Rewrite]:
    """Terms with wrong characters."""
    candidates = {
        (term, place - at)
        for place, char in enumerate(text)
        for term, at in _by_character().get(char, ())
        if 0 <= place - at <= len(text) - len(term)
    }
    slips = [
        Rewrite(text[start : start + len(term)], term, start, start + len(term))
        for term, start in candidates
        if 0 < _wrong_count(text, term, start) <= len(term) // 2
    ]
    always = [
        Rewrite(before, term, found.start(), found.end())
        for before, term in _rules().always.items()
        for found in re.finditer(before, text)
    ]
    if slips or always:
        words = _Words(text)
        yield from (slip for slip in always if words.aligned(slip))
        yield from (slip for slip in slips if _fits(slip, words))


def _wrong_count(text: str, term: str, start: int) -> int:
    return sum(text[start + at] != char for at, char in enumerate(term))


class _Words:
    """Where the words of a text begin and end, and which characters stand in a term already."""

    def __init__(self, text: str) -> None:
        found = cut(text)
        self._word_of = [word for word in found for _ in word]
        self._edges = {0, *accumulate(map(len, found))}
        self.right: set[int] = set()
        for term in {term for char in set(text) for term, _ in _by_character().get(char, ())}:
            for place in re.finditer(re.escape(term), text):
                self.right.update(range(*place.span()))

    def aligned(self, slip: Rewrite) -> bool:
        """Whether the slip cuts through no word that the dictionary lists."""
        return all(
            edge in self._edges or not is_word(self._word_of[edge])
            for edge in (slip.start, slip.end)
        )

    def known(self, place: int) -> bool:
        """Whether the character stands in a longer word that the dictionary lists."""
        return len(self._word_of[place]) > 1 and is_word(self._word_of[place])


def _fits(slip: Rewrite, words: _Words) -> bool:
    """Whether the slip is a misspelling of its term."""
    rules, before, term = _rules(), slip.before, slip.after
    wrong = [at for at in range(len(term)) if before[at] != term[at]]
    if before in rules.keep or before in rules.terms:
        return False
    if any(slip.start + at in words.right or not _is_han(before[at]) for at in wrong):
        return False
    alike = all(readings(before[at]) & readings(term[at]) for at in wrong)
    if alike and len(term) >= WHOLE:
        return True
    if any(words.known(slip.start + at) or before[at] in rules.function for at in wrong):
        return False
    if not words.aligned(slip):
        return False
    if len(term) <= SHORT:
        return alike and term in rules.short and not is_word(before)
    return alike or (len(term) >= WHOLE and len(wrong) == 1 and _nearly(before, term, wrong[0]))


def _nearly(before: str, term: str, at: int) -> bool:
    """Whether one wrong character nearly sounds right, or stands inside the term."""
    return bool(_alike(before[at]) & _alike(term[at])) or at > 0


def _is_han(char: str) -> bool:
    return "\u3400" <= char <= "\u9fff"


def _pinyin(text: str) -> Iterator[Rewrite]:
    """Terms typed in Latin letters, syllables together or apart."""
    for run in _LATIN.finditer(text):
        pieces = [(m.start(), m.end()) for m in re.finditer(r"[a-z]+", run.group())]
        first = 0
        while first < len(pieces):
            for last in range(len(pieces), first, -1):
                start, end = pieces[first][0], pieces[last - 1][1]
                before = run.group()[start:end]
                after = _spelt(before.replace(" ", ""))
                if after:
                    yield Rewrite(before, after, run.start() + start, run.start() + end)
                    break
            else:
                last = first + 1
            first = last


def _spelt(letters: str) -> str:
    """The terms that ``letters`` spell, one after the other; empty if they do not."""
    if letters in _rules().foreign:
        return ""
    return _by_initials().get(letters) or _joined(letters)


def _joined(letters: str) -> str:
    known = _by_pinyin()
    if letters in known:
        return known[letters]
    for end in range(len(letters) - 1, 1, -1):  # the longest first term
        if letters[:end] in known and (rest := _joined(letters[end:])):
            return known[letters[:end]] + rest
    return ""
