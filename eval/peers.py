"""Other search libraries over the same texts and vectors, each set up as its own manual says.

Every peer is a function from ``Material`` to a ``Search``. Peers that only split at blanks are
handed texts cut by jieba, since their own splitting makes a whole Chinese clause one term; all
peers get the same terms, cut once for all of them, while ours cuts for itself. Their packages are
optional (``pip install -e '.[peers]'``) and imported when a peer is built.
"""

import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import version
from importlib.util import find_spec
from typing import Any

import jieba
import numpy as np

from eval.bench_search import Made, large_engine
from eval.systems import mended
from index.engine import passage_text
from index.vectors import Float32
from index.ways import space_of

__all__ = ["OURS", "PEERS", "Material", "Peer", "Search", "blanked", "jieba_terms", "missing"]

OURS = "yibao"  # how this project's own search is called in the tables
LEG_DEPTH = 100  # hits that a peer's leg hands to its fusion
HALVES = [0.5, 0.5]  # weights of the two legs where a peer asks for them
_LETTER = re.compile(r"\w")

Search = Callable[[str, int], Sequence[tuple[int, float]]]
"""Question, number of hits → (position of the document, score), best first."""


@dataclass(frozen=True, slots=True, eq=False)
class Material:
    """What every peer is given.

    ``documents``: (title, text) pairs; ``vectors``: unit vectors, float32, shape (documents,
    dimension); ``questions``: each text that may be asked, with its unit vector; ``encoder``: the
    name of what made them; ``cut``: the terms of each document, empty if nobody cut it.
    """

    documents: Sequence[tuple[str, str]]
    vectors: Float32
    questions: Mapping[str, Float32]
    encoder: str = "ready"
    cut: Sequence[str] = ()

    @property
    def texts(self) -> list[str]:
        """Each document as one text, as the encoder reads it."""
        return [passage_text(title, text) for title, text in self.documents]

    @property
    def terms(self) -> list[list[str]]:
        """The terms of each document by which the peers search."""
        return [blanked.split(" ") if blanked else [] for blanked in self.blanked]

    @property
    def blanked(self) -> Sequence[str]:
        """The same as one text a document, with blanks between the terms."""
        return self.cut or list(map(blanked, self.texts))


@dataclass(frozen=True, slots=True)
class Peer:
    """A library: the packages that it needs and how a search over it is made."""

    packages: Sequence[str]
    build: Callable[[Material], Search]

    @property
    def versions(self) -> str:
        """Its installed packages with their versions."""
        return "、".join(f"{package} {version(package)}" for package in self.packages)


def missing(peer: Peer) -> list[str]:
    """The packages of a peer that are not installed."""
    return [name for name in peer.packages if find_spec(MODULES.get(name, name)) is None]


def jieba_terms(text: str) -> list[str]:
    """Search-mode words of jieba in lower case, no punctuation: what all peers search by.

    >>> jieba_terms("异地就医，怎么备案？")
    ['异地', '就医', '怎么', '备案']
    """
    return [word for word in jieba.lcut_for_search(text.lower()) if _LETTER.search(word)]


def blanked(text: str) -> str:
    """A text's terms with blanks between them."""
    return " ".join(jieba_terms(text))


def _ours(material: Material) -> Search:
    """Hybrid search as the program does it, misspelt terms mended first."""
    engine = large_engine(Made(tuple(material.documents), material.vectors), material.encoder)
    space = space_of(material.encoder, material.vectors.shape[1])
    asked = {text: space.question(vector) for text, vector in material.questions.items()}

    def search(question: str, k: int) -> list[tuple[int, float]]:
        text = mended(question)
        return [(hit.position, hit.score) for hit in engine.rank(text, k, vector=asked[text])]

    return search


def _rank_bm25(material: Material) -> Search:
    model = import_module("rank_bm25").BM25Okapi(material.terms)

    def search(question: str, k: int) -> list[tuple[int, float]]:
        scores = model.get_scores(jieba_terms(question))
        best = np.argsort(-scores, kind="stable")[:k]
        return [(int(at), float(scores[at])) for at in best if scores[at] > 0]

    return search


def _bm25s(material: Material) -> Search:
    bm25s: Any = import_module("bm25s")
    model = bm25s.BM25()
    model.index(material.terms, show_progress=False)
    size = len(material.documents)

    def search(question: str, k: int) -> list[tuple[int, float]]:
        found, scores = model.retrieve(
            [jieba_terms(question)], k=min(k, size), show_progress=False, n_threads=0
        )
        pairs = zip(found[0].tolist(), scores[0].tolist(), strict=True)
        return [(at, score) for at, score in pairs if score > 0]

    return search


def _langchain(material: Material) -> Search:
    """EnsembleRetriever over BM25Retriever (jieba) and a FAISS store, weights .5 and .5."""
    retrievers = import_module("langchain_community.retrievers")
    stores = import_module("langchain_community.vectorstores")
    embeddings = import_module("langchain_core.embeddings")
    ensemble = import_module("langchain_classic.retrievers").EnsembleRetriever

    class Known(embeddings.Embeddings):  # type: ignore[misc, name-defined]
        """The vectors are known: questions are looked up."""

        def embed_documents(self, texts: list[str]) -> list[list[float]]:
            raise NotImplementedError

        def embed_query(self, text: str) -> list[float]:
            return [float(number) for number in material.questions[text]]

    texts = material.texts
    places = [{"at": at} for at in range(len(texts))]
    known = dict(zip(texts, material.terms, strict=True))
    words = retrievers.BM25Retriever.from_texts(
        texts,
        metadatas=places,
        preprocess_func=lambda text: known.pop(text, None) or jieba_terms(text),
        k=LEG_DEPTH,
    )
    known.clear()
    pairs = zip(texts, material.vectors.tolist(), strict=True)
    store = stores.FAISS.from_embeddings(pairs, Known(), metadatas=places)
    near = store.as_retriever(search_kwargs={"k": LEG_DEPTH})
    both = ensemble(retrievers=[words, near], weights=HALVES, id_key="at")

    def search(question: str, k: int) -> list[tuple[int, float]]:
        found = both.invoke(question)[:k]
        return [(document.metadata["at"], -float(rank)) for rank, document in enumerate(found)]

    return search


def _txtai(material: Material) -> Search:
    """Embeddings with a BM25 index beside the vectors, mixed half and half; its default FAISS."""
    table = dict(zip(material.blanked, material.vectors, strict=True))
    known: dict[str, Float32] = table

    def look_up(texts: Sequence[str]) -> Float32:
        return np.stack([known[text] for text in texts])

    scoring = {
        "method": "bm25", "terms": True, "normalize": True, "tokenizer": {"whitespace": True}
    }  # fmt: skip
    model = import_module("txtai").Embeddings(method="external", transform=look_up, scoring=scoring)
    model.index((at, text, None) for at, text in enumerate(material.blanked))
    known = {blanked(text): vector for text, vector in material.questions.items()}

    def search(question: str, k: int) -> list[tuple[int, float]]:
        found = model.search(blanked(question), k, weights=0.5)
        return [(int(at), float(score)) for at, score in found]

    return search


def _haystack(material: Material) -> Search:
    """InMemoryBM25Retriever and InMemoryEmbeddingRetriever, joined by reciprocal rank fusion."""
    os.environ["HAYSTACK_TELEMETRY_ENABLED"] = "False"
    document = import_module("haystack").Document
    legs = import_module("haystack.components.retrievers.in_memory")
    joiner = import_module("haystack.components.joiners").DocumentJoiner("reciprocal_rank_fusion")
    store = import_module("haystack.document_stores.in_memory").InMemoryDocumentStore(
        bm25_tokenization_regex=r"\S+", embedding_similarity_function="dot_product"
    )
    store.write_documents(
        [
            document(id=str(at), content=text, embedding=vector.tolist())
            for at, (text, vector) in enumerate(
                zip(material.blanked, material.vectors, strict=True)
            )
        ]
    )
    words = legs.InMemoryBM25Retriever(store, top_k=LEG_DEPTH)
    near = legs.InMemoryEmbeddingRetriever(store, top_k=LEG_DEPTH)

    def search(question: str, k: int) -> list[tuple[int, float]]:
        found = [
            words.run(query=blanked(question))["documents"],
            near.run(query_embedding=material.questions[question].tolist())["documents"],
        ]
        joined = joiner.run(documents=found)["documents"][:k]
        return [(int(hit.id), float(hit.score)) for hit in joined]

    return search


# Package names on the package index whose module is called otherwise.
MODULES = {
    "langchain-community": "langchain_community",
    "langchain-classic": "langchain_classic",
    "haystack-ai": "haystack",
    "rank-bm25": "rank_bm25",
}
PEERS: Mapping[str, Peer] = {
    OURS: Peer((), _ours),
    "langchain-ensemble": Peer(("langchain-community", "langchain-classic"), _langchain),
    "txtai-hybrid": Peer(("txtai",), _txtai),
    "haystack-rrf": Peer(("haystack-ai",), _haystack),
    "bm25s": Peer(("bm25s",), _bm25s),
    "rank_bm25": Peer(("rank-bm25",), _rank_bm25),
}
