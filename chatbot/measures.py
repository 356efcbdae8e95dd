"""How far a text holds a question's words, and how near two texts are.

Two measures are used throughout, both 0…1. *Coverage*: the share of the question's content words,
weighted by how rare they are in the corpus, that a text holds itself (1), as a synonym
(``SYNONYM``) or by its characters (``PARTIAL``). *Closeness*: the encoder's cosine, stretched from
the narrow band that this encoder uses.
"""

import math
from collections.abc import Mapping, Sequence
from functools import lru_cache

from index.search import Index
from index.terms import expansions, normalise, rarity, word_class

SYNONYM = 0.8
PARTIAL = 0.6
COSINE_LOW, COSINE_HIGH = -0.1, 0.9  # unrelated and nearly equal texts, centred; see index/ways.py
# A word that the corpus does not know may be its missing subject (a noun) or only a way of talking.
UNKNOWN = {"n": 1.0, "v": 0.5, "a": 0.4, "?": 0.3}


@lru_cache(maxsize=20_000)
def plain(text: str) -> str:
    """A text normalised, remembered."""
    return normalise(text)


@lru_cache(maxsize=2_000)
def _synonyms(word: str) -> tuple[str, ...]:
    return tuple(expansions(word))


def held(word: str, text: str) -> float:
    """How far ``text`` (normalised) holds ``word``, 0…1."""
    if word in text:
        return 1.0
    if any(other in text for other in _synonyms(word)):
        return SYNONYM
    pairs = [word[at : at + 2] for at in range(len(word) - 1)]
    return PARTIAL * sum(pair in text for pair in pairs) / len(pairs) if len(pairs) > 1 else 0.0


def share(weights: Mapping[str, float], shares: Sequence[float]) -> float:
    """Weighted mean of how far each word is held, in the order of ``weights``; 0 without words."""
    total = sum(weights.values())
    pairs = zip(weights.values(), shares, strict=True)
    return sum(weight * one for weight, one in pairs) / total if total else 0.0


def coverage(weights: Mapping[str, float], text: str) -> float:
    """Weighted share of the words that ``text`` (normalised) holds; 0 if there are no words."""
    return share(weights, [held(word, text) for word in weights])


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
