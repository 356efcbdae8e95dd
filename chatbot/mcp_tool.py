"""The answer as a tool for assistants: Model Context Protocol at ``/mcp``, if the operator opts in.

The official SDK speaks the protocol (group ``mcp``); Gradio's own would pin pydantic to an older
one. Every call stands for itself: nothing is kept, and all guards of the service lie before it.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from anyio import CapacityLimiter, to_thread
from fastapi import FastAPI

from corpus.errors import InputError

__all__ = ["add_mcp"]

PATH = "/mcp"
INSTRUCTIONS = (
    "回答中国医疗保险的问题：逐句引用资料原文，注明地区、年份和来源。资料里没有的，会照实说。"
)


def add_mcp(app: FastAPI, asking: Callable[[str, str], dict[str, Any]], workers: int) -> None:
    """Serve the tool ``ask`` at ``PATH`` of ``app``.

    Args:
        app: the service, its page not yet mounted.
        asking: a question and a place → the contract's object.
        workers: calls at a time.

    Raises:
        InputError: the group ``mcp`` is not installed.
    """
    try:
        from mcp.server import MCPServer
        from mcp.server.transport_security import TransportSecuritySettings
    except ImportError as error:
        msg = "没有安装 MCP 的依赖，请先运行 pip install '.[mcp]'，或者去掉 YIBAO_MCP。"
        raise InputError(msg) from error
    server = MCPServer(
        "yibao-wenda", title="医保问答", instructions=INSTRUCTIONS, log_level="WARNING"
    )
    limiter = CapacityLimiter(workers)

    async def ask(question: str, region: str = "") -> dict[str, Any]:
        return await to_thread.run_sync(asking, question, region, limiter=limiter)

    server.add_tool(ask, title="问医保问题", description=INSTRUCTIONS)
    inner = server.streamable_http_app(
        streamable_http_path=PATH,
        json_response=True,
        stateless_http=True,
        # Answers are public, nobody is logged in: no name of the host is special.
        transport_security=TransportSecuritySettings(enable_dns_rebinding_protection=False),
    )
    app.router.routes.extend(inner.routes)
    outer = app.router.lifespan_context

    @asynccontextmanager
    async def lifespan(started: FastAPI) -> AsyncIterator[Any]:
        async with outer(started) as state, server.session_manager.run():
            yield state

    app.router.lifespan_context = lifespan
