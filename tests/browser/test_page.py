"""The page in a real browser: what a citizen sees, on a desk's screen and on a phone."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from chatbot.page import Answering
from chatbot.records import DISCLAIMER
from tests.browser.conftest import HOSTILE
from tests.browser.serving import ask, visit

OpenPage = Callable[..., Page]
SIDEWAYS = "() => document.documentElement.scrollWidth - window.innerWidth"
EMERGENCY = "我爸突然胸口剧痛，喘不上气，怎么报销？"
# The size of a tap target, what reaches beyond the visible pill included.
TARGETS = """() => [...document.querySelectorAll(
    '.yb-choice, .yb-tool, .yb-source-line, .yb-call, .yb-close, .yb-whole, #yb-composer button'
)].filter((e) => e.offsetParent).map((e) => [e.className, e.getBoundingClientRect().height])"""
# Contrast (WCAG 2.2) of every piece of visible text against the nearest filled background.
CONTRASTS = """() => {
  const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  const rgba = (colour) => {
    canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const light = (c) => { const [r, g, b] = c.slice(0, 3).map((v) => v / 255).map(
    (v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  const ground = (e) => { for (; e; e = e.parentElement) {
    const c = rgba(getComputedStyle(e).backgroundColor); if (c[3] > 250) return c; }
    return [255, 255, 255, 255]; };
  return [...document.querySelectorAll('body *')].filter((e) => e.checkVisibility() &&
    [...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim())).map((e) => {
      const [a, b] = [light(rgba(getComputedStyle(e).color)), light(ground(e))];
      return [e.textContent.slice(0, 30), (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05)];
    }).filter(([, ratio]) => ratio < 4.5);
}"""


@pytest.mark.parametrize(("width", "height"), [(1280, 800), (390, 844)])
def test_an_answer_leads_to_the_marked_sentence_and_the_whole_article(
    site: str, bot: Answering, open_page: OpenPage, width: int, height: int
) -> None:
    page = open_page(width, height)
    visit(page, site)
    answer = ask(page, bot.starters[0])
    expect(answer.locator(".yb-disclaimer")).to_have_text(DISCLAIMER)
    marker = answer.locator(".yb-marker").first
    quoted = answer.locator(".yb-quote").first.inner_text().removesuffix(marker.inner_text())

    marker.click()
    panel = page.locator("#yb-evidence")
    card = panel.locator(".yb-card.yb-on")
    expect(card).to_be_focused()
    expect(card.locator("mark").first).to_be_in_viewport()
    assert _squeezed(quoted) in _squeezed("".join(card.locator("mark").all_inner_texts()))
    for row in ("地方", "时间", "来源", "可靠程度"):
        expect(card.locator("dt", has_text=row)).to_be_visible()
    assert page.evaluate(SIDEWAYS) == 0

    page.keyboard.press("Escape")
    expect(panel).to_be_hidden()
    expect(marker).to_be_focused()
    page.keyboard.press("Enter")
    page.locator("#yb-close").click()
    expect(panel).to_be_hidden()
    expect(marker).to_be_focused()

    answer.locator(".yb-source-line").first.click()
    with page.context.expect_page() as opened:
        card.locator(".yb-whole").click()
    article = opened.value
    expect(article.locator("#quote")).to_be_in_viewport()
    assert _squeezed(quoted) in _squeezed("".join(article.locator("mark").all_inner_texts()))
    assert article.locator("html").get_attribute("lang") == "zh-CN"
    assert article.evaluate(SIDEWAYS) == 0


@pytest.mark.parametrize("locale", ["en-US", "zh-HK"])
def test_every_word_is_chinese_whatever_the_browser_says(
    site: str, bot: Answering, open_page: OpenPage, locale: str
) -> None:
    page = open_page(locale=locale)
    visit(page, site)
    expect(page).to_have_title("医保问答")
    assert page.locator("html").get_attribute("lang") == "zh-CN"
    ask(page, bot.starters[1])
    spoken = page.locator("body").aria_snapshot()
    words = re.sub(r"(?m)^\s*- /url: .*$|\[\w+(=\w+)?\]", "", spoken)  # addresses and states
    names = re.findall(r'"([^"]*)"|: (.+)$', words, re.MULTILINE)
    assert re.findall(r"[A-Za-z]{3,}", " ".join("".join(pair) for pair in names)) == []


def test_an_emergency_comes_first_and_large(site: str, open_page: OpenPage) -> None:
    page = open_page(390, 844)
    visit(page, site)
    answer = ask(page, EMERGENCY)
    expect(answer).to_have_class(re.compile("yb-emergency"))
    call = answer.locator('a.yb-call[href="tel:120"]')
    expect(call).to_be_in_viewport()
    box = call.bounding_box()
    assert box is not None
    assert box["height"] >= 44
    below = answer.locator(".yb-below, .yb-quote").first.bounding_box()
    assert below is None or below["y"] > box["y"]  # the insurance question is answered below
    assert answer.inner_text().rstrip().endswith(DISCLAIMER)


def test_nothing_scrolls_sideways_at_320_in_large_print(
    site: str, bot: Answering, open_page: OpenPage
) -> None:
    page = open_page(320, 568)
    visit(page, site)
    assert page.evaluate(SIDEWAYS) == 0
    page.click("#yb-big-toggle")
    expect(page.locator("#yb-big-toggle")).to_have_attribute("aria-pressed", "true")
    page.reload()
    expect(page.locator("html")).to_have_class(re.compile("yb-big"))
    page.locator("#yb-question textarea").wait_for()
    expect(page.locator(".yb-choice").first).to_have_css("font-size", "24px")
    answer = ask(page, bot.starters[0])
    assert page.evaluate(SIDEWAYS) == 0
    answer.locator(".yb-marker").first.click()
    expect(page.locator(".yb-card.yb-on")).to_be_visible()
    assert page.evaluate(SIDEWAYS) == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_has_contrast_and_targets_are_large(
    site: str, bot: Answering, open_page: OpenPage, scheme: str
) -> None:
    page = open_page(390, 844, color_scheme=scheme)
    visit(page, site)
    page.emulate_media(reduced_motion="reduce")
    small = [target for target in page.evaluate(TARGETS) if target[1] < 43.5]
    pale = page.evaluate(CONTRASTS)
    answer = ask(page, bot.starters[0])
    ask(page, EMERGENCY)
    answer.locator(".yb-marker").first.click()
    expect(page.locator(".yb-card.yb-on")).to_be_visible()
    small += [target for target in page.evaluate(TARGETS) if target[1] < 43.5]
    assert small == []
    assert pale + page.evaluate(CONTRASTS) == []


def test_markup_in_questions_and_articles_stays_text(
    hostile_site: str, open_page: OpenPage
) -> None:
    page = open_page()
    visit(page, hostile_site)
    answer = ask(page, HOSTILE)
    expect(page.locator(".yb-question")).to_have_text(HOSTILE)
    expect(answer.locator(".yb-lead")).to_have_text(HOSTILE)
    expect(answer.locator(".yb-quote")).to_have_text(f"{HOSTILE}。[1]")
    assert answer.locator("img, script, del, em, strong, code, .katex").count() == 0
    answer.locator(".yb-marker").click()
    card = page.locator(".yb-card.yb-on")
    expect(card.locator("mark")).to_have_text(f"{HOSTILE}。")
    with page.context.expect_page() as opened:
        card.locator(".yb-whole").click()
    article = opened.value
    expect(article.locator("#quote")).to_have_text(f"{HOSTILE}。")
    expect(article.locator("h1")).to_have_text(HOSTILE)
    assert article.locator('a[href^="javascript"]').count() == 0
    for one in (page, article):
        assert one.evaluate("window.hurt") is None


def test_place_and_earlier_questions_go_along(hostile_site: str, open_page: OpenPage) -> None:
    page = open_page()
    visit(page, hostile_site)
    page.fill("#yb-region input", "惠州")
    page.press("#yb-region input", "Enter")
    expect(page.locator("#yb-question textarea")).to_be_focused()
    page.get_by_role("button", name="第一个问题").click()
    expect(page.locator(".yb-answer .yb-closing")).to_have_text("参保地：惠州；前面问过：")
    expect(page.get_by_role("button", name="第二个问题")).to_be_hidden()
    page.locator("#yb-after .yb-choice").first.click()
    second = page.locator(".yb-answer").nth(1).locator(".yb-closing")
    expect(second).to_have_text("参保地：惠州；前面问过：第一个问题")
    expect(page.locator(".yb-question").nth(1)).to_have_text(HOSTILE)
    page.get_by_role("button", name="重新开始").click()
    expect(page.locator(".yb-answer")).to_have_count(0)
    expect(page.get_by_role("button", name="第二个问题")).to_be_visible()


def test_a_failure_says_so_in_chinese_and_keeps_what_was_typed(
    hostile_site: str, open_page: OpenPage
) -> None:
    page = open_page()
    visit(page, hostile_site)
    page.fill("#yb-question textarea", "坏掉")
    page.press("#yb-question textarea", "Enter")
    expect(page.locator(".toast-body")).to_contain_text("您写的内容还在")
    expect(page.locator("#yb-question textarea")).to_have_value("坏掉")
    expect(page.get_by_role("button", name="第一个问题")).to_be_visible()
    expect(page.locator(".yb-waiting")).to_have_count(0)


def _squeezed(text: str) -> str:
    return re.sub(r"\s+", "", text)
