"""What the page does with the chatbot: one turn, its undoing, and an apology."""

from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any, Protocol

import gradio as gr

from chatbot.conversation import Conversation
from chatbot.records import Answer
from chatbot.render import is_mended, render_question
from corpus.records import Article

FOLLOWUPS = 6  # buttons kept for follow-up questions; a question for the place offers up to six
KEPT = 8  # outputs before the follow-up buttons
WAITING = '<div class="yb-waiting">正在查找资料…</div>'

Outputs = tuple[Any, ...]  # one value a component, in the order of ``chatbot.page.Parts.outputs``


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

    @property
    def articles(self) -> Collection[Article]:
        """Every article."""
        ...

    def ask(
        self,
        question: str,
        *,
        region: str = "",
        history: Sequence[str] = (),
        mend: bool = True,
        forget: Collection[str] = (),
    ) -> Answer:
        """The answer to ``question``; see ``chatbot.answer.Chatbot.ask``."""
        ...

    def article(self, article_id: str) -> Article:
        """The article, or ``KeyError``."""
        ...


def turn_handler(bot: Answering) -> Callable[..., Iterator[Outputs]]:
    """What happens when a question is sent: shown at once, then answered."""

    def turn(question: str, region: str, forget: str, state: Conversation) -> Iterator[Outputs]:
        question = (question or "").strip()
        if not question:
            gr.Info("请先写下您的问题。", title="提示")
            yield (gr.skip(),) * (KEPT + FOLLOWUPS)
            return
        yield _pending(question, state)
        state, region = state.forget((forget or "").split()), (region or "").strip()
        answer = bot.ask(question, region=region, history=state.history, forget=state.forgotten)
        yield shown(state.add(question, answer), region, answer.followups)

    return turn


def undo_handler(bot: Answering) -> Callable[..., Outputs]:
    """What happens when 「撤销」 is pressed: the last question is read another way."""

    def undo(region: str, forget: str, state: Conversation) -> Outputs:
        """The last question once more: as it was typed, or without the ones before it."""
        if not state.turns:
            return (gr.skip(),) * (KEPT + FOLLOWUPS)
        question = state.history[-1]
        state, region = state.without_last().forget((forget or "").split()), (region or "").strip()
        answer = bot.ask(
            question,
            region=region,
            history=state.history if is_mended(question) else (),
            mend=False,
            forget=state.forgotten,
        )
        return shown(state.add(question, answer), region, answer.followups)

    return undo


def _pending(question: str, state: Conversation) -> Outputs:
    """The question at once, the answer still to come."""
    waiting = [
        *state.messages,
        {"role": "user", "content": render_question(question)},
        {"role": "assistant", "content": WAITING},
    ]
    closed = gr.Column(visible=False)
    kept = gr.skip()
    return (kept, waiting, kept, kept, kept, kept, closed, closed, *[kept] * FOLLOWUPS)


def shown(state: Conversation, region: str, followups: Sequence[str]) -> Outputs:
    """The page after an answer, or at its beginning."""
    texts = [*followups[:FOLLOWUPS], *[""] * FOLLOWUPS][:FOLLOWUPS]
    named = state.slots.region  # a message that names another place than the chosen one wins
    return (
        state,
        state.messages,
        state.evidence,
        state.chips,
        region if named in ("", region) else "",
        "",
        gr.Column(visible=not state.turns),
        gr.Column(visible=bool(state.turns)),
        *[gr.Button(text, visible=bool(text)) for text in texts],
    )


def apologise(state: Conversation) -> Outputs:
    """After a failure: the chat as it was, and a sentence; the typed text is still in the box."""
    gr.Warning("刚才没有查成，您写的内容还在，请再按一次“发送”。", title="没有查成")
    asked = bool(state.turns)
    return state.messages, gr.Column(visible=not asked), gr.Column(visible=asked)
