"""What stands around every request: headers, limits of size and time, closed routes, own head.

Plain ASGI, so that Gradio's streamed events pass through untouched.
"""

import asyncio
import gzip
import json
import re
import secrets
from collections.abc import Callable, MutableMapping
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

GZIP_LEVEL = 6  # 50 KB of start page become 11; higher levels take longer for nothing
BODY_LIMIT = 64 * 1024  # bytes; a question has at most a few hundred characters
HEAD_SECONDS = 10.0  # between two looks at a connection on which no request has come
BODY_SECONDS = 15.0  # in which a body must have come; a slow client holds no place longer
# What Gradio's own page needs; its files, uploads, logins, monitoring and editors stay closed.
_GRADIO_OPEN = re.compile(
    r"/gradio_api/(?:info|app_id|startup-events|theme\.css|queue/(?:join|data)|reset|cancel"
    r"|heartbeat/[\w-]{1,64})/?"
)
_GRADIO_CLOSED = re.compile(
    r"/(?:gradio_api|login|login_check|logout|monitoring|manifest\.json|pwa_icon|svelte"
    r"|openapi\.json|docs|redoc)(?:[/=?].*)?",
    re.DOTALL,
)
_POLICY = (
    "default-src 'self'; script-src 'self'{nonce}; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; object-src 'none'; "
    "base-uri 'self'; form-action 'self'; frame-ancestors 'none'"
)
_HEADERS = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=(), payment=()",
}
_OWN_HEAD = """<title>医保问答</title>
<meta name="description" content="医保怎么用，直接问。回答逐句引用原文，注明地方和日期。">
<link rel="icon" href="/own/icon.svg" type="image/svg+xml">
<script src="/own/early.js"></script>
<link rel="stylesheet" href="/own/colours.css">
<link rel="stylesheet" href="/own/page.css">
<link rel="modulepreload" href="/own/look.js">
<link rel="modulepreload" href="/own/places.js">
<link rel="modulepreload" href="/own/tools.js">
<link rel="modulepreload" href="/own/asking.js">
<script type="module" src="/own/page.js"></script>
"""
_NO_SCRIPT = """<noscript>本页要用浏览器的 JavaScript，请先打开它。
急病请直接拨打 120，医保的事请拨打 12393。</noscript>
"""
_SOCIAL_META = re.compile(r'<meta\s+(?:property="og:|name="twitter:)[^>]*>\s*')
_FRAME_SCRIPTS = re.compile(
    r"<script(?: data-gradio-mode)?>(?:(?!</script>).)*?"
    r"iframeResizer(?:(?!</script>).)*</script>\s*",
    re.DOTALL,
)
_MANIFEST = re.compile(r'<link rel="manifest"[^>]*>\s*')
_INLINE_SCRIPT = re.compile(r"<script(?=>| data-gradio-mode>)")


def own_head(html: str, nonce: str) -> str:
    """Gradio's start page as ours: Chinese, own style and script, no foreign addresses.

    Args:
        html: what Gradio serves at ``/``.
        nonce: goes into every inline script, for the content security policy.
    """
    html = _MANIFEST.sub("", _FRAME_SCRIPTS.sub("", _SOCIAL_META.sub("", html)))
    html = html.replace('lang="en"', 'lang="zh-CN"', 1)
    html = _INLINE_SCRIPT.sub(f'<script nonce="{nonce}"', html)
    html = html.replace("<gradio-app", f"{_NO_SCRIPT}<gradio-app", 1)
    return html.replace("<head>", f"<head>{_OWN_HEAD}", 1)


class ImpatientProtocol(H11Protocol):
    """Uvicorn's connection, closed when no whole head of a request has come for a while.

    Uvicorn itself waits for ever: a few hundred clients that send a letter a minute would take
    every place. Two looks must see the same waiting: a client has up to twice ``HEAD_SECONDS``.
    """

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to look after the connection."""
        super().connection_made(transport)
        self._look_again(seen=object())

    def _look_again(self, seen: object) -> None:
        self._look = self.loop.call_later(HEAD_SECONDS, self._look_at, seen)

    def _look_at(self, seen: object) -> None:
        waiting = self.cycle is None or self.cycle.response_complete
        if waiting and seen is self.cycle:
            self.transport.close()
        else:
            self._look_again(self.cycle if waiting else object())

    def connection_lost(self, exc: Exception | None) -> None:
        """Look no more."""
        self._look.cancel()
        super().connection_lost(exc)


class SecurityHeaders:
    """Adds the headers to every response; rewrites the head of the start page."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
        elif scope["path"] == "/" and scope["method"] in ("GET", "HEAD"):
            await self._start_page(scope, receive, send)
        else:
            await self.app(scope, receive, _with_headers(send, _POLICY.format(nonce="")))

    async def _start_page(self, scope: Scope, receive: Receive, send: Send) -> None:
        nonce = secrets.token_urlsafe(16)
        kept = [(name, value) for name, value in scope["headers"] if name != b"accept-encoding"]
        start: Message = {}
        body = bytearray()

        async def collect(message: Message) -> None:
            if message["type"] == "http.response.start":
                start.update(message)
            elif message["type"] == "http.response.body":
                body.extend(message.get("body", b""))

        await self.app({**scope, "headers": kept}, receive, collect)
        html = own_head(body.decode(), nonce).encode()
        added = [(b"cache-control", b"no-store"), (b"vary", b"accept-encoding")]
        if any(name == b"accept-encoding" and b"gzip" in value for name, value in scope["headers"]):
            html = gzip.compress(html, GZIP_LEVEL)
            added.append((b"content-encoding", b"gzip"))
        added.append((b"content-length", str(len(html)).encode()))
        names = {name for name, _ in added}
        others = [pair for pair in start["headers"] if pair[0] not in names]
        sender = _with_headers(send, _POLICY.format(nonce=f" 'nonce-{nonce}'"))
        await sender({**start, "headers": [*others, *added]})
        shown = b"" if scope["method"] == "HEAD" else html
        await sender({"type": "http.response.body", "body": shown})


class ClosedRoutes:
    """Answers 404 for every route of Gradio's that the page does not use."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or say that there is no such address."""
        path = scope.get("path", "")
        closed = _GRADIO_CLOSED.fullmatch(path) and not _GRADIO_OPEN.fullmatch(path)
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        elif scope["type"] == "http" and closed:
            await _refuse(send, 404, "没有这个地址。")
        else:
            await self.app(scope, receive, send)


class BodyLimit:
    """Refuses a body over ``limit`` bytes, whatever its header says, or slower than ``seconds``.

    Args:
        app: what gets the request, its body whole.
        limit: bytes.
        seconds: for the whole body.
        refused: called with a reason for each request that is refused.
    """

    def __init__(
        self,
        app: ASGIApp,
        limit: int = BODY_LIMIT,
        seconds: float = BODY_SECONDS,
        refused: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.app = app
        self.limit = limit
        self.seconds = seconds
        self.refused = refused

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, its body read first."""
        if scope["type"] != "http" or scope["method"] in ("GET", "HEAD", "OPTIONS"):
            await self.app(scope, receive, send)
            return
        try:
            async with asyncio.timeout(self.seconds):
                messages = await self._body(receive)
        except TimeoutError:
            self.refused("slow")
            await _refuse(send, 408, "内容传得太慢，请检查网络后再试。")
            return
        if messages is None:
            self.refused("size")
            await _refuse(send, 413, f"内容太长，最多 {self.limit // 1024} KB。")
            return
        replay = iter(messages)

        async def replayed() -> Message:
            return next(replay, None) or await receive()

        await self.app(scope, replayed, send)

    async def _body(self, receive: Receive) -> list[Message] | None:
        """The messages of a whole body; None as soon as it is too long."""
        messages: list[Message] = []
        size = 0
        while True:
            message = await receive()
            messages.append(message)
            size += len(message.get("body", b""))
            if size > self.limit:
                return None
            if not message.get("more_body"):
                return messages


async def _refuse(send: Send, status: int, sentence: str) -> None:
    body = json.dumps({"error": sentence}, ensure_ascii=False).encode()
    headers = [(b"content-type", b"application/json"), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _with_headers(send: Send, policy: str) -> Send:
    async def sender(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            own = _HEADERS | {"content-security-policy": policy}
            kept = [pair for pair in message["headers"] if pair[0].decode().lower() not in own]
            added = [(name.encode(), value.encode()) for name, value in own.items()]
            message = {**message, "headers": [*kept, *added]}
        await send(message)

    return sender
