"""Time the search from a thousand passages to a million: ``python -m eval bench --scale``.

No collection of that size can be had, so each is made up from the shipped articles. A passage is a
draw of as many postings (a term with its count) as a real passage has, straight as integers: no
text is made or cut, and every term is held by the same share of passages as in the real ones. A
vector is that of a real passage or sentence with noise, which has no structure, so that lists find
less of it than of real text. Sentence vectors are drawn from the real ones as they are. All this
serves for times, memory and the recall of the approximate index, never for quality.

Every size has a process of its own, so that memory is that size's alone.
"""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from os import cpu_count, getloadavg
from pathlib import Path
from time import perf_counter
from typing import Any

import faiss
import numpy as np
import psutil
import typer
from matplotlib.figure import Figure
from numpy.typing import NDArray
from scipy import sparse
from tqdm import tqdm

from eval import plots
from eval.bench_search import SEED, ReadyVectors, measure_questions, measure_search
from eval.console import show_table
from eval.expectations import load_cases, question_files
from eval.metrics import overlap
from eval.peer_report import markdown
from eval.results import make_folder, write_json, write_text
from index import store
from index.bm25 import BM25, Counts
from index.embedded import Embedded
from index.encoder import load_encoder
from index.engine import CANDIDATES, LEGS, Engine, document_terms
from index.vectors import Float32, SentenceVectors, Vectors

__all__ = ["SIZES", "Source", "bench_scale", "draw_counts", "draw_vectors", "measure_size"]

SIZES = (1_000, 10_000, 50_000, 200_000, 1_000_000)
NOISE = 0.5  # length of the noise against a vector's length of 1: cosine to the real one about .89
SENTENCES = 4  # a passage; the shipped articles have 4.3
QUESTIONS = 100  # timed at each size
PORTION = 50_000  # passages drawn at once
COUNT_LIMIT = 256  # counts above it are drawn as one less
MEGABYTE = 1e6
NOTE = (
    "文集是造出来的：每个片段随机取真实片段的“词及次数”，个数与真实片段相同；向量是真实片段或句子的"
    "向量加噪声（余弦约 0.89）；句子向量照原样抽取。只用来计时、量内存和近似检索的召回。"
    "时间不含问题的编码。Made-up collections: postings drawn from real ones, vectors with noise."
)
HEADER = (
    *("片段 passages", "建词 words (s)", "建向量 vectors (s)", "内存 memory (MB)"),
    *("检索 search p50 / p95 (ms)", "CPU (ms)", "BM25 p50 / p95 (ms)", "CPU (ms)", "vectors"),
    *("recall@10", f"recall@{CANDIDATES}"),
)


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """The real passages from which collections are drawn, and the questions put to them.

    ``counts``: the terms of each passage; ``vectors``: unit vectors of passages and sentences,
    float32, shape (n, dimension); ``asked``: questions with unit vectors.
    """

    counts: tuple[Counter[str], ...]
    vectors: Float32
    sentences: Float32
    questions: tuple[str, ...]
    asked: tuple[Float32, ...]


def bench_scale(index: Path, out: Path, sizes: Sequence[int], *, as_json: bool) -> None:
    """The command: measure every size, print the table, write JSON, Markdown and a plot.

    Raises:
        YibaoError: the index, the encoder or a file fails.
    """
    make_folder(out)
    source = _source(index)
    machine = {"cores": cpu_count(), "load_before": round(getloadavg()[0], 2)}
    report: dict[str, Any] = {"machine": machine, "note": NOTE, "sizes": []}
    for figures in _each_size(source, sizes):
        report["sizes"].append(figures)
        write_json(out / "scale.json", report)
        write_text(out / "scale.md", markdown(HEADER, list(map(_cells, report["sizes"]))))
        plots.save(_picture(report["sizes"]), out / "scale.png")
    if as_json:
        typer.echo(json.dumps(report, ensure_ascii=False))
        return
    show_table(HEADER, list(map(_cells, report["sizes"])))
    typer.echo(f"{NOTE}\n报告在 {out}")


def _source(index: Path) -> Source:
    opened = store.open_index(index, load_encoder())
    asked = [case.question for case in load_cases(question_files("dev"))]
    asked = list(dict.fromkeys(filter(str.strip, asked)))
    questions = asked[:: max(1, len(asked) // QUESTIONS)][:QUESTIONS]
    vectors, _ = measure_questions(opened.engine, questions)
    passages = [(opened.articles[chunk.article_id].title, chunk.text) for chunk in opened.chunks]
    sentences = opened.engine.embedded.library.vectors
    whole = opened.engine.embedded.vectors
    rows = whole.rows(np.arange(len(whole))) if whole is not None else sentences[:0]
    return Source(
        tuple(Counter(document_terms(*passage)) for passage in passages),
        np.concatenate((rows, sentences)),
        sentences,
        tuple(questions),
        tuple(vectors),
    )


def _each_size(source: Source, sizes: Sequence[int]) -> Iterator[dict[str, Any]]:
    for size in (bar := tqdm(sizes, leave=False, disable=None)):
        bar.set_description(f"{size:,}")
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
            yield pool.submit(measure_size, source, size).result()


def measure_size(source: Source, size: int) -> dict[str, Any]:
    """Draw a collection of ``size`` passages, index it, and ask all questions.

    Returns:
        Seconds to index (drawing excluded), milliseconds a search, the megabytes that its process
        holds afterwards, and the recall of the nearest passages against all of them.
    """
    process = psutil.Process()
    before = process.memory_info().rss
    counts = draw_counts(source.counts, size)
    started = perf_counter()
    model = BM25(counts)
    words_seconds = perf_counter() - started
    del counts
    rows = draw_vectors(source.vectors, size)
    asked = np.stack(source.asked)
    true = faiss.knn(asked, rows, min(CANDIDATES, size), metric=faiss.METRIC_INNER_PRODUCT)[1]
    started = perf_counter()
    vectors = Vectors.build(rows)
    vector_seconds = perf_counter() - started
    del rows
    sentences = SentenceVectors.build(_draw_sentences(source.sentences, size), [SENTENCES] * size)
    known = ReadyVectors(asked)  # every question comes with its vector
    engine = Engine(Embedded(model.weights, model.vocabulary, vectors, sentences), known)
    both = measure_search(engine, source.questions, source.asked, LEGS)
    words = measure_search(engine, source.questions, source.asked, ("bm25",))
    found = [vectors.search(vector, true.shape[1])[0] for vector in source.asked]
    return {
        "passages": size,
        "postings": int(model.weights.nnz),
        "words_seconds": round(words_seconds, 2),
        "vector_seconds": round(vector_seconds, 2),
        "memory_mb": round((process.memory_info().rss - before) / MEGABYTE, 1),
        "search": both,
        "bm25": words,
        "exact": vectors.exact,
        "recall_10": _recall(found, true, 10),
        f"recall_{CANDIDATES}": _recall(found, true, CANDIDATES),
    }


def draw_counts(passages: Sequence[Counter[str]], size: int) -> Counts:
    """Counts of ``size`` made-up passages, the same every time; see the head of this file."""
    generator = np.random.default_rng(SEED)
    vocabulary = {term: row for row, term in enumerate(sorted({t for of in passages for t in of}))}
    term = np.asarray([vocabulary[term] for of in passages for term in of])
    count = np.asarray([n for of in passages for n in of.values()])
    held = np.asarray(list(map(len, passages)))
    parts = []
    for start in range(0, size, PORTION):
        wanted = held[np.arange(start, min(start + PORTION, size)) % len(held)]
        drawn = generator.integers(0, len(term), wanted.sum())
        column = np.repeat(np.arange(len(wanted)), wanted)
        key = (term[drawn] * len(wanted) + column) * COUNT_LIMIT
        key += np.minimum(count[drawn], COUNT_LIMIT - 1)
        parts.append(_matrix(np.sort(key), len(vocabulary), len(wanted)))
    return Counts(vocabulary, sparse.csr_array(sparse.hstack(parts, format="csr")))


def _matrix(key: NDArray[np.int64], terms: int, passages: int) -> sparse.csr_array:
    """Counts from sorted keys (term · passages + passage) · limit + count; a pair counts once."""
    pair = key // COUNT_LIMIT
    once = np.concatenate((pair[1:] != pair[:-1], [True]))
    pair, count = pair[once], (key[once] % COUNT_LIMIT).astype(np.float64)
    ends = np.searchsorted(pair, np.arange(terms + 1) * passages).astype(np.int32)
    column = (pair % passages).astype(np.int32)
    return sparse.csr_array((count, column, ends), shape=(terms, passages))


def draw_vectors(real: Float32, size: int) -> Float32:
    """Unit vectors near to real ones, float32, shape (size, dimension), the same every time."""
    generator = np.random.default_rng(SEED)
    dimension = real.shape[1]
    drawn = np.empty((size, dimension), dtype=np.float32)
    for start in range(0, size, PORTION):
        part = drawn[start : start + PORTION]
        generator.standard_normal(dtype=np.float32, out=part)
        part *= NOISE / np.sqrt(dimension)
        part += real[np.arange(start, start + len(part)) % len(real)]
        part /= np.linalg.norm(part, axis=1, keepdims=True)
    return drawn


def _draw_sentences(real: Float32, size: int) -> Float32:
    drawn = np.random.default_rng(SEED).integers(0, len(real), size * SENTENCES)
    return real[drawn]


def _recall(found: Sequence[NDArray[np.int64]], true: NDArray[np.int64], k: int) -> float:
    """Share of the truly nearest ``k`` that is among the ``k`` found, mean over questions."""
    best = [[of[:k].tolist() for of in all_of] for all_of in (found, true)]
    return round(overlap(*best), 4)


def _cells(figures: dict[str, Any]) -> list[str]:
    times = []
    for of in (figures["search"], figures["bm25"]):
        times.append(f"{of['p50_ms']:.1f} / {of['p95_ms']:.1f}")
        times.append(f"{of['cpu_p50_ms']:.1f} / {of['cpu_p95_ms']:.1f}")
    return [
        f"{figures['passages']:,}",
        f"{figures['words_seconds']:.1f}",
        f"{figures['vector_seconds']:.1f}",
        f"{figures['memory_mb']:,.0f}",
        *times,
        "精确 exact" if figures["exact"] else "近似 IVF",
        f"{figures['recall_10']:.4f}",
        f"{figures[f'recall_{CANDIDATES}']:.4f}",
    ]


def _picture(sizes: Sequence[dict[str, Any]]) -> Figure:
    """Four curves by size: time of a search, time to index, memory, recall."""
    figure = Figure(figsize=(12.0, 7.0), layout="constrained")
    search, index, memory, recall = figure.subplots(2, 2).flat
    passages = [of["passages"] for of in sizes]
    lines = {
        search: {
            f"{name} {unit[:-3].replace('_', ' ')}": [of[key][unit] for of in sizes]
            for name, key in (("hybrid", "search"), ("BM25", "bm25"))
            for unit in ("p50_ms", "p95_ms", "cpu_p50_ms")
        },
        index: {
            "words": [max(of["words_seconds"], 0.01) for of in sizes],
            "vectors": [max(of["vector_seconds"], 0.01) for of in sizes],
        },
        memory: {"resident": [of["memory_mb"] for of in sizes]},
        recall: {
            "recall@10": [of["recall_10"] for of in sizes],
            f"recall@{CANDIDATES}": [of[f"recall_{CANDIDATES}"] for of in sizes],
        },
    }
    labels = ("a search (ms)", "time to index, vectors given (s)", "memory (MB)", "recall")
    for (axes, curves), label in zip(lines.items(), labels, strict=True):
        for colour, (name, values) in zip(plots.COLOURS, curves.items(), strict=False):
            axes.plot(passages, values, marker="o", markersize=4, color=colour, label=name)
        axes.set_xscale("log")
        axes.set_yscale("linear" if axes is recall else "log")
        axes.set_xlabel("passages")
        axes.set_ylabel(label)
        axes.legend(frameon=False)
        plots.quiet(axes)
    return figure
