"""Labelled places: the files are sound, and what is counted is what was read."""

import json
from collections import Counter
from pathlib import Path

import pytest
from typer.testing import CliRunner

from corpus.errors import InputError
from corpus.place_names import records, tables
from eval.__main__ import app
from eval.regions import LabelledText, Tally, as_dict, judge_text, load_labels, summarise

FOLDER = Path(__file__).parents[1] / "eval" / "questions"
HALVES = [FOLDER / f"regions-{half}.jsonl" for half in ("dev", "test")]
HUIZHOU = ("广东省", "惠州市")


def row(**changes: object) -> str:
    mention = {"name": "惠州", "role": "insured", "places": [list(HUIZHOU)]}
    sound = {"id": "a-1", "question": "惠州医保", "kind": "plain", "mentions": [mention]}
    return json.dumps(sound | changes, ensure_ascii=False) + "\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "labels.jsonl"
    path.write_text(row(), encoding="utf-8")
    return path


def test_the_halves_are_large_distinct_and_mostly_traps() -> None:
    labels = [label for path in HALVES for label in load_labels(path)]
    assert len({label.text for label in labels}) == len({label.id for label in labels})
    assert len(labels) == len({label.id for label in labels}) >= 320
    kinds = Counter(label.kind for label in labels)
    assert kinds["plain"] + kinds["path"] + kinds["care"] + kinds["municipality"] < len(labels) / 2


def test_every_labelled_place_is_in_the_table() -> None:
    known = {path for path, _ in records()} | {tuple(p) for p in tables()["aliases"].values()}
    for path in HALVES:
        for label in load_labels(path):
            named = {place for _, places in label.roles for place in places}
            assert named | label.suggestions <= known, label.id


def test_the_development_half_reaches_the_targets() -> None:
    tally = summarise(map(judge_text, load_labels(HALVES[0])))["all"]["names"]
    assert tally.precision is not None
    assert tally.recall is not None
    assert tally.precision >= 0.98
    assert tally.recall >= 0.95


def test_a_text_is_judged_by_names_places_and_roles() -> None:
    right = judge_text(LabelledText("a", "惠州医保", "x", {("惠州", (HUIZHOU,)): "insured"}))
    assert right.names == right.roles == Tally(1, 0, 0)
    assert not right.failed
    role = judge_text(LabelledText("a", "惠州医保", "x", {("惠州", (HUIZHOU,)): "care"}))
    assert (role.names, role.roles) == (Tally(1, 0, 0), Tally(0, 1, 1))
    any_role = judge_text(LabelledText("a", "惠州医保", "x", {("惠州", (HUIZHOU,)): "any"}))
    assert any_role.roles == Tally(1, 0, 0)
    missed = judge_text(LabelledText("a", "医保", "x", {("惠州", (HUIZHOU,)): "insured"}))
    assert missed.names == Tally(0, 0, 1)
    assert missed.failed
    spurious = judge_text(LabelledText("a", "惠州医保", "x", {}))
    assert spurious.names == Tally(0, 1, 0)
    suggested = judge_text(LabelledText("a", "惠洲医保", "x", {}))
    assert suggested.suggestions == Tally(0, 1, 0)
    assert suggested.failed


def test_sums_are_kept_by_kind_and_over_all(file: Path) -> None:
    sums = as_dict([judge_text(label) for label in load_labels(file)] * 2)
    assert set(sums) == {"plain", "all"}
    assert sums["all"]["names"] == {
        "precision": 1.0, "recall": 1.0, "right": 2, "spurious": 0, "missed": 0
    }  # fmt: skip
    assert sums["all"]["suggestions"]["precision"] is None


@pytest.mark.parametrize(
    "damage",
    [
        {"mentions": [{"name": "惠州"}]},
        {"mentions": [{"name": "广州", "role": "insured", "places": [["广州市"]]}]},
        {"mentions": [{"name": "惠州", "role": "home", "places": [list(HUIZHOU)]}]},
        {"mentions": None},
    ],
)
def test_a_damaged_line_is_named(file: Path, damage: dict[str, object]) -> None:
    file.write_text(row() + row(**damage), encoding="utf-8")
    with pytest.raises(InputError, match="第 2 行"):
        load_labels(file)


def test_the_command_shows_the_table_and_the_failures(file: Path) -> None:
    wrong = row(id="a-2", question="惠州医保局", mentions=[])
    file.write_text(row() + wrong, encoding="utf-8")
    shown = CliRunner().invoke(app, ["regions", "--texts", str(file)])
    assert shown.exit_code == 0
    assert "惠州医保局" in shown.output
    assert "没有地名" in shown.output
    assert "a-1" not in shown.output
    short = CliRunner().invoke(app, ["regions", "--texts", str(file), "--no-failures"])
    assert "惠州医保局" not in short.output
    told = CliRunner().invoke(app, ["regions", "--texts", str(file), "--json"])
    assert json.loads(told.stdout)["all"]["names"]["precision"] == 0.5


def test_a_file_that_is_not_there_is_told_in_one_sentence(tmp_path: Path) -> None:
    shown = CliRunner().invoke(app, ["regions", "--texts", str(tmp_path / "none.jsonl")])
    assert shown.exit_code == 1
    assert "none.jsonl" in shown.output
