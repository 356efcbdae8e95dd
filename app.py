"""Serve the question-answering page: ``python app.py``."""

import ctypes
import errno
import gc
import socket
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from chatbot.settings import Settings, read_settings, settings_rows
from corpus.errors import EngineUnreachable, YibaoError

if TYPE_CHECKING:
    from chatbot.answer import Chatbot
    from chatbot.service import Service, Watcher

OPEN_CONNECTIONS = 512  # more are answered 503 at once
KEEP_ALIVE = 10  # seconds an idle connection stays open
ARENAS = 2  # heaps of the C library; one for each of many threads holds 80 MB more under load
GRACE = 3  # seconds; open event streams would hold Ctrl-C up

_EPILOG = "其余设置用环境变量，或写进 --settings 的文件，一行一个 名称=值：\n\n" + "\n\n".join(
    f"{name}：{told}。" + (f"默认 {default}" if default else "")
    for name, default, told in settings_rows()
)

command = typer.Typer(add_completion=False)


@command.command(help="打开医保问答网页（serve the question-answering page）。", epilog=_EPILOG)
def serve(
    index: Annotated[
        Path | None, typer.Option(help="索引目录，由 python -m index build 生成；默认用自带的")
    ] = None,
    host: Annotated[
        str | None, typer.Option(help="监听地址，默认 127.0.0.1；0.0.0.0 表示所有网卡")
    ] = None,
    port: Annotated[
        int | None, typer.Option(help="端口，默认 7860", min=1, max=65535, show_default=False)
    ] = None,
    settings: Annotated[Path | None, typer.Option(help="设置文件")] = None,
) -> None:
    """Open the index, then serve until Ctrl-C."""
    try:
        chosen = read_settings(settings, index=index, host=host, port=port)
        with _listen(chosen.host, chosen.port) as listening:
            _run(chosen, listening)
    except YibaoError as error:
        _leave(str(error))


def main() -> None:
    """Entry point."""
    command()


def _listen(host: str, port: int) -> socket.socket:
    """The listening socket, taken first: a port in use is told before anything is loaded."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listening = socket.create_server((host, port), family=family)
        # What it accepts inherits this. asyncio sets it only where the protocol is named, which
        # ``create_server`` does not: answers on a connection kept open came 40 ms late.
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return listening
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            _leave(f"端口 {port} 已被占用，请换一个：python app.py --port {port % 65535 + 1}")
        _leave(f"不能在 {host}:{port} 上监听，请检查 --host 和 --port。")


def _run(settings: Settings, listening: socket.socket) -> None:
    from chatbot.answer import Chatbot
    from chatbot.feedback import Feedback
    from chatbot.gradio_import import import_gradio
    from chatbot.logs import configure_logs, log
    from index import store
    from index.opening import name_in_use

    _few_heaps()
    where, days = settings.feedback.get_secret_value(), settings.retention_days
    feedback = Feedback.open(where, days) if where else None
    index = settings.index or store.DEFAULT
    configure_logs(settings.log_level)
    seen = name_in_use(index)
    try:
        bot = Chatbot.open(index)
    except EngineUnreachable as error:  # it may come later, and emergencies are answered without it
        log("started without the search engine", "error", said=str(error))
        bot = Chatbot.without_engine(error)
    import_gradio()
    from chatbot.service import Service, Watcher

    service = Service(bot, feedback, keep_questions=settings.keep_questions)
    watcher = Watcher(service, index, Chatbot.open, seen)
    threading.Thread(target=_warm, args=(bot, watcher), name="warm", daemon=True).start()
    try:
        _serve(service, settings, listening)
    finally:
        watcher.stop()
        if feedback is not None:
            feedback.close()


def _serve(service: "Service", settings: Settings, listening: socket.socket) -> None:
    import uvicorn

    from chatbot.api import create_app
    from chatbot.headers import ImpatientProtocol

    config = uvicorn.Config(
        create_app(service, settings),
        http=ImpatientProtocol,
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=settings.trusted_proxies or None,
        server_header=False,
        access_log=False,
        log_config=None,
        limit_concurrency=OPEN_CONNECTIONS,
        timeout_keep_alive=KEEP_ALIVE,
        timeout_graceful_shutdown=GRACE,
    )
    shown = f"[{settings.host}]" if ":" in settings.host else settings.host
    typer.echo(f"医保问答已启动：http://{shown}:{settings.port}/（按 Ctrl-C 停止）")
    try:
        uvicorn.Server(config).run(sockets=[listening])
    except KeyboardInterrupt:
        typer.echo("已停止。")


def _warm(bot: "Chatbot", watcher: "Watcher") -> None:
    """Load the encoder behind the page, then look for new indexes.

    Without an encoder the page goes on answering by BM25.
    """
    from chatbot.logs import log

    try:
        bot.warm()
        _give_back_memory()
        log("encoder ready")
    except EngineUnreachable:
        watcher.open_again()
    except YibaoError as error:
        log("encoder not loaded, words only", "error", said=str(error))
    watcher.run()


def _few_heaps() -> None:
    """Let the threads share heaps, where the C library is GNU's."""
    if sys.platform == "linux" and hasattr(libc := ctypes.CDLL(None), "mallopt"):
        libc.mallopt(-8, ARENAS)  # M_ARENA_MAX in malloc.h


def _give_back_memory() -> None:
    """Return to the system what loading the encoder has left free."""
    gc.collect()
    if sys.platform == "linux" and hasattr(libc := ctypes.CDLL(None), "malloc_trim"):
        libc.malloc_trim(0)


def _leave(sentence: str) -> NoReturn:
    typer.echo(sentence, err=True)
    raise typer.Exit(1)


if __name__ == "__main__":
    main()
