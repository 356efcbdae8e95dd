"""The page that citizens use: one Gradio ``Blocks``, every word of it Chinese.

The conversation lives in a ``gr.State`` on the server: the browser sends the question and the
place, nothing else, and only the earlier questions' text goes to the chatbot as history.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import gradio as gr
from fastapi import FastAPI

from chatbot.conversation import PANEL_HEAD, Conversation
from chatbot.records import DISCLAIMER, Answer
from chatbot.render import render_question
from corpus.records import Article

FOLLOWUPS = 6  # buttons kept for follow-up questions; a question for the place offers up to six
QUESTION_LENGTH = 500  # characters that the box takes; the chatbot judges longer ones from the API
WORKERS = 8  # questions answered at the same time; Gradio's default of 1 is a trap under load
QUEUE_LENGTH = 64  # questions that may wait; more are refused at once
SESSION_SECONDS = 3600  # a closed page's conversation is forgotten after this

INTRO = "医保怎么用，直接问。回答逐句引用收录的文章，注明地方、日期和来源。"
WAITING = '<div class="yb-waiting">正在查找资料…</div>'
HEADER = f"""<div class="yb-head"><div class="yb-names"><h1>医保问答</h1><p>{INTRO}</p></div>
<button class="yb-tool" id="yb-big-toggle" type="button">大字</button></div>
<p class="yb-banner">{DISCLAIMER}拿不准的事，可以打医保服务电话
<a class="yb-tel" href="tel:12393">12393</a>。</p>"""
FOOT = f'<p class="yb-foot">{DISCLAIMER}</p>'


class Answering(Protocol):
    """What the page and the service need of ``chatbot.answer.Chatbot``."""

    @property
    def ready(self) -> bool:
        """Whether the encoder is loaded."""
        ...

    @property
    def articles_count(self) -> int:
        """Articles in the index."""
        ...

    @property
    def starters(self) -> tuple[str, ...]:
        """Questions to start with, all of which the corpus answers."""
        ...

    def ask(self, question: str, *, region: str = "", history: Sequence[str] = ()) -> Answer:
        """The answer to ``question``; ``history`` holds the earlier questions, oldest first."""
        ...

    def article(self, article_id: str) -> Article:
        """The article, or ``KeyError``."""
        ...


@dataclass(frozen=True, slots=True)
class Parts:
    """The page's components that an answer changes."""

    chat: gr.Chatbot
    evidence: gr.Markdown
    box: gr.Textbox
    region: gr.Textbox
    starters: gr.Column
    after: gr.Column
    followups: tuple[gr.Button, ...]
    restart: gr.Button
    state: gr.State

    @property
    def outputs(self) -> list[Any]:
        """What ``_shown`` and ``_pending`` fill, in their order."""
        return [
            self.state, self.chat, self.evidence, self.box, self.starters, self.after,
            *self.followups,
        ]  # fmt: skip


def build_page(bot: Answering) -> gr.Blocks:
    """The page around ``bot``, not yet mounted."""
    page = gr.Blocks(title="医保问答", analytics_enabled=False)
    with page:
        gr.Markdown(HEADER, elem_id="yb-header", latex_delimiters=[])
        with gr.Column(elem_id="yb-starters") as starters:
            gr.Markdown('<h2 class="yb-subtitle">可以这样问</h2>', latex_delimiters=[])
            with gr.Row(elem_classes="yb-choices"):
                starter_buttons = [_choice(text, visible=True) for text in bot.starters]
        parts = _conversation_parts(starters)
        _wire(bot, parts, starter_buttons)
    page.queue(default_concurrency_limit=WORKERS, max_size=QUEUE_LENGTH, api_open=False)
    return page


def mount_page(app: FastAPI, page: gr.Blocks) -> None:
    """Mount ``page`` at ``/`` of ``app``, with nothing of Gradio's own around it."""
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


def _conversation_parts(starters: gr.Column) -> Parts:
    with gr.Column(elem_id="yb-talk"):
        chat = gr.Chatbot(
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
        with gr.Column(elem_id="yb-after", visible=False) as after:
            with gr.Row(elem_classes="yb-choices"):
                followups = tuple(_choice("", visible=False) for _ in range(FOLLOWUPS))
            restart = gr.Button("重新开始", elem_id="yb-restart", size="md")
    evidence = gr.Markdown(PANEL_HEAD, elem_id="yb-evidence", latex_delimiters=[])
    region, box = _composer()
    state = gr.State(Conversation(), time_to_live=SESSION_SECONDS)
    return Parts(chat, evidence, box, region, starters, after, followups, restart, state)


def _composer() -> tuple[gr.Textbox, gr.Textbox]:
    with gr.Column(elem_id="yb-composer"):
        region = gr.Textbox(
            label="参保地（可不填）",
            placeholder="例如：惠州",
            elem_id="yb-region",
            max_lines=1,
            max_length=40,  # characters; the longest place names have about 15
            html_attributes=gr.InputHTMLAttributes(autocomplete="off", enterkeyhint="next"),
        )
        box = gr.Textbox(
            label="您的问题（请不要填写姓名、身份证号）",
            placeholder="例如：门特怎么申请？",
            elem_id="yb-question",
            max_lines=4,
            max_length=QUESTION_LENGTH,
            submit_btn="发送",
            stop_btn=False,
            html_attributes=gr.InputHTMLAttributes(autocomplete="off", enterkeyhint="send"),
        )
        gr.Markdown(FOOT, elem_id="yb-foot", latex_delimiters=[])
    return region, box


def _choice(text: str, *, visible: bool) -> gr.Button:
    return gr.Button(text, visible=visible, elem_classes="yb-choice", size="md")


def _wire(bot: Answering, parts: Parts, starters: list[gr.Button]) -> None:
    turn = _turn_handler(bot)
    triggers: list[tuple[Callable[..., Any], Any]] = [(parts.box.submit, parts.box)]
    triggers += [(button.click, button) for button in (*starters, *parts.followups)]
    for trigger, source in triggers:
        event = trigger(
            turn,
            [source, parts.region, parts.state],
            parts.outputs,
            show_progress="hidden",
            api_visibility="private",
        )
        event.failure(
            _apologise,
            parts.state,
            [parts.chat, parts.starters, parts.after],
            show_progress="hidden",
            api_visibility="private",
        )
    parts.restart.click(
        lambda: _shown(Conversation(), ()),
        None,
        parts.outputs,
        show_progress="hidden",
        api_visibility="private",
    )


def _turn_handler(bot: Answering) -> Callable[..., Iterator[tuple[Any, ...]]]:
    def turn(question: str, region: str, state: Conversation) -> Iterator[tuple[Any, ...]]:
        question = (question or "").strip()
        if not question:
            gr.Info("请先写下您的问题。", title="提示")
            yield (gr.skip(),) * (6 + FOLLOWUPS)
            return
        yield _pending(question, state)
        answer = bot.ask(question, region=(region or "").strip(), history=state.history)
        yield _shown(state.add(question, answer), answer.followups)

    return turn


def _pending(question: str, state: Conversation) -> tuple[Any, ...]:
    """The question at once, the answer still to come; the typed text stays until then."""
    waiting = [
        *state.messages,
        {"role": "user", "content": render_question(question)},
        {"role": "assistant", "content": WAITING},
    ]
    closed = gr.Column(visible=False)
    return (gr.skip(), waiting, gr.skip(), gr.skip(), closed, closed, *[gr.skip()] * FOLLOWUPS)


def _shown(state: Conversation, followups: Sequence[str]) -> tuple[Any, ...]:
    texts = [*followups[:FOLLOWUPS], *[""] * FOLLOWUPS][:FOLLOWUPS]
    return (
        state,
        state.messages,
        state.evidence,
        "",
        gr.Column(visible=not state.turns),
        gr.Column(visible=bool(state.turns)),
        *[gr.Button(text, visible=bool(text)) for text in texts],
    )


def _apologise(state: Conversation) -> tuple[Any, ...]:
    """After a failure: the chat as it was, and a sentence; the typed text is still in the box."""
    gr.Warning("刚才没有查成，您写的内容还在，请再按一次“发送”。", title="没有查成")
    asked = bool(state.turns)
    return state.messages, gr.Column(visible=not asked), gr.Column(visible=asked)


def _theme() -> gr.themes.Base:
    letters = [gr.themes.Font(name) for name in ("system-ui", "PingFang SC", "Noto Sans CJK SC")]
    return gr.themes.Default(
        font=[*letters, gr.themes.Font("sans-serif")],
        font_mono=[gr.themes.Font("monospace")],
        text_size=gr.themes.sizes.text_lg,
        primary_hue="teal",
    )
