"""The retrieval systems that can be named on the command line, over the engine of the chatbot.

Beside the three that matter (bm25, dense, hybrid) there are ablations: each leaves out one thing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from time import perf_counter

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from corpus.errors import InputError
from eval.datasets import Dataset
from eval.retrieval import Ranker
from index.embedded import Embedded
from index.encoder import Encoder
from index.engine import LEGS, PLAIN, Analysis, Engine, Fusion, passage_text, word_query
from index.repair import repair
from index.vectors import Float32

__all__ = [
    "SYSTEMS",
    "System",
    "build_engine",
    "mended",
    "needs_encoder",
    "stage_seconds",
    "systems",
]

PORTION = 256  # passages between two steps of the bar, as many as the cache commits at a time
STAGED = 200  # questions over which the time of each stage is taken
DEPTH = 100  # passages searched for while a stage is timed


@dataclass(frozen=True, slots=True)
class System:
    """A way to search: which legs, how mixed, and what is left out."""

    legs: Sequence[str] = LEGS
    fuse: Fusion = "convex"
    analysis: Analysis = PLAIN
    sentences: bool = True
    mend: bool = True
    asked: bool = True


BM25 = ("bm25",)
NO_BIGRAMS, NO_LEXICON = Analysis(bigrams=False), Analysis(synonyms=False)
SYSTEMS: Mapping[str, System] = {
    "bm25": System(BM25),
    "dense": System(("dense",)),
    "hybrid": System(),
    "rrf": System(fuse="rrf"),
    "bm25-nobigrams": System(BM25, analysis=NO_BIGRAMS),
    "bm25-nolexicon": System(BM25, analysis=NO_LEXICON),
    "dense-nosentences": System(("dense",), sentences=False),
    "hybrid-nobigrams": System(analysis=NO_BIGRAMS),
    "hybrid-nolexicon": System(analysis=NO_LEXICON),
    "hybrid-nosentences": System(sentences=False),
    "hybrid-norepair": System(mend=False),
    "hybrid-noasked": System(asked=False),
}


def needs_encoder(names: Sequence[str]) -> bool:
    """Whether any of the named systems searches vectors."""
    return any("dense" in SYSTEMS[name].legs for name in names if name in SYSTEMS)


def build_engine(dataset: Dataset, encoder: Encoder | None, analysis: Analysis = PLAIN) -> Engine:
    """Index the documents of a collection in memory; progress goes to standard error.

    Raises:
        InputError: no document holds a word.
    """
    documents = [(document.title, document.text) for document in dataset.documents]
    if encoder is not None:
        _fill(encoder, sorted((passage_text(*document) for document in documents), key=len))
    lines = [document.sentences for document in dataset.documents]
    asked = [document.asked for document in dataset.documents]
    try:
        return Engine.build(
            documents,
            encoder,
            lines if any(lines) else None,
            analysis,
            asked if any(asked) else (),
        )
    except ValueError as error:
        msg = f"数据集 {dataset.name} 的文档里没有可检索的文字"
        raise InputError(msg) from error


def _fill(encoder: Encoder, passages: Sequence[str]) -> None:
    """Encode all passages with a bar to see, so that the engine finds them in the cache."""
    with tqdm(total=len(passages), desc="passages", leave=False, disable=None) as bar:
        for start in range(0, len(passages), PORTION):
            encoder.encode_passages(passages[start : start + PORTION])
            bar.update(len(passages[start : start + PORTION]))


def systems(engine: Engine, names: Sequence[str], dataset: Dataset) -> dict[str, Ranker]:
    """The named systems over ``engine``, in the order asked for.

    Every question is encoded once, beforehand and alone, so that all systems search with the same
    vector and no time of encoding stands in the time of searching.

    Raises:
        InputError: a name is unknown, or none is given.
    """
    unknown = [name for name in names if name not in SYSTEMS]
    if unknown or not names:
        msg = f"没有这个检索系统：{'、'.join(unknown) or '（空）'}；可选 {'、'.join(SYSTEMS)}"
        raise InputError(msg)
    texts = [query.text for query in dataset.queries]
    vectors: dict[str, Float32 | None] = {}
    if needs_encoder(names):
        searched = dict.fromkeys([*texts, *(mended(text) for text in texts)])
        bar = tqdm(searched, desc="questions", leave=False, disable=None)
        vectors = {text: engine.encode(text) for text in bar}
    return {
        name: _ranker(_variant(engine, SYSTEMS[name], dataset), SYSTEMS[name], vectors)
        for name in names
    }


def mended(question: str) -> str:
    """The question with misspelt terms mended, as ``Index.search`` does it."""
    repaired = repair(question)
    return repaired.text if repaired.rewrites else question


def _variant(engine: Engine, system: System, dataset: Dataset) -> Engine:
    """The engine with what the system leaves out taken away; vectors are shared."""
    words = engine
    if not system.analysis.bigrams or not system.asked:
        words = build_engine(_stripped(dataset, system), None, system.analysis)
    parts = engine.embedded
    sentences = parts.sentences if system.sentences else None
    asked = parts.asked if system.asked else None
    candidates = Embedded(words.weights, words.vocabulary, parts.vectors, sentences, asked=asked)
    return Engine(candidates, engine.encoder, system.analysis)


def _stripped(dataset: Dataset, system: System) -> Dataset:
    """The collection without the ways of asking, if the system leaves them out."""
    if system.asked:
        return dataset
    documents = tuple(replace(document, asked=()) for document in dataset.documents)
    return replace(dataset, documents=documents)


def _ranker(engine: Engine, system: System, vectors: Mapping[str, Float32 | None]) -> Ranker:
    def rank(question: str, k: int) -> list[tuple[int, float]]:
        text = mended(question) if system.mend else question
        vector = vectors.get(text)
        hits = engine.rank(text, k, system.legs, vector=vector, fuse=system.fuse)
        return [(hit.position, hit.score) for hit in hits]

    return rank


def stage_seconds(engine: Engine, dataset: Dataset) -> dict[str, NDArray[np.float64]]:
    """Seconds that each stage of a hybrid search takes, a question; the first ``STAGED``.

    ``repair``: mending; ``encode``: the question's vector; ``words``: BM25 of all documents;
    ``vectors``: the nearest passages; ``whole``: ranking, all but mending and encoding.
    """
    taken: dict[str, list[float]] = {}
    for query in dataset.queries[:STAGED]:
        marks = [perf_counter()]
        text = mended(query.text)
        marks.append(perf_counter())
        vector = engine.encode(text)
        marks.append(perf_counter())
        engine.candidates.words(word_query(text, engine.analysis))
        marks.append(perf_counter())
        if vector is not None:
            engine.candidates.nearest(vector, DEPTH)
        marks.append(perf_counter())
        engine.rank(text, DEPTH, vector=vector)
        marks.append(perf_counter())
        for name, seconds in zip(
            ("repair", "encode", "words", "vectors", "whole"), np.diff(marks), strict=True
        ):
            taken.setdefault(name, []).append(float(seconds))
    unused = () if engine.legs() == LEGS else ("encode", "vectors")
    return {name: np.asarray(seconds) for name, seconds in taken.items() if name not in unused}
