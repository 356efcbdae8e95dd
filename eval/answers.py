"""Ask the chatbot every question of a questions file, judge the answers, sum the verdicts up.

Start reading at ``ask_all``; what is judged, and how, stands in ``eval/judge.py``.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Any, Protocol

import numpy as np
from tqdm import tqdm

from chatbot.records import Answer
from corpus.records import Article
from eval.expectations import ANSWERING, Case
from eval.judge import Verdict, judge

__all__ = ["Asker", "Outcome", "ask_all", "latency", "summary", "summary_by_group"]

REFUSALS = frozenset({"no_answer", "invalid", "clarify", "medical"})
MILLISECONDS = 1000.0  # in a second


class Asker(Protocol):
    """What is needed of ``chatbot.answer.Chatbot``."""

    def ask(self, question: str, *, region: str = "", history: Sequence[str] = ()) -> Answer:
        """Answer one turn."""
        ...

    def article(self, article_id: str) -> Article:
        """The article with this id; ``KeyError`` if there is none."""
        ...


@dataclass(frozen=True, slots=True)
class Outcome:
    """A case, the answer to its last turn in the contract's JSON, and the verdict."""

    case: Case
    answer: dict[str, Any]
    verdict: Verdict
    milliseconds: float


def ask_all(bot: Asker, cases: Sequence[Case], titles: frozenset[str]) -> list[Outcome]:
    """Ask and judge every case, in order; progress goes to standard error.

    Args:
        bot: the chatbot.
        cases: the questions; of a dialogue, the earlier turns are its history.
        titles: the titles in the index, see ``judge``.
    """
    outcomes = []
    for case in tqdm(cases, desc="answers", unit="q", leave=False, disable=None):
        started = perf_counter()
        answer = bot.ask(case.question, region=case.region, history=case.turns[:-1])
        milliseconds = (perf_counter() - started) * MILLISECONDS
        row = answer.to_json(case.id)
        outcomes.append(Outcome(case, row, judge(case, row, bot.article, titles), milliseconds))
    return outcomes


def summary_by_group(outcomes: Sequence[Outcome]) -> dict[str, dict[str, float | int | None]]:
    """``{"all": …, group: …}`` in the order in which the groups appear."""
    groups = dict.fromkeys(outcome.case.group for outcome in outcomes)
    return {"all": summary(outcomes)} | {
        group: summary([o for o in outcomes if o.case.group == group]) for group in groups
    }


def summary(outcomes: Sequence[Outcome]) -> dict[str, float | int | None]:
    """Shares in [0, 1] and counts; ``None`` where nothing was there to be measured.

    A fact that is missing because the program refused counts as missing. ``answered_wrongly`` is
    the share of unanswerable questions that got a quoting answer; ``false_alarms`` the share of
    questions that are no emergency and were answered as one.
    """
    verdicts = [outcome.verdict for outcome in outcomes]
    sourced = [v for v in verdicts if v.source_cited is not None]
    calm = [o for o in outcomes if o.case.kinds and "emergency" not in o.case.kinds]
    return {
        "questions": len(outcomes),
        "fact_recall": _ratio(
            sum(v.facts_found for v in verdicts), sum(v.facts_wanted for v in verdicts)
        ),
        "all_facts": _share(not v.missing for v in verdicts if v.facts_wanted),
        "sources_judged": len(sourced),
        "source_cited": _share(bool(v.source_cited) for v in sourced),
        "source_first": _share(bool(v.source_first) for v in sourced),
        "kind_accuracy": _share(v.kind_right for v in verdicts if v.kind_right is not None),
        "refused_answerable": _share(_refused(o) for o in outcomes if o.case.answerable),
        "answered_wrongly": _share(
            o.verdict.kind in ANSWERING for o in outcomes if o.case.unanswerable
        ),
        "emergency_recall": _share(
            o.verdict.kind == "emergency" for o in outcomes if o.case.emergency
        ),
        "false_alarms": _share(o.verdict.kind == "emergency" for o in calm),
        "wrong_place_figures": sum(len(v.forbidden_seen) for v in verdicts),
        "quotes": sum(v.quotes for v in verdicts),
        "broken_quotes": sum(v.broken_quotes for v in verdicts),
        "without_disclaimer": sum(not v.disclaimer for v in verdicts),
        "mean_length": _ratio(sum(len(o.answer["text"]) for o in outcomes), len(outcomes)),
    }


def latency(outcomes: Sequence[Outcome]) -> dict[str, float]:
    """Milliseconds a whole answer, measured around ``ask``; at least one outcome is needed."""
    times = [outcome.milliseconds for outcome in outcomes]
    return {
        "p50_ms": round(float(np.median(times)), 3),
        "p95_ms": round(float(np.quantile(times, 0.95)), 3),
    }


def _refused(outcome: Outcome) -> bool:
    return outcome.verdict.kind in REFUSALS


def _share(flags: Iterable[bool]) -> float | None:
    values = list(flags)
    return _ratio(sum(values), len(values))


def _ratio(part: float, whole: float) -> float | None:
    return round(part / whole, 4) if whole else None
