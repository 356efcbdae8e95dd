"""The files of an answer run: metrics, every answer as JSON and as a table, and a page to read."""

import json
from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path

from eval.answers import Outcome, latency, summary_by_group
from eval.pages import page, section, table
from eval.results import write_json, write_rows, write_text

__all__ = ["write_answers"]

LABELS = {
    "questions": "题数",
    "fact_recall": "要点命中率",
    "all_facts": "要点全中的题",
    "sources_judged": "可核对来源的题",
    "source_cited": "引用了该引的文章",
    "source_first": "该引的文章排第一",
    "kind_accuracy": "回答种类对",
    "refused_answerable": "能答却没答",
    "answered_wrongly": "不该答却答了",
    "emergency_recall": "急症识别率",
    "false_alarms": "急症误报率",
    "wrong_place_figures": "别处的数字（次）",
    "quotes": "引文句数",
    "broken_quotes": "与原文不符的引文",
    "without_disclaimer": "缺提示语的回答",
    "mean_length": "平均字数",
}
HEADER = (
    *("id", "set", "question", "region", "kind", "kinds", "kind_right"),
    *("facts_found", "facts_wanted", "missing", "sources", "cited", "source_cited"),
    *("source_first", "forbidden_seen", "quotes", "broken_quotes", "milliseconds", "text"),
)
Row = tuple[object, ...]


def write_answers(outcomes: Sequence[Outcome], out: Path) -> None:
    """Write all files into the folder ``out``; at least one outcome is needed.

    ``timings.json``, the times in ``answers.jsonl`` and in ``per_question.csv`` change from run to
    run, nothing else does.
    """
    metrics = summary_by_group(outcomes)
    write_json(out / "metrics.json", metrics)
    write_json(out / "timings.json", latency(outcomes))
    lines = (json.dumps(outcome.answer, ensure_ascii=False) for outcome in outcomes)
    write_text(out / "answers.jsonl", "".join(f"{line}\n" for line in lines))
    write_rows(out / "per_question.csv", HEADER, map(_row, outcomes))
    write_text(out / "report.html", page("回答评测 · Answers", _sections(outcomes, metrics)))


def _row(outcome: Outcome) -> Row:
    case, verdict, answer = outcome.case, outcome.verdict, outcome.answer
    return (
        *(case.id, case.group, " → ".join(case.turns), case.region),
        *(verdict.kind, "|".join(case.kinds), verdict.kind_right),
        *(verdict.facts_found, verdict.facts_wanted, "；".join(verdict.missing)),
        *("；".join(case.sources), "；".join(c["title"] for c in answer["citations"])),
        *(verdict.source_cited, verdict.source_first, "；".join(verdict.forbidden_seen)),
        *(verdict.quotes, verdict.broken_quotes),
        *(f"{outcome.milliseconds:.1f}", answer["text"]),
    )


def _sections(
    outcomes: Sequence[Outcome], metrics: dict[str, dict[str, float | int | None]]
) -> Iterator[str]:
    rows = [
        (f"{label} {name}", *("–" if of[name] is None else of[name] for of in metrics.values()))
        for name, label in LABELS.items()
    ]
    yield section("总表 · Summary", table(("", *metrics), rows), "比率从 0 到 1。Shares in [0, 1].")
    failed = [outcome for outcome in outcomes if outcome.verdict.failed]
    passed = [outcome for outcome in outcomes if not outcome.verdict.failed]
    note = "先看不合格的，再看合格的；点开可看全文。Failures first; open one to read all of it."
    yield section(f"不合格 · Failed ({len(failed)})", "\n".join(map(_details, failed)), note)
    yield section(f"合格 · Passed ({len(passed)})", "\n".join(map(_details, passed)))


def _details(outcome: Outcome) -> str:
    """One question, closed; opened it shows what is wrong and the whole text."""
    case, verdict = outcome.case, outcome.verdict
    colour = "bad" if verdict.failed else "good"
    titles = "；".join(citation["title"] for citation in outcome.answer["citations"])
    region = f"参保地 {case.region} · " if case.region else ""
    return (
        f'<details class="{colour}"><summary>{escape(case.id)} · {escape(verdict.kind)} · '
        f"{escape(' → '.join(case.turns))}</summary>\n<p>{escape(region)}{escape(_faults(outcome))}"
        f"</p>\n<pre>{escape(outcome.answer['text'])}</pre>\n"
        f'<p class="note">引用 · cited: {escape(titles or "–")}</p></details>'
    )


def _faults(outcome: Outcome) -> str:
    """What is wrong, in one line; what was wanted, if nothing is."""
    case, verdict = outcome.case, outcome.verdict
    faults = {
        "种类应为 " + "/".join(case.kinds): verdict.kind_right is False,
        "缺要点 " + "、".join(verdict.missing): bool(verdict.missing),
        "没引用 " + "、".join(case.sources): verdict.source_cited is False,
        "出现了别处的数字 " + "、".join(verdict.forbidden_seen): bool(verdict.forbidden_seen),
        f"引文不符 {verdict.broken_quotes} 句": bool(verdict.broken_quotes),
        "没有提示语": not verdict.disclaimer,
    }
    return "；".join(text for text, present in faults.items() if present) or "没有发现问题"
