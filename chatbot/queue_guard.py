"""Calls of Gradio's queue that no page of ours would make are refused before Gradio sees them.

Gradio writes what it cannot use into the log, values and all.
"""

import json
from collections.abc import Mapping
from typing import Annotated

from pydantic import BaseModel, Field, StringConstraints, ValidationError
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LONGEST = 20_000  # characters of one input
DEEPEST = 16  # brackets opened before any is closed; ours have three
_JOIN = "/gradio_api/queue/join"


class Call(BaseModel):
    """The parts of a queue call that Gradio trusts."""

    # Every input of ours is text, or a state that is kept here: the browser sends null for it.
    data: list[Annotated[str, StringConstraints(max_length=LONGEST, strict=True)] | None]
    fn_index: Annotated[int, Field(strict=True)]
    session_hash: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}$")]


class QueueGuard:
    """Answers 422 to a call that is malformed or of an unknown function.

    Args:
        app: what gets the call; the body must have been bounded before.
        functions: the numbers of the page's functions, and how many inputs each has.
    """

    def __init__(self, app: ASGIApp, functions: Mapping[int, int]) -> None:
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
            call = Call.model_validate_json(body)
        except ValidationError:
            return False
        return self.functions.get(call.fn_index) == len(call.data)


async def _refuse(send: Send) -> None:
    sentence = "请求的内容不对，请刷新页面再试。"
    detail = [{"__type__": "validate", "is_valid": False, "message": sentence}]  # Gradio's form
    body = json.dumps({"detail": detail, "error": sentence}, ensure_ascii=False).encode()
    headers = [(b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": 422, "headers": headers})
    await send({"type": "http.response.body", "body": body})
