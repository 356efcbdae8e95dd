"""Articles, chunks and sentence spans in one SQLite file."""

import json
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import fields
from pathlib import Path
from sys import intern

from corpus.errors import IndexDamaged
from corpus.records import Article, Audience, Authority, Chunk, Span, Status

_TABLES = """
CREATE TABLE articles (id TEXT PRIMARY KEY, record TEXT NOT NULL);
CREATE TABLE chunks (
    position INTEGER PRIMARY KEY, id TEXT UNIQUE NOT NULL, article_id TEXT NOT NULL,
    start INTEGER NOT NULL, "end" INTEGER NOT NULL, heading_path TEXT NOT NULL
);
CREATE TABLE sentences (article_id TEXT NOT NULL, start INTEGER NOT NULL, "end" INTEGER NOT NULL,
                        PRIMARY KEY (article_id, start)) WITHOUT ROWID;
"""
_CHUNKS = 'SELECT id, article_id, start, "end", heading_path FROM chunks ORDER BY position'


def save(
    path: Path,
    articles: Sequence[Article],
    chunks: Sequence[Chunk],
    spans: Mapping[str, Sequence[Span]],
) -> None:
    """Write a new file; articles in the given order, chunks by position."""
    with closing(sqlite3.connect(path)) as database, database:
        database.executescript(_TABLES)
        database.executemany(
            "INSERT INTO articles VALUES (?, ?)",
            [(a.id, packed_article(a)) for a in articles],
        )
        database.executemany(
            "INSERT INTO chunks VALUES (?, ?, ?, ?, ?, ?)",
            [
                (n, c.id, c.article_id, c.start, c.end, json.dumps(c.heading_path))
                for n, c in enumerate(chunks)
            ],
        )
        database.executemany(
            "INSERT INTO sentences VALUES (?, ?, ?)",
            [(key, span.start, span.end) for key, found in spans.items() for span in found],
        )


def packed_article(article: Article) -> str:
    """An article as JSON."""
    record = {of.name: getattr(article, of.name) for of in fields(article)}
    record["asked"] = [(span.start, span.end, way) for span, way in article.asked]
    return json.dumps(record, ensure_ascii=False)


def unpacked_article(text: str) -> Article:
    """What ``packed_article`` made JSON of."""
    record = json.loads(text)
    record["place"] = tuple(record["place"])
    record["lint_ok"] = tuple((rule, reason) for rule, reason in record["lint_ok"])
    record["asked"] = tuple((Span(start, end), intern(way)) for start, end, way in record["asked"])
    record["audience"] = Audience(record["audience"])
    record["authority"] = Authority(record["authority"])
    record["status"] = Status(record["status"])
    return Article(**record)


def load(path: Path) -> tuple[dict[str, Article], list[Chunk], dict[str, list[Span]]]:
    """Articles by id (rising), chunks by position, sentence spans by article.

    Raises:
        IndexDamaged: the file is no such database.
    """
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
            rows = database.execute("SELECT id, record FROM articles ORDER BY id").fetchall()
            articles = {key: unpacked_article(record) for key, record in rows}
            chunks = [
                Chunk(key, owner, start, end, articles[owner].body[start:end], tuple(json.loads(p)))
                for key, owner, start, end, p in database.execute(_CHUNKS)
            ]
            spans: dict[str, list[Span]] = {key: [] for key in articles}
            for owner, start, end in database.execute(
                'SELECT article_id, start, "end" FROM sentences ORDER BY article_id, start'
            ):
                spans[owner].append(Span(start, end))
    except (sqlite3.Error, KeyError, ValueError, TypeError) as error:
        msg = "索引里的文章库坏了。请重建索引：python -m index build"
        raise IndexDamaged(msg) from error
    return articles, chunks, spans
