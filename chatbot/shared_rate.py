"""Token buckets that many app servers share: one row for each visitor in PostgreSQL.

A row holds when the bucket will be full again, which is all that a bucket is: each question moves
that moment on by one token's time, and is refused if it would then lie further off than a full
bucket lasts. The visitor's address is stored as a keyed hash only, for some minutes, in a table
that the server does not write to its log.
"""

import asyncio
import hashlib
from collections.abc import Callable, Sequence
from time import monotonic
from typing import Any

from anyio import to_thread

from chatbot.database import Postgres
from chatbot.logs import log
from chatbot.rate import Buckets
from corpus.errors import FeedbackError

SERVER_SECONDS = 1.0  # after which the connection is given up
ANSWER_SECONDS = 0.2  # until a question is judged by this process alone
ALONE_SECONDS = 1.0  # that this goes on before the database is asked again
LOG_SECONDS = 60.0  # between two lines in the log about it
SWEEP_SECONDS = 60.0  # between two deletions of full buckets
TABLES = {
    "rate": "CREATE UNLOGGED TABLE IF NOT EXISTS rate"
    " (client BYTEA PRIMARY KEY, due DOUBLE PRECISION NOT NULL, passed BOOLEAN NOT NULL)"
}
_NOW = "extract(epoch FROM statement_timestamp())::float8"
_DUE = f"greatest(held.due, {_NOW}) + ?"
# client, one token's time, then twice: that time and a full bucket's; then for the answer the same.
_TAKE = (
    f"INSERT INTO rate AS held VALUES (?, {_NOW} + ?, true) ON CONFLICT (client) DO UPDATE SET"
    f" due = CASE WHEN {_DUE} <= {_NOW} + ? THEN {_DUE} ELSE held.due END,"
    f" passed = {_DUE} <= {_NOW} + ?"
    f" RETURNING held.passed, held.due + ? - ? - {_NOW}"
)
_SWEEP = (
    "DELETE FROM rate WHERE client IN"
    f" (SELECT client FROM rate WHERE due < {_NOW} - 1 FOR UPDATE SKIP LOCKED)"
)


class SharedBuckets:
    """The buckets of ``own``, counted over all processes that use the same database.

    Args:
        database: with ``TABLES``.
        own: this process's buckets, used while the database does not answer in time.
        clock: seconds.
    """

    def __init__(
        self, database: Postgres, own: Buckets, clock: Callable[[], float] = monotonic
    ) -> None:
        self.database = database
        self.own = own
        self.clock = clock
        self._step = 1 / own.per_second
        self._full = own.burst * self._step
        self._key = database.secret("rate")
        self._asked: list[tuple[bytes, asyncio.Future[float]]] = []
        self._asking: asyncio.Task[None] | None = None
        self._alone_until = self._logged = self._swept = -LOG_SECONDS

    async def wait(self, key: str) -> float:
        """Take a token; the seconds to wait if there is none, else 0. Never waits long itself."""
        if self.clock() < self._alone_until:
            return self.own.wait(key)
        answer = asyncio.get_running_loop().create_future()
        self._asked.append((self._hashed(key), answer))
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._ask())
        try:
            return float(await asyncio.wait_for(answer, ANSWER_SECONDS))
        except (TimeoutError, FeedbackError):
            self._go_alone()
            return self.own.wait(key)

    def _hashed(self, key: str) -> bytes:
        return hashlib.blake2b(key.encode(), digest_size=16, key=self._key).digest()

    async def _ask(self) -> None:
        """Ask for all that wait, together, until nobody waits."""
        while self._asked:
            batch, self._asked = sorted(self._asked, key=lambda one: one[0]), []
            waits: Sequence[float] = ()
            error: FeedbackError | None = None
            try:
                waits = await to_thread.run_sync(self._take, [client for client, _ in batch])
            except FeedbackError as failed:
                error = failed
            for n, (_, answer) in enumerate(batch):
                if answer.done():
                    continue
                answer.set_exception(error) if error else answer.set_result(waits[n])

    def _take(self, clients: Sequence[bytes]) -> list[float]:
        """The waits of clients that are sorted, so that no two processes block each other."""
        step, full = self._step, self._full
        waits = []
        with self.database.transaction() as run:
            for client in clients:
                values: list[Any] = [client, step, step, full, step, step, full, step, full]
                passed, wait = run(_TAKE, values).fetchone()
                waits.append(0.0 if passed else max(0.001, float(wait)))
        if self.clock() - self._swept >= SWEEP_SECONDS:
            self._swept = self.clock()
            with self.database.transaction() as run:
                run(_SWEEP, ())
        return waits

    def _go_alone(self) -> None:
        self._alone_until = self.clock() + ALONE_SECONDS
        if self.clock() - self._logged >= LOG_SECONDS:
            self._logged = self.clock()
            log("shared rate not reached, counting alone", "warning")
