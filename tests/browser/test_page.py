"""The page in a real browser: what a citizen sees and does, on a desk's screen and on phones."""

import json
import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from chatbot.page import Answering
from chatbot.records import DISCLAIMER
from tests.browser.conftest import TOKEN
from tests.browser.serving import ask, visit
from tests.browser.staged import (
    BROKEN,
    CLARIFY,
    CONFLICT,
    HOSTILE,
    LOCAL,
    LONG,
    MISSPELT,
    NO_PLACE,
    NOTHING,
    SLOW,
    URGENT,
)

OpenPage = Callable[..., Page]
BOX = "#yb-question textarea"
SIDEWAYS = "() => document.documentElement.scrollWidth - window.innerWidth"
# Tap targets that are lower than 44 px; what reaches beyond a marker's visible pill is not counted.
LOW = """() => [...document.querySelectorAll(
    'button, a.yb-tool, .yb-source-line, .yb-call, .yb-whole, summary, #yb-composer input'
)].filter((e) => e.checkVisibility() && e.getBoundingClientRect().height < 43.5)
  .map((e) => e.outerHTML.slice(0, 80))"""


@pytest.mark.parametrize(
    ("width", "height"), [(1280, 800), (768, 1024), (390, 844), (320, 568)], ids=str
)
def test_every_element_at_every_width(
    stage: str, open_page: OpenPage, width: int, height: int
) -> None:
    page = open_page(width, height)
    visit(page, stage)
    expect(page.locator("#yb-starters .yb-choice").first).to_have_text(f"门诊报销{LOCAL.title}")
    _sound(page)
    answer = ask(page, LONG)
    expect(answer.locator(".yb-disclaimer")).to_have_text(DISCLAIMER)
    answer.locator("summary").click()
    expect(answer.locator(".yb-quote").last).to_be_visible()
    _look_at_evidence(page, answer)
    for name in ("region", "insurance"):
        expect(page.locator(f".yb-slot-{name}")).to_be_visible()
    expect(page.locator("#yb-after .yb-choice").first).to_have_text(CONFLICT)
    page.locator("#yb-after .yb-choice").first.click()
    _sides(page.locator(".yb-answer").nth(1), stacked=width < 700)
    _sound(page)
    urgent = ask(page, URGENT)
    call = urgent.locator('a.yb-call[href="tel:120"]')
    expect(call).to_be_in_viewport()
    for number in ("120", "12356", "12393"):
        box = urgent.locator(f'a.yb-call[href="tel:{number}"]').bounding_box()
        assert box
        assert box["height"] >= 55
    expect(ask(page, CLARIFY)).to_have_class(re.compile("yb-clarify"))
    expect(ask(page, NOTHING).locator('a[href="tel:12393"]')).to_be_visible()
    expect(page.get_by_role("heading", name="接着问")).to_have_count(0)  # nothing follows from it
    _sound(page)


def _sound(page: Page) -> None:
    assert page.evaluate(SIDEWAYS) == 0
    assert page.evaluate(LOW) == []


def _look_at_evidence(page: Page, answer: Locator) -> None:
    marker = answer.locator(".yb-marker").first
    marker.click()
    card = page.locator(".yb-card.yb-on")
    expect(card).to_be_focused()
    expect(card.locator("mark.yb-pressed")).to_have_text("这是第1条规定，看门诊时要记住。")
    expect(card.locator("mark.yb-pressed")).to_be_in_viewport()
    for words in (LOCAL.title, "广东省惠州市", "适用2025年", "演示资料甲", "官方", "现行"):
        expect(card).to_contain_text(words)
    assert "第10条" in card.locator(".yb-passage").inner_text()  # two sentences behind the eighth
    assert "第11条" not in card.locator(".yb-passage").inner_text()
    expect(card.locator(".yb-auth")).to_have_class(re.compile("yb-auth-official"))
    _sound(page)
    page.keyboard.press("Escape")
    expect(page.locator("#yb-evidence")).to_be_hidden()
    expect(marker).to_be_focused()


def _sides(answer: Locator, *, stacked: bool) -> None:
    expect(answer.locator(".yb-side")).to_have_count(2)
    left, right = (answer.locator(".yb-side").nth(n).bounding_box() for n in (0, 1))
    assert left
    assert right
    assert (left["x"] == right["x"]) == stacked
    assert (left["y"] == right["y"]) != stacked


def test_an_answer_of_the_corpus_leads_to_the_marked_sentence_and_the_whole_article(
    site: str, bot: Answering, open_page: OpenPage
) -> None:
    page = open_page(390, 844)
    visit(page, site)
    answer = ask(page, bot.starters[0])
    marker = answer.locator(".yb-marker").first
    quoted = answer.locator(".yb-quote").first.inner_text().removesuffix(marker.inner_text())
    answer.locator(".yb-source-line").first.click()
    card = page.locator(".yb-card.yb-on")
    assert _squeezed(quoted) in _squeezed("".join(card.locator("mark").all_inner_texts()))
    with page.context.expect_page() as opened:
        card.locator(".yb-whole").click()
    article = opened.value
    expect(article.locator("#quote")).to_be_in_viewport()
    assert _squeezed(quoted) in _squeezed("".join(article.locator("mark").all_inner_texts()))
    assert article.locator("html").get_attribute("lang") == "zh-CN"
    assert article.evaluate(SIDEWAYS) == 0


def test_a_place_is_typed_picked_remembered_and_taken_away(stage: str, open_page: OpenPage) -> None:
    page = open_page(390, 844)
    visit(page, stage)
    page.get_by_role("button", name="选参保地").click()
    expect(page.locator("#yb-place-name")).to_be_focused()
    page.locator("#yb-place-name").press_sequentially("惠州")
    expect(page.locator(".yb-place").first).to_have_text("广东省惠州市")
    page.locator("#yb-place-name").fill("没有这地方")
    expect(page.locator("#yb-places")).to_contain_text("没有找到这个地名")
    page.locator("#yb-place-name").fill("武汉")
    page.get_by_role("button", name="湖北省武汉市", exact=True).click()
    expect(page.locator("#yb-picker")).to_be_hidden()
    expect(page.locator(BOX)).to_be_focused()
    expect(page.locator(".yb-slot-region")).to_have_text("参保地：湖北省武汉市")
    expect(ask(page, "别的").locator(".yb-closing")).to_contain_text("参保地：湖北省武汉市")
    page.get_by_role("button", name="去掉险种：职工").click()
    expect(page.locator(".yb-slot-insurance")).to_have_count(0)
    page.get_by_role("button", name="去掉参保地：湖北省武汉市").click()
    second = ask(page, "别的")
    expect(second.locator(".yb-closing")).to_contain_text("参保地：；")
    expect(second.locator(".yb-how")).to_have_count(0)  # nothing is known any more
    page.reload()
    page.get_by_role("button", name="选参保地").click()
    page.get_by_role("button", name="湖北省武汉市").click()
    expect(page.locator(".yb-slot-region")).to_have_text("参保地：湖北省武汉市")
    page.get_by_role("button", name="去掉参保地").click()
    page.get_by_role("button", name="选参保地").click()
    page.get_by_role("button", name="清除记录").click()
    expect(page.locator(".yb-place")).to_have_count(0)
    assert page.evaluate("localStorage.getItem('yb-places')") == "[]"


def test_a_question_for_the_place_is_answered_where_it_stands(
    stage: str, open_page: OpenPage
) -> None:
    page = open_page(390, 844)
    visit(page, stage)
    page.get_by_role("button", name="选参保地").click()
    page.locator("#yb-place-done").click()
    answer = ask(page, NO_PLACE)
    page.fill(BOX, "还没写完")
    answer.get_by_role("button", name="选参保地").click()
    page.locator("#yb-place-name").fill("武汉")
    page.get_by_role("button", name="湖北省武汉市", exact=True).click()
    expect(page.locator("#yb-chat .yb-question")).to_have_text([NO_PLACE, NO_PLACE])
    expect(page.locator(".yb-slot-region")).to_have_text("参保地：湖北省武汉市")
    expect(page.locator(".yb-answer").nth(1)).to_be_visible()
    expect(page.locator(".yb-answer .yb-choose-place:visible")).to_have_count(0)
    expect(page.locator(BOX)).to_have_value("还没写完")


def test_a_refusal_offers_common_questions(stage: str, open_page: OpenPage) -> None:
    page = open_page(390, 844)
    visit(page, stage)
    ask(page, NOTHING)
    expect(page.locator("#yb-after h2")).to_have_text("可以这样问")
    page.locator("#yb-after .yb-choice").last.click()
    expect(page.locator(".yb-answer").nth(1)).to_have_class(re.compile("yb-conflict"))


def test_an_answer_is_copied_shared_printed_read_aloud_and_judged(
    stage: str, open_page: OpenPage
) -> None:
    page = open_page(may_fail=True, permissions=["clipboard-read", "clipboard-write"])
    page.add_init_script(
        "window.said = []; speechSynthesis.speak = (u) => said.push(u.lang + u.text);"
        "window.print = () => window.printed ="
        " [...document.querySelectorAll('.yb-printed')].map((row) => row.innerText);"
    )
    judged: list[dict[str, str]] = []

    def judge(route: Route) -> None:
        judged.append(json.loads(route.request.post_data or ""))
        if len(judged) == 1:
            route.fulfill(status=503, json={"error": "反馈现在存不了，请稍后再试。"})
        else:
            route.fulfill(status=204)

    page.route("**/api/feedback", judge)
    visit(page, stage)
    ask(page, NOTHING)
    answer = ask(page, LONG)

    def press(name: str) -> None:
        answer.get_by_role("button", name=name, exact=True).click()

    def clipboard() -> str:
        return page.evaluate("navigator.clipboard.readText()")

    press("复制")
    expect(answer.get_by_role("button", name="已复制")).to_be_visible()
    assert clipboard().startswith(f"问：{LONG}\n\n【1】《{LOCAL.title}》\n这是第1条规定")
    assert clipboard().rstrip().endswith(DISCLAIMER)
    press("分享")
    expect(answer.get_by_role("button", name="链接已复制")).to_be_visible()
    link = clipboard()
    press("朗读")
    said = page.evaluate("window.said")
    assert all(words.startswith("zh-CN") for words in said)
    assert "第1条规定，看门诊时要记住。" in "".join(said)
    assert not re.search(r"[\[\]【】《》<>]", "".join(said))
    press("停止")
    press("打印")
    printed = "".join(page.evaluate("window.printed"))
    assert LONG in printed
    assert "第8条" in printed  # unfolded
    assert NOTHING not in printed
    press("没帮助")
    for reason in ("答非所问", "过期", "引用错", "看不懂"):
        expect(answer.get_by_role("button", name=reason)).to_be_visible()
    press("地区不对")
    press("反馈现在存不了，请稍后再试。")  # what the button says for a moment
    expect(answer.locator(".yb-thanks")).to_be_focused()
    page.locator(".yb-answer").first.get_by_role("button", name="有帮助").click()
    expect(page.locator(".yb-thanks")).to_have_count(2)
    keys = [one.pop("key") for one in judged]
    assert keys[0] == keys[1] != keys[2]  # the second try is the same verdict
    assert judged[0] == judged[1]
    assert judged[1:] == [
        {"question": LONG, "answer_kind": "answer", "verdict": "bad", "reason": "地区不对"},
        {"question": NOTHING, "answer_kind": "no_answer", "verdict": "good", "reason": ""},
    ]

    page.goto(link)
    expect(page.locator(BOX)).to_have_value(LONG)
    assert page.url == stage + "/"
    page.wait_for_timeout(300)
    expect(page.locator(".yb-question")).to_have_count(0)  # filled in, not sent


def test_a_corrected_wording_can_be_undone(stage: str, open_page: OpenPage) -> None:
    page = open_page()
    visit(page, stage)
    answer = ask(page, MISSPELT)
    expect(answer.locator(".yb-how").last).to_have_text("已按“门特怎么报”检索，撤销")
    answer.get_by_role("button", name="撤销").click()
    expect(page.get_by_role("button", name="撤销")).to_have_count(0)
    expect(page.locator(".yb-question")).to_have_count(1)


def test_earlier_questions_go_along_until_one_starts_again(stage: str, open_page: OpenPage) -> None:
    page = open_page()
    visit(page, stage)
    page.fill(BOX, "别的")
    page.get_by_role("button", name="几处不同").click()
    expect(page.locator(".yb-answer")).to_be_visible()
    expect(page.locator(BOX)).to_have_value("别的")  # only what was answered leaves the box
    ask(page, "别的")
    expect(page.locator(BOX)).to_have_value("")
    second = page.locator(".yb-answer").nth(1).locator(".yb-closing")
    expect(second).to_contain_text("前面问过：几处不同")
    page.locator("#yb-after .yb-choice").first.click()
    expect(page.locator(".yb-question").nth(2)).to_have_text(HOSTILE)
    page.get_by_role("button", name="重新开始").click()
    expect(page.locator(".yb-answer")).to_have_count(0)
    expect(page.get_by_role("button", name="几处不同")).to_be_visible()
    expect(page.locator(".yb-chip")).to_have_count(0)


def test_markup_in_questions_and_articles_stays_text(stage: str, open_page: OpenPage) -> None:
    page = open_page()
    visit(page, stage)
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


def test_the_pressed_sentence_alone_is_singled_out(stage: str, open_page: OpenPage) -> None:
    page = open_page(390, 844)
    visit(page, stage)
    answer = ask(page, LONG)
    answer.locator("summary").click()
    answer.locator(".yb-marker").nth(6).click()
    pressed = page.locator(".yb-card.yb-on mark.yb-pressed")
    expect(pressed).to_have_text("这是第7条规定，看门诊时要记住。")
    expect(pressed).to_be_in_viewport()
    weights = "all => all.map((mark) => getComputedStyle(mark).fontWeight)"
    seen = page.locator(".yb-card.yb-on mark").evaluate_all(weights)
    assert [n for n, weight in enumerate(seen) if weight == "700"] == [6]
    page.keyboard.press("Escape")
    answer.locator(".yb-marker").nth(1).click()
    expect(pressed).to_have_text("这是第2条规定，看门诊时要记住。")
    page.keyboard.press("Escape")
    answer.locator(".yb-source-line").click()
    expect(page.locator(".yb-card.yb-on mark")).to_have_count(8)
    expect(pressed).to_have_count(0)


def test_evidence_that_is_drawn_late_or_anew_is_open(stage: str, open_page: OpenPage) -> None:
    page = open_page()
    visit(page, stage)
    marker = ask(page, LONG).locator(".yb-marker").first
    cards = page.locator("#yb-evidence .yb-card").first.evaluate_handle("card => card.parentNode")
    held = cards.evaluate(
        "parent => { const html = parent.innerHTML; parent.innerHTML = ''; return html }"
    )
    marker.click()
    cards.evaluate("(parent, html) => { parent.innerHTML = html }", held)
    expect(page.locator(".yb-card.yb-on")).to_be_focused()
    cards.evaluate("(parent, html) => { parent.innerHTML = html }", held)
    expect(page.locator(".yb-card.yb-on")).to_be_focused()


def test_a_question_asked_while_another_is_answered_is_answered_next(
    stage: str, open_page: OpenPage
) -> None:
    page = open_page(390, 844)
    visit(page, stage)
    page.fill(BOX, SLOW)
    page.press(BOX, "Enter")
    expect(page.locator("#yb-pending .yb-waiting")).to_have_text("正在查找资料…")
    expect(page.locator("#yb-pending .yb-question")).to_have_text(SLOW)
    expect(page.locator("#yb-starters")).to_be_hidden()
    page.fill(BOX, LONG)
    page.press(BOX, "Enter")
    expect(page.locator("#yb-later")).to_contain_text(LONG)
    expect(page.locator(BOX)).to_have_value("")
    page.fill(BOX, "还没写完")
    expect(page.locator("#yb-chat .yb-question")).to_have_text([SLOW, LONG])
    expect(page.locator(".yb-answer")).to_have_count(2)
    expect(page.locator("#yb-later")).to_be_hidden()
    expect(page.locator("#yb-pending")).to_be_hidden()
    expect(page.locator(BOX)).to_have_value("还没写完")


def test_a_failure_loses_neither_question(stage: str, open_page: OpenPage) -> None:
    page = open_page(may_fail=True)
    visit(page, stage)
    page.fill(BOX, BROKEN)
    page.press(BOX, "Enter")
    expect(page.locator(".yb-waiting")).to_be_visible()
    page.fill(BOX, LONG)
    page.press(BOX, "Enter")
    expect(page.locator(".toast-body")).to_contain_text("您写的内容还在")
    expect(page.locator(BOX)).to_have_value(f"{BROKEN}\n{LONG}")
    page.reload()
    expect(page.locator(BOX)).to_have_value(f"{BROKEN}\n{LONG}")


def test_front_matter_and_feedback_are_inert(
    stage: str, hostile_site: str, open_page: OpenPage
) -> None:
    page = open_page()
    visit(page, hostile_site)
    answer = ask(page, "惠州生育津贴由谁申请")
    expect(answer.locator(".yb-source-title")).to_have_text(f"[1] 惠州生育津贴由谁申请{HOSTILE}")
    answer.locator(".yb-source-line").click()
    card = page.locator(".yb-card.yb-on")
    expect(card.locator(".yb-card-title")).to_have_text(f"[1] 惠州生育津贴由谁申请{HOSTILE}")
    _inert(page)
    page.goto(hostile_site + card.locator(".yb-whole").get_attribute("href"))
    expect(page.locator("h1")).to_have_text(f"惠州生育津贴由谁申请{HOSTILE}")
    expect(page.locator("article")).to_contain_text(f"生育津贴由单位申请{HOSTILE}。")
    _inert(page)
    page.set_extra_http_headers({"authorization": f"Bearer {TOKEN}"})
    page.goto(stage + "/operator")
    expect(page.get_by_role("cell", name=HOSTILE).first).to_be_visible()
    _inert(page)


def _inert(page: Page) -> None:
    page.wait_for_timeout(100)  # an image that cannot be loaded takes a moment to say so
    assert page.evaluate("window.hurt") is None
    made = page.locator(':is(main, .main) :is(a[href^="javascript"], img, script, .katex, del)')
    assert made.count() == 0


def test_a_failure_or_a_lost_connection_says_so_and_loses_no_typed_text(
    stage: str, open_page: OpenPage
) -> None:
    page = open_page(may_fail=True)
    visit(page, stage)
    page.fill(BOX, "坏掉")
    page.press(BOX, "Enter")
    expect(page.locator(".toast-body")).to_contain_text("您写的内容还在")
    expect(page.locator(BOX)).to_have_value("坏掉")
    expect(page.get_by_role("button", name="几处不同")).to_be_visible()
    expect(page.locator(".yb-waiting")).to_have_count(0)
    expect(page.locator(".yb-question")).to_have_count(0)
    page.locator(".toast-close").first.click()
    page.fill(BOX, NOTHING)
    page.context.set_offline(True)
    page.press(BOX, "Enter")
    expect(page.get_by_test_id("toast-text").last).to_contain_text("连接中断")
    expect(page.locator(BOX)).to_have_value(NOTHING)
    page.context.set_offline(False)
    page.reload()
    expect(page.locator(BOX)).to_have_value(NOTHING)
    page.press(BOX, "Enter")
    expect(page.locator(".yb-answer")).to_be_visible()
    expect(page.locator(BOX)).to_have_value("")


def _squeezed(text: str) -> str:
    return re.sub(r"\s+", "", text)
