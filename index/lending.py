"""Ways of asking, lent to articles that bring none.

The shipped articles say how citizens ask for each of their sections; an imported article does not.
But a sentence of it that says nearly what a shipped section says is asked for in the same words. So
each such sentence borrows the wordings of the sections nearest to it. They only help to find and to
choose sentences, as an article's own ways of asking do; nothing of them is ever shown.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, lru_cache

import numpy as np
from numpy.typing import NDArray

from corpus import folder
from corpus.place_mentions import mentions
from corpus.records import Article, Span
from corpus.regions import PlacePath
from corpus.sections import asked_by_heading, sections
from corpus.sentences import quotable
from index.cache import CachedEncoder
from index.shipped import sentence_text
from index.vectors import Float32
from index.ways import space_of

NEAR = 0.5  # cosine of centred vectors from which a section says nearly the same; see eval/LOG.md
BLOCK = 512  # sentences compared at once
SECTIONS = 3  # from which a sentence borrows at most


@dataclass(frozen=True, slots=True)
class _Lender:
    """Sections of the shipped articles whose ways of asking are known.

    ``ways``: those of each section; ``vectors``: of all their sentences, shape (sentences,
    dimension), centred; ``first``: where each section's sentences begin.
    """

    ways: list[list[str]]
    vectors: Float32
    first: NDArray[np.int64]
    _suiting: dict[tuple[int, PlacePath], list[str]] = field(default_factory=dict)

    def suiting(self, section: int, place: PlacePath) -> list[str]:
        """A section's wordings but for those that name another place; see ``may_be_asked``."""
        found = self._suiting.get((section, place))
        if found is None:
            found = [way for way in self.ways[section] if may_be_asked(way, place)]
            self._suiting[section, place] = found
        return found

    def nearest(self, vectors: Float32) -> Iterator[list[int]]:
        """For each sentence the sections that say nearly what it says, nearest first."""
        for start in range(0, len(vectors), BLOCK):
            cosines = vectors[start : start + BLOCK] @ self.vectors.T
            for near in np.maximum.reduceat(cosines, self.first, axis=1):
                close = np.flatnonzero(near >= NEAR)
                yield close[np.argsort(-near[close], kind="stable")][:SECTIONS].tolist()


def lender() -> str:
    """Names the shipped articles as they are now."""
    return folder.fingerprint(folder.SHIPPED)


def lend(
    articles: Sequence[Article],
    spans: Mapping[str, Sequence[Span]],
    vectors: Float32,
    encoder: CachedEncoder,
) -> tuple[list[Article], str]:
    """The articles, of which those without ways of asking have borrowed some, and ``lender()``.

    Nothing is lent, and the name is empty, if every article brings its own, or by an encoder whose
    vectors are not centred: ``NEAR`` was measured on centred ones.

    Args:
        articles: what is indexed.
        spans: the sentences of each.
        vectors: of all their sentences, article by article, centred.
        encoder: what made them; it knows those of the shipped articles.
    """
    space = space_of(encoder.name, encoder.dimension)
    if not space.centred or all(article.asked for article in articles):
        return list(articles), ""
    from_whom = _lender(encoder)
    near = from_whom.nearest(vectors)
    found = []
    for article in articles:
        pairs = [(span, next(near)) for span in spans[article.id]]
        asked = tuple(
            (span, way)
            for span, sections_near in pairs
            for section in sections_near
            for way in from_whom.suiting(section, article.place)
        )
        found.append(article if article.asked else replace(article, asked=asked))
    return found, lender()


def may_be_asked(way: str, place: PlacePath) -> bool:
    """Not a wording that names another place than the article's."""
    return all(name in place for path in _places(way) for name in path[-1:])


@cache
def _places(way: str) -> tuple[tuple[str, ...], ...]:
    return tuple(found.path for found in mentions(way) if found.path)


@lru_cache(maxsize=1)  # a build of many slices asks for it once a slice
def _lender(encoder: CachedEncoder) -> _Lender:
    ways: list[list[str]] = []
    texts: list[str] = []
    first = []
    for article in folder.load(folder.SHIPPED):
        asked = asked_by_heading(article)
        spans = quotable(article.body, truncated=article.truncated)
        for heading, part in sections(article.body):
            inside = [span for span in spans if part.start <= span.start < part.end]
            if inside and heading in asked:
                first.append(len(texts))
                ways.append(asked[heading])
                texts += [sentence_text(article, span) for span in inside]
    space = space_of(encoder.name, encoder.dimension)
    vectors = space.passages(encoder.encode_passages(texts))
    return _Lender(ways, vectors, np.asarray(first, dtype=np.int64))
