"""What the corpus holds on a question: articles that apply, the best ones sentence by sentence."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from chatbot.applicable import fit, is_local, may_answer, of_one_year, this_year, treated_elsewhere
from chatbot.measures import closeness, coverage, held, plain, share, word_weights
from chatbot.question import Question, wants
from corpus.records import Article, Span
from corpus.regions import PlacePath
from corpus.sections import heading_of
from index.engine import ASKED_LESS
from index.search import Filter, Hit, Index
from index.terms import normalise
from index.vectors import Float32

HITS = 40  # passages asked for
ARTICLES = 6  # articles looked at sentence by sentence
LOCAL_RATIO = 0.85  # a local article goes first if it fits at least so well as the best one
REFERRAL = 0.6  # what a sentence counts that only says whom to ask, if nobody asked for that
_REFERRAL = re.compile(r"请?(?:先)?[问打].{0,12}(?:医保局|12393)")
# What an article is weighed by, its best sentence last: fitted on development questions (listwise
# softmax of the article that answers among its rivals), see eval/LOG.md.
ARTICLE_WEIGHTS = {
    "fused": 0.17,
    "sentence": 0.12,
    "passage": 0.13,
    "closeness": 0.11,
    "agreement": 0.11,
    "coverage": 0.10,
    "fit": 0.07,
    "best": 0.19,
}
# The same while there is no encoder: the word search alone ranks articles less well.
WORD_WEIGHTS = {"title": 0.35, "asks": 0.12, "coverage": 0.24, "fused": 0.12, "fit": 0.17}
# Fitted likewise: a sentence that holds a fact among the others of its article.
SENTENCE_WEIGHTS = {"closeness": 0.65, "asked": 0.31, "coverage": 0.22, "want": 0.09, "lead": 0.02}
# Of a message that is completed from the one before, what it says counts more; set by hand.
FOLLOW_UP_WEIGHTS = {"closeness": 0.40, "asked": 0.30, "coverage": 0.35, "want": 0.20, "lead": 0.05}


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
def headed(body: str, span: Span) -> tuple[str, str]:
    """The heading over a sentence, or nothing, and the sentence itself, both normalised."""
    above = heading_of(body, span.start)
    return normalise(above.of(body)) if above else "", normalise(span.of(body))


def gather(
    index: Index,
    question: Question,
    text: str,
    vector: Float32 | None,
    place: PlacePath | None,
    year: str,
    *,
    follows: bool = False,
) -> list[Source]:
    """The best articles for a question, best first.

    Args:
        index: where to look.
        question: what is asked, for its content words and wants.
        text: what to search for (the question itself, or completed from the dialogue).
        vector: the encoder's vector of ``text``, or None while there is none.
        place: the 参保地; articles of other places are left out. None: all articles.
        year: the year that is asked for, or empty; see ``chatbot.applicable``.
        follows: whether ``text`` is completed from the dialogue.
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
    weights = FOLLOW_UP_WEIGHTS if follows else SENTENCE_WEIGHTS
    scorer = _Scorer(index, question, text, vector, place, weights)
    # One leg alone does not say how much a score means, so the best passage is the measure.
    most = 1.0 if vector is not None else max((hit.score for hit in hits), default=1.0)
    sources = [scorer.source(hit, hit.score / most) for key, hit in best.items() if key in kept]
    read = [scorer.read(source) for source in _best_first(sources)[:ARTICLES]]
    return _local_first(_best_first(read), place)


def _best_first(sources: Iterable[Source]) -> list[Source]:
    return sorted(sources, key=lambda s: (-s.score, s.article.id))


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
    return " ".join(map(plain, (article.title, article.body, *ways)))


class _Scorer:
    """Measures articles, and their sentences, against one question."""

    def __init__(
        self,
        index: Index,
        question: Question,
        text: str,
        vector: Float32 | None,
        place: PlacePath | None,
        sentence_weights: Mapping[str, float],
    ) -> None:
        self._index = index
        self._question = question
        self._vector = vector
        self._place = place
        self._weights = word_weights(index, question.content)
        self._lexical = _lexical_ranks(index, text)
        self._sentence_weights = sentence_weights
        self._article_weights = WORD_WEIGHTS if vector is None else ARTICLE_WEIGHTS

    def source(self, hit: Hit, fused: float) -> Source:
        """The article of a hit with all its measures; ``fused``: the score of the search."""
        article = hit.article
        sentence = closeness(max(self._cosines(article), default=0.0))
        passage = closeness(hit.dense)
        asked = max((near for _, near in self._asked(article)), default=0.0)
        title = plain(article.title)
        rank = self._lexical.get(article.id)
        measures = {
            "title": coverage(self._weights, title),
            "asks": self._asks_the_same(title) if self._vector is None else 0.0,
            "coverage": coverage(self._weights, _all_words(article)),
            "sentence": sentence,
            "passage": passage,
            "closeness": max(sentence, passage, asked),
            "fused": min(fused, 1.0),
            "fit": fit(article, self._question, self._place),
            "agreement": 1 / rank if rank else 0.0,
            "best": 0.0,  # until its sentences are read
        }
        return Source(
            article=article,
            score=sum(weight * measures[name] for name, weight in self._article_weights.items()),
            title=measures["title"],
            coverage=measures["coverage"],
            closeness=measures["closeness"],
            fit=measures["fit"],
            agreement=measures["agreement"],
            sentences=(),
        )

    def read(self, source: Source) -> Source:
        """The same with its sentences, weighed with the best of them."""
        article = source.article
        spans, cosines = self._index.spans[article.id], self._cosines(article)
        asked = self._asked(article)
        title = self._held(plain(article.title))
        found = []
        for order, (span, cosine) in enumerate(zip(spans, cosines, strict=True)):
            near = [near for part, near in asked if part.start <= span.start < part.end]
            told = max(near, default=0.0)
            found.append(self._sentence(article, title, order, span, cosine, told))
        best = max((sentence.score for sentence in found), default=0.0)
        score = source.score + self._article_weights.get("best", 0.0) * best
        return replace(source, score=score, sentences=tuple(found))

    def _asks_the_same(self, title: str) -> float:
        """The share of what the question asks for that the title, itself a question, asks too."""
        asked = [bool(wants()[name].asks.search(title)) for name in self._question.wants]
        return sum(asked) / len(asked) if asked else 0.5

    def _cosines(self, article: Article) -> list[float]:
        """How near the question is to each sentence of an article; 0 without an encoder."""
        count = len(self._index.spans[article.id])
        if self._vector is None or not count:
            return [0.0] * count
        cosines: list[float] = (self._index.sentence_vectors[article.id] @ self._vector).tolist()
        return cosines

    def _asked(self, article: Article) -> list[tuple[Span, float]]:
        """The section that each way of asking is for, and how near the question is to it, 0…1."""
        vectors = self._index.asked_vectors.get(article.id)
        if vectors is None or self._vector is None:
            return []
        cosines = (vectors @ self._vector - ASKED_LESS).tolist()
        return [
            (part, closeness(cosine))
            for (part, _), cosine in zip(article.asked, cosines, strict=True)
        ]

    def _held(self, text: str) -> list[float]:
        """How far a normalised text holds each content word, 0…1."""
        return [held(word, text) for word in self._weights]

    def _sentence(
        self,
        article: Article,
        title: Sequence[float],
        order: int,
        span: Span,
        cosine: float,
        asked: float,
    ) -> Sentence:
        """A sentence with its measures; the words that the ``title`` holds are half its own."""
        heading, text = headed(article.body, span)
        own = self._held(f"{heading} {text}")
        entitled = list(map(max, own, title))
        asks = self._question.wants
        shows = frozenset(name for name in asks if wants()[name].shows.search(text))
        measures = {
            "closeness": closeness(cosine),
            "asked": asked,
            "coverage": (share(self._weights, own) + share(self._weights, entitled)) / 2,
            "want": len(shows) / len(asks) if asks else 0.5,
            "lead": 1.0 if order == 0 else 0.0,
        }
        score = sum(self._sentence_weights[name] * value for name, value in measures.items())
        if is_referral(text) and not asks & {"phone", "where"}:
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
