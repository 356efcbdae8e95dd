"""Thousands of damaged, hostile and random messages: no exception, every guarantee kept.

``eval/fuzz_cases.py`` draws the cases, ``eval/guarantees.py`` checks each answer.
"""

import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

from tqdm import tqdm

from chatbot.answer import Chatbot
from eval.answers import Asker
from eval.fuzz_cases import FuzzCase, cases
from eval.guarantees import broken
from eval.results import make_folder, write_text

__all__ = ["Failure", "Report", "fuzz", "fuzz_index"]

REPEATED = 5  # one case in so many is asked twice: the answer must be the same


@dataclass(frozen=True, slots=True)
class Failure:
    """A case that broke a guarantee (``problems`` names them) or raised an exception."""

    number: int
    case: FuzzCase
    problems: tuple[str, ...]

    def to_json(self, seed: int) -> dict[str, Any]:
        """A line of the failures file; ASCII-safe JSON brings every character back."""
        turns = list(self.case.turns)
        row = {"seed": seed, "number": self.number, "problems": list(self.problems)}
        return row | {"turns": turns, "region": self.case.region}


@dataclass(frozen=True, slots=True)
class Report:
    """What a run found: answers by kind, failures, and the wall time in seconds."""

    kinds: Counter[str]
    failures: tuple[Failure, ...]
    seconds: float

    @property
    def summary(self) -> str:
        """One line for the terminal."""
        total = sum(self.kinds.values())
        kinds = "，".join(f"{kind} {count}" for kind, count in self.kinds.most_common())
        return (
            f"{total} 例，失败 {len(self.failures)} 例；{kinds}；"
            f"{self.seconds:.0f} 秒，每秒 {total / max(self.seconds, 1e-9):.1f} 例"
        )


def fuzz(
    bot: Asker, drawn: Sequence[FuzzCase], note: Callable[[Failure], None] = lambda _: None
) -> Report:
    """Ask every case, one in five twice, and check the answers.

    Progress goes to standard error.

    Args:
        bot: the chatbot.
        drawn: the cases.
        note: is told every failure at once, so that a run that is broken off loses none.
    """
    kinds: Counter[str] = Counter()
    failures = []
    started = perf_counter()
    for number, case in enumerate(tqdm(drawn, desc="fuzz", unit="例", disable=None)):
        kind, problems = _ask(bot, case, twice=number % REPEATED == 0)
        kinds[kind] += 1
        if problems:
            failures.append(Failure(number, case, problems))
            note(failures[-1])
    return Report(kinds, tuple(failures), perf_counter() - started)


def _ask(bot: Asker, case: FuzzCase, *, twice: bool) -> tuple[str, tuple[str, ...]]:
    """The kind of the answer and what is wrong with it."""
    *history, question = case.turns
    try:
        first, *again = (
            bot.ask(question, region=case.region, history=history).to_json()
            for _ in range(2 if twice else 1)
        )
        problems = broken(case.turns, case.region, first, bot.article)
    except Exception as error:  # noqa: BLE001 - any exception at all is what is looked for
        return "exception", (f"exception: {type(error).__name__}: {error}",)
    if any(first | {"elapsed_ms": 0} != second | {"elapsed_ms": 0} for second in again):
        problems.append("repeat")
    return first["kind"], tuple(problems)


def fuzz_index(index: Path, count: int, seed: int, out: Path) -> Report:
    """Fuzz the chatbot over an index, with its encoder, and write the failures as JSON lines.

    Raises:
        InputError: Hypothesis is not installed, or ``out`` cannot be written.
        SearchIndexError: the index cannot be used.
        ModelError: the encoder cannot be loaded.
    """
    drawn = cases(count, seed)
    make_folder(out.parent)
    write_text(out, "")  # better told now than after an hour
    bot = Chatbot.open(index)
    bot.warm()
    with out.open("a", encoding="ascii") as file:

        def note(failure: Failure) -> None:
            file.write(json.dumps(failure.to_json(seed)) + "\n")
            file.flush()

        return fuzz(bot, drawn, note)
