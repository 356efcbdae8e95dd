"""How the service holds under many users at once: ``python -m eval bench --load``.

``app.py`` runs as a process of its own; raw asyncio clients, each waiting for its answer before it
asks again, put real questions to ``POST /api/ask`` and to the queue that the page uses.
"""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass
from itertools import count
from pathlib import Path
from typing import Any
from urllib.request import ProxyHandler, build_opener

import numpy as np

from chatbot.answer import Chatbot
from eval.bench_serve import free_port, program, resident_megabytes, wait_for_hybrid
from eval.console import show_table
from eval.expectations import load_cases, question_files
from eval.results import make_folder, write_json

USERS = (1, 8, 32, 64)
SECONDS = 12.0  # of each measurement
LONG_QUESTIONS = 20_000  # of the memory measurement with --long
QUESTIONS = 1_500  # of the shorter one
BARE_SECONDS = 10.0
TIMEOUT = 60.0  # seconds for one answer

Ask = Callable[[str, int], Awaitable[bool]]


@dataclass(frozen=True, slots=True)
class Load:
    """One measurement; times in ms, throughput in answers a second."""

    entry: str
    users: int
    answers: int
    errors: int
    p50_ms: float
    p95_ms: float
    per_second: float
    of_bare: float


def bench_load(index: Path, out: Path, *, long: bool) -> dict[str, Any]:
    """``run_load`` with the shipped development questions."""
    questions = [case.question for case in load_cases(question_files("dev"))]
    return run_load(index, list(filter(str.strip, questions)), out, long=long)


def run_load(index: Path, questions: Sequence[str], out: Path, *, long: bool) -> dict[str, Any]:
    """Measure both entries at 1, 8, 32, 64 users, then memory over many questions.

    Args:
        index: an index folder.
        questions: asked in turn.
        out: the JSON file.
        long: 20,000 questions for the memory instead of 1,500.
    """
    make_folder(out.parent)
    bare = _bare_per_second(index, questions)
    port = free_port()
    with program(index, port) as process:
        wait_for_hybrid(process, f"http://127.0.0.1:{port}", questions[0])
        rows = [
            asdict(asyncio.run(_measure(entry, users, port, questions, bare)))
            for entry in ("api", "queue")
            for users in USERS
        ]
        before = resident_megabytes(process.pid)
        asked = LONG_QUESTIONS if long else QUESTIONS
        failed = asyncio.run(_many(port, questions, asked))
        after = resident_megabytes(process.pid)
    memory = {"questions": asked, "errors": failed, "before_mb": before, "after_mb": after}
    report = {"bare_per_second": bare, "rows": rows, "memory": memory}
    write_json(out, report)
    return report


def show_load(report: dict[str, Any]) -> None:
    """Print the table and the memory."""
    rows = [
        (
            row["entry"],
            str(row["users"]),
            str(row["answers"]),
            str(row["errors"]),
            f"{row['p50_ms']:.0f}",
            f"{row['p95_ms']:.0f}",
            f"{row['per_second']:.1f}",
            f"{row['of_bare']:.0%}",
        )
        for row in report["rows"]
    ]
    memory = report["memory"]
    head = ("入口", "用户", "答案", "错误", "p50 ms", "p95 ms", "每秒", "比单独的答题函数")
    show_table(head, rows)
    told = f"{memory['before_mb']:.0f} → {memory['after_mb']:.0f} MB"
    show_table(("又答", "错误", "内存"), [(str(memory["questions"]), str(memory["errors"]), told)])


def _bare_per_second(index: Path, questions: Sequence[str]) -> float:
    """Answers a second of the bare function, one after another."""
    bot = Chatbot.open(index)
    bot.warm()
    started = time.perf_counter()
    for n in count(1):
        bot.ask(questions[n % len(questions)])
        passed = time.perf_counter() - started
        if passed > BARE_SECONDS:
            return n / passed
    raise AssertionError


async def _measure(
    entry: str, users: int, port: int, questions: Sequence[str], bare: float
) -> Load:
    ask = _api(port) if entry == "api" else _queue(port)
    times: list[float] = []
    errors = 0
    started = time.perf_counter()

    async def user(number: int) -> None:
        nonlocal errors
        for n in count(number * 7):
            asked = time.perf_counter()
            if asked - started > SECONDS:
                return
            errors += not await _safely(ask, questions[n % len(questions)], n * users + number)
            times.append((time.perf_counter() - asked) * 1000)

    await asyncio.gather(*map(user, range(users)))
    passed = time.perf_counter() - started
    p50, p95 = np.percentile(times, [50, 95])
    rate = (len(times) - errors) / passed
    return Load(entry, users, len(times), errors, float(p50), float(p95), rate, rate / bare)


async def _many(port: int, questions: Sequence[str], asked: int) -> int:
    """Ask many questions, eight at a time; how many failed."""
    ask, numbers, errors = _api(port), iter(range(asked)), 0

    async def user() -> None:
        nonlocal errors
        for n in numbers:
            errors += not await _safely(ask, questions[n % len(questions)], n)

    await asyncio.gather(*(user() for _ in range(8)))
    return errors


async def _safely(ask: Ask, question: str, number: int) -> bool:
    try:
        async with asyncio.timeout(TIMEOUT):
            return await ask(question, number)
    except (OSError, TimeoutError, ValueError, asyncio.IncompleteReadError):
        return False


def _api(port: int) -> Ask:
    async def ask(question: str, _: int) -> bool:
        body = await _exchange(port, "POST", "/api/ask", {"question": question})
        return "disclaimer" in json.loads(body)

    return ask


def _queue(port: int) -> Ask:
    """What the page does: join the queue, then read the session's events to the end."""
    with build_opener(ProxyHandler({})).open(f"http://127.0.0.1:{port}/config") as response:
        config = json.load(response)
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
        await _exchange(port, "POST", "/gradio_api/queue/join", call)
        path = f"/gradio_api/queue/data?session_hash={session}"
        events = await _exchange(port, "GET", path, None)
        done = [json.loads(line[5:]) for line in events.splitlines() if line.startswith("data:")]
        return any(e["msg"] == "process_completed" and e["success"] for e in done)

    return ask


async def _exchange(port: int, method: str, path: str, content: Any) -> str:  # noqa: ANN401
    """One request on a connection of its own; the body, which must come with status 200."""
    body = b"" if content is None else json.dumps(content).encode()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        head = (
            f"{method} {path} HTTP/1.0\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
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
