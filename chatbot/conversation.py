"""One visitor's conversation as the page shows it; it lives in the session, on the server."""

from dataclasses import dataclass, replace

from chatbot.records import Answer
from chatbot.render import render_answer, render_evidence, render_question

KEPT_TURNS = 20  # turns that stay on the page; the oldest go first
PANEL_HEAD = """<div class="yb-panel-head"><p class="yb-panel-title">出处</p>
<button class="yb-close" id="yb-close" type="button">关闭</button></div>"""


@dataclass(frozen=True, slots=True)
class Shown:
    """One question and what was shown for it, both as inert HTML."""

    question: str
    message: str
    evidence: str


@dataclass(frozen=True, slots=True)
class Conversation:
    """One visitor's turns, oldest first; ``asked`` counts those that have been dropped too."""

    turns: tuple[Shown, ...] = ()
    asked: int = 0

    @property
    def history(self) -> list[str]:
        """The earlier questions, oldest first."""
        return [turn.question for turn in self.turns]

    @property
    def messages(self) -> list[dict[str, str]]:
        """The turns as Gradio's chat shows them."""
        return [
            message
            for turn in self.turns
            for message in (
                {"role": "user", "content": render_question(turn.question)},
                {"role": "assistant", "content": turn.message},
            )
        ]

    @property
    def evidence(self) -> str:
        """The evidence panel's content, all turns' cards; the page shows one at a time."""
        return PANEL_HEAD + "".join(turn.evidence for turn in self.turns)

    def add(self, question: str, answer: Answer) -> "Conversation":
        """The conversation with one more turn."""
        token = f"t{self.asked + 1}"
        turn = Shown(question, render_answer(answer, token), render_evidence(answer, token))
        return replace(self, turns=(*self.turns, turn)[-KEPT_TURNS:], asked=self.asked + 1)
