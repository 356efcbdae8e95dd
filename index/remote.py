"""A connection to Milvus: which address, how long to wait, how often to try, what went wrong.

Every call has a time limit and is tried a few times, with pauses of random length so that many
clients do not come back at the same moment. An engine that has not answered for a while is not
asked but by one caller every few seconds; the others are told at once. What fails for good is one
of four errors: ``EngineUnreachable`` (nobody answers in time), ``InputError`` (address or token),
``IndexStale`` (a collection was dropped) and ``SearchIndexError`` (whatever else Milvus refuses).
"""

import logging
import random
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from corpus.errors import (
    EngineUnreachable,
    IndexStale,
    InputError,
    SearchIndexError,
    YibaoError,
)
from index.breaker import Breaker

READ_SECONDS = 3.0  # that one attempt of a question may take
WRITE_SECONDS = 30.0  # the same of a batch, or of making and dropping collections
LOOK_SECONDS = 1.0  # the same of a look whether the engine is there
READ_TRIES = 3
WRITE_TRIES = 6  # with the pauses below some five seconds: an engine that restarts comes back
PAUSE = 0.15  # seconds before the second try, doubled each time; between half and all of it
# Tries of reads in a row that fail before the engine counts as gone (those of two reads), the
# seconds since the first of them, and those between two looks whether it is back.
GONE_TRIES, GONE_SECONDS, PAUSE_GONE = 6, 0.5, 2.0
# Milliseconds between two attempts of grpc to connect; its own would grow to two minutes.
_CONNECTING = {
    "grpc.initial_reconnect_backoff_ms": 100,
    "grpc.min_reconnect_backoff_ms": 100,
    "grpc.max_reconnect_backoff_ms": 1_000,
}
_SCHEMES = {"milvus://": "http://", "http://": "http://", "https://": "https://"}
_REFUSED = ("UNAUTHENTICATED", "PERMISSION_DENIED")
_GONE = ("UNAVAILABLE", "DEADLINE_EXCEEDED", "CANCELLED", "RESOURCE_EXHAUSTED", "UNKNOWN")
_NO_COLLECTION = 100  # Milvus's code
_NOT_CONNECTED = 2  # pymilvus's code


def address_of(uri: str) -> str:
    """The address as pymilvus takes it; a file's path is made absolute.

    >>> address_of("milvus://127.0.0.1:19530")
    'http://127.0.0.1:19530'

    Raises:
        InputError: it is no address, or the file's folder is not there.
    """
    for scheme, real in _SCHEMES.items():
        if uri.startswith(scheme) and len(uri) > len(scheme):
            return real + uri[len(scheme) :]
    if uri.endswith(".db") and "://" not in uri:
        path = Path(uri).resolve()
        if path.parent.is_dir() and not path.is_dir():
            return str(path)
    form = "milvus://主机:端口、https://主机，或已有目录里的 .db 文件"
    msg = f"看不懂 Milvus 的地址 {uri}，应是 {form}"
    raise InputError(msg)


def _imported() -> Any:  # noqa: ANN401 - an optional package
    try:
        import pymilvus
    except ImportError as error:
        msg = "没有装 Milvus 的客户端，请先安装：pip install '.[milvus]'"
        raise InputError(msg) from error
    logging.getLogger("pymilvus").setLevel(logging.CRITICAL)  # we tell what went wrong
    return pymilvus


class Remote:
    """One engine. ``call`` runs a method of ``MilvusClient``; threads may share it."""

    def __init__(self, uri: str, token: str = "") -> None:
        self.uri = uri
        self._address, self._token = address_of(uri), token
        self.package = _imported()
        self._client: Any = None
        self._lock = threading.Lock()
        self._breaker = Breaker(GONE_TRIES, GONE_SECONDS, PAUSE_GONE)

    def read(self, name: str, *args: object, **options: object) -> Any:  # noqa: ANN401
        """Run a method that changes nothing; if the engine is gone, fail at once."""
        if not self._breaker.allows():
            raise self._unreachable()
        tries = 1 if self._breaker.is_open else READ_TRIES
        return self._tried(tries, READ_SECONDS, name, args, options)

    def write(self, name: str, *args: object, once: bool = False, **options: object) -> Any:  # noqa: ANN401
        """Run a method that may be run twice without harm; one that may not is tried ``once``."""
        tries = 1 if once else WRITE_TRIES
        return self._tried(tries, WRITE_SECONDS, name, args, options, patient=True)

    def answers(self, name: str, *args: object, **options: object) -> bool:
        """Whether a method that changes nothing can be run now; ``read`` learns from it."""
        try:
            self._tried(1, LOOK_SECONDS, name, args, options)
        except YibaoError:
            return False
        return True

    def close(self) -> None:
        """Let the connection go; the next call makes another one."""
        with self._lock:
            client, self._client = self._client, None
        if client is not None:
            client.close()

    def _tried(
        self,
        tries: int,
        seconds: float,
        name: str,
        args: tuple[object, ...],
        options: dict[str, object],
        *,
        patient: bool = False,
    ) -> Any:  # noqa: ANN401
        started = time.monotonic()
        for attempt in range(tries):
            if attempt:
                time.sleep(random.uniform(0.5, 1.0) * PAUSE * 2 ** (attempt - 1))
            began = time.monotonic()
            left = tries * seconds - (began - started)
            try:
                client = self._connected(seconds)
                answer = getattr(client, name)(*args, timeout=min(seconds, left), **options)
            except Exception as error:  # noqa: BLE001 - pymilvus raises what grpc raises, and more
                self._judge(error)
                self.close()
                self._breaker.failed(began)
                last = error
                if self._breaker.is_open and not patient:
                    break
            else:
                self._breaker.worked()
                return answer
        raise self._unreachable() from last

    def _unreachable(self) -> EngineUnreachable:
        msg = f"连不上检索引擎 {self.uri}，或者它没有按时回答。请检查它是否在运行，再试一次"
        return EngineUnreachable(msg)

    def _connected(self, seconds: float) -> Any:  # noqa: ANN401
        """The client; who waits too long for another's attempt to connect gives up as well."""
        if not self._lock.acquire(timeout=seconds):
            raise TimeoutError
        try:
            if self._client is None:
                self._client = self.package.MilvusClient(
                    self._address,
                    token=self._token,
                    timeout=seconds,
                    grpc_options=_CONNECTING,
                )
            return self._client
        finally:
            self._lock.release()

    def _judge(self, error: Exception) -> None:
        """Return if another try may help; else raise what is to be told."""
        code, said = _code(error), str(error)
        if any(_code(reason) in _REFUSED for reason in _reasons(error)):
            msg = f"检索引擎 {self.uri} 不接受口令，请检查 MILVUS_TOKEN"
            raise InputError(msg) from error
        if code == str(_NO_COLLECTION):
            gone = f"检索引擎 {self.uri} 里找不到这一版索引，它可能已被删除"
            msg = f"{gone}。请重新打开程序，或{rebuild(self.uri)}"
            raise IndexStale(msg) from error
        lost = code == str(_NOT_CONNECTED) or any(name in code for name in _GONE)
        lost = lost or isinstance(error, TimeoutError)
        if not lost and "Retry" not in said and not isinstance(error, ValueError):
            reason = " ".join(said.split())[:200]
            msg = f"检索引擎 {self.uri} 拒绝了请求：{reason}。请检查它的版本和日志"
            raise SearchIndexError(msg) from error


def _reasons(error: BaseException | None) -> Iterator[BaseException]:
    """An error and what it came from; pymilvus makes circles of them."""
    seen: list[BaseException] = []
    while error is not None and error not in seen:
        seen.append(error)
        yield error
        error = error.__cause__ or error.__context__


def _code(error: BaseException) -> str:
    """Milvus's number or grpc's name of an error, empty if it has neither."""
    code = getattr(error, "code", "")
    code = code() if callable(code) else code
    return str(getattr(code, "name", code))


def rebuild(uri: str) -> str:
    """What to do about an index on an engine."""
    return f"重建索引：python -m index build --to {uri}"
