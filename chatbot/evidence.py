"""What the corpus holds on a question: articles that apply, each with its sentences scored.

Two measures are used throughout, both 0…1. *Coverage*: the share of the question's content words, weighted
by how rare they are in the corpus, that a text holds itself (1), as a synonym (``SYNONYM``) or by its
characters (``PARTIAL``). *Closeness*: the encoder's cosine, stretched from the narrow band that this encoder uses.
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from chatbot.question import Question, wants
from corpus.records import Article, Span
from corpus.regions import PlacePath, applies, read_places, within
from index.search import Hit, Index
from index.terms import expansions, normalise
from index.vectors import Float32

HITS = 40  # passages asked for
ARTICLES = 6  # articles looked at sentence by sentence
SYNONYM = 0.8
PARTIAL = 0.6
COSINE_LOW, COSINE_HIGH = 0.78, 0.92  # unrelated and nearly equal texts under multilingual-e5-small
# What an article and a sentence are weighed by; chosen on the development questions, see eval/LOG.md.
ARTICLE_WEIGHTS = {"title": 0.35, "coverage": 0.25, "closeness": 0.25, "fused": 0.15}
SENTENCE_WEIGHTS = {"closeness": 0.40, "coverage": 0.35, "want": 0.20, "lead": 0.05}


@dataclass(frozen=True, slots=True)
class Sentence:
    """A quotable sentence with its scores; ``order`` counts the article's sentences from 0."""

    span: Span
    order: int
    score: float
    closeness: float
    coverage: float
    wanted: float


@dataclass(frozen=True, slots=True)
class Source:
    """An article that applies, how well it fits, and its sentences in their own order."""

    article: Article
    score: float
    title: float
    coverage: float
    closeness: float
    sentences: tuple[Sentence, ...]


@lru_cache(maxsize=20_000)
def _plain(text: str) -> str:
    return normalise(text)


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
    """Inverse document frequency of each word over the index's chunks; unknown words weigh most."""
    pointer = index.engine.weights.indptr
    count = len(index.engine)
    weights = {}
    for word in words:
        row = index.engine.vocabulary.get(word)
        seen = 0 if row is None else int(pointer[row + 1] - pointer[row])
        weights[word] = math.log(1 + (count - seen + 0.5) / (seen + 0.5))
    return weights


def _care_fits(article: Article, care: PlacePath | None) -> bool:
    """Whether an article on being treated elsewhere is about the same elsewhere."""
    if care is None:
        return True
    there = read_places(_plain(article.title)).care
    return there is None or within(there, care) or within(care, there)


def gather(
    index: Index, question: Question, text: str, vector: Float32 | None, place: PlacePath | None
) -> list[Source]:
    """The best articles for a question, best first.

    Args:
        index: where to look.
        question: what is asked, for its content words and wants.
        text: what to search for (the question itself, or completed from the dialogue).
        vector: the encoder's vector of ``text``, or None while there is none.
        place: the 参保地; articles of other places are left out. None: all articles.
    """
    care = question.places.care if question.places.insured else None

    def where(article: Article) -> bool:
        return (place is None or applies(article, place)) and _care_fits(article, care)

    hits = index.search(text, HITS, where=where, vector=vector)
    weights = word_weights(index, question.content)
    best: dict[str, Hit] = {}
    for hit in hits:
        best.setdefault(hit.article.id, hit)
    sources = [_source(index, question, hit, vector, weights) for hit in best.values()]
    return sorted(sources, key=lambda s: (-s.score, s.article.id))[:ARTICLES]


def _source(
    index: Index,
    question: Question,
    hit: Hit,
    vector: Float32 | None,
    weights: Mapping[str, float],
) -> Source:
    article = hit.article
    title = _plain(article.title)
    whole = f"{title} {_plain(article.body)}"
    sentences = _sentences(index, question, article, vector, weights)
    near = max((s.closeness for s in sentences), default=0.0)
    measures = {
        "title": coverage(weights, title),
        "coverage": coverage(weights, whole),
        "closeness": max(near, closeness(hit.dense)),
        "fused": hit.score if index.engine.encoder else min(hit.score, 1.0),
    }
    return Source(
        article=article,
        score=sum(ARTICLE_WEIGHTS[name] * value for name, value in measures.items()),
        title=measures["title"],
        coverage=measures["coverage"],
        closeness=measures["closeness"],
        sentences=sentences,
    )


def _sentences(
    index: Index,
    question: Question,
    article: Article,
    vector: Float32 | None,
    weights: Mapping[str, float],
) -> tuple[Sentence, ...]:
    spans = index.spans[article.id]
    if vector is not None and len(spans):
        cosines = index.sentence_vectors[article.id].astype(np.float32) @ vector
    else:
        cosines = np.zeros(len(spans), dtype=np.float32)
    result = []
    for order, (span, cosine) in enumerate(zip(spans, cosines, strict=True)):
        text = _plain(span.of(article.body))
        heading = _plain(heading_of(article.body, span.start))
        shown = [bool(wants()[name].shows.search(text)) for name in question.wants]
        measures = {
            "closeness": closeness(float(cosine)),
            "coverage": coverage(weights, f"{heading} {text}"),
            "want": sum(shown) / len(shown) if shown else 0.5,
            "lead": 1.0 if order == 0 else 0.0,
        }
        result.append(
            Sentence(
                span=span,
                order=order,
                score=sum(SENTENCE_WEIGHTS[name] * value for name, value in measures.items()),
                closeness=measures["closeness"],
                coverage=measures["coverage"],
                wanted=measures["want"],
            )
        )
    return tuple(result)


_HEADING = re.compile(r"^#{1,6}\s+(.+)$", re.MULTILINE)


def heading_of(body: str, at: int) -> str:
    """The heading under which position ``at`` stands, or an empty string."""
    last = ""
    for found in _HEADING.finditer(body, 0, at):
        last = found.group(1)
    return last
