"""A follow-up is answered by what it newly asks, not with the whole answer before once more."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise

from chatbot.applicable import is_local
from chatbot.dialogue import Turn
from chatbot.evidence import Sentence, Source, headed
from chatbot.measures import coverage
from chatbot.question import asks_only, content_words, wants
from chatbot.records import Quote
from chatbot.select import items_of
from chatbot.suits import tiers
from index.search import Index
from index.terms import expansions, normalise

HELD = 0.5  # share of the new words that a sentence holds if it is about them
DIM = 0.1  # what a sentence counts that is about something else: less than is quoted
NEAR = 0.35  # centred cosine from which a sentence may be about a message
BAND = 0.12  # and this near to the nearest one
VAGUE = {"decide", "difference"}  # nearly every rule shows these
OPENERS = {"换成", "如果", "要是", "如果是"}
NAMES = 2  # characters; a shorter word names nothing


@lru_cache(maxsize=2_000)
def _spread(word: str) -> re.Pattern[str]:
    """A word, or its characters with one between them: 「慢病」 in 「慢特病」."""
    return re.compile(".?".join(map(re.escape, word)))


@dataclass(frozen=True, slots=True)
class Focus:
    """What a follow-up adds to the subject before it: its own words, and what else it asks for."""

    text: str
    words: tuple[str, ...]
    wants: frozenset[str]

    def about(self, index: Index, sources: Sequence[Source]) -> set[tuple[str, int]]:
        """Where what is new is told: article id and order of each such sentence.

        By the new words, else by what is newly asked for and by nearness to the message alone.
        """
        pairs = [(source, sentence) for source in sources for sentence in source.sentences]
        hits = [pair for pair in pairs if self._held(*pair) >= HELD]
        best = sources[0]
        if is_local(best.article) and all(source is not best for source, _ in hits):
            own = self._asked(index, [(best, sentence) for sentence in best.sentences])
            if not own:  # never away from the asked place's own article
                return set()
            hits += own
        hits = hits or self._asked(index, pairs)
        found: set[tuple[str, int]] = set()
        for source, sentence in hits:
            listed = [sentence]
            if sentence.span.of(source.article.body).endswith((":", "：")):
                listed += items_of(source, sentence.order)
            found.update((source.article.id, s.order) for s in listed)
        return found

    def _asked(
        self, index: Index, pairs: Sequence[tuple[Source, Sentence]]
    ) -> list[tuple[Source, Sentence]]:
        """Those that show what is newly asked for, the nearest of them if any is near."""
        shown = [pair for pair in pairs if self._shows(*pair)]
        return self._nearest(index, shown or pairs) or shown

    def _nearest(
        self, index: Index, pairs: Sequence[tuple[Source, Sentence]]
    ) -> list[tuple[Source, Sentence]]:
        """Those nearest to the message by the encoder; none if even the best is not near."""
        vector = index.engine.encode(self.text)
        if vector is None or not pairs:
            return []
        cosines = [
            float(index.sentence_vectors[source.article.id][sentence.order] @ vector)
            for source, sentence in pairs
        ]
        floor = max(NEAR, max(cosines) - BAND)
        return [pair for pair, cosine in zip(pairs, cosines, strict=True) if cosine >= floor]

    def _held(self, source: Source, sentence: Sentence) -> float:
        """The share of the new words that a sentence or its heading holds, 0…1."""
        if not self.words:
            return 0.0
        plain = " ".join(headed(source.article.body, sentence.span))
        loose = sum(bool(_spread(word).search(plain)) for word in self.words) / len(self.words)
        return max(loose, coverage(dict.fromkeys(self.words, 1.0), plain))

    def _shows(self, source: Source, sentence: Sentence) -> bool:
        """Whether a sentence gives what is newly asked for."""
        _, text = headed(source.article.body, sentence.span)
        return any(wants()[name].shows.search(text) for name in self.wants)


def focus_of(turn: Turn) -> Focus:
    """What the last message of a dialogue asks beyond the subject before it."""
    before = turn.completed.removesuffix(turn.question.text)
    known = set(content_words(before))
    new = [
        word
        for word in turn.question.content
        if len(word) >= NAMES
        and word not in known
        and word not in before
        and not asks_only(word)
        and word not in OPENERS
    ]
    asked = {name for name in turn.question.wants if not wants()[name].asks.search(before)}
    return Focus(turn.question.text, tuple(new), frozenset(asked - VAGUE))


def asks_by_itself(turn: Turn, quotes: Sequence[Quote]) -> bool:
    """Whether a follow-up names something that no quote touches on, in any words of the lexicon.

    A place, an insurance or a year alone is no such thing, nor a tier of hospital that is told of.
    """
    asked = turn.question
    told = normalise("".join(quote.text for quote in quotes))
    named = focus_of(turn).words
    pairs = [
        "".join(pair) for word in (*named, *expansions(" ".join(named))) for pair in pairwise(word)
    ]
    tells_who = asked.place or asked.insurance or asked.year or tiers(asked.text) & tiers(told)
    return bool(pairs) and not tells_who and not any(pair in told for pair in pairs)


def dimmed(sources: Sequence[Source], about: set[tuple[str, int]]) -> list[Source]:
    """The sources with every sentence dimmed that is not among those ``about`` what is new."""
    return [
        replace(
            source,
            sentences=tuple(
                s if (source.article.id, s.order) in about else replace(s, score=DIM * s.score)
                for s in source.sentences
            ),
        )
        for source in sources
    ]


def tells(quotes: Sequence[Quote], sources: Sequence[Source], about: set[tuple[str, int]]) -> bool:
    """Whether a quote is one of the sentences that are about what is new."""
    starts = {
        (source.article.id, s.span.start)
        for source in sources
        for s in source.sentences
        if (source.article.id, s.order) in about
    }
    return any((quote.article.id, quote.start) in starts for quote in quotes)
