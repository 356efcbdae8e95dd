"""The passages in Milvus: searched there, scored here with the same numbers as in memory."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from json import dumps
from typing import Any

import numpy as np

from corpus.records import Article, Audience, Chunk, Span
from corpus.regions import PlacePath
from index.candidates import Filter, Float64, Positions, WordQuery
from index.fetched import Passage, Records
from index.layout import place_key, search_name
from index.lazily import ByArticle, ByPosition
from index.milvus_words import MARGIN, MOST, WIDER, Scores
from index.remote import Remote
from index.vectors import EXACT_UP_TO, PROBED, Float32, SentenceVectors, lists_for
from index.versions import Version


@dataclass(frozen=True, slots=True)
class _Found:
    """Admitted passages and their products with what was searched for.

    ``least``: the lowest product before ``Filter.where`` was asked; ``more``: whether Milvus may
    have more passages, none of them with a higher product.
    """

    positions: Positions
    products: Float64
    least: float
    more: bool


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

    def answers(self) -> bool:
        """Whether the engine finds a passage now."""
        return self.remote.answers(
            "query", self._collection, filter="position == 0", output_fields=["position"], limit=1
        )

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
        # Of a condition in Python most passages fit: a few more, and none need be asked for twice.
        limit = min(k + (MARGIN if allowed and allowed.where else 0), MOST)
        while True:
            options = {"params": {"nprobe": probed}} if len(self) > EXACT_UP_TO else {}
            found = self._search("vector", [vector], limit, allowed, options)
            if len(found.positions) >= k or not found.more or limit == MOST:
                order = np.lexsort((found.positions, -found.products))
                return found.positions[order][:k]
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
        parts = [passage.asked for passage in self._held(positions)]
        counts = [len(part) for part in parts]
        if not sum(counts):
            return none
        numbers, rows = np.unique(np.concatenate(parts), return_inverse=True)
        ways = SentenceVectors.build(self.records.ways(numbers), counts, rows)
        return ways.best(vector, np.arange(len(parts)), none)

    def words(self, query: WordQuery, allowed: Filter | None = None) -> Scores:
        """All admitted passages, scored by their words."""

        def propose(weights: Sequence[Mapping[int, float]], limit: int) -> tuple[Positions, float]:
            return self._proposed(weights, limit, allowed)

        return Scores(query, self.records, self.manifest.average_length, propose)

    def chunks_with(self, term: str) -> int:
        """How many passages hold a term."""
        found = self.records.terms([term])
        return found[term].held if found else 0

    def _proposed(
        self, weights: Sequence[Mapping[int, float]], limit: int, allowed: Filter | None
    ) -> tuple[Positions, float]:
        """Passages for sparse weights, and what none that was left out can score more than."""
        found = self._search("words", list(map(dict, weights)), limit, allowed, {})
        order = np.argsort(-found.products, kind="stable")
        order = order[found.products[order] > 0]
        left_out = max(found.least, 0.0) if found.more else 0.0
        if len(order) > limit:
            left_out = max(left_out, float(found.products[order[limit]]))
        return found.positions[order[:limit]], left_out

    def _search(
        self, field: str, data: list[Any], limit: int, allowed: Filter | None, options: object
    ) -> "_Found":
        """What is near to any of ``data``: each passage once, with its highest product."""
        asks = allowed.where if allowed else None
        lists = self.remote.read(
            "search",
            self._collection,
            data,
            anns_field=field,
            limit=limit,
            filter=_expression(allowed),
            output_fields=["article"] if asks else [],
            search_params={"metric_type": "IP", **options},  # type: ignore[dict-item]
        )
        best: dict[int, tuple[float, str]] = {}
        for hit in (hit for hits in lists for hit in hits):
            product = (hit["distance"], hit["entity"].get("article", ""))
            best[hit["id"]] = max(product, best.get(hit["id"], product))
        positions = np.asarray(list(best), dtype=np.int64)
        products = np.asarray([product for product, _ in best.values()], dtype=np.float64)
        ends = [min(hit["distance"] for hit in hits) for hits in lists if len(hits) == limit]
        more, least = bool(ends), max(ends, default=np.inf)
        if asks:
            ids = [key for _, key in best.values()]
            heads = self.records.heads(ids)
            if len(heads) < len(set(ids)):
                raise self.records.damaged()
            fits = {key: asks(head.article) for key, head in heads.items()}
            kept = np.asarray([fits[key] for key in ids], dtype=bool)
            positions, products = positions[kept], products[kept]
        return _Found(positions, products, least, more)

    def _held(self, positions: Iterable[int]) -> list[Passage]:
        found = self.records.passages(positions)
        try:
            return [found[int(at)] for at in positions]
        except KeyError:
            raise self.records.damaged() from None

    def _chunk(self, position: int) -> Chunk:
        return self.fetch([position])[0][0]

    def _asked(self, key: str) -> Float32:
        numbers = self.records.lines([key])[key].asked
        if not len(numbers):
            raise KeyError(key)
        return self.records.ways(numbers)

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
