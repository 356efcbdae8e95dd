"""How much one visitor may ask: a token bucket for each address, in memory, never stored.

Many app servers may keep the buckets of questions together, see ``shared_rate``.

Plain ASGI, like ``headers``. Questions (JSON and Gradio's queue) have the bucket of the setting;
all other requests share one that is wide enough to load the page again and again. The number of
requests that one address keeps open (event streams, slow bodies) is bounded too.
"""

import ipaddress
import json
import math
from collections import Counter, OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic
from typing import Protocol

from starlette.types import ASGIApp, Receive, Scope, Send

BURST = 1 / 3  # of a minute's questions may come at once
OTHERS = 20  # other requests for each question: a first visit loads some 60 files
OPEN_AT_ONCE = 48  # requests of one address; a page keeps one stream open, an answer a second
CLIENTS = 20_000  # addresses remembered; about 4 MB
UNLIMITED = ("/healthz", "/readyz")  # asked by what watches the service
QUESTION_PATHS = ("/api/ask", "/api/feedback", "/gradio_api/queue/join", "/mcp")
QUESTION_PREFIXES = ("/gradio_api/call/", "/gradio_api/run/", "/gradio_api/api/", "/operator")


@dataclass(slots=True)
class _Bucket:
    tokens: float
    filled: float


class Buckets:
    """Token buckets by key: ``per_minute`` tokens a minute, ``burst`` tokens at most."""

    def __init__(
        self, per_minute: float, burst: float, clock: Callable[[], float] = monotonic
    ) -> None:
        self.per_second = per_minute / 60
        self.burst = max(1.0, burst)
        self.clock = clock
        self._held: OrderedDict[str, _Bucket] = OrderedDict()

    def wait(self, key: str) -> float:
        """Take a token; the seconds to wait if there is none, else 0."""
        now = self.clock()
        bucket = self._held.pop(key, None) or _Bucket(self.burst, now)
        self._held[key] = bucket  # the most recent last
        if len(self._held) > CLIENTS:
            self._held.popitem(last=False)
        grown = bucket.tokens + (now - bucket.filled) * self.per_second
        bucket.tokens, bucket.filled = min(self.burst, grown), now
        if bucket.tokens < 1:
            return (1 - bucket.tokens) / self.per_second
        bucket.tokens -= 1
        return 0.0


class Waiting(Protocol):
    """Buckets elsewhere, which may answer a little later."""

    async def wait(self, key: str) -> float:
        """As ``Buckets.wait``."""
        ...


class RateLimit:
    """Answers 429 with ``Retry-After`` to an address that asks too much; others notice nothing.

    Args:
        app: what is guarded.
        per_minute: questions of one address in a minute.
        refused: called with a reason for each request that is refused.
        shared: makes the buckets of questions that many app servers share, from this one's own.
    """

    def __init__(
        self,
        app: ASGIApp,
        per_minute: int,
        refused: Callable[[str], None],
        shared: Callable[[Buckets], Waiting] | None = None,
    ) -> None:
        self.app = app
        self.refused = refused
        self.questions = Buckets(per_minute, per_minute * BURST)
        self.shared = None if shared is None else shared(self.questions)
        self.others = Buckets(per_minute * OTHERS, per_minute * OTHERS * BURST)
        self.open: Counter[str] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or refuse it."""
        if scope["type"] != "http" or scope["path"] in UNLIMITED:
            await self.app(scope, receive, send)
            return
        client = client_key(scope)
        wait = await self._wait(client, scope["path"])
        if wait:
            self.refused("rate")
            await _refuse(send, wait)
            return
        self.open[client] += 1
        try:
            await self.app(scope, receive, send)
        finally:
            self.open[client] -= 1
            if not self.open[client]:
                del self.open[client]

    async def _wait(self, client: str, path: str) -> float:
        if self.open[client] >= OPEN_AT_ONCE:
            return 1.0
        if path.rstrip("/") not in QUESTION_PATHS and not path.startswith(QUESTION_PREFIXES):
            return self.others.wait(client)
        if self.shared is None:
            return self.questions.wait(client)
        return await self.shared.wait(client)


def client_key(scope: Scope) -> str:
    """Whom a request counts for: an IPv4 address, or the 64-bit network of an IPv6 one.

    >>> client_key({"client": ("2001:db8::5", 1)}), client_key({"client": ("192.0.2.7", 1)})
    ('2001:db8::', '192.0.2.7')
    """
    host = str((scope.get("client") or ("", 0))[0])
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    if isinstance(address, ipaddress.IPv4Address):
        return host
    if address.ipv4_mapped:
        return str(address.ipv4_mapped)
    return str(ipaddress.ip_network((address, 64), strict=False).network_address)


async def _refuse(send: Send, wait: float) -> None:
    seconds = max(1, math.ceil(wait))
    sentence = f"您问得太快了，请等 {seconds} 秒再试。"
    body = json.dumps({"error": sentence, "detail": sentence}, ensure_ascii=False).encode()
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        (b"retry-after", str(seconds).encode()),
    ]
    await send({"type": "http.response.start", "status": 429, "headers": headers})
    await send({"type": "http.response.body", "body": body})
