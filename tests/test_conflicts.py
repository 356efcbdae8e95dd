"""The sets of article pairs, how they are judged, and what the development half must reach."""

import json
from collections import Counter
from pathlib import Path

import pytest
from typer.testing import CliRunner

from corpus.errors import InputError
from eval.__main__ import app
from eval.conflicts import CONFLICT, SETS, GroupResult, judge, load_pairs, summary

RECALL = 0.90
FALSE_ALARMS = 0.05


def row(key: str, group: str, first: str, second: str) -> dict[str, object]:
    place = ["广东省", "惠州市"]
    return {
        "id": key,
        "group": group,
        "conflict": group == CONFLICT,
        "a": {"title": "住院", "body": first, "place": place},
        "b": {"title": "住院", "body": second, "place": place},
    }


@pytest.fixture
def small(tmp_path: Path) -> Path:
    rows = [
        row("1", CONFLICT, "三级医院住院报销80%。", "三级医院住院报销70%。"),
        row("2", CONFLICT, "三级医院住院报销80%。", "这一篇没有数字。"),
        row("3", "tier", "三级医院住院报销80%。", "一级医院住院报销90%。"),
        row("4", "same", "三级医院住院报销80%。", "三级医院住院报八成。"),
    ]
    path = tmp_path / "pairs.jsonl"
    path.write_text("".join(json.dumps(r, ensure_ascii=False) + "\n" for r in rows))
    return path


@pytest.mark.parametrize("half", SETS)
def test_each_half_is_half_of_what_the_issue_asks_for(half: str) -> None:
    groups = Counter(pair.group for pair in load_pairs(SETS[half]))
    assert groups[CONFLICT] >= 30
    assert sum(groups.values()) - groups[CONFLICT] >= 100
    assert {"place", "audience", "year", "tier", "setting", "same"} <= set(groups)


def test_the_halves_share_no_pair_and_no_text() -> None:
    dev, test = (load_pairs(path) for path in SETS.values())
    assert not {pair.id for pair in dev} & {pair.id for pair in test}
    bodies = [{a.body for p in half for a in (p.first, p.second)} for half in (dev, test)]
    assert not bodies[0] & bodies[1]


def test_development_half() -> None:
    found = summary(judge(load_pairs(SETS["dev"])))
    assert found["recall"] >= RECALL
    assert found["false_alarms"] <= FALSE_ALARMS


def test_judging_counts_by_group_and_names_the_wrong_calls(small: Path) -> None:
    results = judge(load_pairs(small))
    assert list(results) == [CONFLICT, "tier", "same"]
    assert results[CONFLICT] == GroupResult(pairs=2, called=1, wrong=("2",))
    assert results["same"] == GroupResult(pairs=1, called=0, wrong=())
    assert summary(results) == {"recall": 0.5, "false_alarms": 0.0}
    assert summary({}) == {"recall": 0.0, "false_alarms": 0.0}


def test_the_command_prints_a_table_or_json(small: Path) -> None:
    run = CliRunner().invoke(app, ["conflicts", "--questions", str(small), "--wrong"])
    assert run.exit_code == 0
    assert "判为矛盾" in run.stdout
    assert "找到 0.500，误报 0.000" in run.stdout
    assert "判错：2" in run.stdout
    run = CliRunner().invoke(app, ["conflicts", "--questions", str(small), "--json"])
    assert json.loads(run.stdout) == {"pairs": {"recall": 0.5, "false_alarms": 0.0}}


@pytest.mark.parametrize("line", ["{", "[]", '{"id": "1"}', '{"id":"1","group":"x","conflict":1}'])
def test_a_bad_line_is_named(tmp_path: Path, line: str) -> None:
    path = tmp_path / "bad.jsonl"
    path.write_text(line + "\n", encoding="utf-8")
    with pytest.raises(InputError, match="第 1 行不是一对文章"):
        load_pairs(path)
    path.write_text("", encoding="utf-8")
    with pytest.raises(InputError, match="没有题目"):
        load_pairs(path)
    with pytest.raises(InputError, match="读不了题目文件"):
        load_pairs(tmp_path / "none.jsonl")
