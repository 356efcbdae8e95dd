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
PORTION = 256  # passages between two steps of the bar, as many as the cache commits at a time
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
    if encoder is not None:
        _fill(encoder, sorted((passage_text(*document) for document in documents), key=len))
    try:
        return Engine.build(documents, encoder)
    except ValueError as error:
        msg = f"数据集 {dataset.name} 的文档里没有可检索的文字"
        raise InputError(msg) from error


def _fill(encoder: Encoder, passages: Sequence[str]) -> None:
    """Encode all passages with a bar to see, so that the engine finds them in the cache."""
    with tqdm(total=len(passages), desc="passages", leave=False, disable=None) as bar:
        for start in range(0, len(passages), PORTION):
            encoder.encode_passages(passages[start : start + PORTION])
            bar.update(len(passages[start : start + PORTION]))


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
