"""The service: contract, refusals, headers. Nothing here needs a browser."""

import json
import re

import pytest
from fastapi.testclient import TestClient

from chatbot.headers import BODY_LIMIT, own_head
from chatbot.records import DISCLAIMER, Kind
from chatbot.service import OUT_OF_ORDER
from corpus.errors import IndexDamaged
from tests.application import application

KEYS = {
    "id", "question", "kind", "text", "sentences", "citations", "disclaimer", "slots",
    "followups", "retrieval", "elapsed_ms",
}  # fmt: skip


@pytest.fixture(scope="module")
def client(bot):
    with TestClient(application(bot), raise_server_exceptions=False) as client:
        yield client


class BrokenBot:
    """Fails in the two ways that a server must survive; its encoder is not loaded."""

    ready = False
    articles_count = 0
    can_search = staticmethod(lambda: True)
    starters = ()

    articles = ()

    def ask(self, question, *, region="", history=(), mend=True, forget=()):
        if question == "坏":
            sentence = "索引坏了，请重建：python -m index build"
            raise IndexDamaged(sentence)
        raise RuntimeError(question)

    def article(self, article_id):
        raise KeyError(article_id)


@pytest.fixture(scope="module")
def broken():
    with TestClient(application(BrokenBot()), raise_server_exceptions=False) as client:
        yield client


def test_a_question_gets_the_contracts_object(client, bot) -> None:
    question = bot.starters[0]
    response = client.post("/api/ask", json={"id": 7, "question": question, "labels": ["ignored"]})
    assert response.status_code == 200
    answer = response.json()
    assert set(answer) == KEYS
    assert (answer["id"], answer["question"]) == ("7", question)
    assert answer["text"].endswith(DISCLAIMER)
    assert answer["sentences"]
    numbers = {citation["n"] for citation in answer["citations"]}
    for sentence in answer["sentences"]:
        body = bot.article(sentence["article_id"]).body
        assert body[sentence["start"] : sentence["end"]] == sentence["text"]
        assert sentence["citation"] in numbers


def test_the_last_turn_of_a_dialogue_is_answered(client, bot) -> None:
    turns = ["我在惠州参保", bot.starters[0]]
    answer = client.post("/api/ask", json={"turns": turns, "region": ""}).json()
    direct = bot.ask(turns[-1], history=turns[:-1]).to_json()
    assert answer["question"] == turns[-1]
    for key in ("text", "slots", "sentences", "kind"):
        assert answer[key] == direct[key]


@pytest.mark.parametrize("question", ["", "   ", "？？？", "😀", "啊" * 19_000, "\x00\x07<b>"])
def test_odd_questions_get_an_answer_not_an_error(client, question: str) -> None:
    answer = client.post("/api/ask", json={"question": question}).json()
    assert answer["kind"] in set(Kind)
    assert answer["text"].endswith(DISCLAIMER)


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"{", 400),
        (b"", 422),
        (b"[]", 422),
        (b"{}", 422),
        (b'{"question": null}', 422),
        (b'{"question": 5}', 422),
        (b'{"turns": []}', 422),
        (b'{"turns": ["a"], "question": "b"}', 422),
        (b'{"question": "\\ud800"}', 422),
        (json.dumps({"question": "长" * 20_001}).encode(), 413),
        (b"\xff\xfe", 400),
    ],
)
def test_what_cannot_be_read_is_refused_in_one_chinese_sentence(client, content, status) -> None:
    headers = {"content-type": "application/json"}
    response = client.post("/api/ask", content=content, headers=headers)
    assert response.status_code == status
    assert set(response.json()) == {"error"}
    assert re.match(r"[\u4e00-\u9fff]", response.json()["error"])


def test_a_body_over_the_limit_is_refused_even_without_a_length(client) -> None:
    def pieces():
        for _ in range(BODY_LIMIT // 1024 + 1):
            yield b" " * 1024

    for path in ("/api/ask", "/gradio_api/queue/join"):
        assert client.post(path, content=pieces()).status_code == 413
        assert client.post(path, content=b" " * (BODY_LIMIT + 1)).status_code == 413


def test_signs_of_life(client, broken) -> None:
    assert client.get("/healthz").json() == {"status": "ok"}
    assert client.get("/readyz").status_code == 200
    assert broken.get("/readyz").status_code == 503
    assert broken.get("/readyz").json()["status"] == "warming"


def test_failures_are_told_in_chinese(broken, capsys) -> None:
    known = broken.post("/api/ask", json={"question": "坏"})
    assert (known.status_code, known.json()) == (503, {"error": OUT_OF_ORDER})
    assert "索引坏了，请重建" in "".join(capsys.readouterr())  # for the log, not for citizens
    unknown = broken.post("/api/ask", json={"question": "别的"})
    assert unknown.status_code == 500
    assert unknown.json() == {"error": "系统出了问题，请稍后再试。"}


def test_an_article_is_shown_whole_with_the_quote_marked(client, bot) -> None:
    sentence = bot.ask(bot.starters[0]).to_json()["sentences"][0]
    where = f"{sentence['start']}-{sentence['end']}"
    response = client.get(f"/article/{sentence['article_id']}", params={"quote": where})
    assert response.status_code == 200
    assert response.text.count("<mark") == 1
    assert '<mark id="quote"' in response.text
    missing = client.get("/article/no-such-article")
    assert missing.status_code == 404
    assert "没有这篇文章" in missing.text


def test_the_start_page_is_chinese_and_names_no_other_host(client) -> None:
    response = client.get("/")
    nonce = re.search(r"'nonce-([\w-]+)'", response.headers["content-security-policy"])
    assert nonce
    assert '<html\n\tlang="zh-CN"' in response.text
    inline = re.findall(r"<script(?![^>]*src=)([^>]*)>", response.text)
    assert inline
    assert all(f'nonce="{nonce[1]}"' in attributes for attributes in inline)
    addresses = re.findall(r'(?:href|src|content)="(https?://[^"]+)"', response.text)
    assert addresses == []
    assert "iframeResizer.contentWindow" not in response.text
    assert client.get("/").headers["content-security-policy"] not in (
        response.headers["content-security-policy"],
    )
    assert client.head("/").status_code == 200
    assert client.head("/").text == ""


def test_gradios_page_still_has_the_marks_that_are_rewritten() -> None:
    made = own_head('<html lang="en"><head></head><script>1</script><gradio-app>', "n")
    assert '<script nonce="n">' in made
    assert "<noscript>" in made
    assert "page.css" in made


@pytest.mark.parametrize("path", ["/", "/healthz", "/article/x", "/own/page.js", "/config"])
def test_security_headers_are_everywhere(client, path: str) -> None:
    headers = client.get(path).headers
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert "unsafe-eval" not in headers["content-security-policy"]
    assert "script-src 'self' 'unsafe-inline'" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["x-frame-options"] == "DENY"


@pytest.mark.parametrize("path", ["/", "/api/ask", "/config", "/gradio_api/info"])
def test_no_other_site_may_read_answers(client, path: str) -> None:
    asked = {"origin": "https://evil.example", "host": "yibao.example"}
    headers = client.get(path, headers=asked).headers
    assert "access-control-allow-origin" not in headers


@pytest.mark.parametrize(
    "path",
    [
        "/openapi.json",
        "/docs",
        "/redoc",
        "/gradio_api/file=/etc/passwd",
        "/gradio_api/file=pyproject.toml",
        "/own/../api.py",
        "/own/%2e%2e/api.py",
        "/gradio_api/monitoring",
    ],
)
def test_inner_routes_and_files_stay_inside(client, path: str) -> None:
    assert client.get(path).status_code in (401, 403, 404)


def test_the_api_describes_itself(client) -> None:
    described = client.get("/api/openapi.json").json()
    assert "/api/ask" in described["paths"]
    assert not any(path.startswith("/gradio_api") for path in described["paths"])
