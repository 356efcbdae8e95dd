"""What can go wrong with an engine on the network: one sentence, nothing lost, no wrong answer."""

import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent import futures
from dataclasses import asdict
from pathlib import Path
from typing import Any

import psutil
import pytest

from corpus.errors import (
    EngineUnreachable,
    IndexDamaged,
    IndexMissing,
    IndexStale,
    InputError,
    SearchIndexError,
    YibaoError,
)
from index import ingest, layout, opening, remote, sinks, store, terms, versions
from index.remote import Remote, address_of
from index.search import Index
from tests.conftest import ROOT
from tests.fake_encoder import FakeEncoder
from tests.milvus_process import MilvusProcess, free_port, needs_milvus
from tests.small_corpus import QUESTIONS, write_corpus

pytestmark = needs_milvus
KILLS = 10


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[MilvusProcess]:
    (tmp_path / "milvus").mkdir()
    process = MilvusProcess(tmp_path / "milvus")
    yield process
    process.kill()


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    return write_corpus(tmp_path / "文章")


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote, "READ_SECONDS", 0.5)
    monkeypatch.setattr(remote, "WRITE_TRIES", 3)


def build(corpus: Path, engine: MilvusProcess) -> versions.Version:
    cache = corpus.with_name("cache.db")
    return ingest.build(corpus, Remote(engine.uri), FakeEncoder(), cache, lambda *_: None)[0]


def verify(corpus: Path, engine: MilvusProcess) -> versions.Version:
    return ingest.verify(corpus, Remote(engine.uri), FakeEncoder(), corpus.with_name("cache.db"))


def opened(engine: MilvusProcess) -> Index:
    index = opening.open_engine(engine.uri)
    store.attach(index, FakeEncoder())
    return index


def answers(index: Index) -> list[list[tuple[str, float]]]:
    return [[(hit.chunk.id, hit.score) for hit in index.search(q, 5)] for q in QUESTIONS]


def told(error: Exception) -> str:
    """The sentence of an error, which must be one, in Chinese."""
    sentence = str(error)
    assert "\n" not in sentence
    assert "Traceback" not in sentence
    assert "请" in sentence
    return sentence


@pytest.mark.parametrize(
    "uri", ["", "milvus://", "ftp://a", "没有/这个/目录.db", "localhost:19530"]
)
def test_an_address_that_is_none(uri: str) -> None:
    with pytest.raises(InputError, match="看不懂 Milvus 的地址") as caught:
        address_of(uri)
    assert "应是" in str(caught.value)


def test_nobody_there_is_told_soon() -> None:
    started = time.monotonic()
    with pytest.raises(EngineUnreachable, match="连不上检索引擎") as caught:
        opening.open_engine(f"milvus://127.0.0.1:{free_port()}")
    told(caught.value)
    assert time.monotonic() - started < 5


@pytest.mark.usefixtures("impatient")
def test_a_server_that_never_answers_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        started = time.monotonic()
        with pytest.raises(EngineUnreachable, match="没有按时回答"):
            opening.open_engine(f"milvus://127.0.0.1:{silent.getsockname()[1]}")
        assert time.monotonic() - started < 5


@pytest.mark.usefixtures("impatient")
def test_a_server_that_stops_in_the_middle_and_goes_on(corpus: Path, engine: MilvusProcess) -> None:
    """SIGSTOP: connections stay open, and nothing comes back."""
    build(corpus, engine)
    index = opened(engine)
    before = answers(index)
    subprocess.run(["kill", "-STOP", str(engine.pid)], check=True)
    started = time.monotonic()
    with pytest.raises(EngineUnreachable) as caught:
        index.search("惠州门诊报多少", 5)
    told(caught.value)
    assert time.monotonic() - started < 5
    subprocess.run(["kill", "-CONT", str(engine.pid)], check=True)
    assert answers(index) == before


def test_a_wrong_token_is_told() -> None:
    import grpc

    class Refusing(grpc.GenericRpcHandler):  # type: ignore[misc]
        def service(self, _: object) -> Any:
            def refuse(_: bytes, context: Any) -> bytes:
                context.abort(grpc.StatusCode.UNAUTHENTICATED, "auth check failure")
                return b""

            return grpc.unary_unary_rpc_method_handler(refuse)

    server = grpc.server(futures.ThreadPoolExecutor(2), handlers=[Refusing()])
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        with pytest.raises(InputError, match="不接受口令，请检查 MILVUS_TOKEN"):
            opening.open_engine(f"milvus://127.0.0.1:{port}", "wrong")
    finally:
        server.stop(None)


def spoil(engine: MilvusProcess, change: Callable[[versions.Version], str]) -> None:
    """Publish the version in use again, its text changed."""
    link = Remote(engine.uri)
    text = change(versions.current(link))
    row = {"serial": time.time_ns(), "version": text, "unit": [1.0, 0.0]}
    link.write("upsert", layout.VERSIONS, [row])


def with_field(**changed: object) -> Callable[[versions.Version], str]:
    return lambda version: json.dumps(asdict(version) | changed)


FOREIGN: list[tuple[Callable[[versions.Version], str], type[YibaoError], str]] = [
    (lambda _: "不是 JSON", IndexDamaged, "坏了"),
    (lambda _: '{"format": 1}', IndexDamaged, "坏了"),
    (with_field(format=99), IndexStale, "另一种格式（99"),
    (with_field(lexicon="另一个"), IndexStale, "词库改过了"),
    (with_field(dimension=8), IndexDamaged, "不是 8 维"),
    (with_field(rows={"yibao_gone_search": 3}), IndexDamaged, "不完整"),
]


def test_a_foreign_version_is_refused_and_a_build_mends_it(
    corpus: Path, engine: MilvusProcess
) -> None:
    build(corpus, engine)
    before = answers(opened(engine))
    for change, kind, said in FOREIGN:
        spoil(engine, change)
        with pytest.raises(kind, match=said) as caught:
            opened(engine)
        assert f"python -m index build --to {engine.uri}" in told(caught.value)
        build(corpus, engine)
        assert answers(opened(engine)) == before


def test_no_index_and_another_model(corpus: Path, engine: MilvusProcess) -> None:
    with pytest.raises(IndexMissing, match="请先建立：python -m index build --to"):
        opened(engine)
    build(corpus, engine)
    index = opening.open_engine(engine.uri)
    with pytest.raises(IndexStale, match="另一个模型"):
        store.attach(index, FakeEncoder("fake-2", dimension=8))


def test_lost_or_altered_rows_are_found_and_mended(corpus: Path, engine: MilvusProcess) -> None:
    version = build(corpus, engine)
    before, link = answers(opened(engine)), Remote(engine.uri)
    records = layout.store_name(version.name)
    link.write("delete", records, ids=["p0"])
    with pytest.raises(IndexDamaged, match="不完整"):
        opened(engine)
    build(corpus, engine)
    assert verify(corpus, engine) == version
    (row,) = layout.store_rows("p0", layout.pack("别的"))
    link.write("upsert", records, [row])
    with pytest.raises(IndexDamaged, match="1 行与文章对不上"):
        verify(corpus, engine)
    link.write("drop_collection", records)
    build(corpus, engine)
    verify(corpus, engine)
    assert answers(opened(engine)) == before


def test_verify_knows_a_changed_corpus_and_lexicon(
    corpus: Path, engine: MilvusProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    build(corpus, engine)
    (corpus / "新.md").write_text("# 新的\n\n新的一篇。", encoding="utf-8")
    with pytest.raises(IndexStale, match="文章改过了"):
        verify(corpus, engine)
    monkeypatch.setattr(terms, "fingerprint", lambda: "another")
    with pytest.raises(IndexStale, match="词库改过了"):
        verify(corpus, engine)


def test_old_versions_go_on_request_and_are_missed_in_one_sentence(
    corpus: Path, engine: MilvusProcess
) -> None:
    build(corpus, engine)
    old = opened(engine)
    (corpus / "新.md").write_text("# 新的\n\n新的一篇。", encoding="utf-8")
    build(corpus, engine)
    assert answers(old)
    link = Remote(engine.uri)
    assert versions.drop_old(link) == 2
    assert versions.drop_old(link) == 0
    with pytest.raises(IndexStale, match="可能已被删除") as caught:
        old.search("生育津贴谁申请", 5)
    told(caught.value)
    assert opened(engine).articles["新"].title == "新的"


def test_readers_go_on_while_versions_change(corpus: Path, engine: MilvusProcess) -> None:
    build(corpus, engine)
    held, expected = opened(engine), answers(opened(engine))
    faults: list[BaseException] = []
    asked, stop = 0, threading.Event()

    def read() -> None:
        nonlocal asked
        while not stop.is_set():
            try:
                assert answers(held) == expected
                assert opened(engine).search("惠州门诊报多少", 1)
                asked += 1
            except BaseException as error:  # noqa: BLE001 - told to the test's own thread
                faults.append(error)
                return

    reader = threading.Thread(target=read)
    reader.start()
    for n in range(1):
        (corpus / "新.md").write_text(f"# 新的\n\n第{n}次。", encoding="utf-8")
        build(corpus, engine)
    stop.set()
    reader.join()
    assert faults == []
    assert asked > 0


def test_kills_of_the_engine_in_queries(corpus: Path, engine: MilvusProcess) -> None:
    build(corpus, engine)
    expected = answers(opened(engine))
    for kill in range(KILLS):
        index = opened(engine)
        killer = threading.Timer(0.004 * kill, engine.kill)
        killer.start()
        for question, known in zip(QUESTIONS, expected, strict=True):
            try:
                hits = index.search(question, 5)
            except EngineUnreachable as error:
                told(error)
                break
            assert [(hit.chunk.id, hit.score) for hit in hits] == known
        killer.join()
        engine.start()
        assert answers(index) == expected  # it recovers by itself


@pytest.mark.usefixtures("impatient")
def test_kills_of_the_engine_in_an_ingest(
    corpus: Path, engine: MilvusProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sinks, "BATCH", 12)
    build(corpus, engine)
    before = answers(opened(engine))
    whole, writes = Remote.write, 0
    for kill in range(KILLS):
        (corpus / "新.md").write_text(f"# 新的\n\n第{kill}次讲惠州门诊。", encoding="utf-8")

        def write(self: Remote, name: str, *args: object, kill: int = kill, **kw: object) -> Any:
            nonlocal writes
            writes += 1
            if writes == 20 * kill // KILLS + 1:
                if kill % 2:  # in the middle of the batch, or before it
                    threading.Timer(0.002, engine.kill).start()
                else:
                    engine.kill()
            return whole(self, name, *args, **kw)

        writes = 0
        monkeypatch.setattr(Remote, "write", write)
        with pytest.raises(EngineUnreachable) as caught:
            build(corpus, engine)
        told(caught.value)
        monkeypatch.setattr(Remote, "write", whole)
        engine.kill()
        engine.start()
        assert answers(opened(engine)) == before  # the version in use
    resumed = build(corpus, engine)
    assert verify(corpus, engine) == resumed
    assert undisturbed(corpus, engine) == resumed


def undisturbed(corpus: Path, engine: MilvusProcess) -> versions.Version:
    """The same corpus, written in one go into an empty engine."""
    engine.kill()
    (engine.place / "engine.db").unlink()
    engine.start()
    return build(corpus, engine)


KILLER = """
import json, os, random, signal, sys, time
from pathlib import Path
import pymilvus
from index import ingest, opening, sinks, store
from index.remote import Remote
from index.terms import terms
from tests.fake_encoder import FakeEncoder

corpus, uri, kills = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
sinks.BATCH = 12
terms("医保")  # dictionaries are read here, once


def forked(work):
    child = os.fork()
    if not child:
        work()
        os._exit(0)
    return child


def build():
    cache = corpus.with_name("cache.db")
    ingest.build(corpus, Remote(uri), FakeEncoder(), cache, lambda *_: None)


def look():
    index = opening.open_engine(uri)
    print(index.version, [hit.chunk.id for hit in index.search("惠州门诊报多少", 5)], flush=True)


os.waitpid(forked(build), 0)
moments = random.Random(20261126)
for kill in range(kills):
    (corpus / "新.md").write_text(f"# 新的\\n\\n第{kill // 5}次讲惠州门诊。", encoding="utf-8")
    child = forked(build)
    time.sleep(moments.uniform(0.05, 0.6))
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    os.waitpid(forked(look), 0)
"""


def test_kills_of_the_ingest(corpus: Path, engine: MilvusProcess) -> None:
    command = [sys.executable, "-c", KILLER, str(corpus), engine.uri, str(KILLS)]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr
    seen = done.stdout.splitlines()
    assert len(seen) == KILLS, done.stderr
    assert len(set(seen)) <= 3  # whole versions only
    resumed = build(corpus, engine)
    assert verify(corpus, engine) == resumed
    assert undisturbed(corpus, engine) == resumed


CUTTING = """
from concurrent.futures import ProcessPoolExecutor
from time import sleep
from index.ingest import _end_with_parent
pool = ProcessPoolExecutor(2, initializer=_end_with_parent)
list(pool.map(abs, range(9)))
print(*pool._processes, flush=True)
sleep(60)
"""


def test_the_cutting_processes_end_with_a_killed_ingest() -> None:
    ingest_process = subprocess.Popen(
        [sys.executable, "-c", CUTTING], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert ingest_process.stdout is not None
    pids = list(map(int, ingest_process.stdout.readline().split()))
    workers = [psutil.Process(pid) for pid in pids]
    ingest_process.kill()
    ingest_process.wait()
    ingest_process.stdout.close()
    _, left = psutil.wait_procs(workers, timeout=10)
    assert pids
    assert not [of for of in left if of.status() != psutil.STATUS_ZOMBIE]


def test_other_errors_of_the_engine_are_told(corpus: Path, engine: MilvusProcess) -> None:
    version = build(corpus, engine)
    with pytest.raises(SearchIndexError, match="拒绝了请求") as caught:
        Remote(engine.uri).read("query", layout.store_name(version.name), filter="((", limit=1)
    told(caught.value)


@pytest.mark.usefixtures("impatient")
def test_many_readers_are_told_at_once_when_the_engine_is_gone(
    corpus: Path, engine: MilvusProcess
) -> None:
    build(corpus, engine)
    index = opened(engine)
    before = answers(index)
    assert index.answers()
    subprocess.run(["kill", "-STOP", str(engine.pid)], check=True)
    waits: list[float] = []

    def read() -> None:
        started = time.monotonic()
        with pytest.raises(EngineUnreachable):
            index.search("惠州门诊报多少", 5)
        waits.append(time.monotonic() - started)

    with futures.ThreadPoolExecutor(8) as readers:
        for done in [readers.submit(read) for _ in range(64)]:
            done.result()
    assert not index.answers()
    assert sorted(waits)[50] < 0.1  # all but the first eight, who tried
    subprocess.run(["kill", "-CONT", str(engine.pid)], check=True)
    assert index.answers()  # a look closes the breaker
    assert answers(index) == before
