"""A real server in a thread, a real Chromium: for the browser tests and the screenshots."""

import asyncio
import os
import shutil
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from playwright.sync_api import Browser, Locator, Page, sync_playwright

from chatbot.api import create_app
from chatbot.page import Answering
from chatbot.settings import Settings

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]
START_SECONDS = 20
ANSWER_MILLISECONDS = 15_000  # the first question of a process also loads jieba's dictionary


def chromium_path() -> str | None:
    """Where Chromium is: the environment's ``CHROMIUM``, else what the PATH holds."""
    return (
        os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    )


@contextmanager
def served(bot: Answering, settings: Settings | None = None) -> Iterator[str]:
    """The whole service around ``bot`` on a free port; gives its address without a final slash."""
    listening = socket.create_server(("127.0.0.1", 0))
    servers: list[uvicorn.Server] = []

    async def serve() -> None:
        # Built inside the running loop: Gradio would otherwise make loops that nobody closes.
        config = uvicorn.Config(
            create_app(bot, settings), log_level="critical", timeout_graceful_shutdown=1
        )
        servers.append(uvicorn.Server(config))
        await servers[0].serve(sockets=[listening])

    thread = threading.Thread(target=asyncio.run, args=(serve(),), daemon=True)
    thread.start()
    give_up = time.monotonic() + START_SECONDS
    while not (servers and servers[0].started):
        if time.monotonic() > give_up or not thread.is_alive():
            msg = "the server did not start"
            raise RuntimeError(msg)
        time.sleep(0.02)
    yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    servers[0].should_exit = True
    thread.join(START_SECONDS)
    listening.close()


@contextmanager
def chromium(path: str) -> Iterator[Browser]:
    """Debian's Chromium, headless."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


def visit(page: Page, address: str) -> None:
    """Open the start page and wait until it can be used."""
    page.goto(address + "/")
    page.locator("#yb-question textarea").wait_for()


def ask(page: Page, question: str) -> Locator:
    """Type a question, send it with Enter, and give the finished answer."""
    before = page.locator(".yb-answer").count()
    page.fill("#yb-question textarea", question)
    page.press("#yb-question textarea", "Enter")
    answer = page.locator(".yb-answer").nth(before)
    answer.wait_for(timeout=ANSWER_MILLISECONDS)
    return answer
