"""What visitors say of answers, and their questions if the operator keeps them.

A row that was acknowledged is on the disk (SQLite's WAL with ``synchronous=FULL``, PostgreSQL's own
log): a killed process loses nothing of it. Personal data is masked before anything is written; rows
go after the retention.
"""

import csv
import datetime as dt
import io
import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from chatbot.database import Database, Run, is_server, open_database, why
from chatbot.masking import mask
from corpus.errors import FeedbackError, InputError
from corpus.folder import write_atomically

DAY = 86_400  # seconds
LONGEST = 500  # characters kept of a question or a reason
SERVER_SECONDS, EXPORT_SECONDS = 3.0, 120.0  # a server's time for one thing
KEYS_DAYS = 7  # that a verdict sent twice is known; nobody tries that long
MOST_ROWS = 200_000  # of one table; a flood may not fill the disk
_TABLES = {
    "feedback": """CREATE TABLE IF NOT EXISTS feedback (
    id {id}, at DOUBLE PRECISION NOT NULL, question TEXT NOT NULL,
    answer_kind TEXT NOT NULL, verdict TEXT NOT NULL, reason TEXT NOT NULL)""",
    "asked": """CREATE TABLE IF NOT EXISTS asked (
    id {id}, at DOUBLE PRECISION NOT NULL, question TEXT NOT NULL, answer_kind TEXT NOT NULL)""",
    # Keys of verdicts that are stored: what is sent twice counts once.
    "sent": """CREATE TABLE IF NOT EXISTS sent (
    id {id}, at DOUBLE PRECISION NOT NULL, key TEXT NOT NULL UNIQUE)""",
    "feedback_at": "CREATE INDEX IF NOT EXISTS feedback_at ON feedback (at)",
    "asked_at": "CREATE INDEX IF NOT EXISTS asked_at ON asked (at)",
    "sent_at": "CREATE INDEX IF NOT EXISTS sent_at ON sent (at)",
}
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
    """The feedback store; many processes may share one."""

    def __init__(self, database: Database, retention_days: int) -> None:
        self._database = database
        self.retention_days = retention_days

    @classmethod
    def open(
        cls, where: str | Path, retention_days: int = 90, seconds: float = SERVER_SECONDS
    ) -> Self:
        """Open or create the store.

        Args:
            where: a file, or the ``postgresql://`` address of a server, which may be down for now.
            retention_days: see ``forget_old``.
            seconds: that a server may take for one thing.

        Raises:
            FeedbackError: the file cannot be opened or is no such database.
            InputError: the address is none, or the client for it is not installed.
        """
        return cls(open_database(str(where), _TABLES, seconds), retention_days)

    def add(
        self, question: str, answer_kind: str, verdict: str, reason: str, key: str = ""
    ) -> None:
        """Store a verdict; when this returns it is on the disk.

        Args:
            question: what was asked.
            answer_kind: a ``Kind`` of the answer.
            verdict: ``good`` or ``bad``.
            reason: why.
            key: the sender's own name for this verdict; with a key that was stored already nothing
                happens.
        """
        now = time.time()
        with self._database.transaction() as run:
            if key and not _insert(run, "sent", {"at": now, "key": key}):
                return
            row = {"question": question, "answer_kind": answer_kind, "verdict": verdict}
            _insert(run, "feedback", {"at": now} | _all_kept(row | {"reason": reason}))

    def add_asked(self, question: str, answer_kind: str) -> None:
        """Store a question (only if the operator keeps questions)."""
        row = _all_kept({"question": question, "answer_kind": answer_kind})
        with self._database.transaction() as run:
            _insert(run, "asked", {"at": time.time()} | row)

    def forget_old(self) -> None:
        """Delete what is older than the retention."""
        now = time.time()
        days = {"feedback": self.retention_days, "asked": self.retention_days, "sent": KEYS_DAYS}
        with self._database.transaction() as run:
            for table, kept in days.items():
                run(f"DELETE FROM {table} WHERE at < ?", (now - kept * DAY,))

    def verdicts(self, verdict: str = "") -> list[Verdict]:
        """All verdicts, or those that are ``good`` or ``bad``; the newest first."""
        rows = self._read(
            "SELECT at, question, answer_kind, verdict, reason FROM feedback"
            " WHERE ? IN ('', verdict) ORDER BY id DESC",
            (verdict,),
        )
        return [Verdict(dt.date.fromtimestamp(at).isoformat(), *row) for at, *row in rows]

    def most_asked(self, limit: int, *, unanswered: bool = False) -> list[tuple[str, int]]:
        """Kept questions with how often they were asked, most often first."""
        only = "WHERE answer_kind IN (?, ?)" if unanswered else ""
        rows = self._read(
            f"SELECT question, count(*) AS n FROM asked {only}"
            " GROUP BY question ORDER BY n DESC, question LIMIT ?",
            (*(_UNANSWERED if unanswered else ()), limit),
        )
        return [(str(question), int(count)) for question, count in rows]

    def close(self) -> None:
        """Close the store."""
        self._database.close()

    def _read(self, query: str, values: tuple[object, ...]) -> list[tuple[Any, ...]]:
        with self._database.transaction() as run:
            return list(run(query, values).fetchall())


def _insert(run: Run, table: str, row: dict[str, object]) -> bool:
    """Insert a row and delete what is too many; whether it was new."""
    marks = ", ".join("?" * len(row))
    query = f"INSERT INTO {table} ({', '.join(row)}) VALUES ({marks}) ON CONFLICT DO NOTHING"
    if not run(query, tuple(row.values())).rowcount:
        return False
    run(f"DELETE FROM {table} WHERE id <= (SELECT max(id) FROM {table}) - ?", (MOST_ROWS,))
    return True


def _all_kept(row: dict[str, str]) -> dict[str, object]:
    return {name: _kept(text) for name, text in row.items()}


def _kept(text: str) -> str:
    """A text as it may be stored: masked, on one line, cut; no server takes a NUL."""
    return " ".join(mask(text).replace("\0", " ").split())[:LONGEST]


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


def export(database: str, to: Path) -> tuple[int, int]:
    """Write ``feedback.csv`` and ``feedback.jsonl`` into ``to``; how many rows each holds.

    Args:
        database: a file or a ``postgresql://`` address.
        to: a folder, made if it is not there.

    Raises:
        InputError: there is no database, or the folder cannot be written.
        FeedbackError: the database cannot be read.
    """
    if not is_server(database) and not Path(database).is_file():
        msg = f"没有反馈数据库 {database}，请用 --database 指出服务用的那个。"
        raise InputError(msg)
    feedback = Feedback.open(database, seconds=EXPORT_SECONDS)
    try:
        verdicts, rows = feedback.verdicts(), question_rows(feedback)
    except FeedbackError as error:
        told = "读不了反馈数据库，请检查它是否在运行，地址、用户和密码对不对"
        msg = f"{told}（{why(error)}）。"
        raise FeedbackError(msg) from error
    finally:
        feedback.close()
    try:
        to.mkdir(parents=True, exist_ok=True)
        write_atomically(to / "feedback.csv", "\ufeff" + review_table(verdicts))
        write_atomically(to / "feedback.jsonl", rows)
    except OSError as error:
        msg = f"写不了 {to}：{error.strerror}，请检查目录和权限。"
        raise InputError(msg) from error
    return len(verdicts), rows.count("\n")
