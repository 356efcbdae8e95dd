"""Many visitors as coroutines: what a browser sends to ``/api/ask`` and to the page's queue.

Raw asyncio streams, since a full client would cost as much processor time as the service.
"""

import asyncio
import json
import time
import urllib.request
from collections import defaultdict
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from http.client import HTTPException
from itertools import chain
from typing import Any, Self
from urllib.parse import urlsplit

from corpus.errors import InputError

__all__ = ["Ask", "Connections", "Site", "api_client", "queue_client"]

TIMEOUT = 30.0  # seconds until the page's description is there
USERS = 64  # with addresses of their own at most; see ``Site``

Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]


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


@dataclass(slots=True)
class Connections:
    """Connections to a site; like a browser's they are kept open between two requests.

    Use within one event loop, as an asynchronous context: at its end they are closed.
    """

    site: Site
    _idle: dict[object, list[Stream]] = field(default_factory=lambda: defaultdict(list))

    async def __aenter__(self) -> Self:
        """The same object."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close what is idle."""
        for stream in chain.from_iterable(self._idle.values()):
            stream[1].close()
            with suppress(OSError):
                await stream[1].wait_closed()

    async def exchange(
        self,
        number: int,
        method: str,
        path: str,
        content: Any = None,  # noqa: ANN401
    ) -> str:
        """One request of the visitor with that number; the body, which must come with status 200.

        Raises:
            ValueError: another status.
            OSError, EOFError: the connection is refused or ends.
        """
        body = b"" if content is None else json.dumps(content).encode()
        head = (
            f"{method} {path} HTTP/1.1\r\nHost: {self.site.host}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        source = self.site.source(number)
        while self._idle[source]:
            # The service may have closed it meanwhile: then a new one is opened.
            with suppress(ConnectionError, asyncio.IncompleteReadError):
                return await self._send(self._idle[source].pop(), source, head.encode() + body)
        stream = await asyncio.open_connection(
            self.site.host, self.site.port, ssl=self.site.tls or None, local_addr=source
        )
        return await self._send(stream, source, head.encode() + body)

    async def _send(self, stream: Stream, source: object, request: bytes) -> str:
        reader, writer = stream
        kept = False
        try:
            writer.write(request)
            status, *lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            headers = dict(line.lower().split(": ", 1) for line in lines if line)
            body = await _body(reader, headers)
            kept = headers.get("connection") != "close"
        finally:
            if kept:
                self._idle[source].append(stream)
            else:
                writer.close()
        if " 200 " not in status:
            raise ValueError(status)
        return body.decode()


# A question and a number of its own → whether an answer came.
Ask = Callable[[Connections, str, int], Awaitable[bool]]


async def api_client(connections: Connections, question: str, number: int) -> bool:
    """Ask ``/api/ask``; whether an answer came."""
    body = await connections.exchange(number, "POST", "/api/ask", {"question": question})
    return "disclaimer" in json.loads(body)


def queue_client(site: Site) -> Ask:
    """What the page does: join the queue, then read the session's events to the end."""
    config = _config(site)
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

    async def ask(connections: Connections, question: str, number: int) -> bool:
        session = f"{mark}-{number}"
        data = [value(parts[key], question) for key in event["inputs"]]
        call = {"data": data, "fn_index": event["id"], "session_hash": session}
        await connections.exchange(number, "POST", "/gradio_api/queue/join", call)
        path = f"/gradio_api/queue/data?session_hash={session}"
        events = await connections.exchange(number, "GET", path)
        done = [json.loads(line[5:]) for line in events.splitlines() if line.startswith("data:")]
        return any(e["msg"] == "process_completed" and e["success"] for e in done)

    return ask


def _config(site: Site) -> dict[str, Any]:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"{site.url}/config", timeout=TIMEOUT) as response:
            config: dict[str, Any] = json.loads(response.read())
    except (OSError, HTTPException, ValueError) as error:
        msg = f"{site.url} 没有应答，请检查服务是否在运行"
        raise InputError(msg) from error
    return config


async def _body(reader: asyncio.StreamReader, headers: dict[str, str]) -> bytes:
    if headers.get("transfer-encoding") != "chunked":
        return await reader.readexactly(int(headers["content-length"]))
    chunks = []
    while size := int(await reader.readuntil(b"\r\n"), 16):
        chunks.append(await reader.readexactly(size))
        await reader.readexactly(2)
    await reader.readexactly(2)
    return b"".join(chunks)
