"""Feedback in PostgreSQL: the same store, shared by processes, down and back again."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import pytest
from typer.testing import CliRunner

from chatbot.__main__ import app
from chatbot.database import PAUSE_SECONDS, Postgres, Run, open_database
from chatbot.feedback import DAY, Feedback, question_rows
from chatbot.operator_page import operator_page
from chatbot.settings import read_settings
from corpus.errors import FeedbackError, InputError
from tests.conftest import ROOT
from tests.milvus_process import free_port
from tests.postgres_process import PASSWORD, needs_postgres
from tests.test_feedback import WRITER

pytestmark = needs_postgres


@pytest.fixture
def store(server) -> Iterator[Feedback]:
    opened = Feedback.open(server.url, retention_days=30)
    with opened._database.transaction() as run:
        for table in ("feedback", "asked", "sent"):
            run(f"DELETE FROM {table}", ())
    yield opened
    opened.close()


def test_it_keeps_forgets_and_counts_like_a_file(store, monkeypatch) -> None:
    store.add("旧", "answer", "bad", "")
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 31 * DAY)
    store.forget_old()
    store.add("甲问\n\0第二行 13800138000", "answer", "good", "'; DROP TABLE feedback; --")
    store.add("乙问", "no_answer", "bad", "%s ?")
    for question, kind in (("甲", "answer"), ("乙", "no_answer"), ("甲", "answer")):
        store.add_asked(question, kind)
    assert [v.question for v in store.verdicts()] == ["乙问", "甲问 第二行 【号码】"]
    assert [v.reason for v in store.verdicts("bad")] == ["%s ?"]
    assert store.most_asked(9) == [("甲", 2), ("乙", 1)]
    assert store.most_asked(9, unanswered=True) == [("乙", 1)]
    assert len(question_rows(store).splitlines()) == 2


def test_what_is_sent_by_many_at_once_with_one_key_counts_once(server, store) -> None:
    stores = [Feedback.open(server.url) for _ in range(4)]
    senders = [
        threading.Thread(target=each.add, args=("问", "answer", "bad", "", f"key-{n}"))
        for n in range(5)
        for each in stores
    ]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    assert len(store.verdicts()) == 5
    for each in stores:
        each.close()


def test_processes_make_the_tables_at_the_same_time(server) -> None:
    first = Feedback.open(server.url)
    with first._database.transaction() as run:
        run("DROP TABLE feedback, asked, sent", ())
    first.close()
    stores = [Feedback.open(server.url) for _ in range(6)]
    openers = [threading.Thread(target=each.forget_old) for each in stores]
    for opener in openers:
        opener.start()
    for opener in openers:
        opener.join()
    for each in stores:
        assert each.verdicts() == []
        each.close()


def test_a_server_that_restarts_is_found_again_and_nothing_acknowledged_is_lost(
    server, store
) -> None:
    store.add("之前", "answer", "good", "")
    server.stop()
    with pytest.raises(FeedbackError, match="存不了") as caught:
        store.add("其间", "answer", "good", "")
    assert PASSWORD not in f"{caught.value!r} {caught.value.__cause__!r}"
    assert "现在不应答" in operator_page((), store)
    server.start()
    time.sleep(PAUSE_SECONDS)
    store.add("之后", "answer", "good", "")
    assert [v.question for v in store.verdicts()] == ["之后", "之前"]
    server.stop()
    server.start()
    assert len(store.verdicts()) == 2  # the old connection is noticed before it is used


def test_a_server_that_hangs_is_given_up_and_goes_on(server, store) -> None:
    impatient = Feedback.open(server.url, seconds=0.3)
    impatient.add("之前", "answer", "good", "")
    with impatient._database.transaction() as run:
        (backend,) = run("SELECT pg_backend_pid()", ()).fetchone()
    os.kill(backend, signal.SIGSTOP)
    assert len(impatient.verdicts()) == 1  # over another connection
    with impatient._database.transaction() as run:
        (another,) = run("SELECT pg_backend_pid()", ()).fetchone()
    stopped = (server.pid, another, backend)
    for pid in stopped[:2]:
        os.kill(pid, signal.SIGSTOP)
    with pytest.raises(FeedbackError):
        impatient.verdicts()
    started = time.monotonic()
    for _ in range(100):
        with pytest.raises(FeedbackError):
            impatient.add("其间", "answer", "good", "")
    assert time.monotonic() - started < 1  # nobody waits for it
    for pid in stopped:
        os.kill(pid, signal.SIGCONT)
    time.sleep(PAUSE_SECONDS)
    assert len(impatient.verdicts()) == 1
    impatient.close()


def test_a_server_that_is_down_at_first_is_no_error_until_it_is_used(tmp_path) -> None:
    url = f"postgresql://yibao:{PASSWORD}@127.0.0.1:{free_port()}/yibao"
    opened = Feedback.open(url)
    with pytest.raises(FeedbackError) as caught:
        opened.verdicts()
    assert PASSWORD not in str(caught.value)
    export = ["feedback", "export", "--database", url, "--out", str(tmp_path)]
    result = CliRunner().invoke(app, export)
    assert (result.exit_code, len(result.stderr.splitlines())) == (1, 1)
    assert PASSWORD not in result.output


@pytest.mark.parametrize(
    "url", [f"postgresql://yibao:{PASSWORD}@127.0.0.1:x y/z?a", "postgresql://h?nonsense=1"]
)
def test_an_address_that_is_none_is_told_without_the_password(url) -> None:
    with pytest.raises(InputError, match="看不懂反馈数据库的地址") as caught:
        open_database(url, {}, 1.0)
    assert PASSWORD not in f"{caught.value!r}{caught.value.__cause__!r}"


def test_a_wrong_password_is_no_secret_told(server) -> None:
    opened = Feedback.open(server.url.replace(PASSWORD, "falsch-99"))
    with pytest.raises(FeedbackError) as caught:
        opened.verdicts()
    assert "falsch-99" not in f"{caught.value!r} {caught.value.__cause__!r}"


def test_the_settings_hide_the_address_and_want_a_server_for_shared_rates(server) -> None:
    settings = read_settings(feedback=server.url, shared_rate=True)
    assert PASSWORD not in repr(settings)
    with pytest.raises(InputError, match="YIBAO_SHARED_RATE"):
        read_settings(feedback="feedback.db", shared_rate=True)


def test_export_takes_an_address(server, store, tmp_path) -> None:
    store.add("甲问", "answer", "bad", "过期")
    command = ["feedback", "export", "--database", server.url, "--out", str(tmp_path / "out")]
    assert CliRunner().invoke(app, command).exit_code == 0
    assert "甲问" in (tmp_path / "out" / "feedback.csv").read_text(encoding="utf-8-sig")


def test_a_killed_writer_loses_nothing_acknowledged(server, store) -> None:
    program = WRITER.replace("Path(sys.argv[1])", "sys.argv[1]")
    with subprocess.Popen(
        [sys.executable, "-c", program, server.url], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(30)]
        process.send_signal(signal.SIGKILL)
        lines += process.stdout.readlines()
    acknowledged = len([line for line in lines if line.endswith("\n")])
    assert len(store.verdicts()) in (acknowledged, acknowledged + 1)


def test_a_failed_statement_undoes_the_transaction_and_harms_no_other(server, store) -> None:
    database = store._database
    assert isinstance(database, Postgres)
    with pytest.raises(FeedbackError), database.transaction() as run:
        _insert_and_fail(run)
    assert store.most_asked(9) == []


def _insert_and_fail(run: Run) -> None:
    run("INSERT INTO asked (at, question, answer_kind) VALUES (1, 'x', 'answer')", ())
    run("SELECT nonsense", ())
