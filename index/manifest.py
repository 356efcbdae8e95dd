"""What an index was made from, which of its versions is in use, and how another one comes into use.

A version is built in a folder beside the others, under a lock, and comes into use when ``CURRENT``
is replaced in one step.
"""

import fcntl
import hashlib
import json
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TypeVar

from corpus.errors import IndexDamaged, IndexMissing, IndexStale, SearchIndexError

FORMAT = 5  # a list that ends in figures is whole though its text breaks off
REBUILD = "请重建索引：python -m index build"
CURRENT = "CURRENT"  # the file that names the version in use
Read = TypeVar("Read")


@dataclass(frozen=True, slots=True)
class Manifest:
    """What an index was made from; any difference makes it stale or foreign."""

    format: int
    corpus_path: str
    corpus: str
    lexicon: str
    encoder: str
    model: str
    dimension: int
    articles: int
    chunks: int
    sentences: int
    lent: str  # names what ways of asking were lent from; empty: none were
    files: dict[str, str]


def digest(manifest_text: str) -> str:
    """Eight hexadecimal digits of a manifest's SHA-256, the end of its version's name."""
    return hashlib.sha256(manifest_text.encode()).hexdigest()[:8]


def current_name(out: Path) -> str:
    """The name of the version in use, empty if there is no index."""
    try:
        return (out / CURRENT).read_text(encoding="utf-8").strip()
    except OSError:
        return ""
    except UnicodeDecodeError:
        return "?"


def version_of(out: Path) -> Path:
    """The folder of the version in use.

    Raises:
        IndexMissing: there is none.
        IndexDamaged: ``CURRENT`` names one that is not there.
    """
    name = current_name(out)
    if not name:
        msg = f"{out} 里没有索引，请先建立：python -m index build"
        raise IndexMissing(msg)
    if not (out / name / "manifest.json").is_file():
        msg = f"{out} 里的索引不完整。{REBUILD}"
        raise IndexDamaged(msg)
    return out / name


def read_manifest(version: Path) -> Manifest:
    """The manifest of a version; raises ``IndexDamaged`` if it is none of ours."""
    try:
        text = (version / "manifest.json").read_text(encoding="utf-8")
        manifest = Manifest(**json.loads(text))
    except (OSError, ValueError, TypeError) as error:
        msg = f"索引的清单坏了，或不是本程序的索引。{REBUILD}"
        raise IndexDamaged(msg) from error
    if not version.name.endswith(f"-{digest(text)}"):
        msg = f"索引的清单被改动。{REBUILD}"
        raise IndexDamaged(msg)
    if manifest.format != FORMAT:
        msg = f"索引是另一种格式（{manifest.format}，需要 {FORMAT}）。{REBUILD}"
        raise IndexStale(msg)
    return manifest


def sha256(path: Path) -> str:
    """SHA-256 of a file's bytes, in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def locked(out: Path) -> Iterator[None]:
    """Keep other builders out of an index folder, which is made if need be.

    Raises:
        SearchIndexError: another program is building here.
    """
    out.mkdir(parents=True, exist_ok=True)
    with (out / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            msg = f"另一个程序正在建 {out} 的索引，请等它完成再试"
            raise SearchIndexError(msg) from error
        try:
            yield
        finally:  # a failed build may have filled the disk
            for left in out.glob(".building-*"):
                shutil.rmtree(left, ignore_errors=True)


def fresh(out: Path) -> Path:
    """An empty folder to build in; what a killed build left behind goes."""
    for left in out.glob(".building-*"):
        shutil.rmtree(left)
    beside = out / f".building-{os.getpid()}"
    beside.mkdir()
    return beside


def publish(beside: Path, out: Path, manifest: Manifest) -> None:
    """Put a finished version into use in one step and drop versions older than the one before."""
    text = json.dumps(asdict(manifest), ensure_ascii=False, indent=1)
    (beside / "manifest.json").write_text(text, encoding="utf-8")
    for path in beside.iterdir():
        with path.open("rb") as file:
            os.fsync(file.fileno())
    before = current_name(out)
    name = f"v-{time.time_ns():x}-{digest(text)}"
    beside.rename(out / name)
    pointer = out / f".{CURRENT}.{os.getpid()}"
    pointer.write_text(name, encoding="utf-8")
    pointer.replace(out / CURRENT)
    for old in out.glob("v-*"):
        if old.name not in (name, before):
            shutil.rmtree(old)


def in_use(out: Path, read: Callable[[Path], Read]) -> Read:
    """Read the version in use; if another one came into use meanwhile, that one."""
    while True:
        version = version_of(out)
        try:
            return read(version)
        except (SearchIndexError, OSError):
            if current_name(out) == version.name:
                raise
