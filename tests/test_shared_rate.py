"""Buckets in PostgreSQL: counted over processes, by nobody's address, never waited for."""

import asyncio
import math
import os
import signal

import pytest

from chatbot import shared_rate
from chatbot.database import Postgres
from chatbot.rate import Buckets, RateLimit
from chatbot.shared_rate import SharedBuckets
from tests.postgres_process import PostgresProcess, needs_postgres

pytestmark = needs_postgres


@pytest.fixture
def patient(monkeypatch) -> None:
    monkeypatch.setattr(shared_rate, "ANSWER_SECONDS", 5.0)  # a busy machine is no failure


def process(server: PostgresProcess, per_minute: float, burst: float) -> SharedBuckets:
    database = Postgres(server.url, shared_rate.TABLES, shared_rate.SERVER_SECONDS)
    return SharedBuckets(database, Buckets(per_minute, burst))


def rows(server: PostgresProcess) -> list[tuple[bytes, float, bool]]:
    database = Postgres(server.url, shared_rate.TABLES, 5.0)
    with database.transaction() as run:
        found = run("SELECT client, due, passed FROM rate", ()).fetchall()
    database.close()
    return list(found)


@pytest.mark.usefixtures("patient")
def test_processes_share_one_bucket_a_visitor(server) -> None:
    async def asked() -> list[float]:
        two = [process(server, 0.6, 10) for _ in range(2)]  # one token in 100 seconds
        at_once = [each.wait("192.0.2.7") for each in two for _ in range(15)]
        waits = await asyncio.gather(*at_once)
        assert await two[0].wait("192.0.2.8") == 0
        for each in two:
            each.database.close()
        return waits

    waits = asyncio.run(asked())
    assert sorted(waits)[:11] == [0.0] * 10 + [pytest.approx(sorted(waits)[10])]
    assert all(90 < wait < 100.01 for wait in sorted(waits)[10:])
    stored = b"".join(bytes(row[0]) for row in rows(server))
    assert len(stored) == 2 * 16
    assert b"192.0.2" not in stored


@pytest.mark.usefixtures("patient")
def test_a_bucket_fills_again_and_full_ones_are_swept(server) -> None:
    async def asked() -> None:
        one = process(server, 120, 1)  # a token in half a second
        assert await one.wait("a") == 0
        wait = await one.wait("a")
        assert 0 < wait <= 0.501
        await asyncio.sleep(wait)
        assert await one.wait("a") == 0
        await asyncio.sleep(1.6)
        one._swept = -math.inf
        assert await one.wait("b") == 0
        one.database.close()

    asyncio.run(asked())
    held = {bytes(row[0]) for row in rows(server)}
    same = process(server, 1, 1)
    assert same._hashed("a") not in held
    assert same._hashed("b") in held


def test_a_database_that_hangs_or_is_gone_delays_nobody(server, caplog) -> None:
    async def asked() -> None:
        one = process(server, 600, 3)
        await one.wait("x")
        with one.database.transaction() as run:
            (backend,) = run("SELECT pg_backend_pid()", ()).fetchone()
        os.kill(backend, signal.SIGSTOP)
        loop = asyncio.get_running_loop()
        beat, begun = 0, loop.time()

        async def beating() -> None:
            nonlocal beat
            while True:
                await asyncio.sleep(0.01)
                beat += 1

        heart = asyncio.create_task(beating())
        waits = [await one.wait("y") for _ in range(4)]
        heart.cancel()
        assert waits[:3] == [0, 0, 0]  # its own bucket
        assert waits[3] > 0
        assert loop.time() - begun < 3
        assert beat > 5  # the loop went on
        os.kill(backend, signal.SIGCONT)
        one._alone_until = 0.0
        server.stop()
        assert await one.wait("z") == 0
        server.start()
        if one._asking is not None:
            await one._asking
        one.database.close()

    asyncio.run(asked())


@pytest.mark.usefixtures("patient")
def test_the_limit_asks_for_questions_only(server) -> None:
    refused: list[str] = []
    sent: list[int] = []

    async def app(scope: object, receive: object, send: object) -> None:
        sent.append(200)

    async def send(message: dict[str, object]) -> None:
        if message["type"] == "http.response.start":
            sent.append(int(str(message["status"])))

    async def asked() -> None:
        one = Postgres(server.url, shared_rate.TABLES, 5.0)
        limit = RateLimit(app, 3, refused.append, lambda own: SharedBuckets(one, own))
        for path in ("/api/ask", "/api/ask", "/readyz", "/"):
            scope = {"type": "http", "path": path, "client": ("192.0.2.99", 1)}
            await limit(scope, None, send)  # type: ignore[arg-type]
        one.close()

    asyncio.run(asked())
    assert sent == [200, 429, 200, 200]
    assert refused == ["rate"]
