"""Fixtures of the browser tests: two servers, one Chromium, and a page that is watched."""

from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, Route

from chatbot.page import Answering
from chatbot.records import DISCLAIMER, Answer, Citation, Kind, Quote
from corpus.records import Article
from tests.browser.serving import chromium, chromium_path, served

HOSTILE = (
    "<script>window.hurt=1</script><img src=x onerror=window.hurt=2>[点](javascript:window.hurt=3)"
    " $$a^2$$ ~~划掉~~ *斜* **粗** `码` {{1+1}} ${1+1} <!-- x --> &lt;b&gt; | # 题"
)


class HostileBot:
    """Answers with an article full of markup; fails when the question says so."""

    ready = True
    articles_count = 1
    starters = ("第一个问题", "第二个问题")
    articles = ()
    body = f"前面一句。{HOSTILE}。后面一句。"
    hostile = Article(
        "坏/../<b>", HOSTILE, body, place=(HOSTILE,), source_name=HOSTILE, source_url="javascript:1"
    )

    def ask(
        self,
        question: str,
        *,
        region: str = "",
        history: Sequence[str] = (),
        mend: bool = True,
        forget: Collection[str] = (),
    ) -> Answer:
        if question == "坏掉":
            raise RuntimeError(question)
        quote = Quote.of(self.hostile, 5, 5 + len(HOSTILE) + 1)
        return Answer(
            question=question,
            kind=Kind.ANSWER,
            text=quote.text + DISCLAIMER,
            lead=HOSTILE,
            closing=f"参保地：{region}；前面问过：{'、'.join(history)}",
            quotes=(quote,),
            cited=(1,),
            citations=(Citation.of(1, self.hostile),),
            followups=(HOSTILE,),
        )

    def article(self, article_id: str) -> Article:
        return {self.hostile.id: self.hostile}[article_id]


# Not for the session: Playwright keeps an event loop running, and later asyncio.run() would fail.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    path = chromium_path()
    if path is None:
        pytest.skip("no Chromium: install it or set CHROMIUM to its path")
    with chromium(path) as browser:
        yield browser


@pytest.fixture(scope="module")
def site(bot: Answering) -> Iterator[str]:
    with served(bot) as address:
        yield address


@pytest.fixture(scope="module")
def hostile_site() -> Iterator[str]:
    with served(HostileBot()) as address:
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

    def make(width: int = 1280, height: int = 800, **options: Any) -> Page:
        phone = width < 800
        size = {"width": width, "height": height}
        options = {"locale": "en-US", "has_touch": phone, "is_mobile": phone, **options}
        context = browser.new_context(viewport=size, **options)
        contexts.append(context)
        context.set_default_timeout(15_000)
        context.route("**/*", keep_home)
        page = context.new_page()
        page.on("console", lambda message: complaints.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("dialog", lambda dialog: complaints.append(f"dialog: {dialog.message}"))
        return page

    yield make
    for context in contexts:
        context.close()
    assert complaints == []
