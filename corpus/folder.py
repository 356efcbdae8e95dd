"""A corpus is a folder of Markdown articles: load it, and import other files into it."""

import hashlib
import os
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from corpus.errors import CorpusError, InputError, SkippedFile
from corpus.readers import READERS, markdown, read_file, read_text
from corpus.records import Article

SHIPPED = Path(__file__).with_name("articles")
_UNSAFE = re.compile(r"[^\w\u4e00-\u9fff]+")
_NAME_BYTES = 80  # a title of 40 characters in UTF-8 may take 160 of the 255 bytes of a file name
_HASH_LINE = re.compile(r"^source_hash: *'?(\w+)'?$", re.MULTILINE)


def article_files(folder: Path) -> list[Path]:
    """The Markdown files of a corpus, in a fixed order."""
    if not folder.is_dir():
        msg = f"找不到文章目录 {folder}，请用 --corpus 指定，或先导入：python -m corpus import"
        raise CorpusError(msg)
    found = (path for path in folder.rglob("*.md") if path.name not in markdown.NOT_ARTICLES)
    return sorted(path for path in found if path.is_file())


def load(folder: Path) -> list[Article]:
    """All articles of a corpus, sorted by id.

    Raises:
        CorpusError: no folder, no article, a broken file, or two articles with one id.
    """
    articles: dict[str, Article] = {}
    for path in article_files(folder):
        try:
            found = read_file(path)
        except SkippedFile as error:
            msg = f"{path.name}：{error}。请改好这个文件再试"
            raise CorpusError(msg) from error
        for article in found:
            if article.id in articles:
                msg = f"{path.name}：编号 {article.id} 重复，请改掉其中一个"
                raise CorpusError(msg)
            articles[article.id] = article
    if not articles:
        msg = f"{folder} 里没有文章，请先导入：python -m corpus import 文件 --to {folder}"
        raise CorpusError(msg)
    return [articles[key] for key in sorted(articles)]


def fingerprint(folder: Path) -> str:
    """SHA-256 over the names and bytes of a corpus: changes whenever an article changes."""
    digest = hashlib.sha256()
    for path in article_files(folder):
        digest.update(path.relative_to(folder).as_posix().encode() + b"\0")
        try:
            digest.update(hashlib.sha256(path.read_bytes()).digest())
        except OSError as error:
            msg = f"{path.name}：读不了（{error.strerror}）。请检查这个文件的权限"
            raise CorpusError(msg) from error
    return digest.hexdigest()


@dataclass(slots=True)
class ImportReport:
    """What an import did; ``skipped`` holds (file, reason)."""

    imported: list[Article] = field(default_factory=list)
    unchanged: list[Article] = field(default_factory=list)
    skipped: list[tuple[Path, str]] = field(default_factory=list)


def sources(paths: Iterable[Path]) -> Iterator[Path]:
    """The files to read: files as given, folders searched for readable kinds."""
    for path in paths:
        if path.is_dir():
            found = (p for p in path.rglob("*") if p.suffix.lower() in READERS and p.is_file())
            yield from sorted(p for p in found if p.name not in markdown.NOT_ARTICLES)
        else:
            yield path


def _better(new: Article, old: Article) -> bool:
    """Which of two readings of one article to keep: whole before truncated, newer, longer."""
    return (not new.truncated, new.published, len(new.body), new.body) > (
        not old.truncated,
        old.published,
        len(old.body),
        old.body,
    )


def _source_hash(article: Article) -> str:
    return hashlib.sha256(repr(article).encode()).hexdigest()[:16]


def _held(folder: Path) -> dict[str, tuple[Path, str, Article]]:
    """What the folder holds: id → (file, hash of its source, article)."""
    held = {}
    for path in article_files(folder):
        try:
            text = read_text(path)
            article = markdown.read(text, path)
        except SkippedFile as error:
            msg = f"{path.name}：{error}。请改好这个文件再试"
            raise CorpusError(msg) from error
        found = _HASH_LINE.search(text)
        held[article.id] = (path, found.group(1) if found else "", article)
    return held


def write_atomically(path: Path, text: str) -> None:
    """Write a whole file or nothing."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    beside.write_text(text, encoding="utf-8")
    beside.replace(path)


def file_name(article: Article) -> str:
    """A name that a person can read and that is unique; at most 255 bytes."""
    name = article.id
    if len(name.encode()) > _NAME_BYTES:
        name = hashlib.sha256(name.encode()).hexdigest()[:12]
    return f"{_UNSAFE.sub('-', article.title).strip('-')[:40]}-{name}.md"


def import_files(
    paths: Iterable[Path], folder: Path, progress: Callable[[Path], None] = lambda path: None
) -> ImportReport:
    """Read files and write their articles as Markdown into ``folder``.

    An article whose source has not changed since its import is left as it is, corrections by hand
    included; a teaser never replaces a whole article or a better teaser. What cannot be read is
    skipped with the reason.

    Raises:
        InputError: the folder cannot be written.
        CorpusError: an article that the folder holds already is broken.
    """
    report = ImportReport()
    found: dict[str, Article] = {}
    for path in sources(paths):
        progress(path)
        try:
            articles = read_file(path)
        except SkippedFile as error:
            report.skipped.append((path, str(error)))
            continue
        for article in articles:
            if article.id not in found or _better(article, found[article.id]):
                found[article.id] = article
    try:
        folder.mkdir(parents=True, exist_ok=True)
        held = _held(folder)
        for key, article in sorted(found.items()):
            _store(article, folder, held.get(key), report)
    except OSError as error:
        msg = f"写不进目录 {folder}：{error.strerror}，请换一个目录或检查磁盘和权限"
        raise InputError(msg) from error
    return report


def _store(
    article: Article, folder: Path, held: tuple[Path, str, Article] | None, report: ImportReport
) -> None:
    digest = _source_hash(article)
    if held and (held[1] == digest or (article.truncated and not _better(article, held[2]))):
        report.unchanged.append(article)
        return
    path = held[0] if held else folder / file_name(article)
    write_atomically(path, markdown.render(article, digest))
    report.imported.append(article)
