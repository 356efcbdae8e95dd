"""A large corpus that is made up, so that the whole way of articles into an index is walked.

Each article is a copy of a shipped one: its place, its year, its headings, its marks and figures
stay, and its Chinese words are drawn anew from all of them. A vector is that of a real sentence
with a little noise, chosen by the text. So lengths, term frequencies, sentences and cosines are
real, meaning is not: it serves for times, memory and recall, never for quality.
"""

import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from time import perf_counter

import numpy as np

from corpus.chunks import split
from corpus.folder import SHIPPED, load
from corpus.readers import markdown
from corpus.records import Article
from eval.bench_search import NOISE, SEED, measure_questions
from eval.expectations import load_cases, question_files
from index import store
from index.cache import CachedEncoder
from index.cuts import cut_articles, read_articles
from index.encoder import load_encoder
from index.shipped import chunk_texts, seeded, sentence_texts, shipped_sentences
from index.terms import normalise, words
from index.vectors import Float32

__all__ = ["DrawnEncoder", "Task", "made_task", "write_corpus"]

_CHINESE = re.compile(r"[\u4e00-\u9fff]+")
PER_FOLDER = 1_000  # files
QUESTIONS = 400


def write_corpus(folder: Path, chunks: int) -> int:
    """Write articles of at least so many chunks, the same every time; returns how many articles."""
    shipped = load(SHIPPED)
    generator = np.random.default_rng(SEED)
    real = [word for article in shipped for word in words(normalise(article.body))]
    pool = np.array([word for word in real if _CHINESE.fullmatch(word)])
    written = made = 0
    for number in count():
        for article in shipped:
            if made >= chunks:
                return written
            copy = _copy(article, number, generator, pool)
            made += len(split(copy))
            into = folder / f"{written // PER_FOLDER:04d}"
            into.mkdir(parents=True, exist_ok=True)
            (into / f"{copy.id}.md").write_text(markdown.render(copy, ""), encoding="utf-8")
            written += 1
    raise AssertionError


def _copy(
    article: Article, number: int, generator: np.random.Generator, pool: np.ndarray
) -> Article:
    """An article with its words drawn anew, line by line; headings stay."""

    def drawn(found: re.Match[str]) -> str:
        length = len(found[0])
        return "".join(generator.choice(pool, length))[:length]

    lines = article.body.split("\n")
    body = "\n".join(line if line.startswith("#") else _CHINESE.sub(drawn, line) for line in lines)
    title = f"{article.title}（{number}）"
    return replace(article, id=f"{article.id}-{number}", title=title, body=body, asked=())


class DrawnEncoder:
    """The vectors of made-up passages: a real one with noise, chosen by the text.

    It bears the name of the bundled encoder, so that its vectors are centred and lent to like real
    ones; questions are left to that encoder.
    """

    def __init__(self, real: Float32, name: str) -> None:
        self.name, self.dimension, self._real = name, real.shape[1], real

    def encode_questions(self, texts: Sequence[str]) -> Float32:
        """As passages; real questions come with their vectors."""
        return self.encode_passages(texts)

    def encode_passages(
        self, texts: Sequence[str], *, progress: Callable[[int], None] | None = None
    ) -> Float32:
        """Unit vectors, shape (len(texts), dimension), the same for the same text."""
        found = np.empty((len(texts), self.dimension), dtype=np.float32)
        for row, text in enumerate(texts):
            seed = int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little")
            generator = np.random.default_rng(seed)
            noise = generator.standard_normal(self.dimension, dtype=np.float32)
            source = self._real[seed % len(self._real)]
            found[row] = source + noise * (NOISE / np.sqrt(self.dimension))
        found /= np.linalg.norm(found, axis=1, keepdims=True)
        if progress is not None:
            progress(len(texts))
        return found


@dataclass(frozen=True, slots=True, eq=False)
class Task:
    """What is indexed and asked: a folder, a cache that knows its cuts and vectors, questions.

    ``real``: the vectors from which those of the passages are drawn, by an encoder of this name.
    """

    corpus: Path
    cache: Path
    out: Path
    uri: str
    real: Float32
    encoder: str
    questions: Sequence[tuple[str, Float32]]

    def drawn(self) -> DrawnEncoder:
        """The encoder of the passages."""
        return DrawnEncoder(self.real, self.encoder)


def made_task(index: Path, place: Path, uri: str, chunks: int) -> tuple[Task, dict[str, float]]:
    """The corpus, with its cuts and vectors known, and how long each step took."""
    encoder = load_encoder()
    opened = store.open_index(index, encoder)
    asked = [case.question for case in load_cases(question_files("dev"))]
    asked = list(dict.fromkeys(filter(str.strip, asked)))
    asked = asked[:: max(1, len(asked) // (QUESTIONS))][:QUESTIONS]
    vectors, _ = measure_questions(opened.engine, asked)
    cache = seeded(place / store.CACHE_FILE)
    real = shipped_sentences(SHIPPED, encoder, cache)
    pairs = list(zip(asked, vectors, strict=True))
    task = Task(place / "corpus", cache, place / "index", uri, real, encoder.name, pairs)
    write_corpus(task.corpus, chunks)
    return task, _prepare(task)


def _prepare(task: Task) -> dict[str, float]:
    started = perf_counter()
    articles = read_articles(task.corpus, task.cache)
    read = perf_counter()
    cuts = cut_articles(articles, task.cache)
    cut = perf_counter()
    chunks = [chunk for of in cuts for chunk in of.chunks]
    spans = {a.id: list(of.spans) for a, of in zip(articles, cuts, strict=True)}
    texts = chunk_texts(articles, chunks) + sentence_texts(articles, spans)
    CachedEncoder(task.drawn(), task.cache).encode_passages(texts)
    return {
        "articles": len(articles),
        "chunks": len(chunks),
        "sentences": sum(map(len, spans.values())),
        "read_seconds": read - started,
        "cut_seconds": cut - read,
    }
