"""Fixtures of the browser tests: two servers, one Chromium, and a page that is watched."""

import json
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, Request, expect

from chatbot.answer import Chatbot
from chatbot.feedback import Feedback
from chatbot.page import Answering
from chatbot.service import Service
from chatbot.settings import Settings
from corpus.folder import SHIPPED
from index import store
from tests.browser.serving import chromium, chromium_path, served
from tests.browser.staged import HOSTILE, StagedBot
from tests.fake_encoder import FakeEncoder

TOKEN = "a-token-of-an-operator"

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
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One staged question for each kind of answer; hostile feedback, an operator's page."""
    feedback = Feedback.open(tmp_path_factory.mktemp("feedback") / "feedback.db")
    feedback.add(HOSTILE, "answer", "bad", HOSTILE)
    feedback.add_asked(HOSTILE, "no_answer")
    settings = Settings.model_validate({"operator_token": TOKEN, "rate_per_minute": 0})
    with served(Service(StagedBot(), feedback, keep_questions=True), settings) as address:
        yield address
    feedback.close()


@pytest.fixture(scope="package")
def hostile_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real index with an article whose front matter, headings and text are hostile."""
    folder = tmp_path_factory.mktemp("hostile")
    corpus = folder / "corpus"
    corpus.mkdir()
    quoted = json.dumps(HOSTILE, ensure_ascii=False)
    titled = json.dumps(f"惠州生育津贴由谁申请{HOSTILE}", ensure_ascii=False)
    head = f"title: {titled}\ntopic: {quoted}\nsource_name: {quoted}\nplace: [广东省, 惠州市]"
    text = f"## {HOSTILE}\n\n生育津贴由单位申请{HOSTILE}。\n\n- {HOSTILE}。\n"
    front = f"---\n{head}\n---\n\n"
    (corpus / "bad.md").write_text(front + text, encoding="utf-8")
    for path in sorted(SHIPPED.glob("*.md"))[:40]:  # words of one article alone weigh nothing
        (corpus / path.name).write_bytes(path.read_bytes())
    store.build(corpus, folder / "index", FakeEncoder())
    with served(Chatbot.open(folder / "index")) as address:
        yield address


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Make pages that fail the test on a console message, an error or a foreign request."""
    complaints: list[str] = []
    contexts = []

    def note(request: Request) -> None:
        address = urlsplit(request.url)
        if address.hostname != "127.0.0.1" and address.scheme not in ("data", "blob"):
            complaints.append(f"request to {request.url}")

    def make(
        width: int = 1280, height: int = 800, *, may_fail: bool = False, **options: Any
    ) -> Page:
        phone = width < 700
        size = {"width": width, "height": height}
        options = {"locale": "en-US", "has_touch": phone, "is_mobile": phone, **options}
        context = browser.new_context(viewport=size, **options)
        contexts.append(context)
        context.set_default_timeout(15_000)
        context.on("request", note)  # Chromium itself reaches no other host: see FLAGS
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
