"""Take the page's portraits: ``python -m tests.browser.screenshots [FOLDER] [--index DIR]``.

Eight states, on a desk's screen and on a phone, from the shipped corpus and the built index; the
conflict is staged, with made-up articles.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer
from playwright.sync_api import Browser, Locator, Page

from chatbot.answer import Chatbot
from corpus.errors import YibaoError
from tests.browser.serving import ask, chromium, chromium_path, served, visit
from tests.browser.staged import CONFLICT, StagedBot

SIZES = {"desktop": (1280, 800), "phone": (390, 844)}  # CSS pixels
CLARIFY = "医保要交满多少年才能退休后不交"
EMERGENCY = "我爸突然胸口剧痛，喘不上气，怎么报销？"
REFUSAL = "明天股票会涨吗？"


def main(
    folder: Annotated[Path, typer.Argument(help="where the PNG files go")] = Path("screenshots"),
    index: Annotated[Path | None, typer.Option(help="index directory")] = None,
) -> None:
    """Write the eight states, for each size."""
    path = chromium_path()
    if path is None:
        typer.echo("找不到 Chromium：请安装，或用环境变量 CHROMIUM 指明它在哪里。", err=True)
        raise typer.Exit(1)
    try:
        bot = Chatbot.open(index) if index else Chatbot.open()
        bot.warm()
    except YibaoError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error
    folder.mkdir(parents=True, exist_ok=True)
    with served(bot) as address, served(StagedBot()) as stage, chromium(path) as browser:
        for name in SIZES:
            page = _page(browser, name)
            for number, state in enumerate(_states(page, address, stage, bot.starters[0]), 1):
                target = folder / f"{name}-{number}-{state}.png"
                page.screenshot(path=target, animations="disabled")
                typer.echo(str(target))
            page.context.close()


def _page(browser: Browser, name: str) -> Page:
    width, height = SIZES[name]
    phone = name == "phone"
    context = browser.new_context(
        viewport={"width": width, "height": height}, has_touch=phone, is_mobile=phone
    )
    return context.new_page()


def _states(page: Page, address: str, stage: str, question: str) -> Iterator[str]:
    visit(page, address)
    yield "first-visit"
    answer = _asked(page, question, "answer")
    yield "answer"
    answer.locator(".yb-marker").first.click()
    page.locator(".yb-card.yb-on").wait_for()
    yield "evidence"
    page.keyboard.press("Escape")
    for state, where, asked in (
        ("conflict", stage, CONFLICT),
        ("clarify", address, CLARIFY),
        ("emergency", address, EMERGENCY),
        ("refusal", address, REFUSAL),
    ):
        visit(page, where)
        _asked(page, asked, "no_answer" if state == "refusal" else state)
        yield state
    visit(page, address)
    page.click(".yb-size")
    _asked(page, question, "answer")
    yield "large-print"


def _asked(page: Page, question: str, kind: str) -> Locator:
    """The answer, which must be of the kind that the picture is to show."""
    answer = ask(page, question)
    if "yb-" + kind not in (answer.get_attribute("class") or "").split():
        typer.echo(f"“{question}”的回答不是 {kind}，请换一个问题。", err=True)
        raise typer.Exit(1)
    return answer


if __name__ == "__main__":
    typer.run(main)
