"""What can go wrong with an index: every damage is found, and the old index stays in use."""

import dataclasses
import fcntl
import json
import os
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from corpus.errors import IndexDamaged, IndexMissing, IndexStale, SearchIndexError
from index import bm25, manifest, passages, shipped, store
from index.search import passage_text
from index.vectors import Vectors
from tests.conftest import ROOT
from tests.fake_encoder import FakeEncoder
from tests.small_corpus import FILES, QUESTIONS, answers, write_corpus


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    return write_corpus(tmp_path / "文章")


@pytest.fixture
def built(corpus: Path, tmp_path: Path) -> Path:
    out = tmp_path / "索引"
    store.build(corpus, out, FakeEncoder())
    return out


@pytest.mark.parametrize("name", [*FILES, "manifest.json", "CURRENT"])
@pytest.mark.parametrize("where", [0.3, 0.99])
def test_one_flipped_byte_is_found(built: Path, name: str, where: float) -> None:
    path = built / name if name == "CURRENT" else manifest.version_of(built) / name
    data = bytearray(path.read_bytes())
    data[int(where * len(data))] ^= 0x81
    path.write_bytes(data)
    for check in (store.verify, store.open_index):
        with pytest.raises(IndexDamaged, match="请重建索引：python -m index build"):
            check(built)


@pytest.mark.parametrize("name", [*FILES, "manifest.json"])
def test_a_missing_file_is_found_and_a_build_mends_it(corpus: Path, built: Path, name: str) -> None:
    before = answers(built)
    (manifest.version_of(built) / name).unlink()
    for check in (store.verify, store.open_index):
        with pytest.raises(IndexDamaged):
            check(built)
    encoder = FakeEncoder()
    assert store.build(corpus, built, encoder)[1]
    assert encoder.passages == []  # the cache has them all
    assert answers(built) == before


def test_no_index(tmp_path: Path) -> None:
    for place in (tmp_path, tmp_path / "没有"):
        for check in (store.verify, store.open_index):
            with pytest.raises(IndexMissing, match="请先建立：python -m index build"):
                check(place)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": 1}', "null", "不是 JSON"])
def test_a_foreign_manifest(built: Path, text: str) -> None:
    (manifest.version_of(built) / "manifest.json").write_text(text, encoding="utf-8")
    with pytest.raises(IndexDamaged, match="清单"):
        store.verify(built)


def test_an_index_of_another_format_is_stale(built: Path) -> None:
    version = manifest.version_of(built)
    data = dataclasses.asdict(manifest.read_manifest(version)) | {"format": 99}
    text = json.dumps(data)
    (version / "manifest.json").write_text(text, encoding="utf-8")
    renamed = version.rename(built / f"v-0-{manifest.digest(text)}")
    (built / "CURRENT").write_text(renamed.name, encoding="utf-8")
    with pytest.raises(IndexStale, match="99"):
        store.verify(built)


@pytest.mark.parametrize(
    ("owner", "name"),
    [
        (passages, "save"),
        (bm25, "save"),
        (Vectors, "save"),
        (np, "save"),
        (manifest, "publish"),
        (os, "fsync"),
        (Path, "replace"),
    ],
)
def test_a_build_that_dies_leaves_the_old_index_in_use(
    corpus: Path, built: Path, monkeypatch: pytest.MonkeyPatch, owner: object, name: str
) -> None:
    (corpus / "新.md").write_text("# 新的\n\n新的一篇。", encoding="utf-8")
    shutil.copytree(corpus, corpus.with_name("旧"))
    version = manifest.version_of(built)

    def die(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(owner, name, die)
        with pytest.raises(KeyboardInterrupt):
            store.build(corpus, built, FakeEncoder())
    assert manifest.version_of(built) == version
    assert not list(built.glob(".building-*"))
    (corpus / "新.md").unlink()
    assert len(answers(built)) == len(QUESTIONS)
    (corpus / "新.md").write_text("# 新的\n\n新的一篇。", encoding="utf-8")
    assert store.build(corpus, built, FakeEncoder())[1]
    assert "新" in store.open_index(built).articles


KILLED = """
import sys, time
from pathlib import Path
from index import store
from tests.fake_encoder import FakeEncoder

class Slow(FakeEncoder):
    def encode_passages(self, texts, *, progress=None):
        if self.passages:  # the first stage is done
            Path(sys.argv[3]).touch()
            time.sleep(60)
        return super().encode_passages(texts, progress=progress)

store.build(Path(sys.argv[1]), Path(sys.argv[2]), Slow("slow"))
"""


def test_a_killed_builder_leaves_the_old_index_in_use(
    corpus: Path, built: Path, tmp_path: Path
) -> None:
    before = answers(built)
    marker = tmp_path / "half"
    command = [sys.executable, "-c", KILLED, str(corpus), str(built), str(marker)]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL) as builder:
        for _ in range(600):
            if marker.exists() or builder.poll() is not None:
                break
            time.sleep(0.05)
        assert marker.exists()
        with pytest.raises(SearchIndexError, match="另一个程序正在建"):
            store.build(corpus, built, FakeEncoder("fake-2"))
        builder.send_signal(signal.SIGKILL)
    assert list(built.glob(".building-*"))
    assert answers(built) == before
    resumed = FakeEncoder("slow")
    assert store.build(corpus, built, resumed)[1]
    index = store.open_index(built)
    titles = {article.id: article.title for article in index.articles.values()}
    chunks = {passage_text(titles[chunk.article_id], chunk.text) for chunk in index.chunks}
    assert chunks.isdisjoint(resumed.passages)  # they were in the cache
    assert not list(built.glob(".building-*"))


def test_two_builders_are_kept_apart(corpus: Path, built: Path) -> None:
    with (built / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(SearchIndexError, match=r"另一个程序正在建.*请等它完成再试"):
            store.build(corpus, built, FakeEncoder())
    store.build(corpus, built, FakeEncoder())


@contextmanager
def small_disk() -> Iterator[None]:
    """No file may grow beyond some bytes: what a full disk does, from the kernel.

    No fixture: pytest's own output, if it goes to a file, must not be written meanwhile.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1500, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_full_disk_is_one_sentence_and_the_old_index_stays(corpus: Path, built: Path) -> None:
    version = manifest.version_of(built)
    other = FakeEncoder("fake-2")
    with pytest.raises(SearchIndexError, match="旧索引没有动") as caught, small_disk():
        store.build(corpus, built, other)
    assert "None" not in str(caught.value)
    assert "\n" not in str(caught.value)
    assert manifest.version_of(built) == version
    assert not list(built.glob(".building-*"))


@pytest.fixture
def tmpfs(tmp_path: Path) -> Iterator[Path]:
    """A real disk of a few pages, which only root may mount."""
    place = tmp_path / "小盘"
    place.mkdir()
    options = ["-t", "tmpfs", "-o", "size=512k", "tmpfs", str(place)]
    try:
        done = subprocess.run(["mount", *options], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        pytest.skip("needs the command mount")
    if done.returncode:
        pytest.skip(f"a small disk cannot be mounted here: {done.stderr.strip()}")
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)


def test_a_small_disk_that_fills_at_any_moment_keeps_the_old_index(
    corpus: Path, tmpfs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shipped, "SHIPPED_VECTORS", tmpfs / "没有")  # larger than the disk
    out, ballast = tmpfs / "索引", tmpfs / "占着"
    store.build(corpus, out, FakeEncoder())
    before, version = answers(out), manifest.version_of(out)
    used = sum(path.stat().st_blocks * 512 for path in tmpfs.rglob("*") if path.is_file())
    (corpus / "新.md").write_text("# 新的\n\n新的一篇讲惠州门诊。", encoding="utf-8")
    failed = 0
    for left in range(0, used, 4 * 4096):  # bytes that a build may still write
        ballast.unlink(missing_ok=True)
        free = shutil.disk_usage(tmpfs).free
        ballast.write_bytes(bytes(max(0, free - left)))
        told = ""
        try:
            store.build(corpus, out, FakeEncoder())
        except SearchIndexError as error:
            told = str(error)
        if not told:
            break
        failed += 1
        assert "旧索引没有动" in told
        assert "\n" not in told
        assert manifest.version_of(out) == version
        assert not list(out.glob(".building-*"))
    assert failed > 2
    ballast.unlink()
    store.build(corpus, out, FakeEncoder())
    assert "新" in store.open_index(out).articles
    (corpus / "新.md").unlink()
    store.build(corpus, out, FakeEncoder())
    assert answers(out) == before


BUILDER = """
import sys, time
from pathlib import Path
from corpus.errors import SearchIndexError
from index import store
from tests.fake_encoder import FakeEncoder

class Slow(FakeEncoder):
    def encode_passages(self, texts, *, progress=None):
        time.sleep(1)
        return super().encode_passages(texts, progress=progress)

print("ready", flush=True)
sys.stdin.readline()
try:
    store.build(Path(sys.argv[1]), Path(sys.argv[2]), Slow(sys.argv[3]))
except SearchIndexError as error:
    print("refused", error)
else:
    print("built", sys.argv[3])
"""


def test_of_two_builders_at_once_one_builds_and_one_is_told(corpus: Path, built: Path) -> None:
    before = answers(built)
    command = [sys.executable, "-c", BUILDER, str(corpus), str(built)]
    builders = [
        subprocess.Popen(
            [*command, f"fake-{number}"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in (2, 3)
    ]
    for builder in builders:
        assert builder.stdout is not None
        assert builder.stdout.readline() == "ready\n"
    said = []
    for builder in builders:
        assert builder.stdin is not None
        builder.stdin.write("go\n")
        builder.stdin.flush()
    for builder in builders:
        said.append(builder.communicate(timeout=120)[0].strip())
        assert builder.returncode == 0
    first, second = sorted(said)
    assert first.startswith("built fake-")
    assert second.startswith("refused 另一个程序正在建")
    assert store.open_index(built).encoder_name == first.removeprefix("built ")
    assert not list(built.glob(".building-*"))
    store.build(corpus, built, FakeEncoder())
    assert answers(built) == before


@pytest.mark.parametrize(
    "error",
    [
        OSError(28, "No space left on device"),
        sqlite3.OperationalError("database or disk is full"),
    ],
)
@pytest.mark.parametrize(("owner", "name"), [(passages, "save"), (bm25, "save"), (Vectors, "save")])
def test_a_write_error_is_one_sentence(
    corpus: Path,
    built: Path,
    monkeypatch: pytest.MonkeyPatch,
    owner: object,
    name: str,
    error: Exception,
) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(owner, name, fail)
    with pytest.raises(SearchIndexError, match="写不了索引目录") as caught:
        store.build(corpus, built, FakeEncoder("fake-2"))
    assert "No space" in str(caught.value) or "disk is full" in str(caught.value)
    assert len(answers(built)) == len(QUESTIONS)


def test_an_out_folder_that_is_a_file(corpus: Path, tmp_path: Path) -> None:
    (tmp_path / "占").write_text("文件", encoding="utf-8")
    with pytest.raises(SearchIndexError, match="写不了索引目录"):
        store.build(corpus, tmp_path / "占", FakeEncoder())


def test_a_damaged_cache_does_not_stop_a_build(corpus: Path, built: Path) -> None:
    before = answers(built)
    (built / "embeddings.db").write_bytes(b"no database" * 1000)
    shutil.rmtree(manifest.version_of(built))
    assert store.build(corpus, built, FakeEncoder())[1]
    assert answers(built) == before
