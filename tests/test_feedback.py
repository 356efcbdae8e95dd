"""The feedback store: what it keeps, forgets and exports, and that a kill loses nothing."""

import json
import signal
import sqlite3
import subprocess
import sys
import time

import pytest
from typer.testing import CliRunner

from chatbot import feedback
from chatbot.__main__ import app
from chatbot.feedback import DAY, Feedback, question_rows, review_table
from corpus.errors import FeedbackError
from tests.conftest import ROOT

EARLIER = """
CREATE TABLE feedback (
    id INTEGER PRIMARY KEY, at REAL NOT NULL, question TEXT NOT NULL,
    answer_kind TEXT NOT NULL, verdict TEXT NOT NULL, reason TEXT NOT NULL
);
CREATE TABLE asked (
    id INTEGER PRIMARY KEY, at REAL NOT NULL, question TEXT NOT NULL, answer_kind TEXT NOT NULL
);
INSERT INTO feedback VALUES (NULL, 1.5, '旧', 'answer', 'bad', '');
"""


@pytest.fixture
def store(tmp_path):
    opened = Feedback.open(tmp_path / "feedback.db", retention_days=30)
    yield opened
    opened.close()


def test_what_was_said_can_be_read_newest_first(store) -> None:
    store.add("甲问", "answer", "good", "")
    store.add("乙问\n第二行", "no_answer", "bad", "答非所问")
    assert [v.question for v in store.verdicts()] == ["乙问 第二行", "甲问"]
    assert [v.reason for v in store.verdicts("bad")] == ["答非所问"]


def test_what_is_sent_twice_with_one_key_counts_once(store) -> None:
    for _ in range(2):
        store.add("甲问", "answer", "good", "", "a-key")
        store.add("乙问", "answer", "good", "")
    assert [v.question for v in store.verdicts()] == ["乙问", "乙问", "甲问"]


def test_a_file_of_an_earlier_version_goes_on(tmp_path) -> None:
    file = tmp_path / "old.db"
    with sqlite3.connect(file) as old:
        old.executescript(EARLIER)
    old.close()
    opened = Feedback.open(file)
    opened.add("新", "answer", "bad", "", "key")
    opened.add_asked("新", "answer")
    assert [v.question for v in opened.verdicts()] == ["新", "旧"]
    opened.close()


def test_a_table_never_grows_beyond_its_bound(store, monkeypatch) -> None:
    monkeypatch.setattr(feedback, "MOST_ROWS", 3)
    for n in range(7):
        store.add(f"{n}", "answer", "bad", "", f"key-{n}")
    assert [v.question for v in store.verdicts()] == ["6", "5", "4"]


def test_old_rows_go(store, monkeypatch) -> None:
    store.add("旧", "answer", "bad", "")
    store.add_asked("旧", "answer")
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 31 * DAY)
    store.add("新", "answer", "bad", "")
    store.forget_old()
    assert [v.question for v in store.verdicts()] == ["新"]
    assert store.most_asked(9) == []


def test_kept_questions_are_counted(store) -> None:
    for question, kind in (("甲", "answer"), ("乙", "no_answer"), ("甲", "answer")):
        store.add_asked(question, kind)
    assert store.most_asked(9) == [("甲", 2), ("乙", 1)]
    assert store.most_asked(9, unanswered=True) == [("乙", 1)]


def test_the_table_has_no_formula_and_the_rows_are_questions(store) -> None:
    store.add("=HYPERLINK(1)", "answer", "bad", "+看不懂")
    store.add_asked("没答上的", "no_answer")
    lines = review_table(store.verdicts()).splitlines()
    assert lines[1].split(",")[2:5] == ["'+看不懂", "answer", "'=HYPERLINK(1)"]
    rows = [json.loads(line) for line in question_rows(store).splitlines()]
    assert [row["question"] for row in rows] == ["=HYPERLINK(1)", "没答上的"]


def test_the_command_exports_both_files(store, tmp_path) -> None:
    store.add("甲问", "answer", "bad", "过期")
    out = tmp_path / "out"
    database = str(tmp_path / "feedback.db")
    command = ["feedback", "export", "--database", database, "--out", str(out)]
    result = CliRunner().invoke(app, command)
    assert result.exit_code == 0, result.output
    assert "甲问" in (out / "feedback.csv").read_text(encoding="utf-8-sig")
    assert json.loads((out / "feedback.jsonl").read_text(encoding="utf-8"))["question"] == "甲问"


def test_what_cannot_be_opened_is_told(tmp_path) -> None:
    (tmp_path / "bad.db").write_bytes(b"no database" * 999)
    with pytest.raises(FeedbackError, match="打不开"):
        Feedback.open(tmp_path / "bad.db")
    result = CliRunner().invoke(app, ["feedback", "export", "--database", str(tmp_path / "none")])
    assert (result.exit_code, len(result.stderr.splitlines())) == (1, 1)


WRITER = """
import sys
from pathlib import Path
from chatbot.feedback import Feedback
store = Feedback.open(Path(sys.argv[1]))
for number in range(100000):
    store.add(f"q{number}", "answer", "bad", "")
    print(number, flush=True)
"""


def test_a_kill_loses_nothing_acknowledged(tmp_path) -> None:
    database = tmp_path / "feedback.db"
    acknowledged = 0
    for _ in range(3):
        with subprocess.Popen(
            [sys.executable, "-c", WRITER, str(database)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stdout is not None
            lines = [process.stdout.readline() for _ in range(30)]
            process.send_signal(signal.SIGKILL)
            lines += process.stdout.readlines()
        acknowledged += len([line for line in lines if line.endswith("\n")])
        store = Feedback.open(database)
        held = len(store.verdicts())
        store.close()
        assert held in range(acknowledged, acknowledged + 2)
        acknowledged = held
