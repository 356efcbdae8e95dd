"""The service under attack and in operation; nothing here needs a browser or the encoder."""

import asyncio
import json
import re
import socket
import time
from contextlib import contextmanager
from pathlib import Path

import gradio as gr
import pytest
import uvicorn
from fastapi.testclient import TestClient

from chatbot import api, headers
from chatbot.answer import Chatbot
from chatbot.feedback import Feedback
from chatbot.headers import BodyLimit, ImpatientProtocol
from chatbot.page import build_page, refresh_starters
from chatbot.rate import OPEN_AT_ONCE, Buckets, RateLimit
from chatbot.records import Kind
from chatbot.service import OUT_OF_ORDER, AnswerFailed, Service, Watcher
from chatbot.settings import Settings
from chatbot.turns import apology
from corpus.errors import EngineUnreachable, FeedbackError
from corpus.folder import SHIPPED
from index import store
from index.manifest import current_name
from tests.application import application
from tests.conftest import EMBEDDINGS

SHIPPED_FILES = sorted(path for path in SHIPPED.glob("*.md") if path.stem.islower())
TOKEN = "a-token-of-an-operator"
ATTACKS = [
    "<script>window.__xss=1</script>",
    "<img src=x onerror=alert(1)>",
    "[x](javascript:alert(1))",
    "**粗** `code` $$\\frac{1}{2}$$ ~~删~~",
    "{{7*7}} ${7*7} #{7*7} <%= 7*7 %>",
    "'; DROP TABLE feedback; --",
]


@pytest.fixture
def service(bot, tmp_path):
    opened = Feedback.open(tmp_path / "feedback.db")
    yield Service(bot, opened, keep_questions=True)
    opened.close()


@pytest.fixture
def client(service):
    settings = Settings.model_validate({"operator_token": TOKEN, "rate_per_minute": 100_000})
    with TestClient(application(service, settings), raise_server_exceptions=False) as opened:
        yield opened


@pytest.fixture
def operator():
    return {"authorization": f"Bearer {TOKEN}"}


def verdict(**changed):
    row = {"question": "门特怎么办", "answer_kind": "answer", "verdict": "bad", "reason": "过期"}
    return row | changed


def test_feedback_is_stored_masked(client, service) -> None:
    response = client.post("/api/feedback", json=verdict(question="电话13800138000的门特"))
    assert (response.status_code, response.content) == (204, b"")
    assert service.feedback.verdicts()[0].question == "电话【号码】的门特"


@pytest.mark.parametrize(
    "changed", [{"verdict": "so-so"}, {"answer_kind": "x"}, {"question": 5}, {"reason": "长" * 501}]
)
def test_unfit_feedback_is_refused_in_chinese(client, service, changed) -> None:
    response = client.post("/api/feedback", json=verdict(**changed))
    assert response.status_code == 422
    assert "verdict" in response.json()["error"]
    assert service.feedback.verdicts() == []


def test_feedback_sent_again_is_stored_once(client, service) -> None:
    for _ in range(2):
        assert client.post("/api/feedback", json=verdict(key="a-1")).status_code == 204
    assert len(service.feedback.verdicts()) == 1
    assert client.post("/api/feedback", json=verdict(key="a b")).status_code == 422


def test_a_store_that_is_gone_hinders_no_answer(client, service, operator, monkeypatch) -> None:
    @contextmanager
    def gone():
        message = "反馈现在存不了，请稍后再试。"
        raise FeedbackError(message)
        yield

    monkeypatch.setattr(service.feedback._database, "transaction", gone)
    assert client.post("/api/ask", json={"question": "门特怎么申请"}).status_code == 200
    refused = client.post("/api/feedback", json=verdict())
    assert (refused.status_code, refused.json()["error"]) == (503, "反馈现在存不了，请稍后再试。")
    page = client.get("/operator", headers=operator)
    assert "反馈数据库（YIBAO_FEEDBACK）现在不应答" in page.text


def without_engine() -> Service:
    error = EngineUnreachable("连不上检索引擎 milvus://10.0.0.5:19530")
    return Service(Chatbot.without_engine(error))


def test_without_an_engine_emergencies_are_answered_and_the_rest_is_told() -> None:
    service = without_engine()
    with TestClient(application(service), raise_server_exceptions=False) as client:
        ready = client.get("/readyz")
        assert (ready.status_code, ready.json()["status"]) == (503, "out_of_order")
        asked = client.post("/api/ask", json={"question": "惠州门诊怎么报销"})
        assert (asked.status_code, asked.json()) == (503, {"error": OUT_OF_ORDER})
        urgent = {"question": "我爸突然昏迷了，惠州住院能报多少？"}
        assert client.post("/api/ask", json=urgent).json()["kind"] == "emergency"
        assert client.post("/api/ask", json={"question": "谢谢"}).status_code == 200
        assert client.get("/").status_code == 200
        assert b"yibao_engine_up 0.0" in service.metrics.text()


def test_an_engine_that_was_lost_is_no_citizens_business(client, service, monkeypatch) -> None:
    def lost(_: str) -> None:
        message = "连不上检索引擎 milvus://10.0.0.5:19530"
        raise EngineUnreachable(message)

    monkeypatch.setattr(service, "article", lost)
    told = client.get("/article/x")
    assert (told.status_code, told.json()) == (503, {"error": OUT_OF_ORDER})
    page = client.get("/article/x", headers={"accept": "text/html"})
    assert page.status_code == 503
    assert OUT_OF_ORDER in page.text
    assert "10.0.0.5" not in page.text


def test_a_look_that_takes_too_long_counts_as_gone(client, service, monkeypatch) -> None:
    monkeypatch.setattr(api, "LOOK_SECONDS", 0.05)
    monkeypatch.setattr(service, "can_search", lambda: bool(time.sleep(0.5)))
    started = time.monotonic()
    assert client.get("/readyz").json()["status"] == "out_of_order"
    assert time.monotonic() - started < 0.5


def test_the_page_says_that_the_search_is_out_of_order(monkeypatch) -> None:
    said: list[str] = []
    monkeypatch.setattr(gr, "Warning", lambda text, title: said.append(text))
    service = without_engine()
    apology(service)()
    monkeypatch.setattr(service, "can_search", lambda: True)
    apology(service)()
    assert said[0].endswith(OUT_OF_ORDER)
    assert said[1].endswith("请再按一次“发送”。")
    assert all("您写的内容还在" in text for text in said)


@pytest.mark.parametrize("attack", ATTACKS)
def test_what_was_typed_is_inert_on_the_operators_page(client, service, operator, attack) -> None:
    client.post("/api/feedback", json=verdict(question=attack, reason=attack))
    service.feedback.add_asked(attack, "no_answer")
    page = client.get("/operator", headers=operator)
    assert page.status_code == 200
    assert page.text.count("<script") == page.text.count("/own/early.js") + 1  # and look.js
    for part in ("<img", "](javascript", "{{", "${", "<%", "$$", "**"):
        assert part not in page.text
    assert "script-src 'self';" in page.headers["content-security-policy"]


@pytest.mark.parametrize("attack", ATTACKS)
def test_attacks_as_questions_are_answered_as_text(client, attack) -> None:
    response = client.post("/api/ask", json={"question": attack, "region": attack})
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    assert response.json()["kind"] in set(Kind)
    assert attack not in response.json()["text"]


def test_the_operators_page_wants_the_token(client, operator) -> None:
    assert client.get("/operator").status_code == 401
    assert client.get("/operator").headers["www-authenticate"].startswith("Basic")
    assert client.get("/operator", headers={"authorization": "Bearer wrong"}).status_code == 401
    assert client.get("/operator", auth=("x", TOKEN)).status_code == 200
    page = client.get("/operator", headers=operator).text
    for heading in ("文章检查", "可能过时的文章", "没帮助的答案", "没有答上来的问题", "问得最多"):
        assert heading in page


def test_metrics_count_and_say_no_question(client, operator) -> None:
    client.post("/api/ask", json={"question": "门特怎么申请独一无二"})
    assert client.get("/metrics").status_code == 404  # the test client is no local address
    text = client.get("/metrics", headers=operator).text
    assert re.search(r"yibao_answers_total\{kind=\"\w+\"\} 1\.0", text)
    assert "yibao_ready 1.0" in text
    assert "独一无二" not in text


CALL = {"data": ["门特", "", None], "fn_index": 0, "session_hash": "abc"}


@pytest.mark.parametrize(
    "call",
    [
        b"{",
        b"[]",
        b"{}",
        b"\xff",
        b"[" * 50_000,
        json.dumps(CALL | {"fn_index": 9999}).encode(),
        json.dumps(CALL | {"fn_index": -1}).encode(),
        json.dumps(CALL | {"fn_index": 10**30}).encode(),
        json.dumps(CALL | {"data": "text"}).encode(),
        json.dumps(CALL | {"data": ["x"] * 65}).encode(),
        json.dumps(CALL | {"data": ["13800138000"]}).encode(),
        json.dumps(CALL | {"data": [5, "", "", None]}).encode(),
        json.dumps(CALL | {"data": [{"path": "/etc/passwd"}, "", "", None]}).encode(),
        json.dumps(CALL | {"data": ["x" * 20_001, "", "", None]}).encode(),
        json.dumps(CALL | {"session_hash": "../../etc"}).encode(),
        json.dumps(CALL | {"session_hash": "x" * 65}).encode(),
    ],
)
def test_malformed_queue_calls_are_refused_and_others_go_on(client, call) -> None:
    headers = {"content-type": "application/json"}
    response = client.post("/gradio_api/queue/join", content=call, headers=headers)
    assert response.status_code == 422
    assert re.match(r"[\u4e00-\u9fff]", response.json()["error"])
    assert client.post("/api/ask", json={"question": "门特怎么申请"}).status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        "/gradio_api/file=/etc/passwd", "/gradio_api/file/x", "/gradio_api/proxy=http://x.example",
        "/gradio_api/upload", "/gradio_api/upload_progress", "/gradio_api/openapi.json",
        "/gradio_api/call/ask", "/gradio_api/run/predict", "/gradio_api/api/predict",
        "/gradio_api/vibe-code/", "/gradio_api/vibe-edit", "/gradio_api/stream/x",
        "/gradio_api/custom_component/a/b/c/d", "/gradio_api/deep_link", "/gradio_api/mcp/",
        "/gradio_api/queue/../file=app.py", "/login", "/logout",
        "/monitoring", "/monitoring/summary", "/manifest.json", "/pwa_icon", "/docs",
        "/gradio_api/%66ile=app.py", "/gradio_api/runs", "/gradio_api/dev/reload",
    ],
)  # fmt: skip
def test_gradios_other_routes_are_closed(client, path) -> None:
    for method in ("GET", "POST", "PUT", "DELETE"):
        response = client.request(method, path)
        assert response.status_code == 404
        assert response.json() == {"error": "没有这个地址。"}


@pytest.mark.parametrize(
    "path",
    ["/article/../../app.py", "/article/%2e%2e%2fapp.py", "/own/%2e%2e/%2e%2e/app.py",
     "/assets/%2e%2e/%2e%2e/routes.py", "/static/%2e%2e/routes.py", "/article/%00", "//etc/passwd"],
)  # fmt: skip
def test_path_tricks_reach_no_file(client, path) -> None:
    response = client.get(path)
    assert response.status_code in (403, 404)
    assert "import" not in response.text


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/api/ask", 413), ("/api/feedback", 413), ("/gradio_api/queue/join", 413),
        ("/gradio_api/reset", 413), ("/gradio_api/cancel", 413), ("/", 413), ("/operator", 413),
        ("/article/x", 413), ("/metrics", 413), ("/gradio_api/upload", 404),
        ("/gradio_api/run/predict", 404), ("/gradio_api/call/ask", 404),
    ],
)  # fmt: skip
def test_a_body_that_is_too_long_is_refused_at_every_entry(client, path, status) -> None:
    for kind in ("application/json", "multipart/form-data; boundary=x", "text/plain"):
        response = client.post(path, content=b"x" * 70_000, headers={"content-type": kind})
        assert response.status_code == status
        assert re.match(r"[\u4e00-\u9fff]", response.json()["error"])


async def called(app, path="/api/ask", client="192.0.2.1"):
    """The status of one request to an ASGI application."""
    sent = []

    async def receive():
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "path": path, "method": "POST", "client": (client, 1), "headers": []}
    await app(scope, receive, send)
    return sent[0]["status"] if sent else 0


async def fine(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b""})


def test_a_flood_from_one_address_is_refused_and_others_notice_nothing() -> None:
    refused = []
    app = RateLimit(fine, per_minute=30, refused=refused.append)

    async def flood():
        first = [await called(app, path) for path in ("/api/ask", "/gradio_api/queue/join") * 20]
        return first, await called(app, client="192.0.2.2"), await called(app, "/own/page.js")

    statuses, other, file = asyncio.run(flood())
    assert (statuses.count(200), statuses.count(429)) == (10, 30)
    assert (other, file) == (200, 200)
    assert refused == ["rate"] * 30


def test_one_ipv6_network_counts_as_one_visitor() -> None:
    app = RateLimit(fine, per_minute=3, refused=lambda _: None)

    async def flood():
        return [await called(app, client=f"2001:db8::{n}") for n in range(3)]

    assert asyncio.run(flood()) == [200, 429, 429]


def test_open_requests_of_one_address_are_bounded() -> None:
    async def flood():
        done = asyncio.Event()

        async def slow(scope, receive, send):
            await done.wait()
            await fine(scope, receive, send)

        app = RateLimit(slow, per_minute=10_000, refused=lambda _: None)
        waiting = [asyncio.create_task(called(app, "/x")) for _ in range(OPEN_AT_ONCE)]
        await asyncio.sleep(0)
        more = await called(app, "/x")
        done.set()
        return more, await asyncio.gather(*waiting), dict(app.open)

    more, waited, left = asyncio.run(flood())
    assert (more, set(waited), left) == (429, {200}, {})


def test_a_bucket_fills_again() -> None:
    now = [0.0]
    buckets = Buckets(60, 2, lambda: now[0])
    assert [buckets.wait("a") for _ in range(3)] == [0, 0, 1]
    now[0] = 1.0
    assert [buckets.wait("a") for _ in range(2)] == [0, 1]


def test_a_slow_body_is_given_up() -> None:
    async def slow():
        sent = []

        async def never():
            await asyncio.sleep(60)

        async def send(message):
            sent.append(message)

        scope = {"type": "http", "path": "/api/ask", "method": "POST", "headers": []}
        await BodyLimit(fine, seconds=0.02)(scope, never, send)
        return sent[0]["status"]

    assert asyncio.run(slow()) == 408


def test_a_head_that_does_not_come_is_given_up(monkeypatch) -> None:
    monkeypatch.setattr(headers, "HEAD_SECONDS", 0.1)

    async def talk():
        config = uvicorn.Config(fine, http=ImpatientProtocol, log_config=None, lifespan="off")
        server = uvicorn.Server(config)
        with socket.create_server(("127.0.0.1", 0)) as listening:
            serving = asyncio.create_task(server.serve(sockets=[listening]))
            port = listening.getsockname()[1]
            statuses = []
            for head in (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"", b"GET / HTTP/1.1\r\nHo"):
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.write(head)
                statuses.append((await asyncio.wait_for(reader.read(), 5))[:12])
                writer.close()
            server.should_exit = True
            await serving
        return statuses

    assert asyncio.run(talk()) == [b"HTTP/1.1 200", b"", b""]


class Failing:
    ready = True
    articles_count = 0
    starters = ()

    def ask(self, question, *, region="", history=()):
        raise RuntimeError(question)


def test_a_failure_hands_no_question_on() -> None:
    with pytest.raises(AnswerFailed) as caught:
        Service(Failing()).ask("我的病是秘密")
    assert "秘密" not in str(caught.value)
    assert caught.value.__suppress_context__


@pytest.fixture
def built(tmp_path, encoder):
    """A small index that can be built again, with its corpus."""
    corpus, out = tmp_path / "corpus", tmp_path / "index"
    corpus.mkdir()
    for path in SHIPPED_FILES[:6]:
        (corpus / path.name).write_bytes(path.read_bytes())
    store.build(corpus, out, encoder, cache=EMBEDDINGS)
    return corpus, out


def test_an_engine_that_does_not_answer_is_looked_at_again(built, monkeypatch) -> None:
    """A version that could not be opened for want of an answer is opened at a later look."""
    _, out = built
    answers = iter((False, True))

    def open_bot(folder: Path) -> Chatbot:
        if not next(answers):
            message = "不在"
            raise EngineUnreachable(message)
        return Chatbot.open(folder)

    service = without_engine()

    async def made() -> gr.Blocks:
        return build_page(service)

    page = asyncio.run(made())
    service.on_swap = lambda: refresh_starters(page, service)
    watcher = Watcher(service, out, open_bot, "an older one")
    monkeypatch.setattr(Chatbot, "warm", lambda _: None)
    assert (watcher.look(), watcher.look(), watcher.look()) == (False, True, False)
    shown = json.dumps(page.config["components"], ensure_ascii=False, default=str)
    assert all(question in shown for question in service.starters)


def test_a_new_index_is_swapped_in_and_a_broken_one_is_not(built, encoder) -> None:
    corpus, out = built
    bot = Chatbot.open(out)
    store.attach(bot.index, encoder)
    service = Service(bot)
    watcher = Watcher(service, out, Chatbot.open, current_name(out))
    assert watcher.look() is False
    path = SHIPPED_FILES[6]
    (corpus / path.name).write_bytes(path.read_bytes())
    store.build(corpus, out, encoder, cache=EMBEDDINGS)
    assert watcher.look() is True
    assert (service.articles_count, service.ready) == (7, True)
    assert bot.articles_count == 6  # answers under way keep the old one
    second = service.bot
    (corpus / path.name).unlink()
    store.build(corpus, out, encoder, cache=EMBEDDINGS)
    damaged = Path(store.version_of(out)) / "bm25.npz"
    damaged.write_bytes(b"broken")
    assert watcher.look() is False
    assert service.bot is second
    assert service.ask("门诊怎么报销").kind in set(Kind)
    assert b'yibao_index_swaps_total{result="failed"} 1.0' in service.metrics.text()
