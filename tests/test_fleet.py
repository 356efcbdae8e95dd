"""Four app servers behind nginx, one Milvus, one PostgreSQL: under load, killed, out of order."""

import asyncio
import http.client
import json
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from chatbot.feedback import Feedback
from chatbot.service import OUT_OF_ORDER
from chatbot.shared_rate import ALONE_SECONDS
from corpus.folder import SHIPPED
from eval.bench_load import ENTRIES, measure
from eval.visitors import Site
from index.encoder import Encoder
from tests.fleet import Fleet, fleet, start_app, wait_until
from tests.milvus_process import needs_milvus
from tests.nginx_process import needs_nginx
from tests.postgres_process import needs_postgres

pytestmark = [needs_milvus, needs_postgres, needs_nginx]
ARTICLES = sorted(path for path in SHIPPED.glob("*.md") if path.stem.islower())[:6]
APPS = 4
VISITORS = 12
STARTER = "yb-asks"  # in the markup of a question to begin with
QUESTIONS = ("门诊怎么报销", "异地就医怎么备案", "生育津贴怎么领", "谢谢")


@pytest.fixture(scope="module")
def running(encoder: Encoder, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    corpus = tmp_path_factory.mktemp("articles")
    for path in ARTICLES:
        (corpus / path.name).write_bytes(path.read_bytes())
    with fleet(tmp_path_factory.mktemp("fleet"), corpus, encoder, APPS) as started:
        yield started


def send(
    port: int, path: str, content: object = None, visitor: int = 0, cookie: str = ""
) -> tuple[int, Any, str]:
    """Status, JSON or text, and the cookie that was set; each visitor has an address of its own."""
    source = (f"127.0.2.{visitor + 1}", 0)
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30, source_address=source)
    try:
        body = None if content is None else json.dumps(content)
        sent = {"content-type": "application/json"} | ({"cookie": cookie} if cookie else {})
        connection.request("GET" if body is None else "POST", path, body, sent)
        response = connection.getresponse()
        text = response.read().decode()
        given = (response.getheader("set-cookie") or "").partition(";")[0]
        is_json = "json" in (response.getheader("content-type") or "")
        return response.status, json.loads(text) if is_json and text else text, given
    finally:
        connection.close()


def verdict(number: int) -> dict[str, str]:
    row = {"question": f"第{number}问", "answer_kind": "answer", "verdict": "bad", "reason": ""}
    return row | {"key": f"key-{number}"}


class Visitors:
    """Threads that ask and judge through nginx until they are stopped."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.acknowledged: list[int] = []
        self.answers, self.faults = 0, []  # type: ignore[var-annotated]
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._visit, args=(n,)) for n in range(VISITORS)]
        for thread in self._threads:
            thread.start()

    def _visit(self, visitor: int) -> None:
        for n in range(visitor, 10**6, VISITORS):
            if self._stop.is_set():
                return
            try:
                status, answer, _ = send(
                    self.port, "/api/ask", {"question": QUESTIONS[n % len(QUESTIONS)]}, visitor
                )
                judged = send(self.port, "/api/feedback", verdict(n), visitor)[0]
            except OSError as error:
                self.faults.append(repr(error))
                continue
            if status == 200 and answer["text"]:
                self.answers += 1
            else:
                self.faults.append((status, answer))
            if judged == 204:
                self.acknowledged.append(n)
            else:
                self.faults.append(judged)

    def stop(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()


def judged(running: Fleet) -> Counter[str]:
    store = Feedback.open(running.postgres.url)
    found = Counter(each.question for each in store.verdicts())
    store.close()
    return found


def test_a_page_stays_with_one_app_server(running: Fleet) -> None:
    for visitor in range(3):
        status, page, cookie = send(running.port, "/", visitor=visitor)
        assert (status, cookie.startswith("yibao=")) == (200, True)
        assert "医保问答" in page
        for _ in range(3):
            assert send(running.port, "/", visitor=visitor, cookie=cookie)[2] == ""
    for entry in ENTRIES:  # the queue without cookies, too
        load = asyncio.run(measure(entry, 8, Site.of(running.url), QUESTIONS, seconds=1.0))
        assert load.answers >= 8
        assert load.errors == 0


def test_a_killed_app_server_costs_nobody_anything(running: Fleet) -> None:
    visitors = Visitors(running.port)
    time.sleep(3)
    running.apps[0].kill()
    time.sleep(3)
    visitors.stop()
    assert visitors.faults == []
    assert visitors.answers > VISITORS
    assert judged(running) == Counter(f"第{n}问" for n in visitors.acknowledged)
    # Sent again, to every app server: still once.
    for n in visitors.acknowledged[:3]:
        for app in running.apps[1:]:
            assert send(app.port, "/api/feedback", verdict(n))[0] == 204
    assert judged(running) == Counter(f"第{n}问" for n in visitors.acknowledged)


def test_app_servers_count_a_visitor_together(running: Fleet) -> None:
    """A third of a minute's 600 at once; each alone would let through as many."""
    time.sleep(ALONE_SECONDS)  # the test before has made them busy
    ports = [app.port for app in running.apps[1:]]
    for n in range(len(ports) * 200):
        status, _, _ = send(ports[n % len(ports)], "/api/ask", {"question": "谢谢"}, 200)
        if status == 429:
            break
    assert status == 429
    assert n >= 199


def test_the_engine_goes_and_comes_back(running: Fleet) -> None:
    port = running.apps[1].port
    running.milvus.kill()
    late = start_app(running, running.apps[0].log.with_name("late.log"))
    try:
        told = send(running.port, "/api/ask", {"question": QUESTIONS[0]})
        assert told[:2] == (503, {"error": OUT_OF_ORDER})
        _, told, _ = send(running.port, "/api/ask", {"question": "胸口疼得厉害，喘不上气"})
        assert told["kind"] == "emergency"
        status, ready, _ = send(port, "/readyz")
        assert (status, ready["status"]) == (503, "out_of_order")
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as metrics:
            assert b"yibao_engine_up 0.0" in metrics.read()
        wait_until(late, "/healthz")  # started while the engine is gone
        assert send(late.port, "/api/ask", {"question": QUESTIONS[0]})[1]["error"] == OUT_OF_ORDER
        assert send(late.port, "/api/ask", {"question": "我爸突然昏迷了"})[1]["kind"] == "emergency"
        assert STARTER not in json.dumps(send(late.port, "/config")[1], ensure_ascii=False)
        running.milvus.start()
        for app in running.apps[1:]:
            wait_until(app, "/readyz")
            assert send(app.port, "/api/ask", {"question": QUESTIONS[0]})[0] == 200
        wait_until(late, "/readyz")
        assert send(late.port, "/api/ask", {"question": QUESTIONS[0]})[0] == 200
        assert STARTER in json.dumps(send(late.port, "/config")[1], ensure_ascii=False)
    finally:
        late.kill()


def test_the_database_goes_and_comes_back(running: Fleet) -> None:
    running.postgres.stop()
    assert send(running.port, "/api/ask", {"question": QUESTIONS[0]})[0] == 200
    status, told, _ = send(running.port, "/api/feedback", verdict(999_999))
    assert (status, told) == (503, {"error": "反馈现在存不了，请稍后再试。"})
    running.postgres.start()
    give_up = time.monotonic() + 20
    while send(running.port, "/api/feedback", verdict(999_999))[0] != 204:
        assert time.monotonic() < give_up
        time.sleep(0.2)
    assert judged(running)["第999999问"] == 1
    logs = "".join(app.log.read_text(encoding="utf-8") for app in running.apps)
    assert running.postgres.url.split("@")[0].rpartition(":")[2] not in logs


def test_without_any_app_server_a_visitor_is_told(running: Fleet) -> None:
    for app in running.apps:
        app.kill()
    status, told, _ = send(running.port, "/api/ask", {"question": QUESTIONS[0]})
    assert status == 503
    assert "请直接拨打 120" in told["error"]
