"""Where feedback lies: a SQLite file or a PostgreSQL server, behind the same few calls.

Statements are written once, with ``?`` for values; ``{id}`` in a table is its numbered key.
"""

import hashlib
import os
import socket
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from math import inf
from pathlib import Path
from typing import Any, Protocol

from corpus.errors import FeedbackError, InputError
from index.breaker import Breaker

SCHEMES = ("postgresql://", "postgres://")
BUSY_SECONDS = 5  # until a locked file counts as failed
CONNECT_SECONDS = 2  # the least that libpq takes for it
PING_SECONDS = 0.5  # for a sign of life
PAUSE_SECONDS = 2.0  # between two tries to reach a server that is gone
_TABLES_LOCK = 0x796962616F  # any number: two processes that make the tables wait for each other

Run = Callable[[str, Sequence[object]], Any]  # a statement and its values → a cursor


class Database(Protocol):
    """A database. Everything that fails raises ``FeedbackError``, which names no password."""

    def transaction(self) -> AbstractContextManager[Run]:
        """One transaction: kept whole at the end of the block, undone if it raises."""
        ...

    def close(self) -> None:
        """Let it go."""
        ...


def is_server(where: str) -> bool:
    """Whether a setting names a PostgreSQL server, not a file."""
    return where.startswith(SCHEMES)


def open_database(where: str, tables: Mapping[str, str], seconds: float) -> Database:
    """The database, with its tables.

    Args:
        where: a file's path or a ``postgresql://`` address. A server that does not answer is no
            error here: it may come later.
        tables: ``CREATE … IF NOT EXISTS`` statements by the name of what they make.
        seconds: that one transaction of a server may take.

    Raises:
        FeedbackError: the file cannot be opened or is no such database.
        InputError: the address is none, or the client is not installed.
    """
    if is_server(where):
        return Postgres(where, tables, seconds)
    return Sqlite(Path(where), tables)


def why(error: FeedbackError) -> str:
    """What an operator may read of an error in the log: no values, no password."""
    return " ".join(getattr(error, "__notes__", ()))


def _failed(reason: object = "") -> FeedbackError:
    error = FeedbackError("反馈现在存不了，请稍后再试。")
    error.add_note(str(reason).partition("\n")[0])
    return error


class Sqlite:
    """One file, one connection, used by one thread at a time."""

    def __init__(self, path: Path, tables: Mapping[str, str]) -> None:
        self._lock = threading.Lock()
        try:
            self._connection = sqlite3.connect(path, timeout=BUSY_SECONDS, check_same_thread=False)
            for pragma in ("journal_mode = WAL", "synchronous = FULL", "secure_delete = ON"):
                self._connection.execute(f"PRAGMA {pragma}")
            for made in tables.values():
                self._connection.execute(made.format(id="INTEGER PRIMARY KEY"))
        except sqlite3.Error as error:
            msg = f"打不开反馈数据库 {path}，请检查路径、权限和磁盘。"
            raise FeedbackError(msg) from error

    @contextmanager
    def transaction(self) -> Iterator[Run]:
        """See ``Database``."""
        try:
            with self._lock, self._connection:
                yield self._connection.execute
        except sqlite3.Error as error:
            raise _failed(error) from error

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()


class Postgres:
    """A server over one connection, made when it is needed and made again when it is lost.

    A server that does not answer is not asked for some seconds, so that nobody waits for it.
    """

    def __init__(self, url: str, tables: Mapping[str, str], seconds: float) -> None:
        self._package = _imported()
        self._url, self._tables, self.seconds = url, tables, seconds
        self._connection: Any = None
        self._has_tables = False
        self._lock = threading.Lock()
        self._breaker = Breaker(failures=1, least=0, pause=PAUSE_SECONDS)
        try:
            parts = self._package.conninfo.conninfo_to_dict(url)
        except self._package.Error:
            msg = "看不懂反馈数据库的地址，应是 postgresql://用户:密码@主机:端口/库。"
            raise InputError(msg) from None  # its message repeats the address
        self._secret = str(parts.get("password") or parts.get("dbname") or "")

    def secret(self, purpose: str) -> bytes:
        """32 bytes that every process with the same password has, and nobody else."""
        return hashlib.blake2b(f"{purpose}\0{self._secret}".encode(), digest_size=32).digest()

    @contextmanager
    def transaction(self) -> Iterator[Run]:
        """See ``Database``."""
        began = time.monotonic()
        if not self._breaker.allows() or not self._lock.acquire(timeout=self.seconds):
            raise _failed("the server did not answer a moment ago")
        try:
            with self._limited(self._connected()) as connection, connection.transaction():
                yield lambda query, values: connection.execute(query.replace("?", "%s"), values)
        except (self._package.OperationalError, self._package.InterfaceError) as error:
            self._breaker.failed(began)
            self._drop()
            raise _failed(error) from error
        except self._package.Error as error:
            raise _failed(type(error).__name__) from error  # its message may hold a value
        else:
            self._breaker.worked()
        finally:
            self._lock.release()

    def close(self) -> None:
        """Close the connection."""
        with self._lock:
            self._drop()

    def _connected(self) -> Any:  # noqa: ANN401 - an optional package
        """The connection, which has just answered."""
        if self._connection is not None:
            try:
                with self._limited(self._connection, PING_SECONDS) as connection:
                    connection.execute("SELECT 1")
            except self._package.Error:
                self._drop()
        if self._connection is None:
            self._connection = self._package.connect(
                self._url,
                autocommit=True,
                connect_timeout=CONNECT_SECONDS,
                application_name="yibao",
                prepare_threshold=None,  # a pooler between may not know prepared statements
            )
        if not self._has_tables:
            self._make_tables()
        return self._connection

    def _make_tables(self) -> None:
        """Make what is not there; what is there is not touched, for others are writing to it."""
        number = "BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY"
        with self._limited(self._connection) as connection, connection.transaction():
            connection.execute("SELECT pg_advisory_xact_lock(%s)", (_TABLES_LOCK,))
            for name, made in self._tables.items():
                if connection.execute("SELECT to_regclass(%s)", (name,)).fetchone()[0] is None:
                    connection.execute(made.format(id=number))
        self._has_tables = True

    @contextmanager
    def _limited(self, connection: Any, most: float = inf) -> Iterator[Any]:  # noqa: ANN401
        """Cut the connection if the block takes too long: a server may hang with it open."""
        clock = threading.Timer(min(self.seconds, most), _cut, (connection,))
        clock.daemon = True
        clock.start()
        try:
            yield connection
        finally:
            clock.cancel()

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(self._package.Error):
                connection.close()


def _cut(connection: Any) -> None:  # noqa: ANN401
    """End the network connection below: whoever waits for an answer gets an error."""
    with suppress(Exception), socket.socket(fileno=os.dup(connection.fileno())) as same:
        same.shutdown(socket.SHUT_RDWR)


def _imported() -> Any:  # noqa: ANN401
    try:
        import psycopg
    except ImportError as error:
        msg = "没有装 PostgreSQL 的客户端，请先安装：pip install '.[postgres]'"
        raise InputError(msg) from error
    return psycopg
