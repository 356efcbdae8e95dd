"""What the corpus holds on a question: articles that apply, each with its sentences scored.

Two measures are used throughout, both 0…1. *Coverage*: the share of the question's content words,
weighted by how rare they are in the corpus, that a text holds itself (1), as a synonym
(``SYNONYM``) or by its characters (``PARTIAL``). *Closeness*: the encoder's cosine, stretched from
the narrow band that this encoder uses.
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from chatbot.applicable import fit, is_local, may_answer, of_one_year, this_year, treated_elsewhere
from chatbot.question import Question, wants
from corpus.records import Article, Span
from corpus.regions import PlacePath
from corpus.sections import heading_of
from index.engine import ASKED_LESS
from index.search import Filter, Hit, Index
from index.terms import expansions, normalise, rarity, word_class
from index.vectors import Float32

HITS = 40  # passages asked for
ARTICLES = 6  # articles looked at sentence by sentence
SYNONYM = 0.8
PARTIAL = 0.6
COSINE_LOW, COSINE_HIGH = -0.1, 0.9  # unrelated and nearly equal texts, centred; see index/ways.py
# A word that the corpus does not know may be its missing subject (a noun) or only a way of talking.
UNKNOWN = {"n": 1.0, "v": 0.5, "a": 0.4, "?": 0.3}
LOCAL_RATIO = 0.85  # a local article goes first if it fits at least so well as the best one
REFERRAL = 0.6  # what a sentence counts that only says whom to ask, if nobody asked for that
_REFERRAL = re.compile(r"请?(?:先)?[问打].{0,12}(?:医保局|12393)")
# What an article and a sentence are weighed by; chosen on development questions, see eval/LOG.md.
ARTICLE_WEIGHTS = {
    "title": 0.07,
    "asks": 0.04,
    "coverage": 0.07,
    "closeness": 0.11,
    "fused": 0.52,
    "fit": 0.19,
}
# The same while there is no encoder: the word search alone ranks articles less well.
WORD_WEIGHTS = {"title": 0.35, "asks": 0.12, "coverage": 0.24, "fused": 0.12, "fit": 0.17}
SENTENCE_WEIGHTS = {"closeness": 0.40, "coverage": 0.35, "want": 0.20, "lead": 0.05, "asked": 0.30}


@dataclass(frozen=True, slots=True)
class Sentence:
    """A quotable sentence with its scores; ``order`` counts the article's sentences from 0."""

    span: Span
    order: int
    score: float
    cosine: float
    closeness: float
    coverage: float
    wanted: float
    asked: float = 0.0
    shows: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Source:
    """An article that applies, how well it fits, and its sentences in their own order.

    All measures are 0…1. ``fit``: place, audience and year. ``agreement``: 1 / its rank in the
    word search over all places.
    """

    article: Article
    score: float
    title: float
    coverage: float
    closeness: float
    fit: float
    agreement: float
    sentences: tuple[Sentence, ...]


@lru_cache(maxsize=20_000)
def _plain(text: str) -> str:
    return normalise(text)


@lru_cache(maxsize=20_000)
def _headed(body: str, span: Span) -> tuple[str, str]:
    """The heading over a sentence, or nothing, and the sentence itself, both normalised."""
    above = heading_of(body, span.start)
    return normalise(above.of(body)) if above else "", normalise(span.of(body))


@lru_cache(maxsize=2_000)
def _synonyms(word: str) -> tuple[str, ...]:
    return tuple(expansions(word))


def _held(word: str, text: str) -> float:
    """How far ``text`` (normalised) holds ``word``, 0…1."""
    if word in text:
        return 1.0
    if any(other in text for other in _synonyms(word)):
        return SYNONYM
    pairs = [word[at : at + 2] for at in range(len(word) - 1)]
    return PARTIAL * sum(pair in text for pair in pairs) / len(pairs) if len(pairs) > 1 else 0.0


def coverage(weights: Mapping[str, float], text: str) -> float:
    """Weighted share of the words that ``text`` (normalised) holds; 0 if there are no words."""
    total = sum(weights.values())
    return sum(w * _held(word, text) for word, w in weights.items()) / total if total else 0.0


def closeness(cosine: float) -> float:
    """A cosine stretched to 0…1."""
    return min(max((cosine - COSINE_LOW) / (COSINE_HIGH - COSINE_LOW), 0.0), 1.0)


def word_weights(index: Index, words: Sequence[str]) -> dict[str, float]:
    """Inverse document frequency of each word, or of its most frequent synonym, over the chunks.

    Words that the index does not know weigh most if they are rare nouns, less if they are frequent
    in Chinese at large or anything else than nouns.
    """
    count, known = len(index.engine), index.engine.candidates.chunks_with
    weights = {}
    for word in words:
        seen = known(word) or max(map(known, _synonyms(word)), default=0)
        weight = math.log(1 + (count - seen + 0.5) / (seen + 0.5))
        weights[word] = weight * (_strangeness(word) if _is_strange(index, word) else 1.0)
    return weights


def _is_strange(index: Index, word: str) -> bool:
    """Whether the index knows neither the word nor another name for it."""
    return not index.engine.candidates.chunks_with(word) and not _synonyms(word)


@lru_cache(maxsize=20_000)
def _strangeness(word: str) -> float:
    """How likely a word that the corpus does not know is its missing subject, 0…1."""
    return UNKNOWN.get(word_class(word), 0.5) * rarity(word)


def unknown_share(index: Index, weights: Mapping[str, float]) -> float:
    """The share of a question's weight that lies on words that the index does not know, 0…1.

    Here words that are frequent in Chinese count whole: 「密码」 may be all that is asked about.
    """
    strange = {word for word in weights if _is_strange(index, word)}
    missing = sum(weights[word] / rarity(word) for word in strange)
    total = missing + sum(weight for word, weight in weights.items() if word not in strange)
    return missing / total if total else 0.0


def gather(
    index: Index,
    question: Question,
    text: str,
    vector: Float32 | None,
    place: PlacePath | None,
    year: str,
) -> list[Source]:
    """The best articles for a question, best first.

    Args:
        index: where to look.
        question: what is asked, for its content words and wants.
        text: what to search for (the question itself, or completed from the dialogue).
        vector: the encoder's vector of ``text``, or None while there is none.
        place: the 参保地; articles of other places are left out. None: all articles.
        year: the year that is asked for, or empty; see ``chatbot.applicable``.
    """
    care = treated_elsewhere(question, place)
    hits = index.search(
        text,
        HITS,
        only=Filter(place=place),
        where=lambda article: may_answer(article, place, care, year),
        vector=vector,
        mend=False,
    )
    best: dict[str, Hit] = {}
    for hit in hits:
        best.setdefault(hit.article.id, hit)
    kept = of_one_year((hit.article for hit in best.values()), int(year or this_year()))
    scorer = _Scorer(index, question, text, vector, place)
    # One leg alone does not say how much a score means, so the best passage is the measure.
    most = 1.0 if vector is not None else max((hit.score for hit in hits), default=1.0)
    sources = [scorer.source(hit, hit.score / most) for key, hit in best.items() if key in kept]
    sources.sort(key=lambda s: (-s.score, s.article.id))
    return _local_first(sources[:ARTICLES], place)


def _local_first(sources: list[Source], place: PlacePath | None) -> list[Source]:
    """The asked place's own articles before wider ones that fit hardly better."""
    if place is None or not sources:
        return sources
    floor = LOCAL_RATIO * sources[0].score
    return sorted(sources, key=lambda s: not (is_local(s.article) and s.score >= floor))


def _lexical_ranks(index: Index, text: str) -> dict[str, int]:
    """Rank (from 1) of each article in the word search over all places."""
    ranks: dict[str, int] = {}
    for rank, hit in enumerate(index.search(text, HITS, legs=("bm25",), mend=False), 1):
        ranks.setdefault(hit.article.id, rank)
    return ranks


def _all_words(article: Article) -> str:
    """The words of an article, and those in which citizens ask for it."""
    ways = (way for _, way in article.asked)
    return " ".join(map(_plain, (article.title, article.body, *ways)))


class _Scorer:
    """Measures articles and their sentences against one question."""

    def __init__(
        self,
        index: Index,
        question: Question,
        text: str,
        vector: Float32 | None,
        place: PlacePath | None,
    ) -> None:
        self._index = index
        self._question = question
        self._vector = vector
        self._place = place
        self._weights = word_weights(index, question.content)
        self._lexical = _lexical_ranks(index, text)

    def source(self, hit: Hit, fused: float) -> Source:
        """The article of a hit with all its measures; ``fused``: the score of the search."""
        article = hit.article
        sentences = self._sentences(article)
        top = max((s.cosine for s in sentences), default=0.0)
        asked = max((s.asked for s in sentences), default=0.0)
        title = _plain(article.title)
        measures = {
            "title": coverage(self._weights, title),
            "asks": self._asks_the_same(title),
            "coverage": coverage(self._weights, _all_words(article)),
            "closeness": max(closeness(top), closeness(hit.dense), asked),
            "fused": min(fused, 1.0),
            "fit": fit(article, self._question, self._place),
        }
        weights = WORD_WEIGHTS if self._vector is None else ARTICLE_WEIGHTS
        rank = self._lexical.get(article.id)
        return Source(
            article=article,
            score=sum(weight * measures[name] for name, weight in weights.items()),
            title=measures["title"],
            coverage=measures["coverage"],
            closeness=measures["closeness"],
            fit=measures["fit"],
            agreement=1 / rank if rank else 0.0,
            sentences=sentences,
        )

    def _share(self, held: Mapping[str, float], also: Mapping[str, float] | None = None) -> float:
        """The weighted share of the words that are held, 0…1, here or in what counts ``also``."""
        total = sum(self._weights.values())
        other = also or {}
        return (
            sum(w * max(held[word], other.get(word, 0.0)) for word, w in self._weights.items())
            / total
            if total
            else 0.0
        )

    def _asks_the_same(self, title: str) -> float:
        """The share of what the question asks for that the title, itself a question, asks too."""
        asked = [bool(wants()[name].asks.search(title)) for name in self._question.wants]
        return sum(asked) / len(asked) if asked else 0.5

    def _sentences(self, article: Article) -> tuple[Sentence, ...]:
        spans = self._index.spans[article.id]
        cosines = np.zeros(len(spans), dtype=np.float32)
        if self._vector is not None and len(spans):
            cosines = self._index.sentence_vectors[article.id] @ self._vector
        asked = self._asked(article, spans)
        title = {word: _held(word, _plain(article.title)) for word in self._weights}
        return tuple(
            self._sentence(article, title, order, span, float(cosine), near)
            for order, (span, cosine, near) in enumerate(zip(spans, cosines, asked, strict=True))
        )

    def _asked(self, article: Article, spans: Sequence[Span]) -> list[float]:
        """How near the question is to a way of asking for each sentence's section, 0…1."""
        vectors = self._index.asked_vectors.get(article.id)
        if vectors is None or self._vector is None:
            return [0.0] * len(spans)
        cosines = vectors @ self._vector - ASKED_LESS
        found = [
            (part, closeness(float(cosine)))
            for (part, _), cosine in zip(article.asked, cosines, strict=True)
        ]
        return [
            max((near for part, near in found if part.start <= span.start < part.end), default=0.0)
            for span in spans
        ]

    def _sentence(
        self,
        article: Article,
        title: Mapping[str, float],
        order: int,
        span: Span,
        cosine: float,
        asked: float,
    ) -> Sentence:
        """A sentence with its measures; the words that the ``title`` holds are half its own."""
        heading, text = _headed(article.body, span)
        held = {word: _held(word, f"{heading} {text}") for word in self._weights}
        asks = self._question.wants
        shows = frozenset(name for name in asks if wants()[name].shows.search(text))
        measures = {
            "closeness": closeness(cosine),
            "asked": asked,
            "coverage": (self._share(held) + self._share(held, title)) / 2,
            "want": len(shows) / len(asks) if asks else 0.5,
            "lead": 1.0 if order == 0 else 0.0,
        }
        score = sum(SENTENCE_WEIGHTS[name] * value for name, value in measures.items())
        if is_referral(text) and not self._question.wants & {"phone", "where"}:
            score *= REFERRAL
        return Sentence(
            span=span,
            order=order,
            score=score,
            cosine=cosine,
            closeness=max(measures["closeness"], asked),
            coverage=measures["coverage"],
            wanted=measures["want"],
            asked=asked,
            shows=shows,
        )


def is_referral(text: str) -> bool:
    """Whether a sentence (normalised) only says whom to ask."""
    return bool(_REFERRAL.search(text))
