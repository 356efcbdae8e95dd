"""Start the real program as a citizen's machine would, and time it from outside.

``app.py`` runs as a process of its own on a free port; it is polled over HTTP on 127.0.0.1.
"""

import asyncio
import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from time import perf_counter, sleep
from typing import Any, Self
from urllib.parse import urlsplit

import psutil

from corpus.errors import InputError

__all__ = [
    "Ask",
    "Site",
    "api_client",
    "free_port",
    "measure_service",
    "program",
    "queue_client",
    "resident_megabytes",
    "wait_for_hybrid",
]

APP = Path(__file__).resolve().parents[1] / "app.py"
PATIENCE = 120.0  # seconds until a start counts as failed
POLL = 0.1  # seconds between two looks
TIMEOUT = 30.0  # seconds for one request
MEGABYTE = 1_000_000  # bytes
USERS = 64  # with addresses of their own at most; see ``Site``

Ask = Callable[[str, int], Awaitable[bool]]  # question, a number of its own → whether it worked


@dataclass(frozen=True, slots=True)
class Site:
    """Where a service listens; ``visitors``: each user asks from a loopback address of its own."""

    port: int
    host: str = "127.0.0.1"
    tls: bool = False
    visitors: bool = False

    @classmethod
    def of(cls, url: str) -> Self:
        """The site of ``http://host:port``; raises ``InputError`` if it is no such address."""
        try:
            parts = urlsplit(url)
            port = parts.port or {"http": 80, "https": 443}[parts.scheme]
        except (ValueError, KeyError) as error:
            msg = f"看不懂地址 {url}，应是 http://主机:端口"
            raise InputError(msg) from error
        host = parts.hostname or ""
        return cls(port, host, parts.scheme == "https", visitors=host == "127.0.0.1")

    @property
    def url(self) -> str:
        """The address."""
        return f"{'https' if self.tls else 'http'}://{self.host}:{self.port}"

    def source(self, number: int) -> tuple[str, int] | None:
        """Where the user with that number asks from."""
        return (f"127.0.1.{number % USERS + 1}", 0) if self.visitors else None


def measure_service(index: Path, questions: list[str]) -> dict[str, float]:
    """Start-up and memory of the serving process.

    Args:
        index: an index folder.
        questions: asked once each after the encoder is there, so that memory is that of real work.

    Returns:
        ``page_seconds``, ``bm25_answer_seconds`` and ``hybrid_answer_seconds`` since the start, and
        ``resident_mb`` of the process with its children after the questions.

    Raises:
        InputError: the program ends by itself or is not up in time.
    """
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    started = perf_counter()
    with program(index, port) as process:
        _wait(process, started, lambda: _get(f"{address}/"))
        page = perf_counter() - started
        _wait(process, started, lambda: _ask(address, questions[0]) is not None)
        first = perf_counter() - started
        wait_for_hybrid(process, address, questions[0])
        hybrid = perf_counter() - started
        for question in questions:
            _ask(address, question)
        return {
            "page_seconds": page,
            "bm25_answer_seconds": first,
            "hybrid_answer_seconds": hybrid,
            "resident_mb": resident_megabytes(process.pid),
        }


def wait_for_hybrid(process: subprocess.Popen[bytes], address: str, question: str) -> None:
    """Ask until both legs take part; raises ``InputError`` if that takes too long."""
    _wait(process, perf_counter(), lambda: "dense" in _legs(_ask(address, question)))


def resident_megabytes(pid: int) -> float:
    """Resident memory of a process and of all its children, in MB (a million bytes)."""
    parent = psutil.Process(pid)
    family = [parent, *parent.children(recursive=True)]
    return float(sum(process.memory_info().rss for process in family)) / MEGABYTE


@contextmanager
def program(index: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """``app.py`` while the block runs; ended after it, whatever happens."""
    command = [sys.executable, str(APP), "--index", str(index), "--port", str(port)]
    environment = {**os.environ, "YIBAO_RATE_PER_MINUTE": "0", "YIBAO_LOG_LEVEL": "warning"}
    process = subprocess.Popen(command, cwd=APP.parent, stdout=subprocess.DEVNULL, env=environment)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait(process: subprocess.Popen[bytes], started: float, ready: Any) -> None:  # noqa: ANN401
    while not ready():
        if process.poll() is not None:
            msg = f"app.py 退出了（状态 {process.returncode}），请先单独运行 python app.py 看原因"
            raise InputError(msg)
        if perf_counter() - started > PATIENCE:
            msg = f"app.py 在 {PATIENCE:.0f} 秒内没有就绪"
            raise InputError(msg)
        sleep(POLL)


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _get(address: str) -> bool:
    """Whether ``address`` answers with status 200."""
    return _request(urllib.request.Request(address)) is not None


def _ask(address: str, question: str) -> dict[str, Any] | None:
    """The answer as JSON; ``None`` while the service cannot answer yet."""
    request = urllib.request.Request(
        f"{address}/api/ask",
        data=json.dumps({"question": question}).encode(),
        headers={"Content-Type": "application/json"},
    )
    body = _request(request)
    return None if body is None else json.loads(body)


def _request(request: urllib.request.Request) -> bytes | None:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=TIMEOUT) as response:
            return bytes(response.read())
    except (OSError, HTTPException):
        return None


def _legs(answer: dict[str, Any] | None) -> list[str]:
    return list(answer["retrieval"]["legs"]) if answer else []


def api_client(site: Site) -> Ask:
    """Asks ``/api/ask``; whether an answer came."""

    async def ask(question: str, number: int) -> bool:
        body = await _exchange(site, number, "POST", "/api/ask", {"question": question})
        return "disclaimer" in json.loads(body)

    return ask


def queue_client(site: Site) -> Ask:
    """What the page does: join the queue, then read the session's events to the end."""
    found = _request(urllib.request.Request(f"{site.url}/config"))
    if found is None:
        msg = f"{site.url} 没有应答，请检查服务是否在运行"
        raise InputError(msg)
    config = json.loads(found)
    parts = {part["id"]: part for part in config["components"]}
    event = next(
        each
        for each in config["dependencies"]
        if any(name == "submit" for _, name in each["targets"]) and len(each["inputs"]) > 1
    )
    mark = f"{time.time_ns():x}"

    def value(part: dict[str, Any], question: str) -> Any:  # noqa: ANN401 - whatever it holds
        asks = part["props"].get("elem_id") == "yb-question"
        return question if asks else None if part["type"] == "state" else part["props"].get("value")

    async def ask(question: str, number: int) -> bool:
        session = f"{mark}-{number}"
        data = [value(parts[key], question) for key in event["inputs"]]
        call = {"data": data, "fn_index": event["id"], "session_hash": session}
        await _exchange(site, number, "POST", "/gradio_api/queue/join", call)
        path = f"/gradio_api/queue/data?session_hash={session}"
        events = await _exchange(site, number, "GET", path, None)
        done = [json.loads(line[5:]) for line in events.splitlines() if line.startswith("data:")]
        return any(e["msg"] == "process_completed" and e["success"] for e in done)

    return ask


async def _exchange(
    site: Site,
    number: int,
    method: str,
    path: str,
    content: Any,  # noqa: ANN401
) -> str:
    """One request on a connection of its own; the body, which must come with status 200."""
    body = b"" if content is None else json.dumps(content).encode()
    reader, writer = await asyncio.open_connection(
        site.host, site.port, ssl=site.tls or None, local_addr=site.source(number)
    )
    try:
        head = (
            f"{method} {path} HTTP/1.0\r\nHost: {site.host}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        )
        writer.write(head.encode() + body)
        answer = await reader.read(-1)
    finally:
        writer.close()
    status, _, rest = answer.partition(b"\r\n\r\n")
    if b" 200 " not in status.split(b"\r\n", 1)[0]:
        raise ValueError(status[:80])
    return rest.decode()
