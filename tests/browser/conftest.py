"""Fixtures of the browser tests: two servers, one Chromium, and a page that is watched."""

from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from chatbot.page import Answering
from tests.browser.serving import chromium, chromium_path, served
from tests.browser.staged import StagedBot

expect.set_options(timeout=15_000)  # milliseconds; a busy machine is no failure


# Not for the session: Playwright keeps an event loop running, and later asyncio.run() would fail.
@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    path = chromium_path()
    if path is None:
        pytest.skip("no Chromium: install it or set CHROMIUM to its path")
    with chromium(path) as browser:
        yield browser


@pytest.fixture(scope="package")
def site(bot: Answering) -> Iterator[str]:
    """The real chatbot with the shipped articles."""
    with served(bot) as address:
        yield address


@pytest.fixture(scope="package")
def stage() -> Iterator[str]:
    """One staged question for each kind of answer."""
    with served(StagedBot()) as address:
        yield address


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Make pages that fail the test on a console message, an error or a foreign request."""
    complaints: list[str] = []
    contexts = []

    def keep_home(route: Route) -> None:
        address = urlsplit(route.request.url)
        if address.hostname == "127.0.0.1" or address.scheme in ("data", "blob"):
            route.continue_()
        else:
            complaints.append(f"request to {route.request.url}")
            route.abort()

    def make(
        width: int = 1280, height: int = 800, *, may_fail: bool = False, **options: Any
    ) -> Page:
        phone = width < 700
        size = {"width": width, "height": height}
        options = {"locale": "en-US", "has_touch": phone, "is_mobile": phone, **options}
        context = browser.new_context(viewport=size, **options)
        contexts.append(context)
        context.set_default_timeout(15_000)
        context.route("**/*", keep_home)
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("dialog", lambda dialog: complaints.append(f"dialog: {dialog.message}"))
        if not may_fail:  # a lost connection is a console message too
            page.on("console", lambda message: complaints.append(f"{message.type}: {message.text}"))
        return page

    yield make
    for context in contexts:
        context.close()
    assert complaints == []
