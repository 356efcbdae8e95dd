"""Fuzzing: cases drawn from a seed, checks that notice what is broken, a small run that holds."""

import json
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from chatbot.answer import Chatbot
from chatbot.records import DISCLAIMER, Answer
from eval.__main__ import app
from eval.fuzz import Failure, fuzz
from eval.fuzz_cases import MUTATIONS, FuzzCase, cases
from eval.guarantees import broken

QUESTION = "马鞍山和县医保局报销打什么电话"


def test_the_same_seed_draws_the_same_cases():
    assert cases(40, 5) == cases(40, 5) != cases(40, 6)


def test_cases_are_mutated_and_made_up_dialogues_and_places_among_them():
    drawn = cases(300, 2)
    assert len(drawn) == 300
    assert any(len(case.turns) > 1 for case in drawn)
    assert any(case.region for case in drawn)
    together = "".join("".join(case.turns) for case in drawn)
    assert {"\u200b", "\x00", "\u202e", "\ud800"} <= set(together)
    assert len(MUTATIONS) == 11


def test_a_paste_of_a_whole_document_is_drawn():
    longest = max(len("".join(case.turns).encode("utf-8", "replace")) for case in cases(400, 1))
    assert longest >= 100_000


def test_a_small_run_breaks_no_guarantee(bot: Chatbot):
    report = fuzz(bot, cases(50, 1))
    assert [failure.to_json(1) for failure in report.failures] == []
    assert sum(report.kinds.values()) == 50
    assert len(report.kinds) >= 4
    assert report.summary.startswith("50 例，失败 0 例")


def test_an_exception_is_a_failure_and_is_told_at_once():
    class Broken:
        def ask(self, question: str, **_: object) -> Answer:
            raise ValueError(question)

        article = None

    told: list[Failure] = []
    report = fuzz(Broken(), [FuzzCase(("甲\ud800",))], told.append)  # type: ignore[arg-type]
    assert report.kinds == {"exception": 1}
    assert told == list(report.failures)
    assert json.loads(json.dumps(told[0].to_json(7)))["turns"] == ["甲\ud800"]


def swap_text(row: dict[str, Any]) -> None:
    row["sentences"][0]["text"] = "别的话"


def shift(row: dict[str, Any]) -> None:
    row["sentences"][0]["start"] += 1


def renumber(row: dict[str, Any]) -> None:
    row["citations"][0]["n"] = 2


def repaint(row: dict[str, Any]) -> None:
    row["citations"][0]["place"] = ["北京市"]


def add_words(row: dict[str, Any]) -> None:
    row["text"] = "一切都报100%。\n" + row["text"]


def end_early(row: dict[str, Any]) -> None:
    row["text"] = row["text"].removesuffix(DISCLAIMER)


def deny(row: dict[str, Any]) -> None:
    row["kind"] = "no_answer"


@pytest.mark.parametrize(
    ("damage", "problem"),
    [
        (swap_text, "verbatim"),
        (shift, "verbatim"),
        (renumber, "numbering"),
        (repaint, "metadata"),
        (add_words, "templates"),
        (end_early, "disclaimer"),
        (deny, "kind"),
    ],
)
def test_damage_is_noticed(
    bot: Chatbot, damage: Callable[[dict[str, Any]], None], problem: str
) -> None:
    row = bot.ask(QUESTION).to_json()
    assert broken([QUESTION], "", row, bot.article) == []
    damaged = deepcopy(row)
    damage(damaged)
    assert problem in broken([QUESTION], "", damaged, bot.article)


def test_a_figure_of_another_place_is_noticed(bot: Chatbot):
    row = bot.ask(QUESTION).to_json()
    assert broken(["深圳医保局打什么电话"], "", row, bot.article) == ["place"]
    assert broken(["医保局打什么电话"], "合肥", row, bot.article) == ["place"]


def test_a_figure_said_of_another_place_in_a_national_article_is_noticed(bot: Chatbot):
    filing = bot.article("national-maternity-fraud")
    start = filing.body.index("据媒体报道，国家医保局2025年12月3日通报，昆明")
    end = filing.body.index("。", start) + 1
    row = bot.ask("医院怎么备案").to_json() | {
        "sentences": [
            {
                "text": filing.body[start:end],
                "citation": 1,
                "article_id": filing.id,
                "start": start,
                "end": end,
            }
        ]
    }
    assert "place" in broken(["深圳骗津贴罚多少"], "", row, bot.article)
    assert "place" not in broken(["昆明骗津贴罚多少"], "", row, bot.article)


def test_a_long_message_must_be_invalid(bot: Chatbot):
    row = bot.ask(QUESTION).to_json()
    assert broken([QUESTION * 60], "", row, bot.article) == ["kind"]


def test_the_command_writes_a_file_and_a_summary(shipped_index: Path, tmp_path: Path) -> None:
    out = tmp_path / "失败.jsonl"
    arguments = ["fuzz", "--index", str(shipped_index), "--n", "6", "--out", str(out)]
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 0, done.output
    assert "6 例，失败 0 例" in done.stdout
    assert out.read_text() == ""
