"""Questions to a doctor: a diagnosis, a dose, a drug or a treatment, which are not answered.

Some ask for it by their form, whatever the corpus holds. Of others one only hears it, by an
illness named beside a question or by the sound of the words: those are a doctor's unless the corpus
answers. All words are in ``rules/safety.yaml``.
"""

from enum import IntEnum
from itertools import pairwise

from chatbot.safety_rules import flatten, literal, rules, sound

__all__ = ["Advice", "asks_advice"]


class Advice(IntEnum):
    """How sure it is that medical advice is asked for."""

    NONE = 0
    HEARD = 1
    ASKED = 2


def asks_advice(raw: str, *, follows: bool = False) -> Advice:
    """Whether a message asks for medical advice and not about insurance.

    One that ``follows`` another asks so only if it names an illness, a complaint or medicine.

    >>> asks_advice("感冒了吃什么药好").name, asks_advice("这个药医保报吗").name
    ('ASKED', 'NONE')
    """
    text = flatten(raw)
    words = rules().advice
    ill, insured = words["illness"].search(text), words["insurance"].search(text)
    if (follows and not ill and "药" not in text) or (insured and not ill and "药" not in text):
        return Advice.NONE
    clauses = text.split(",")
    parts = [*clauses, *map(",".join, pairwise(clauses))]
    if any(
        pattern.search(part) and not words["insurance"].search(part)
        for pattern in rules().asks
        for part in parts
    ):
        return Advice.ASKED
    if insured or words["elsewhere"].search(text):
        return Advice.NONE
    heard = (ill and words["question"].search(text)) or (
        (ill or words["matter"].search(text)) and sound(literal(raw)).advice > 0
    )
    return Advice.HEARD if heard else Advice.NONE
