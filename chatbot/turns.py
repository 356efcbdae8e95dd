"""What the page does with the chatbot: one turn, its undoing, and an apology."""

from collections.abc import Callable, Collection, Sequence
from typing import Any, Protocol

import gradio as gr

from chatbot.conversation import Conversation
from chatbot.records import Answer, Kind
from chatbot.render import is_mended, render_after
from chatbot.service import OUT_OF_ORDER
from corpus.records import Article

FOLLOWUPS = 6  # follow-up questions shown; a question for the place offers up to six
OUTPUTS = 7  # components that an answer changes

Outputs = tuple[Any, ...]  # one value a component, in the order of ``chatbot.page.Parts.outputs``


class Answering(Protocol):
    """What the page and the service need of ``chatbot.answer.Chatbot``."""

    @property
    def ready(self) -> bool:
        """Whether the encoder is loaded."""
        ...

    def can_search(self) -> bool:
        """Whether the index can be reached now; known within seconds."""
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


def turn_handler(bot: Answering) -> Callable[..., Outputs]:
    """What happens when a question is sent; the page's script shows it while it is answered."""

    def turn(question: str, region: str, forget: str, state: Conversation) -> Outputs:
        question = (question or "").strip()
        if not question:
            gr.Info("请先写下您的问题。", title="提示")
            return (gr.skip(),) * OUTPUTS
        state, region = state.forget((forget or "").split()), (region or "").strip()
        answer = bot.ask(question, region=region, history=state.history, forget=state.forgotten)
        return shown(state.add(question, answer), region, *_next(bot, answer))

    return turn


def undo_handler(bot: Answering) -> Callable[..., Outputs]:
    """What happens when 「撤销」 is pressed: the last question is read another way."""

    def undo(region: str, forget: str, state: Conversation) -> Outputs:
        """The last question once more: as it was typed, or without the ones before it."""
        if not state.turns:
            return (gr.skip(),) * OUTPUTS
        question = state.history[-1]
        state, region = state.without_last().forget((forget or "").split()), (region or "").strip()
        answer = bot.ask(
            question,
            region=region,
            history=state.history if is_mended(question) else (),
            mend=False,
            forget=state.forgotten,
        )
        return shown(state.add(question, answer), region, *_next(bot, answer))

    return undo


def named_ask(bot: Answering) -> Callable[[str, str], dict[str, Any]]:
    """What Gradio's clients call by name: ``Client(url).predict("…", api_name="/ask")``."""

    def ask(question: str, region: str = "") -> dict[str, Any]:
        """回答一个医保问题，逐句引用原文，注明出处.

        Args:
            question: 问题，日常说法就行。
            region: 参保地，例如 惠州；可以不填。
        """
        return bot.ask(question, region=region).to_json()

    return ask


def _next(bot: Answering, answer: Answer) -> tuple[Sequence[str], str]:
    """What to ask next, and its title: after a refusal that offers nothing, common questions."""
    if answer.followups or answer.kind not in (Kind.NO_ANSWER, Kind.INVALID):
        return answer.followups, "接着问"
    return bot.starters, "可以这样问"


def shown(
    state: Conversation, region: str, questions: Sequence[str], title: str = "接着问"
) -> Outputs:
    """The page after an answer, or at its beginning."""
    named = state.slots.region  # a message that names another place than the chosen one wins
    return (
        state,
        state.messages,
        state.evidence,
        state.chips,
        render_after(questions[:FOLLOWUPS], title) if state.turns else "",
        region if named in ("", region) else "",
        "",
    )


def apology(bot: Answering) -> Callable[[], None]:
    """What is said after a failure; the page's script puts what was asked back into the box."""

    def apologise() -> None:
        again = "请再按一次“发送”。" if bot.can_search() else OUT_OF_ORDER
        gr.Warning(f"刚才没有查成，您写的内容还在，{again}", title="没有查成")

    return apologise
