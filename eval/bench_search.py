"""Time the search, at the size of the corpus and much larger, beside ``rank_bm25`` itself.

The large collection is made up: each text is a draw from the real words of the corpus, as many as a
real passage has, and each vector is a real passage's with a little noise. So term frequencies and
cosines are real, meaning is not: it serves for times, never for quality.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import perf_counter, process_time

import numpy as np
from rank_bm25 import BM25Okapi
from tqdm import tqdm

from corpus.errors import ModelError
from index.encoder import Encoder
from index.search import Engine, document_terms, passage_text
from index.terms import normalise, terms, words
from index.vectors import Float32

__all__ = [
    "Made",
    "ReadyVectors",
    "large_engine",
    "make_collection",
    "measure_questions",
    "measure_reference",
    "measure_search",
    "quantiles",
]

TOP = 10  # hits asked for
NOISE = 0.2  # length of the noise against a vector's length of 1: cosine to the real one about .98
SEED = 20251122  # any fixed number
REFERENCE_QUERIES = 5  # rank_bm25 takes a quarter of a second each at 50,000
MILLISECONDS = 1000.0  # in a second


@dataclass(frozen=True, slots=True, eq=False)
class Made:
    """A made-up collection: (title, text) pairs and unit vectors, float32, shape (n, dimension)."""

    documents: tuple[tuple[str, str], ...]
    vectors: Float32


class ReadyVectors:
    """An encoder whose passages are known already; questions are never encoded in the timing."""

    def __init__(self, vectors: Float32, name: str = "ready") -> None:
        self.name = name
        self.vectors = vectors
        self.dimension = vectors.shape[1]

    def encode_questions(self, texts: Sequence[str]) -> Float32:
        """Not a question's meaning; only asked for when no vector was given."""
        return np.resize(self.vectors, (len(texts), self.dimension))

    def encode_passages(
        self, texts: Sequence[str], *, progress: Callable[[int], None] | None = None
    ) -> Float32:
        """The vectors, in order, shape (len(texts), dimension)."""
        if progress is not None:
            progress(len(texts))
        return self.vectors[: len(texts)]


def make_collection(passages: Sequence[tuple[str, str]], encoder: Encoder, size: int) -> Made:
    """Make ``size`` documents from real passages, the same every time.

    Args:
        passages: (title, text) pairs, at least one with a word in it.
        encoder: encodes the passages; should be cached.
        size: number of documents.
    """
    generator = np.random.default_rng(SEED)
    real = encoder.encode_passages([passage_text(title, text) for title, text in passages])
    cut = [words(normalise(text)) for _, text in passages]
    pool = np.array([word for text in cut for word in text])
    source = np.arange(size) % len(passages)
    documents = tuple(
        (passages[int(at)][0], "".join(generator.choice(pool, size=max(1, len(cut[at])))))
        for at in source
    )
    noise = generator.standard_normal((size, real.shape[1])).astype(np.float32)
    noise *= NOISE / np.sqrt(real.shape[1])
    vectors = real[source] + noise
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return Made(documents, vectors)


def measure_search(
    engine: Engine, questions: Sequence[str], vectors: Sequence[Float32], legs: Sequence[str]
) -> dict[str, float]:
    """Milliseconds a search of the top 10, question encoding excluded; one round warms up.

    ``cpu_…``: the same as processor time, which other work on the machine changes less.
    """
    pairs = list(zip(questions, vectors, strict=True))
    for question, vector in pairs[:TOP]:
        engine.rank(question, TOP, legs, vector=vector)
    times, cpu = [], []
    for question, vector in pairs:
        started, started_cpu = perf_counter(), process_time()
        engine.rank(question, TOP, legs, vector=vector)
        cpu.append((process_time() - started_cpu) * MILLISECONDS)
        times.append((perf_counter() - started) * MILLISECONDS)
    return quantiles(times) | {f"cpu_{name}": value for name, value in quantiles(cpu).items()}


def measure_questions(
    engine: Engine, questions: Sequence[str]
) -> tuple[list[Float32], dict[str, float]]:
    """Encode every question alone: the unit vectors, and milliseconds a question.

    Raises:
        ModelError: the engine has no encoder.
    """
    times, vectors = [], []
    for question in (*questions[:TOP], *questions):  # the first ones warm up
        started = perf_counter()
        vector = engine.encode(question)
        times.append((perf_counter() - started) * MILLISECONDS)
        if vector is None:
            msg = "编码模型没有装好，请先运行 python -m index model"
            raise ModelError(msg)
        vectors.append(vector)
    return vectors[-len(questions) :], quantiles(times[-len(questions) :])


def measure_reference(made: Made, questions: Sequence[str]) -> dict[str, float]:
    """Milliseconds of ``BM25Okapi.get_scores`` and a sort, terms cut beforehand; few questions."""
    bar = tqdm(made.documents, desc="rank_bm25", leave=False, disable=None)
    reference = BM25Okapi([document_terms(title, text) for title, text in bar])

    times = []
    for query in [terms(question) for question in questions[:REFERENCE_QUERIES]]:
        started = perf_counter()
        np.argsort(-reference.get_scores(query), kind="stable")[:TOP]
        times.append((perf_counter() - started) * MILLISECONDS)
    return quantiles(times)


def large_engine(made: Made, encoder: str = "ready") -> Engine:
    """The engine over a made-up collection; ``encoder`` names what made its vectors."""
    return Engine.build(made.documents, ReadyVectors(made.vectors, encoder))


def quantiles(milliseconds: Sequence[float]) -> dict[str, float]:
    """Median and 95th percentile.

    >>> quantiles([1.0, 2.0, 3.0])["p50_ms"]
    2.0
    """
    return {
        "p50_ms": float(np.median(milliseconds)),
        "p95_ms": float(np.quantile(milliseconds, 0.95)),
    }
