"""One visitor's conversation as the page shows it; it lives in the session, on the server."""

from collections.abc import Collection
from dataclasses import asdict, dataclass, field, replace

from chatbot.cards import render_evidence
from chatbot.records import Answer, Kind, Slots
from chatbot.render import render_answer, render_question, render_slots

KEPT_TURNS = 20  # turns that stay on the page; the oldest go first
PANEL_HEAD = """<div class="yb-panel-head"><h2 class="yb-panel-title">出处</h2>
<button class="yb-close" id="yb-close" type="button">关闭</button></div>"""


@dataclass(frozen=True, slots=True)
class Shown:
    """One question and what was shown for it, both as inert HTML."""

    question: str
    message: str
    evidence: str


@dataclass(frozen=True, slots=True)
class Conversation:
    """One visitor's turns, oldest first; ``asked`` counts those that have been dropped too.

    ``forgotten`` are the slots that the visitor took away and no later message has filled.
    """

    turns: tuple[Shown, ...] = ()
    asked: int = 0
    slots: Slots = field(default_factory=Slots)
    forgotten: frozenset[str] = frozenset()

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

    @property
    def chips(self) -> str:
        """What is known of the person, as chips; the turn's token makes each version new."""
        return render_slots(self.slots, f"t{self.asked}")

    def forget(self, names: Collection[str]) -> "Conversation":
        """The conversation without what earlier messages said about some slots."""
        known = frozenset(names) & asdict(self.slots).keys()
        return replace(self, forgotten=self.forgotten | known)

    def without_last(self) -> "Conversation":
        """The conversation before its last question."""
        return replace(self, turns=self.turns[:-1])

    def add(self, question: str, answer: Answer) -> "Conversation":
        """The conversation with one more turn."""
        token = f"t{self.asked + 1}"
        turn = Shown(question, render_answer(answer, token), render_evidence(answer, token))
        filled = {name for name, value in asdict(answer.slots).items() if value}
        return replace(
            self,
            turns=(*self.turns, turn)[-KEPT_TURNS:],
            asked=self.asked + 1,
            slots=self.slots if answer.kind is Kind.INVALID else answer.slots,
            forgotten=self.forgotten - filled,
        )
