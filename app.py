"""Serve the question-answering page: ``python app.py``."""

import errno
import os
import socket
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

if TYPE_CHECKING:
    from chatbot.answer import Chatbot

LOCAL = "127.0.0.1"

command = typer.Typer(add_completion=False)


@command.command(help="打开医保问答网页（serve the question-answering page）。")
def serve(
    index: Annotated[
        Path | None, typer.Option(help="索引目录，由 python -m index build 生成；默认用自带的")
    ] = None,
    host: Annotated[str, typer.Option(help="监听地址；0.0.0.0 表示所有网卡")] = LOCAL,
    port: Annotated[int, typer.Option(help="端口", min=1, max=65535)] = 7860,
) -> None:
    """Open the index, then serve until Ctrl-C."""
    listening = _listen(host, port)
    with listening:
        bot = _open(index)
        shown = f"[{host}]" if ":" in host else host
        _run(bot, listening, f"http://{shown}:{port}/")


def main() -> None:
    """Entry point."""
    command()


def _listen(host: str, port: int) -> socket.socket:
    """The listening socket, taken first: a port in use is told before anything is loaded."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            _leave(f"端口 {port} 已被占用，请换一个：python app.py --port {port % 65535 + 1}")
        _leave(f"不能在 {host}:{port} 上监听，请检查 --host 和 --port。")


def _open(index: Path | None) -> "Chatbot":
    from chatbot.answer import Chatbot
    from corpus.errors import YibaoError
    from index import store

    try:
        return Chatbot.open(index or store.DEFAULT)
    except YibaoError as error:
        _leave(str(error))


def _run(bot: "Chatbot", listening: socket.socket, address: str) -> None:
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"  # before gradio is imported

    import uvicorn

    from chatbot.api import create_app

    settings = uvicorn.Config(
        create_app(bot),
        proxy_headers=False,  # behind a proxy, let it set the addresses it logs itself
        server_header=False,
        log_level="warning",
        timeout_graceful_shutdown=3,  # seconds; open event streams would hold Ctrl-C up
    )
    threading.Thread(target=_warm, args=(bot,), name="warm", daemon=True).start()
    typer.echo(f"医保问答已启动：{address}（按 Ctrl-C 停止）")
    try:
        uvicorn.Server(settings).run(sockets=[listening])
    except KeyboardInterrupt:
        typer.echo("已停止。")


def _warm(bot: "Chatbot") -> None:
    """Load the encoder behind the page; without it the page goes on answering by BM25."""
    from corpus.errors import YibaoError

    try:
        bot.warm()
    except YibaoError as error:
        typer.echo(str(error), err=True)


def _leave(sentence: str) -> NoReturn:
    typer.echo(sentence, err=True)
    raise typer.Exit(1)


if __name__ == "__main__":
    main()
