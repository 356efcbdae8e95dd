"""The page that citizens use: one Gradio ``Blocks``, every word of it Chinese.

The conversation lives in a ``gr.State`` on the server: the browser sends the question, the place
and which slots were taken away, nothing else; only the earlier questions' text goes to the chatbot
as history. What the page does by itself (evidence, tools, place picker) is in ``static/``.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import gradio as gr
from fastapi import FastAPI, Response
from gradio.events import api

from chatbot.conversation import PANEL_HEAD, Conversation
from chatbot.records import DISCLAIMER
from chatbot.render import render_choices
from chatbot.sessions import SESSION_SECONDS, keep_sessions
from chatbot.starters import subjects_of
from chatbot.turns import (
    Answering,
    Outputs,
    apology,
    named_ask,
    shown,
    turn_handler,
    undo_handler,
)
from corpus.place_names import records

__all__ = ["Answering", "build_page", "mount_page", "refresh_starters"]

QUESTION_LENGTH = 500  # characters that the box takes; the chatbot judges longer ones from the API
# Between two words on the queue, which nobody is shown: after every answer they cost 20 ms.
STATUS_SECONDS = 60.0
WORKERS = 3  # questions answered at the same time; 1 is a trap, 8 get in each other's way
QUEUE_LENGTH = 64  # questions that may wait; more are refused at once

STARTERS = "yb-starters"
PLACES_AGE = 86_400  # seconds that a browser may keep the list of places

INTRO = "医保怎么用，直接问。句句有出处。"
HEADER = f"""<div class="yb-head"><div class="yb-names"><h1>医保问答</h1><p>{INTRO}</p></div>
<div class="yb-tools"><button class="yb-tool yb-size" type="button">大字</button>
<button class="yb-tool yb-contrast" type="button">高对比</button>
<button class="yb-tool yb-dark" type="button">深色</button>
<a class="yb-tool" href="/about">关于</a></div></div>
<p class="yb-banner">{DISCLAIMER}拿不准的事，可以打医保服务电话
<a class="yb-tel" href="tel:12393">12393</a>。</p><p class="yb-unseen" id="yb-status"></p>"""
PICKER = """<div class="yb-picker" id="yb-picker">
<label for="yb-place-name">在哪里参保？写城市或县的名字，再点下面的地名</label>
<div class="yb-place-line"><input id="yb-place-name" type="text" placeholder="例如：惠州">
<button class="yb-act" id="yb-place-done" type="button">收起</button></div>
<div class="yb-places" id="yb-places"></div></div>
<p class="yb-later" id="yb-later"></p>"""
PENDING = '<div class="yb-pending" id="yb-pending"></div>'
FOOT = f'<p class="yb-foot">{DISCLAIMER}</p>'


@dataclass(frozen=True, slots=True)
class Parts:
    """The page's components; an answer changes those of ``outputs``.

    The page's script empties the box once its question is answered, and only if it still holds that
    question: what is typed meanwhile stays.
    """

    state: gr.State
    chat: gr.Chatbot
    evidence: gr.Markdown
    chips: gr.Markdown
    after: gr.Markdown
    region: gr.Textbox
    forget: gr.Textbox

    @property
    def outputs(self) -> list[Any]:
        """What ``chatbot.turns`` fill, in their order."""
        return [
            self.state, self.chat, self.evidence, self.chips, self.after, self.region, self.forget,
        ]  # fmt: skip

    @property
    def told(self) -> list[Any]:
        """What every question takes along."""
        return [self.region, self.forget, self.state]


def build_page(bot: Answering) -> gr.Blocks:
    """The page around ``bot``, not yet mounted."""
    page = gr.Blocks(title="医保问答", analytics_enabled=False)
    with page:
        _html(HEADER, "yb-header")
        _html(_starters(bot), STARTERS)
        with gr.Column(elem_id="yb-talk"):
            chat = _chat()
            _html(PENDING, "yb-under-way")
            after = _html("", "yb-after")
        evidence = _html(PANEL_HEAD, "yb-evidence")
        with gr.Column(elem_id="yb-composer"):
            _html(PICKER, "yb-picking")
            chips = _html(Conversation().chips, "yb-slots")
            box = _box()
            _html(FOOT, "yb-foot")
            # Filled and pressed by the page's scripts, never drawn.
            with gr.Column(elem_id="yb-hidden"):
                region = gr.Textbox(label="参保地", elem_id="yb-region")
                forget = gr.Textbox(label="去掉的条件", elem_id="yb-forget")
                asked = gr.Textbox(label="选中的问题", elem_id="yb-asked")
                ask, undo, restart = (
                    gr.Button(words, elem_id=name)
                    for words, name in (
                        ("问", "yb-ask"), ("撤销", "yb-undo"), ("重新开始", "yb-begin")
                    )
                )  # fmt: skip
        state = gr.State(Conversation(), time_to_live=SESSION_SECONDS)
        parts = Parts(state, chat, evidence, chips, after, region, forget)
        _wire(bot, parts, box, asked, (ask, undo, restart))
    page.queue(
        default_concurrency_limit=WORKERS,
        max_size=QUEUE_LENGTH,
        status_update_rate=STATUS_SECONDS,
        api_open=False,
    )
    return page


def refresh_starters(page: gr.Blocks, bot: Answering) -> None:
    """Show new visitors the starters of the index that is now in use."""
    for part in page.config["components"]:
        if part["props"].get("elem_id") == STARTERS:
            part["props"]["value"] = _starters(bot)


def mount_page(app: FastAPI, page: gr.Blocks) -> None:
    """Mount ``page`` at ``/`` of ``app``, with nothing of Gradio's own around it."""
    places = json.dumps(["".join(path) for path, _ in records()], ensure_ascii=False)

    @app.get("/places.json", include_in_schema=False)
    def place_names() -> Response:
        headers = {"cache-control": f"public, max-age={PLACES_AGE}"}
        return Response(places, media_type="application/json", headers=headers)

    gr.mount_gradio_app(
        app,
        page,
        path="/",
        footer_links=[],
        run_history=False,
        show_error=False,
        max_file_size="1b",
        enable_monitoring=False,
        ssr_mode=False,
        theme=_theme(),
        i18n=gr.I18n(**{"zh-CN": {"chatbot.copy_message": "复制"}}),
        app_kwargs={"openapi_url": None, "docs_url": None, "redoc_url": None},
    )
    keep_sessions(app, page)


def _html(html: str, name: str) -> gr.Markdown:
    return gr.Markdown(html, elem_id=name, latex_delimiters=[])


def _starters(bot: Answering) -> str:
    """The starters, each below its subject."""
    shown = render_choices(bot.starters, subjects_of(bot.articles))
    return f'<h2 class="yb-subtitle">可以这样问</h2>{shown}'


def _chat() -> gr.Chatbot:
    return gr.Chatbot(
        elem_id="yb-chat",
        label="问答记录",
        show_label=False,
        container=False,
        height=None,
        min_height=0,
        autoscroll=False,
        buttons=[],
        feedback_options=None,
        latex_delimiters=[],
        allow_tags=False,
        sanitize_html=True,
        allow_file_downloads=False,
        group_consecutive_messages=False,
        layout="bubble",
    )


def _box() -> gr.Textbox:
    return gr.Textbox(
        label="您的问题（请不要写姓名、身份证号）",
        placeholder="例：门诊怎么报？",
        elem_id="yb-question",
        max_lines=4,
        max_length=QUESTION_LENGTH,
        submit_btn="发送",
        stop_btn=False,
        html_attributes=gr.InputHTMLAttributes(autocomplete="off", enterkeyhint="send"),
    )


def _wire(
    bot: Answering,
    parts: Parts,
    box: gr.Textbox,
    asked: gr.Textbox,
    buttons: tuple[gr.Button, gr.Button, gr.Button],
) -> None:
    ask, undo, restart = buttons
    turn = _drawn(turn_handler(bot), parts)
    quiet: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
    # Inputs are text already (``queue_guard``) and outputs are drawn by ``_drawn``: Gradio would
    # change thread for each of them.
    plain: dict[str, Any] = {**quiet, "preprocess": False, "postprocess": False}
    events = [
        box.submit(turn, [box, *parts.told], parts.outputs, **plain),
        ask.click(turn, [asked, *parts.told], parts.outputs, **plain),
        undo.click(_drawn(undo_handler(bot), parts), parts.told, parts.outputs, **plain),
    ]
    for event in events:
        event.failure(apology(bot), None, None, **quiet)
    begin = _drawn(lambda: shown(Conversation(), "", ()), parts)
    restart.click(begin, None, parts.outputs, **plain)
    api(named_ask(bot), api_name="ask")


def _drawn(handler: Callable[..., Outputs], parts: Parts) -> Callable[..., Outputs]:
    """``handler`` with its messages in the form that the browser gets."""

    def drawn(*told: Any) -> Outputs:  # noqa: ANN401 - what the handler takes
        state, messages, *others = handler(*told)
        if isinstance(messages, list):
            messages = parts.chat.postprocess(messages).model_dump()
        return (state, messages, *others)

    return drawn


def _theme() -> gr.themes.Base:
    letters = [gr.themes.Font(name) for name in ("system-ui", "PingFang SC", "Noto Sans CJK SC")]
    return gr.themes.Default(
        font=[*letters, gr.themes.Font("sans-serif")],
        font_mono=[gr.themes.Font("monospace")],
        text_size=gr.themes.sizes.text_lg,
        primary_hue="teal",
    )
