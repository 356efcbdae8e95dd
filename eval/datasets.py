"""Read retrieval collections in BEIR layout and say exactly what is wrong with a damaged one.

A collection is a folder with ``corpus.jsonl`` (``_id``, ``title``, ``text``), ``queries.jsonl``
(``_id``, ``text``) and ``qrels/<split>.tsv`` (query id, document id, whole-number relevance; a
header line is optional). Instead of the latter two it may hold TREC's ``topics.tsv`` or
``topics.txt`` and ``qrels/<split>.trec``. Every error names the file and, where there is one, the
line.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from corpus.chunks import split as split_article
from corpus.errors import InputError
from corpus.folder import load
from corpus.records import Span
from corpus.sections import asked_within
from corpus.sentences import quotable
from eval import trec
from eval.lines import json_rows, numbered_lines
from index.engine import passage_text

__all__ = ["Dataset", "Document", "Qrel", "Query", "load_dataset"]

QREL_COLUMNS = 3  # query id, document id, relevance: BEIR's layout


@dataclass(frozen=True, slots=True)
class Document:
    """A passage that can be found; ``title`` and ``text`` may be empty, the id may not.

    ``article``: what the judgements name if it is not the passage itself; a run then holds each
    article once, at its best passage. ``sentences``: what an encoder reads of its sentences.
    ``asked``: how citizens ask for it.
    """

    id: str
    title: str
    text: str
    article: str = ""
    sentences: tuple[str, ...] = ()
    asked: tuple[str, ...] = ()

    @property
    def judged(self) -> str:
        """The id that judgements and runs use."""
        return self.article or self.id


@dataclass(frozen=True, slots=True)
class Query:
    """A question of the collection; ``kind`` is what sort of question it is, if that is told."""

    id: str
    text: str
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Qrel:
    """One judgement: how relevant a document is to a query (0 or less: not at all)."""

    query_id: str
    document_id: str
    relevance: int


@dataclass(frozen=True, slots=True)
class Dataset:
    """A collection with the judgements of one split.

    ``documents`` are sorted by id, so that ties by position are ties by id. ``queries`` holds the
    judged queries only, in the order of the file; a judged query without any relevant document
    stays. ``missing_documents`` counts judged documents that the corpus lacks: they stay in the
    judgements, so no system can reach a recall of 1 there.
    """

    name: str
    split: str
    documents: tuple[Document, ...]
    queries: tuple[Query, ...]
    qrels: tuple[Qrel, ...]
    missing_documents: int = 0

    def first(self, limit: int | None) -> "Dataset":
        """The same collection with its first ``limit`` queries (all if ``None``)."""
        if limit is None or limit >= len(self.queries):
            return self
        queries = self.queries[:limit]
        kept = {query.id for query in queries}
        qrels = tuple(qrel for qrel in self.qrels if qrel.query_id in kept)
        return replace(self, queries=queries, qrels=qrels)


def load_dataset(folder: Path, split: str, articles: Path | None = None) -> Dataset:
    """Read the collection in ``folder`` with the judgements of ``split``.

    Args:
        folder: a folder in BEIR layout.
        split: a name (``dev`` reads ``qrels/dev.tsv``).
        articles: a folder of articles whose passages are searched instead of ``corpus.jsonl``;
            the judgements name articles.

    Raises:
        InputError: a file is missing, unreadable, empty or damaged.
    """
    if not folder.is_dir():
        msg = f"找不到数据集文件夹：{folder}"
        raise InputError(msg)
    found = _passages(articles) if articles else _documents(folder / "corpus.jsonl")
    documents = sorted(found, key=lambda document: document.id)
    asked = _query_file(folder)
    queries = tuple(_queries(asked) if asked.suffix == ".jsonl" else _topics(asked))
    qrels_path = _qrels_file(folder, split)
    qrels = tuple(_qrels(qrels_path))
    judged = {qrel.query_id for qrel in qrels}
    unknown = judged - {query.id for query in queries}
    if unknown:
        msg = f"{qrels_path}：问题 {min(unknown)} 不在 {asked.name} 里（共 {len(unknown)} 个）"
        raise InputError(msg)
    known = {document.judged for document in documents}
    return Dataset(
        name=folder.resolve().name,
        split=split,
        documents=tuple(documents),
        queries=tuple(query for query in queries if query.id in judged),
        qrels=qrels,
        missing_documents=len({qrel.document_id for qrel in qrels} - known),
    )


def _passages(folder: Path) -> Iterator[Document]:
    """The passages of a folder of articles, cut as for an index."""
    for article in load(folder):
        spans = quotable(article.body, truncated=article.truncated)
        for chunk in split_article(article):
            lines = tuple(
                passage_text(article.title, span.of(article.body))
                for span in spans
                if chunk.start <= span.start < chunk.end
            )
            asked = tuple(asked_within(article, Span(chunk.start, chunk.end)))
            yield Document(chunk.id, article.title, chunk.text, article.id, lines, asked)


def _documents(path: Path) -> Iterator[Document]:
    seen: set[str] = set()
    for number, row in json_rows(path):
        where = f"{path} 第 {number} 行"
        id_ = _identifier(row, where, seen)
        yield Document(id_, _text(row, "title", where, ""), _text(row, "text", where, None))


def _queries(path: Path) -> Iterator[Query]:
    seen: set[str] = set()
    for number, row in json_rows(path):
        where = f"{path} 第 {number} 行"
        text = _text(row, "text", where, None)
        yield Query(_identifier(row, where, seen), text, _text(row, "kind", where, ""))


def _query_file(folder: Path) -> Path:
    """BEIR's questions, else TREC's topics; what is missing is named as BEIR's."""
    beir = folder / "queries.jsonl"
    names = (beir, folder / "topics.tsv", folder / "topics.txt")
    return next((path for path in names if path.exists()), beir)


def _qrels_file(folder: Path, split: str) -> Path:
    beir = folder / "qrels" / f"{split}.tsv"
    trec_file = beir.with_name(f"{split}.trec")
    return trec_file if trec_file.exists() and not beir.exists() else beir


def _topics(path: Path) -> Iterator[Query]:
    seen: set[str] = set()
    for where, id_, text in trec.topics(path):
        yield Query(_identifier({"_id": id_}, where, seen), text)


def _identifier(row: dict[str, Any], where: str, seen: set[str]) -> str:
    """The row's ``_id``: new, not empty and without blanks (a TREC run is split at blanks)."""
    id_ = row.get("_id")
    if isinstance(id_, int) and not isinstance(id_, bool):
        id_ = str(id_)
    if not isinstance(id_, str) or not id_ or id_.split() != [id_]:
        msg = f"{where}：缺少可用的 _id（要有字，不能有空格）"
        raise InputError(msg)
    if id_ in seen:
        msg = f"{where}：_id {id_} 重复"
        raise InputError(msg)
    seen.add(id_)
    return id_


def _text(row: dict[str, Any], field: str, where: str, default: str | None) -> str:
    value = row.get(field)
    if value is None:
        value = default
    if not isinstance(value, str):
        msg = f"{where}：缺少文字字段 {field}"
        raise InputError(msg)
    return value


def _qrels(path: Path) -> Iterator[Qrel]:
    seen: set[tuple[str, str]] = set()
    judged = False
    shape = "四列（空格分开）" if path.suffix == ".trec" else "三列（制表符分开）"
    for number, line in numbered_lines(path):
        cells = trec.judgement(line) if path.suffix == ".trec" else line.split("\t")
        whole = len(cells) == QREL_COLUMNS and cells[2].strip().lstrip("+-").isdecimal()
        if not whole and number == 1 and len(cells) == QREL_COLUMNS:
            continue  # the header line
        if not whole or (cells[0], cells[1]) in seen:
            msg = f"{path} 第 {number} 行：应是问题编号、文档编号、整数相关度，{shape}，不重复"
            raise InputError(msg)
        seen.add((cells[0], cells[1]))
        judged = True
        yield Qrel(cells[0], cells[1], int(cells[2]))
    if not judged:
        msg = f"{path}：没有任何相关性标注"
        raise InputError(msg)
