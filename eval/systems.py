"""The retrieval systems that can be named on the command line, over the engine of the chatbot."""

from collections.abc import Callable, Sequence

from tqdm import tqdm

from corpus.errors import InputError
from eval.datasets import Dataset
from eval.retrieval import Ranker
from index.encoder import Encoder
from index.search import Engine, Fusion, passage_text
from index.vectors import Float32

__all__ = ["SYSTEMS", "build_engine", "needs_encoder", "systems"]

BM25 = ("bm25",)
SYSTEMS = ("bm25", "dense", "hybrid", "rrf")


def needs_encoder(names: Sequence[str]) -> bool:
    """Whether any of the named systems searches vectors."""
    return any(name != "bm25" for name in names)


def build_engine(dataset: Dataset, encoder: Encoder | None) -> Engine:
    """Index the documents of a collection in memory; progress goes to standard error.

    Raises:
        InputError: no document holds a word.
    """
    documents = [(document.title, document.text) for document in dataset.documents]
    if encoder is not None:  # fill the cache with a bar to see; the engine then reads from it
        with tqdm(
            total=len(documents), desc=f"{dataset.name} encode", leave=False, disable=None
        ) as bar:
            encoder.encode_passages(
                [passage_text(title, text) for title, text in documents],
                progress=lambda done: bool(bar.update(done)) and None,
            )
    try:
        return Engine.build(documents, encoder)
    except ValueError as error:
        msg = f"数据集 {dataset.name} 的文档里没有可检索的文字"
        raise InputError(msg) from error


def systems(engine: Engine, names: Sequence[str], questions: Sequence[str]) -> dict[str, Ranker]:
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
    vectors: dict[str, Float32 | None] = {}
    if needs_encoder(names):
        bar = tqdm(dict.fromkeys(questions), desc="questions", leave=False, disable=None)
        vectors = {question: engine.encode(question) for question in bar}
    return {name: _ranker(engine, name, vectors.get) for name in names}


def _ranker(engine: Engine, name: str, vector_of: Callable[[str], Float32 | None]) -> Ranker:
    legs = {"bm25": BM25, "dense": ("dense",)}.get(name, (*BM25, "dense"))

    def rank(question: str, k: int) -> list[tuple[int, float]]:
        vector = vector_of(question)
        fuse: Fusion = "rrf" if name == "rrf" else "convex"
        hits = engine.rank(question, k, legs, vector=vector, fuse=fuse)
        return [(hit.position, hit.score) for hit in hits]

    return rank
