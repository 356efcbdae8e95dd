"""Calls of Gradio's queue that no page of ours would make are refused before Gradio sees them."""

import json
from collections.abc import Collection
from typing import Annotated, Any

from pydantic import BaseModel, Field, StringConstraints, ValidationError
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MOST_VALUES = 64  # inputs of one event
DEEPEST = 16  # brackets opened before any is closed; ours have three
_JOIN = "/gradio_api/queue/join"


class Call(BaseModel):
    """The parts of a queue call that Gradio trusts."""

    data: Annotated[list[Any], Field(max_length=MOST_VALUES)]
    fn_index: int
    session_hash: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}$")]


class QueueGuard:
    """Answers 422 to a call that is malformed or of an unknown function.

    Args:
        app: what gets the call; the body must have been bounded before.
        functions: the numbers of the page's functions.
    """

    def __init__(self, app: ASGIApp, functions: Collection[int]) -> None:
        self.app = app
        self.functions = functions

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or refuse it."""
        path = scope.get("path", "").rstrip("/")
        if scope["type"] != "http" or path != _JOIN or scope["method"] != "POST":
            await self.app(scope, receive, send)
            return
        body = b""
        more = True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        if not self._fits(body):
            await _refuse(send)
            return
        whole: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

        async def replayed() -> Message:
            return whole.pop() if whole else await receive()

        await self.app(scope, replayed, send)

    def _fits(self, body: bytes) -> bool:
        depth = deepest = 0
        for letter in body:
            depth += (letter in b"[{") - (letter in b"]}")
            deepest = max(deepest, depth)
        if deepest > DEEPEST:
            return False
        try:
            return Call.model_validate_json(body).fn_index in self.functions
        except ValidationError:
            return False


async def _refuse(send: Send) -> None:
    sentence = "请求的内容不对，请刷新页面再试。"
    body = json.dumps({"detail": sentence, "error": sentence}, ensure_ascii=False).encode()
    headers = [(b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": 422, "headers": headers})
    await send({"type": "http.response.body", "body": body})
