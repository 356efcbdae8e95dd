"""Ways of asking, lent to articles that bring none.

The shipped articles say how citizens ask for each of their sections; an imported article does not.
But a sentence of it that says nearly what a shipped section says is asked for in the same words. So
each such sentence borrows the wordings of the sections nearest to it. They only help to find and to
choose sentences, as an article's own ways of asking do; nothing of them is ever shown.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
from numpy.typing import NDArray

from corpus import folder
from corpus.place_mentions import mentions
from corpus.records import Article, Span
from corpus.sections import asked_by_heading, sections
from corpus.sentences import quotable
from index.cache import CachedEncoder
from index.shipped import sentence_text
from index.vectors import Float32
from index.ways import Space, space_of

NEAR = 0.5  # cosine of centred vectors from which a section says nearly the same; see eval/LOG.md
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

    def nearest(self, vector: Float32) -> list[int]:
        """The sections that say nearly what a sentence says, nearest first."""
        near = np.maximum.reduceat(self.vectors @ vector, self.first)
        best = np.argsort(-near, kind="stable")[:SECTIONS]
        return [int(at) for at in best if near[at] >= NEAR]


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
    from_whom = _lender(encoder, space)
    found, start = [], 0
    for article in articles:
        rows = vectors[start : start + len(spans[article.id])]
        start += len(rows)
        if not article.asked:
            pairs = zip(spans[article.id], rows, strict=True)
            asked = [
                (span, way)
                for span, row in pairs
                for section in from_whom.nearest(row)
                for way in from_whom.ways[section]
                if may_be_asked(way, article)
            ]
            article = replace(article, asked=tuple(asked))
        found.append(article)
    return found, lender()


def may_be_asked(way: str, article: Article) -> bool:
    """Not a wording that names another place than the article's."""
    return all(name in article.place for path in _places(way) for name in path[-1:])


@cache
def _places(way: str) -> tuple[tuple[str, ...], ...]:
    return tuple(found.path for found in mentions(way) if found.path)


def _lender(encoder: CachedEncoder, space: Space) -> _Lender:
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
    vectors = space.passages(encoder.encode_passages(texts))
    return _Lender(ways, vectors, np.asarray(first, dtype=np.int64))
