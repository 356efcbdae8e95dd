"""Do the index in this process and the one in Milvus find and answer the same?

``python -m eval engines``. Both hold the same articles, or the same bare documents of a public
collection, are asked the same questions, and must agree as the criteria below say.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from operator import eq
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from chatbot.answer import Chatbot
from corpus.records import Article, Chunk
from eval.answers import Outcome, ask_all, summary
from eval.datasets import Dataset, Document, load_dataset
from eval.expectations import load_cases
from eval.metrics import METRICS, means, overlap
from eval.milvus_lite import engine_process
from eval.results import make_folder, write_json
from eval.retrieval import SystemRun, scored
from eval.systems import build_engine, mended
from index import ingest, opening, store
from index.cache import CachedEncoder
from index.candidates import Candidates
from index.cuts import Cut
from index.encoder import Encoder, load_encoder
from index.engine import Engine, document_terms
from index.ingest import Statistics
from index.manifest import read_manifest, version_of
from index.milvus import Milvus
from index.remote import Remote
from index.rows import Rows
from index.shipped import seeded
from index.store import quiet
from index.vectors import Float32
from index.versions import Version

__all__ = ["Agreement", "compare_engines", "same_answers"]

OWN = Path(__file__).parent / "questions" / "retrieval-dev"
TOP = 10
OVERLAP, POINTS, SAME = 0.95, 0.005, 0.98  # least shared of the ten best, most nDCG, answers alike
NO_TITLE = "—"  # of a document without one: an article must have one
SHOWN = 20  # differing answers that the report keeps


@dataclass(frozen=True, slots=True)
class Agreement:
    """A criterion, what was reached (of how many questions), and whether it holds."""

    what: str
    criterion: str
    reached: float
    questions: int
    holds: bool
    note: str = ""


def compare_engines(
    index: Path,
    folders: Sequence[Path],
    questions: Sequence[Path],
    out: Path,
    cache: Path,
    limit: int | None,
) -> list[Agreement]:
    """Compare both implementations and write ``engines.json``.

    Args:
        index: a built index folder; its articles are written into the engine.
        folders: public collections, see ``eval/datasets.py``; compared as bare documents.
        questions: questions files, for the ten best and for answers.
        out: folder for the report.
        cache: vectors of the collections' documents.
        limit: first questions of each collection and file only.

    Raises:
        YibaoError: Milvus is not there or not empty, or index, encoder, or a file fails.
    """
    make_folder(out)
    datasets = [load_dataset(folder, "dev").first(limit) for folder in folders]
    encoder = load_encoder()
    found: list[Agreement] = []
    different: list[dict[str, Any]] = []
    with engine_process() as (uri, _):
        remote = Remote(uri)
        for step in _steps(index, datasets, questions, remote, encoder, cache, limit, different):
            found += step
            report = {"agreements": list(map(asdict, found)), "different": different[:SHOWN]}
            write_json(out / "engines.json", report)
    return found


def _steps(
    index: Path,
    datasets: Sequence[Dataset],
    questions: Sequence[Path],
    remote: Remote,
    encoder: Encoder,
    cache: Path,
    limit: int | None,
    different: list[dict[str, Any]],
) -> Iterator[list[Agreement]]:
    manifest = read_manifest(version_of(index))
    corpus = Path(manifest.corpus_path)
    ingest.build(corpus, remote, encoder, index / store.CACHE_FILE, quiet)
    embedded = store.open_index(index, encoder)
    milvus = opening.open_remote(remote)
    store.attach(milvus, encoder)
    cases = [case for path in questions for case in load_cases([path])[:limit]]
    asked = list(dict.fromkeys(case.question for case in cases if case.question.strip()))
    yield [_overlap("自己的题目 own", *_both(embedded.engine, milvus.engine, asked, TOP))]
    own = load_dataset(OWN, "dev", corpus).first(limit)
    if own.missing_documents < len({qrel.document_id for qrel in own.qrels}):
        yield _ranked(own, embedded.engine, milvus.engine)
    bots = Chatbot(embedded), Chatbot(milvus)
    titles = frozenset(article.title for article in embedded.articles.values())
    known, found = (ask_all(bot, cases, titles) for bot in bots)
    yield same_answers(known, found, different)
    for dataset in datasets:
        cached = CachedEncoder(encoder, seeded(cache))
        yield _ranked(
            dataset, build_engine(dataset, cached), _documents(dataset, remote, encoder, cache)
        )


def _both(
    one: Engine, other: Engine, questions: Sequence[str], k: int
) -> tuple[list[list[tuple[int, float]]], list[list[tuple[int, float]]]]:
    """What both find for each question: positions and scores, best first."""
    found: tuple[list[list[tuple[int, float]]], ...] = ([], [])
    for question in tqdm(questions, desc="engines", unit="q", leave=False, disable=None):
        text = mended(question)
        vector = one.encode(text)
        for engine, into in zip((one, other), found, strict=True):
            hits = engine.rank(text, k, vector=vector)
            into.append([(hit.position, hit.score) for hit in hits])
    return found[0], found[1]


def _ranked(dataset: Dataset, one: Engine, other: Engine) -> list[Agreement]:
    """Ten best and nDCG of both over a judged collection."""
    texts = [query.text for query in dataset.queries]
    found = _both(one, other, texts, 100)
    zeros = np.zeros(len(texts))
    runs = [
        scored(dataset, name, of, zeros)
        for name, of in zip(("embedded", "milvus"), found, strict=True)
    ]
    return [_overlap(dataset.name, *found), _quality(dataset.name, *runs)]


def _overlap(
    name: str,
    known: Sequence[Sequence[tuple[int, float]]],
    found: Sequence[Sequence[tuple[int, float]]],
) -> Agreement:
    best, same = ([[at for at, _ in hits[:TOP]] for hits in of] for of in (known, found))
    share = overlap(same, best)
    note = f"次序也相同 {sum(map(eq, best, same))}"
    return Agreement(f"前十相同 {name}", f"≥ {OVERLAP}", share, len(known), share >= OVERLAP, note)


def _quality(name: str, known: SystemRun, found: SystemRun) -> Agreement:
    one, other = (means(run.values)[METRICS[0]] for run in (known, found))
    off = abs(one - other)
    note = f"{one:.4f} / {other:.4f}"
    return Agreement(
        f"{METRICS[0]} 之差 {name}", f"≤ {POINTS}", off, len(known.hits), off <= POINTS, note
    )


def same_answers(
    known: Sequence[Outcome], found: Sequence[Outcome], different: list[dict[str, Any]]
) -> list[Agreement]:
    """Answers in the contract's JSON, compared but for the time they took.

    ``different`` is given the pairs that differ.
    """
    alike = 0
    for one, other in zip(known, found, strict=True):
        pair = [outcome.answer | {"elapsed_ms": 0} for outcome in (one, other)]
        if pair[0] == pair[1]:
            alike += 1
        else:
            different.append({"embedded": pair[0], "milvus": pair[1]})
    share = alike / max(len(known), 1)
    wrong = int(summary(found)["wrong_place_figures"] or 0)
    total = len(known)
    return [
        Agreement(
            "答案相同 answers", f"≥ {SAME}", share, total, share >= SAME, f"不同 {total - alike}"
        ),
        Agreement("别处的数字 wrong place", "0", float(wrong), total, wrong == 0),
    ]


class _Bare(CachedEncoder):
    """Encodes documents without a title as what they are."""

    def encode_passages(self, texts: Sequence[str], **options: Any) -> Float32:  # noqa: ANN401
        return super().encode_passages([t.removeprefix(f"{NO_TITLE}\n") for t in texts], **options)


def _documents(dataset: Dataset, remote: Remote, encoder: Encoder, cache: Path) -> Engine:
    """The documents of a collection in Milvus, each one passage, none in use by anybody."""
    bare = _Bare(encoder, seeded(cache))
    pairs = [_cut(document) for document in dataset.documents]
    known = Statistics()
    for article, cut in pairs:
        known.add(article, cut)
    rows = Rows(bare, known, quiet)

    def parts() -> Iterator[ingest.Part]:
        for start in range(0, len(pairs), ingest.SLICE):
            articles, cuts = zip(*pairs[start : start + ingest.SLICE], strict=True)
            yield articles, cuts

    name = f"eval_{dataset.name}"
    counts, digests = ingest.write(remote, name, rows, parts, quiet)
    version = Version(
        name=name,
        format=0,
        corpus_path="",
        corpus="",
        lexicon="",
        encoder=bare.name,
        model="",
        dimension=bare.dimension,
        articles=known.articles,
        asked=0,
        lent="",
        chunks=known.chunks,
        sentences=0,
        average_length=known.length / known.chunks,
        rows=counts,
        digests=digests,
    )
    found: Candidates = Milvus(remote, version)
    return Engine(found, encoder)


def _cut(document: Document) -> tuple[Article, Cut]:
    """A document as an article of one passage."""
    article = Article(document.id, document.title.strip() or NO_TITLE, document.text)
    terms = Counter(document_terms(document.title, document.text))
    chunk = Chunk(document.id, document.id, 0, len(document.text), document.text)
    return article, Cut((chunk,), (terms,), ())
