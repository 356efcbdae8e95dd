"""The tool for assistants: only if the operator opts in, the same answer, the same guards."""

from importlib.util import find_spec

import pytest
from starlette.testclient import TestClient

from chatbot.records import DISCLAIMER
from chatbot.settings import Settings
from corpus.errors import InputError
from tests.application import application

INSTALLED = find_spec("mcp") is not None
HEADERS = {"accept": "application/json, text/event-stream", "mcp-protocol-version": "2025-06-18"}


def opted_in(bot, rate_per_minute: int = 0):
    return application(bot, Settings.model_construct(rate_per_minute=rate_per_minute, mcp=True))


@pytest.fixture(scope="module")
def client(bot):
    pytest.importorskip("mcp", reason="the group mcp is not installed")
    with TestClient(opted_in(bot), raise_server_exceptions=False) as client:
        yield client


def call(client, method: str, **params):
    row = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
    return client.post("/mcp", json=row, headers=HEADERS)


def test_the_tool_is_listed_with_its_inputs(client) -> None:
    (tool,) = call(client, "tools/list").json()["result"]["tools"]
    assert tool["name"] == "ask"
    assert set(tool["inputSchema"]["properties"]) == {"question", "region"}
    assert tool["inputSchema"]["required"] == ["question"]


def test_the_tool_gives_the_contracts_answer(client, bot) -> None:
    question = bot.starters[0]
    result = call(client, "tools/call", name="ask", arguments={"question": question}).json()
    answer = result["result"]["structuredContent"]
    assert answer["text"] == bot.ask(question).text
    assert answer["text"].endswith(DISCLAIMER)
    assert answer["citations"]


def test_the_place_counts(client) -> None:
    arguments = {"question": "门诊怎么选点", "region": "惠州"}
    result = call(client, "tools/call", name="ask", arguments=arguments).json()
    assert "惠州" in result["result"]["structuredContent"]["slots"]["region"]


@pytest.mark.parametrize("arguments", [{}, {"question": 7}, {"question": ["门诊"]}])
def test_wrong_input_is_an_error_of_the_call(client, arguments) -> None:
    response = call(client, "tools/call", name="ask", arguments=arguments)
    body = response.json()
    assert response.status_code == 200
    assert body.get("error") or body["result"]["isError"]


def test_a_failure_tells_nothing_of_itself(client, monkeypatch, bot) -> None:
    def fails(*_, **__):
        raise RuntimeError("/srv/secret")

    monkeypatch.setattr(type(bot), "ask", fails)
    response = call(client, "tools/call", name="ask", arguments={"question": "门诊怎么报"})
    assert "secret" not in response.text


def test_a_body_that_is_too_large_is_refused(client) -> None:
    response = call(client, "tools/call", name="ask", arguments={"question": "医" * 300_000})
    assert response.status_code == 413


@pytest.mark.skipif(not INSTALLED, reason="the group mcp is not installed")
def test_calls_count_as_questions(bot) -> None:
    with TestClient(opted_in(bot, rate_per_minute=2)) as client:
        codes = [call(client, "tools/list").status_code for _ in range(8)]
    assert codes[0] == 200
    assert codes[-1] == 429


def test_without_the_setting_there_is_no_such_address(bot) -> None:
    with TestClient(application(bot), raise_server_exceptions=False) as client:
        assert call(client, "tools/list").status_code in {404, 405}


@pytest.mark.skipif(INSTALLED, reason="the group mcp is installed")
def test_without_the_sdk_the_operator_is_told(bot) -> None:
    with pytest.raises(InputError, match="mcp"):
        opted_in(bot)
