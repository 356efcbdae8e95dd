"""The real program as a process: killed, besieged by slow clients, told personal data."""

import asyncio
import http.client
import json
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from chatbot import headers
from chatbot.feedback import Feedback
from corpus.folder import SHIPPED
from eval.bench_serve import free_port
from eval.visitors import Ask, Connections, Site, api_client, queue_client
from index import store
from index.encoder import Encoder
from tests.conftest import EMBEDDINGS, ROOT
from tests.test_masking import seeded

ARTICLES = sorted(path for path in SHIPPED.glob("*.md") if path.stem.islower())[:7]
START_SECONDS = 90.0
SLOW_CLIENTS = 40
WRITERS = 4


@dataclass
class Running:
    """A started program, its address and what it has logged."""

    process: "subprocess.Popen[bytes]"
    port: int
    log: Path

    def request(self, path: str, content: object = None) -> tuple[int, bytes]:
        """Status and body of a request; ``content`` goes as JSON."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            body = None if content is None else json.dumps(content)
            method = "GET" if body is None else "POST"
            connection.request(method, path, body, {"content-type": "application/json"})
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()

    def wait(self, words: str) -> None:
        """Wait until the log holds ``words``."""
        give_up = time.monotonic() + START_SECONDS
        while words not in self.log.read_text(encoding="utf-8"):
            assert self.process.poll() is None, self.log.read_text(encoding="utf-8")
            assert time.monotonic() < give_up, words
            time.sleep(0.1)


@contextmanager
def running(index: Path, folder: Path, name: str) -> Iterator[Running]:
    """``app.py`` with feedback and kept questions; killed at the end."""
    log, port = folder / f"{name}.log", free_port()
    environment = {
        **os.environ,
        "YIBAO_FEEDBACK": str(folder / "feedback.db"),
        "YIBAO_KEEP_QUESTIONS": "true",
        "YIBAO_RATE_PER_MINUTE": "0",
        "YIBAO_LOG_LEVEL": "debug",
    }
    command = [sys.executable, "app.py", "--index", str(index), "--port", str(port)]
    with (
        log.open("wb") as written,
        subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=written
        ) as process,
    ):
        try:
            started = Running(process, port, log)
            _wait_until_up(started)
            yield started
        finally:
            process.kill()


def _wait_until_up(started: Running) -> None:
    give_up = time.monotonic() + START_SECONDS
    while time.monotonic() < give_up and started.process.poll() is None:
        try:
            if started.request("/healthz")[0] == 200:
                return
        except OSError:
            time.sleep(0.1)
    pytest.fail(started.log.read_text(encoding="utf-8") or "the server did not start")


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("corpus")
    for path in ARTICLES[:-1]:
        (folder / path.name).write_bytes(path.read_bytes())
    return folder


def test_killed_while_feedback_is_written_and_an_index_is_swapped(
    corpus: Path, encoder: Encoder, tmp_path: Path
) -> None:
    index = tmp_path / "index"
    store.build(corpus, index, encoder, cache=EMBEDDINGS)
    with running(index, tmp_path, "first") as first:
        _personal_data(first)
        _slow_clients_disturb_nobody(first)
        _visitors_of_the_load_bench_are_answered(first)
        first.wait("encoder ready")
        acknowledged: list[int] = []
        writers = [
            threading.Thread(target=_write, args=(first, n, acknowledged)) for n in range(WRITERS)
        ]
        for writer in writers:
            writer.start()
        (corpus / ARTICLES[-1].name).write_bytes(ARTICLES[-1].read_bytes())
        store.build(corpus, index, encoder, cache=EMBEDDINGS)
        time.sleep(random.Random(6).uniform(3, 6))  # the program looks every five seconds
        os.kill(first.process.pid, signal.SIGKILL)
        for writer in writers:
            writer.join()
    assert len(acknowledged) > 20
    with running(index, tmp_path, "second") as second:
        assert json.loads(second.request("/readyz")[1])["articles"] == len(ARTICLES)
        assert second.request("/api/ask", {"question": "门诊怎么报销"})[0] == 200
        assert second.request("/api/feedback", _verdict("z"))[0] == 204
        second.process.send_signal(signal.SIGTERM)
        assert second.process.wait(timeout=30) in (0, -signal.SIGTERM)
    kept = Feedback.open(tmp_path / "feedback.db")
    held = {verdict.question for verdict in kept.verdicts()}
    kept.close()
    assert {f"w{n}" for n in acknowledged} <= held
    assert len([one for one in held if one[0] == "w"]) <= len(acknowledged) + WRITERS
    assert "z" in held
    _nothing_personal_is_left(tmp_path)


def _verdict(question: str) -> dict[str, str]:
    return {"question": question, "answer_kind": "answer", "verdict": "bad", "reason": "过期"}


def _write(program: Running, number: int, acknowledged: list[int]) -> None:
    """Send verdicts one after another; those with status 204 are acknowledged."""
    for n in range(number, 100_000, WRITERS):
        try:
            status, _ = program.request("/api/feedback", _verdict(f"w{n}"))
        except (OSError, http.client.HTTPException):
            return
        assert status == 204
        acknowledged.append(n)


def _personal_data(program: Running) -> None:
    """Tell it 100 numbers: as questions, in the dialogue, the region, feedback and broken calls."""
    for n, (text, _) in enumerate(seeded()):
        if n % 4 == 0:
            question = {"turns": [text, f"{text}住院呢"], "region": text[:200], "id": text}
            assert program.request("/api/ask", question)[0] == 200
        assert program.request("/api/feedback", _verdict(text) | {"reason": text})[0] == 204
        assert program.request("/api/ask", {"question": [text]})[0] == 422
        assert program.request(f"/article/{n}?quote={n}")[0] == 404
        call = {"data": [text], "fn_index": 999, "session_hash": f"s{n}"}
        assert program.request("/gradio_api/queue/join", call)[0] == 422
        short = {"data": [text], "fn_index": 0, "session_hash": f"s{n}"}
        assert program.request("/gradio_api/queue/join", short)[0] == 422
        if n % 10 == 0:
            call = {"data": [text, text, "", None], "fn_index": 0, "session_hash": f"s{n}"}
            for _ in range(2):  # the second time it is replayed
                assert program.request("/gradio_api/queue/join", call)[0] == 200
            status, events = program.request(f"/gradio_api/queue/data?session_hash=s{n}")
            assert (status, events.count(b'"process_completed"')) == (200, 2)


def _nothing_personal_is_left(folder: Path) -> None:
    written = b"".join(
        path.read_bytes() for path in folder.iterdir() if path.suffix in (".log", ".db")
    ).decode(errors="ignore")
    assert "【号码】" in written
    assert [number for _, number in seeded() if number in written] == []


def _visitors_of_the_load_bench_are_answered(program: Running) -> None:
    """At both entries, and on connections that are kept open."""

    async def visit(ask: Ask, connections: Connections) -> bool:
        async with connections:
            return all([await ask(connections, "门诊怎么报销", number) for number in range(3)])

    site = Site(program.port)
    for ask in (api_client, queue_client(site)):
        assert asyncio.run(visit(ask, Connections(site)))


def _slow_clients_disturb_nobody(program: Running) -> None:
    """Half a head, half a body, from many: another client is answered as ever."""
    half = (
        b"POST /api/ask HTTP/1.1\r\nHost: x\r\n",
        b"POST /api/ask HTTP/1.1\r\nHost: x\r\nContent-Length: 50\r\n\r\n{",
    )
    held = []
    for n in range(SLOW_CLIENTS):
        slow = socket.create_connection(("127.0.0.1", program.port))
        slow.sendall(half[n % 2])
        held.append(slow)
    started = time.monotonic()
    assert program.request("/api/ask", {"question": "门诊怎么报销"})[0] == 200
    assert time.monotonic() - started < headers.HEAD_SECONDS
    for slow in held:
        slow.close()
