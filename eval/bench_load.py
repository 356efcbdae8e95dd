"""How the service holds under many users at once: ``python -m eval bench --load``.

``app.py`` runs as a process of its own; visitors, each waiting for its answer before it asks
again, put real questions to ``POST /api/ask`` and to the queue that the page uses. Before and
after each measurement the bare answer function is timed, so that another program's load falls on
both; processor time an answer, of the server and of the bare function, depends on it least.
"""

import asyncio
import random
import time
from collections.abc import Awaitable, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import count
from os import getloadavg
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from tqdm import tqdm

from chatbot.answer import Chatbot
from eval.bench_serve import free_port, program, resident_megabytes, wait_for_hybrid
from eval.console import show_table
from eval.expectations import load_cases, question_files
from eval.results import make_folder, write_json
from eval.visitors import Connections, Site, api_client, queue_client

USERS = (1, 8, 32, 64)
ENTRIES = ("api", "queue")
TIMEOUT = 60.0  # seconds for one answer
MEMORY_USERS = 8
TENTHS = 10
SEARCHED = "异地就医怎么备案"  # a question that is always searched for
SEED = 20251126  # any fixed number


@dataclass(frozen=True, slots=True)
class Plan:
    """How long to measure.

    ``seconds`` of each measurement; ``mixed``: how many questions are asked in turn, the same that
    the bare function answers before and after it; ``questions`` of the memory measurement.
    """

    seconds: float = 12.0
    mixed: int = 150
    questions: int = 1_500

    @classmethod
    def of(cls, *, quick: bool = False, long: bool = False) -> "Plan":
        """A short look, or the long one of issue and README with 20,000 questions."""
        plan = cls(3.0, 50, 200) if quick else cls()
        return replace(plan, questions=20_000) if long else plan


@dataclass(frozen=True, slots=True)
class Bare:
    """The answer function alone, one question after another: answers a second, processor ms."""

    per_second: float
    cpu_ms: float

    def mean(self, other: "Bare") -> "Bare":
        """Halfway between two measurements."""
        halves = (self.per_second + other.per_second) / 2, (self.cpu_ms + other.cpu_ms) / 2
        return Bare(*halves)


@dataclass(frozen=True, slots=True)
class Load:
    """One measurement; times in ms, throughput in answers a second, load is the machine's."""

    entry: str
    users: int
    answers: int
    errors: int
    p50_ms: float
    p95_ms: float
    per_second: float
    cpu_ms: float
    load: float


def bench_load(index: Path, out: Path, *, quick: bool = False, long: bool) -> dict[str, Any]:
    """``run_load`` with the shipped development questions."""
    return run_load(index, mixed_questions(), out, Plan.of(quick=quick, long=long))


def mixed_questions() -> list[str]:
    """The shipped development questions in an order without order."""
    questions = [case.question for case in load_cases(question_files("dev"))]
    questions = list(filter(str.strip, questions))
    random.Random(SEED).shuffle(questions)
    return questions


def run_load(index: Path, questions: Sequence[str], out: Path, plan: Plan) -> dict[str, Any]:
    """Measure both entries at 1, 8, 32, 64 users, then memory over many questions.

    Args:
        index: an index folder.
        questions: asked in turn.
        out: the JSON file; written anew after each measurement, so a broken-off run leaves its
            figures.
        plan: how long.
    """
    make_folder(out.parent)
    bot = Chatbot.open(index)
    bot.warm()
    report: dict[str, Any] = {"rows": [], "memory": None}
    port = free_port()
    with program(index, port) as process:
        wait_for_hybrid(process, f"http://127.0.0.1:{port}", SEARCHED)
        server = psutil.Process(process.pid)
        steps = [(entry, users) for entry in ENTRIES for users in USERS]
        mixed = questions[: plan.mixed]
        before = _bare(bot, mixed)
        for entry, users in (bar := tqdm(steps, unit="", leave=False, disable=None)):
            bar.set_description(f"{entry} {users}")
            load = asyncio.run(measure(entry, users, Site(port), mixed, plan.seconds, server))
            after = _bare(bot, mixed)
            bare, before = before.mean(after), after
            report["rows"].append(asdict(load) | _beside(load, bare))
            write_json(out, report)
        report["memory"] = _memory(port, questions, plan.questions, server.pid)
        write_json(out, report)
    return report


def show_load(report: dict[str, Any]) -> None:
    """Print the table and the memory."""
    rows = [
        (
            row["entry"],
            *(str(row[name]) for name in ("users", "answers", "errors")),
            f"{row['p50_ms']:.0f}",
            f"{row['p95_ms']:.0f}",
            f"{row['per_second']:.1f}",
            f"{row['of_bare']:.0%}",
            f"{row['cpu_ms']:.0f} / {row['bare_cpu_ms']:.0f}",
            f"{row['load']:.1f}",
        )
        for row in report["rows"]
    ]
    memory = report["memory"]
    head = ("入口", "用户", "答案", "错误", "p50 ms", "p95 ms", "每秒", "比单独的答题函数")
    show_table((*head, "每答处理器 ms / 单独", "负载"), rows)
    told = " ".join(f"{megabytes:.0f}" for megabytes in memory["resident_mb"])
    show_table(
        ("又答", "错误", "内存 MB：之前，每答完十分之一"),
        [(str(memory["questions"]), str(memory["errors"]), told)],
    )


def _beside(load: Load, bare: Bare) -> dict[str, float]:
    """The bare function's figures, and the throughput as a share of its own."""
    return {
        "bare_per_second": bare.per_second,
        "bare_cpu_ms": bare.cpu_ms,
        "of_bare": load.per_second / bare.per_second,
    }


def _bare(bot: Chatbot, questions: Sequence[str]) -> Bare:
    started, used = time.perf_counter(), time.process_time()
    for question in questions:
        bot.ask(question)
    passed, spent = time.perf_counter() - started, time.process_time() - used
    return Bare(len(questions) / passed, spent / len(questions) * 1000)


def _memory(port: int, questions: Sequence[str], asked: int, pid: int) -> dict[str, Any]:
    """Memory before and after each tenth of the questions: it may rise at first, not for ever."""
    resident, failed = [resident_megabytes(pid)], 0
    for tenth in range(TENTHS):
        part = range(asked * tenth // TENTHS, asked * (tenth + 1) // TENTHS)
        failed += asyncio.run(_many(port, questions, part))
        resident.append(resident_megabytes(pid))
    return {"questions": asked, "errors": failed, "resident_mb": resident}


async def measure(
    entry: str,
    users: int,
    site: Site,
    questions: Sequence[str],
    seconds: float,
    server: psutil.Process | None = None,
) -> Load:
    """One measurement at an entry; without ``server``, the process, its time is not known."""
    ask = api_client if entry == "api" else queue_client(site)
    times: list[float] = []
    errors = 0
    used, started = _processor_seconds(server), time.perf_counter()

    async def user(number: int) -> None:
        nonlocal errors
        for n in count(number * 7):
            asked = time.perf_counter()
            if asked - started > seconds:
                return
            question = questions[n % len(questions)]
            errors += not await _safely(ask(connections, question, n * users + number))
            times.append((time.perf_counter() - asked) * 1000)

    async with Connections(site) as connections:
        await asyncio.gather(*map(user, range(users)))
    passed = time.perf_counter() - started
    cpu = (_processor_seconds(server) - used) / len(times) * 1000
    p50, p95 = map(float, np.percentile(times, [50, 95]))
    rate = (len(times) - errors) / passed
    return Load(entry, users, len(times), errors, p50, p95, rate, cpu, getloadavg()[0])


def _processor_seconds(process: psutil.Process | None) -> float:
    return 0.0 if process is None else float(sum(process.cpu_times()[:2]))


async def _many(port: int, questions: Sequence[str], part: range) -> int:
    """Ask the numbers of ``part``, a few at a time, at both entries by turns; how many failed.

    On the queue every question is that of a new visitor.
    """
    bar = tqdm(part, unit="", leave=False, disable=None)
    site, numbers, errors = Site(port), iter(bar), 0
    entries = (api_client, queue_client(site))

    async def user() -> None:
        nonlocal errors
        for n in numbers:
            ask = entries[n % len(entries)]
            errors += not await _safely(ask(connections, questions[n % len(questions)], n))

    async with Connections(site) as connections:
        await asyncio.gather(*(user() for _ in range(MEMORY_USERS)))
    return errors


async def _safely(asking: Awaitable[bool]) -> bool:
    try:
        async with asyncio.timeout(TIMEOUT):
            return await asking
    except (OSError, TimeoutError, ValueError, EOFError):
        return False
