"""Start the real program as a citizen's machine would, and time it from outside.

``app.py`` runs as a process of its own on a free port; it is polled over HTTP on 127.0.0.1.
"""

import json
import os
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPException
from pathlib import Path
from time import perf_counter, sleep
from typing import Any

import psutil

from corpus.errors import InputError

__all__ = [
    "free_port",
    "measure_service",
    "program",
    "resident_megabytes",
    "wait_for_hybrid",
]

APP = Path(__file__).resolve().parents[1] / "app.py"
PATIENCE = 120.0  # seconds until a start counts as failed
POLL = 0.1  # seconds between two looks
TIMEOUT = 30.0  # seconds for one request
MEGABYTE = 1_000_000  # bytes


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
