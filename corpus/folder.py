"""A corpus is a folder of Markdown articles: load it, and import other files into it."""

import fcntl
import hashlib
import os
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePath

from corpus.errors import CorpusError, InputError, SkippedFile
from corpus.readers import markdown, read_text, readings
from corpus.records import Article
from corpus.sections import asked_by_heading

SHIPPED = Path(__file__).with_name("articles")
_UNSAFE = re.compile(r"[^\w\u4e00-\u9fff]+")
_NAME_BYTES = 80  # a title of 40 characters in UTF-8 may take 160 of the 255 bytes of a file name
_BESIDE = re.compile(r"\..+\.md\.\d+")  # a file that was being written when an import was killed
_SYSTEM_FILES = frozenset({"Thumbs.db", "desktop.ini", "__MACOSX"})
_PAGES = (".html", ".htm", ".xhtml")
_HASH_LINE = re.compile(r"^source_hash: *'?(\w+)'?$", re.MULTILINE)


def article_files(folder: Path) -> list[Path]:
    """The Markdown files of a corpus, in a fixed order."""
    if not folder.is_dir():
        msg = f"找不到文章目录 {folder}，请用 --corpus 指定，或先导入：python -m corpus import"
        raise CorpusError(msg)
    found = (path for path in folder.rglob("*.md") if path.name not in markdown.NOT_ARTICLES)
    return sorted(path for path in found if path.is_file())


def load(folder: Path, read: Callable[[str, PurePath], Article] = markdown.read) -> list[Article]:
    """All articles of a corpus, sorted by id.

    Args:
        folder: where the files are.
        read: takes the text of a file apart, as ``markdown.read`` does.

    Raises:
        CorpusError: no folder, no article, a broken file, or two articles with one id.
    """
    articles: dict[str, Article] = {}
    for path in article_files(folder):
        try:
            text = read_text(path)
            if not text.strip():
                msg = "是空文件"
                raise SkippedFile(msg)
            article = read(text, path)
        except SkippedFile as error:
            msg = f"{path.name}：{error}。请改好这个文件再试"
            raise CorpusError(msg) from error
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

    def lacking(self) -> dict[str, list[Article]]:
        """What was not found → the articles that lack it."""
        done = sorted(self.imported + self.unchanged, key=lambda article: article.id)
        return {
            "没写地区": [a for a in done if not a.place],
            "没有日期": [a for a in done if not a.published],
            "没写哪一年": [a for a in done if not a.effective_year],
            "没有来源": [a for a in done if not (a.source_name or a.source_url)],
            "原文不全": [a for a in done if a.truncated],
        }


def sources(paths: Iterable[Path], leave_out: Path | None = None) -> Iterator[Path]:
    """The files to read: files as given, folders searched; ``leave_out`` is the target folder."""
    target = leave_out.resolve() if leave_out else None
    for path in paths:
        if path.is_dir():
            found = sorted(p for p in path.rglob("*") if p.is_file() and _is_source(p, path))
            yield from (p for p in found if not (target and target in p.resolve().parents))
        else:
            yield path


def _is_source(path: Path, root: Path) -> bool:
    """Whether a file of a folder is meant to be read: no system file, no part of a saved page."""
    inside = path.relative_to(root).parts
    if path.name in markdown.NOT_ARTICLES or any(part.startswith(".") for part in inside):
        return False
    if _SYSTEM_FILES & set(inside):
        return False
    above = path.parents[: len(inside) - 1]
    return not any(_belongs_to_page(folder) for folder in above)


def _belongs_to_page(folder: Path) -> bool:
    """Whether a browser saved the images of a page here: 「页_files」 beside 「页.html」."""
    name = re.sub(r"(?:_files|\.files)$", "", folder.name)
    return name != folder.name and any(folder.with_name(name + end).is_file() for end in _PAGES)


def _better(new: Article, old: Article) -> bool:
    """Which of two readings of one article to keep: whole before truncated, newer, longer."""
    return (not new.truncated, new.published, len(new.body), new.body) > (
        not old.truncated,
        old.published,
        len(old.body),
        old.body,
    )


def _source_hash(article: Article) -> str:
    """Names what was read; without a document number it is the name of earlier versions."""
    read = repr(article).replace(", document_number='')", ")")
    if article.asked:
        read += repr(asked_by_heading(article))
    return hashlib.sha256(read.encode()).hexdigest()[:16]


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
    try:
        beside.write_text(text, encoding="utf-8")
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Nobody else imports into ``folder``; what a killed import left half-written is taken away."""
    folder.mkdir(parents=True, exist_ok=True)
    lock = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        for path in folder.iterdir():
            if _BESIDE.fullmatch(path.name):
                path.unlink()
        yield
    except BlockingIOError as error:
        msg = f"另一个导入正在往 {folder} 里写，请等它做完再试"
        raise InputError(msg) from error
    finally:
        os.close(lock)


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

    An article that is new is written as soon as its file is read. One that the folder holds already
    waits until all files are read, because another file may hold it unchanged or better. So an
    import that is killed and run again ends as if it had never been killed. An article whose source
    has not changed since its import is left as it is, corrections by hand included; a teaser never
    replaces a whole article or a better teaser. What cannot be read is skipped with the reason.

    Raises:
        InputError: the folder cannot be written, or another import is at work in it.
        CorpusError: an article that the folder holds already is broken.
    """
    try:
        with _alone_in(folder):
            work = _Import(folder, _held(folder))
            for path in sources(paths, leave_out=folder):
                progress(path)
                for reading in readings(path):
                    work.report.skipped += [(reading.path, reason) for reason in reading.reasons]
                    for article in reading.articles:
                        work.take(article, reading.path)
            return work.finish()
    except OSError as error:
        msg = f"写不进目录 {folder}：{error.strerror}，请换一个目录或检查磁盘和权限"
        raise InputError(msg) from error


class _Import:
    """One run of an import: the best reading of each article, and what the folder holds."""

    def __init__(self, folder: Path, held: dict[str, tuple[Path, str, Article]]) -> None:
        self.report = ImportReport()
        self._folder = folder
        self._held = held
        self._found: dict[str, tuple[Article, Path]] = {}
        self._written: set[str] = set()

    def take(self, article: Article, path: Path) -> None:
        """Keep an article if it is the best reading so far; write it if it is new."""
        before = self._found.get(article.id)
        if before:
            self._name_double(article, path, *before)
        if before and not _better(article, before[0]):
            return
        self._found[article.id] = (article, path)
        if article.id not in self._held:
            self._write(article, self._folder / file_name(article))

    def finish(self) -> ImportReport:
        """Write what waited, and report."""
        for key, (article, _) in sorted(self._found.items()):
            path, digest, old = self._held[key]
            same = digest == _source_hash(article)
            if not same and (not article.truncated or _better(article, old)):
                self._write(article, path)
            done = self.report.imported if key in self._written else self.report.unchanged
            done.append(article)
        return self.report

    def _write(self, article: Article, path: Path) -> None:
        digest = _source_hash(article)
        write_atomically(path, markdown.render(article, digest))
        self._held[article.id] = (path, digest, article)
        self._written.add(article.id)

    def _name_double(self, new: Article, path: Path, old: Article, old_path: Path) -> None:
        """Two whole texts under one title and source: one is kept, the other one named."""
        if new.truncated or old.truncated or new.body == old.body:
            return
        lost = old_path if _better(new, old) else path
        kept = path if lost == old_path else old_path
        reason = f"《{new.title}》在 {kept} 里也有，只留了较新较全的一篇；都要留请改标题"
        self.report.skipped.append((lost, reason))
