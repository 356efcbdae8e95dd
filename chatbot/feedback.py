"""What visitors say of answers, and their questions if the operator keeps them: one SQLite file.

A row that was acknowledged is on the disk (WAL, ``synchronous=FULL``): a killed process loses
nothing of it. Personal data is masked before anything is written; rows go after the retention.
"""

import csv
import io
import json
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from chatbot.masking import mask
from corpus.errors import FeedbackError, InputError
from corpus.folder import write_atomically

DAY = 86_400  # seconds
LONGEST = 500  # characters kept of a question or a reason
MOST_ROWS = 200_000  # of one table; a flood may not fill the disk
BUSY_SECONDS = 5  # until a locked database counts as failed
_TABLES = """
CREATE TABLE IF NOT EXISTS feedback (
    id INTEGER PRIMARY KEY, at REAL NOT NULL, question TEXT NOT NULL,
    answer_kind TEXT NOT NULL, verdict TEXT NOT NULL, reason TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS asked (
    id INTEGER PRIMARY KEY, at REAL NOT NULL, question TEXT NOT NULL, answer_kind TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS feedback_at ON feedback (at);
CREATE INDEX IF NOT EXISTS asked_at ON asked (at);
"""
_UNANSWERED = ("no_answer", "clarify")


@dataclass(frozen=True, slots=True)
class Verdict:
    """One visitor's word on one answer; texts are masked already."""

    day: str
    question: str
    answer_kind: str
    verdict: str
    reason: str


class Feedback:
    """The feedback store; one connection, used by one thread at a time."""

    def __init__(self, database: sqlite3.Connection, retention_days: int) -> None:
        self._database = database
        self._lock = threading.Lock()
        self.retention_days = retention_days

    @classmethod
    def open(cls, path: Path, retention_days: int = 90) -> Self:
        """Open or create the database; what is older than the retention goes at once.

        Raises:
            FeedbackError: the file cannot be opened or is no such database.
        """
        try:
            database = sqlite3.connect(path, timeout=BUSY_SECONDS, check_same_thread=False)
            database.execute("PRAGMA journal_mode = WAL")
            database.execute("PRAGMA synchronous = FULL")
            database.execute("PRAGMA secure_delete = ON")
            database.executescript(_TABLES)
        except sqlite3.Error as error:
            msg = f"打不开反馈数据库 {path}，请检查路径、权限和磁盘。"
            raise FeedbackError(msg) from error
        opened = cls(database, retention_days)
        opened.forget_old()
        return opened

    def add(self, question: str, answer_kind: str, verdict: str, reason: str) -> None:
        """Store a verdict; when this returns it is on the disk."""
        row = (time.time(), _kept(question), _kept(answer_kind), _kept(verdict), _kept(reason))
        self._insert("feedback", row)

    def add_asked(self, question: str, answer_kind: str) -> None:
        """Store a question (only if the operator keeps questions)."""
        self._insert("asked", (time.time(), _kept(question), answer_kind))

    def _insert(self, table: str, row: tuple[object, ...]) -> None:
        marks = ", ".join("?" * len(row))
        with self._transaction() as database:
            newest = database.execute(f"INSERT INTO {table} VALUES (NULL, {marks})", row).lastrowid
            database.execute(f"DELETE FROM {table} WHERE id <= ?", ((newest or 0) - MOST_ROWS,))

    def forget_old(self) -> None:
        """Delete what is older than the retention."""
        before = time.time() - self.retention_days * DAY
        with self._transaction() as database:
            for table in ("feedback", "asked"):
                database.execute(f"DELETE FROM {table} WHERE at < ?", (before,))

    def verdicts(self, verdict: str = "") -> list[Verdict]:
        """All verdicts, or those that are ``good`` or ``bad``; the newest first."""
        return [
            Verdict(*row)
            for row in self._read(
                "SELECT date(at, 'unixepoch', 'localtime'), question, answer_kind, verdict, reason"
                " FROM feedback WHERE ? IN ('', verdict) ORDER BY id DESC",
                (verdict,),
            )
        ]

    def most_asked(self, limit: int, *, unanswered: bool = False) -> list[tuple[str, int]]:
        """Kept questions with how often they were asked, most often first."""
        kinds = json.dumps(_UNANSWERED)
        return [
            (str(question), int(count))
            for question, count in self._read(
                "SELECT question, count(*) AS n FROM asked"
                " WHERE NOT ? OR answer_kind IN (SELECT value FROM json_each(?))"
                " GROUP BY question ORDER BY n DESC, question LIMIT ?",
                (unanswered, kinds, limit),
            )
        ]

    def close(self) -> None:
        """Close the database."""
        with self._lock:
            self._database.close()

    def _read(self, query: str, values: tuple[object, ...]) -> list[tuple[Any, ...]]:
        with self._transaction() as database:
            return database.execute(query, values).fetchall()

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        try:
            with self._lock, self._database:
                yield self._database
        except sqlite3.Error as error:
            msg = "反馈现在存不了，请稍后再试。"
            raise FeedbackError(msg) from error


def _kept(text: str) -> str:
    """A text as it may be stored: masked, on one line, cut."""
    return " ".join(mask(text).split())[:LONGEST]


def review_table(verdicts: list[Verdict]) -> str:
    """The verdicts as CSV for a spreadsheet; a cell never begins as a formula would."""
    out = io.StringIO()
    rows = csv.writer(out)
    rows.writerow(("日期", "评价", "原因", "答案种类", "问题", "应有的答案（请填写）"))
    for each in verdicts:
        cells = (each.day, each.verdict, each.reason, each.answer_kind, each.question, "")
        rows.writerow([_no_formula(cell) for cell in cells])
    return out.getvalue()


def _no_formula(cell: str) -> str:
    return f"'{cell}" if cell.startswith(("=", "+", "-", "@", "\t", "\r")) else cell


def question_rows(feedback: Feedback) -> str:
    """Disliked and unanswered questions as rows of a questions file, each question once.

    What the right answer is, a person has to add (``eval/questions/README.md``).
    """
    disliked = [each.question for each in feedback.verdicts("bad")]
    unanswered = [question for question, _ in feedback.most_asked(MOST_ROWS, unanswered=True)]
    questions = dict.fromkeys(filter(None, [*disliked, *unanswered]))
    rows = ({"id": f"feedback-{n}", "question": q} for n, q in enumerate(questions, 1))
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def export(database: Path, to: Path) -> tuple[int, int]:
    """Write ``feedback.csv`` and ``feedback.jsonl`` into ``to``; how many rows each holds.

    Raises:
        InputError: there is no database, or the folder cannot be written.
        FeedbackError: the database cannot be read.
    """
    if not database.is_file():
        msg = f"没有反馈数据库 {database}，请用 --database 指出服务用的那个文件。"
        raise InputError(msg)
    feedback = Feedback.open(database, retention_days=3650)
    verdicts, rows = feedback.verdicts(), question_rows(feedback)
    feedback.close()
    try:
        to.mkdir(parents=True, exist_ok=True)
        write_atomically(to / "feedback.csv", "\ufeff" + review_table(verdicts))
        write_atomically(to / "feedback.jsonl", rows)
    except OSError as error:
        msg = f"写不了 {to}：{error.strerror}，请检查目录和权限。"
        raise InputError(msg) from error
    return len(verdicts), rows.count("\n")
