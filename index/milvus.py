"""The passages in Milvus: searched there, scored here with the same numbers as in memory.

Milvus proposes passages by BM25 weights as sparse vectors, and their term counts are fetched to
score them exactly (``index/embedded.py`` has the one definition of a ``WordQuery``'s score). What
Milvus searches for bounds that score from above, so it is known when no passage was missed.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from json import dumps

import numpy as np
from scipy import sparse

from corpus.records import Article, Audience, Chunk, Span
from corpus.regions import PlacePath
from index.bm25 import norms, weighed
from index.candidates import Counted, Filter, Float64, Positions, WordQuery
from index.embedded import query_scores
from index.fetched import Passage, Records, Term
from index.layout import place_key, search_name
from index.lazily import ByArticle, ByPosition
from index.remote import Remote
from index.vectors import EXACT_UP_TO, PROBED, Float32, SentenceVectors, lists_for
from index.versions import Version

MARGIN = 56  # passages more than wanted in the first search
WIDER = 4  # times as many in the next one
MOST = 16_384  # that Milvus gives at once
SLACK = 1e-5  # how far Milvus's single precision may be off, relative


class Milvus:
    """``Candidates`` in Milvus; see there. Passages are fetched when they are needed.

    Beyond ``MOST`` passages, a ``Filter.where`` sees those nearest to the question only.
    """

    def __init__(self, remote: Remote, version: Version) -> None:
        self.remote = remote
        self.manifest = version
        self.version = version.name
        self.sentence_count = version.sentences
        self.records = Records(remote, version.name)
        self.chunks: Sequence[Chunk] = ByPosition(version.chunks, self._chunk)
        text, lines = self.records.texts, self.records.lines

        count, ids = version.articles, self._ids
        self.articles: Mapping[str, Article] = ByArticle(
            count, ids, lambda key: text([key])[key].article
        )
        self.spans: Mapping[str, Sequence[Span]] = ByArticle(
            count, ids, lambda key: text([key])[key].spans
        )
        self.sentence_vectors: Mapping[str, Float32] = ByArticle(
            count, ids, lambda key: lines([key])[key].sentences
        )
        self.asked_vectors: Mapping[str, Float32] = ByArticle(
            version.asked, self._asked_ids, self._asked
        )
        self._collection = search_name(version.name)
        self._places: dict[PlacePath, bool] = {}

    has_vectors = True

    @property
    def has_sentences(self) -> bool:
        """Whether ``cosines`` knows the nearest sentence."""
        return self.sentence_count > 0

    def __len__(self) -> int:
        return self.manifest.chunks

    def fetch(self, positions: Sequence[int]) -> list[tuple[Chunk, Article]]:
        """Passages with their articles."""
        held = self._held(positions)
        ids = [passage.article_id for passage in held]
        self.records.ahead(positions, ids)
        texts = self.records.texts(ids)
        pairs = [(passage, texts[passage.article_id].article) for passage in held]
        return [(passage.chunk(article), article) for passage, article in pairs]

    def has_place(self, place: PlacePath) -> bool:
        """Whether there is an article for exactly this place."""
        if place not in self._places:
            rows = self.remote.read(
                "query",
                self._collection,
                filter=f"place in {_strings([place_key(place)])}",
                output_fields=["position"],
                limit=1,
            )
            self._places[place] = bool(rows)
        return self._places[place]

    def nearest(self, vector: Float32, k: int, allowed: Filter | None = None) -> Positions:
        """The ``k`` passages nearest to a unit vector of shape (dimension,), best first."""
        found = self._nearest(vector, k, allowed, PROBED)
        if len(found) < k and len(self) > EXACT_UP_TO:
            found = self._nearest(vector, k, allowed, lists_for(len(self)))
        return found

    def _nearest(self, vector: Float32, k: int, allowed: Filter | None, probed: int) -> Positions:
        limit = k
        while True:
            options = {"params": {"nprobe": probed}} if len(self) > EXACT_UP_TO else {}
            positions, cosines, count = self._search("vector", vector, limit, allowed, options)
            if len(positions) >= k or count < limit or limit == MOST:
                return positions[np.lexsort((positions, -cosines))][:k]
            limit = min(limit * WIDER, MOST)

    def cosines(self, vector: Float32, positions: Positions) -> tuple[Float32, Float32]:
        """Cosine of each passage and of its nearest sentence, two of shape (len(positions),)."""
        held = self._held(positions)
        if not held:
            nothing = np.zeros(0, dtype=np.float32)
            return nothing, nothing
        whole = np.asarray(np.stack([p.vector for p in held]) @ vector, dtype=np.float32)
        return whole, _best([passage.sentences for passage in held], vector, whole)

    def asked_cosines(self, vector: Float32, positions: Positions) -> Float32:
        """Cosine of the nearest way of asking for each passage, of the same shape; −1: none."""
        none = np.full(len(positions), -1.0, dtype=np.float32)
        return _best([passage.asked for passage in self._held(positions)], vector, none)

    def words(self, query: WordQuery, allowed: Filter | None = None) -> "Scores":
        """All admitted passages, scored by their words."""
        return Scores(self, query, allowed)

    def chunks_with(self, term: str) -> int:
        """How many passages hold a term."""
        found = self.records.terms([term])
        return found[term].held if found else 0

    def word_scores(self, query: WordQuery, terms: Mapping[str, Term], at: Positions) -> Float64:
        """Exact scores of the given passages by terms that are known, as if in memory."""
        counts = self.records.counts(at)
        if len(counts) < len(set(at.tolist())):
            raise self.records.damaged()
        held = [counts[position] for position in at.tolist()]
        # Positions and rows as one rising number each: what is wanted is looked up in what is held.
        column = np.repeat(np.arange(len(at), dtype=np.int64), [len(of.rows) for of in held])
        rows = column << 32 | np.concatenate([of.rows for of in held]).astype(np.int64)
        known = np.asarray([term.row for term in terms.values()], dtype=np.int64)
        wanted = np.arange(len(at), dtype=np.int64)[:, None] << 32 | known
        found = np.minimum(np.searchsorted(rows, wanted), max(len(rows) - 1, 0))
        column, line = np.nonzero(rows[found] == wanted if len(rows) else np.zeros_like(wanted))
        tf = np.concatenate([of.counts for of in held])[found[column, line]].astype(np.float64)
        idf = np.asarray([term.idf for term in terms.values()], dtype=np.float64)
        norm = norms(np.asarray([of.length for of in held]), self.manifest.average_length)
        shape = (len(terms), len(at))
        values = weighed(idf[line], tf, norm[column])
        weights = sparse.csr_array(sparse.coo_array((values, (line, column)), shape=shape))
        return query_scores(weights, {term: line for line, term in enumerate(terms)}, query)

    def proposed(
        self, query: Mapping[int, float], limit: int, allowed: Filter | None
    ) -> tuple[Positions, float]:
        """Passages for sparse weights, and what none that was left out can score more than."""
        positions, bounds, count = self._search("words", dict(query), limit, allowed, {})
        positive = bounds > 0
        full = count == limit and bool(positive.all())
        return positions[positive], float(bounds.min()) if full else 0.0

    def _search(
        self, field: str, data: object, limit: int, allowed: Filter | None, options: object
    ) -> tuple[Positions, Float64, int]:
        """Admitted positions and their products, and how many there were before ``where``."""
        hits = self.remote.read(
            "search",
            self._collection,
            [data],
            anns_field=field,
            limit=min(limit, MOST),
            filter=_expression(allowed),
            output_fields=["article"],
            search_params={"metric_type": "IP", **options},  # type: ignore[dict-item]
        )[0]
        positions = np.asarray([hit["id"] for hit in hits], dtype=np.int64)
        products = np.asarray([hit["distance"] for hit in hits], dtype=np.float64)
        if allowed is not None and allowed.where is not None:
            ids = [hit["entity"]["article"] for hit in hits]
            texts = self.records.texts(ids)
            fits = {key: allowed.where(text.article) for key, text in texts.items()}
            kept = np.asarray([fits[key] for key in ids], dtype=bool)
            return positions[kept], products[kept], len(hits)
        return positions, products, len(hits)

    def _held(self, positions: Iterable[int]) -> list[Passage]:
        found = self.records.passages(positions)
        try:
            return [found[int(at)] for at in positions]
        except KeyError:
            raise self.records.damaged() from None

    def _chunk(self, position: int) -> Chunk:
        return self.fetch([position])[0][0]

    def _asked(self, key: str) -> Float32:
        found = self.records.lines([key])[key].asked
        if not len(found):
            raise KeyError(key)
        return found

    def _asked_ids(self) -> Iterator[str]:
        """Ids of the articles that bring ways of asking."""
        return (key for key in self._ids() if self.articles[key].asked)

    def _ids(self) -> Iterator[str]:
        """All articles' ids, rising, with their texts at hand."""
        last, step = "", 500
        for start in range(0, len(self), step):
            held = self._held(range(start, min(start + step, len(self))))
            ids = [key for key in dict.fromkeys(p.article_id for p in held) if key != last]
            self.records.texts(ids)
            yield from ids
            last = held[-1].article_id


class Scores:
    """Passages scored by one ``WordQuery``; see ``WordScores``."""

    def __init__(self, held: Milvus, query: WordQuery, allowed: Filter | None) -> None:
        self._held, self._query, self._allowed = held, query, allowed
        sides = [query.terms]
        for phrase in query.phrases:
            sides += [phrase.terms, *phrase.meanings]
        self._terms = held.records.terms(term for side in sides for term in side)

    def best(self, k: int) -> Positions:
        """The ``k`` passages with the highest positive scores, best first, ties by position."""
        bound = self._bound()
        limit = min(k + MARGIN, MOST)
        while bound:
            positions, left_out = self._held.proposed(bound, limit, self._allowed)
            positions = np.sort(positions)
            scores = self.of(positions)
            order = np.lexsort((positions, -scores))[:k]
            order = order[scores[order] > 0]
            sure = len(order) == k and scores[order[-1]] > left_out * (1 + SLACK)
            if sure or left_out == 0.0 or limit == MOST:
                return positions[order]
            limit = min(limit * WIDER, MOST)
        return np.zeros(0, dtype=np.int64)

    def of(self, positions: Positions) -> Float64:
        """Scores of the given passages, which must be admitted ones, shape (len(positions),)."""
        if not self._terms or not len(positions):
            return np.zeros(len(positions), dtype=np.float64)
        return self._held.word_scores(self._query, self._terms, positions)

    def _bound(self) -> dict[int, float]:
        """Sparse weights whose product with a passage is at least its score.

        A phrase's best meaning scores no more than all its meanings' terms, each as often as it
        stands in any one of them; what the phrase itself scores is not taken off.
        """
        whole: dict[str, float] = dict(self._query.terms)
        for phrase in self._query.phrases:
            widest: dict[str, float] = {}
            for meaning in phrase.meanings:
                _raise(widest, meaning)
            for term, count in widest.items():
                whole[term] = whole.get(term, 0.0) + self._query.weight * count
        known = self._terms
        return {known[term].row + 1: float(count) for term, count in whole.items() if term in known}


def _raise(widest: dict[str, float], counted: Counted) -> None:
    for term, count in counted.items():
        widest[term] = max(count, widest.get(term, 0.0))


def _best(parts: Sequence[Float32], vector: Float32, otherwise: Float32) -> Float32:
    """The highest cosine in each part, ``otherwise`` where it is empty."""
    counts = [len(part) for part in parts]
    if not sum(counts):
        return otherwise
    rows = np.concatenate(parts)
    return SentenceVectors.build(rows, counts).best(vector, np.arange(len(parts)), otherwise)


def _strings(values: Iterable[str]) -> str:
    return dumps(sorted(values), ensure_ascii=False)


def _expression(allowed: Filter | None) -> str:
    """A filter but for ``where``, as Milvus's expression; it means what ``Filter.admits`` says."""
    if allowed is None:
        return ""
    parts = []
    if allowed.place is not None:
        wider = (allowed.place[:n] for n in range(len(allowed.place) + 1))
        parts.append(f"place in {_strings({place_key(p) for p in wider} | {'全国'})}")
    if allowed.audience is not None:
        parts.append(f"audience in {_strings({allowed.audience.value, Audience.ANYONE.value})}")
    if allowed.year:
        parts.append(f"year in {_strings({allowed.year, ''})}")
    if allowed.status:
        parts.append(f"status in {_strings({status.value for status in allowed.status})}")
    return " and ".join(parts)
