"""Conversations on the server: bounded in number, gone an hour after the last question."""

from datetime import timedelta

import pytest
from fastapi.testclient import TestClient

from chatbot import sessions
from chatbot.answer import Chatbot
from chatbot.sessions import SESSION_SECONDS, Sessions
from tests.application import application

QUESTION = "门诊怎么报销"


@pytest.fixture(scope="module")
def app(bot: Chatbot):
    with TestClient(application(bot)) as client:
        yield client


def ask(client: TestClient, visitor: str) -> str:
    """A question by the page's queue; what the visitor is sent."""
    call = {"data": [QUESTION, "", "", None], "fn_index": 0, "session_hash": visitor}
    assert client.post("/gradio_api/queue/join", json=call).status_code == 200
    return client.get(f"/gradio_api/queue/data?session_hash={visitor}").text


def held(client: TestClient) -> Sessions:
    found = client.app.routes[-1].app.state_holder
    assert isinstance(found, Sessions)
    return found


def test_a_conversation_is_kept_for_the_next_question_and_nothing_else(app) -> None:
    assert QUESTION in ask(app, "first")
    state = held(app).session_data["first"]
    (kept,) = state.state_data.values()
    assert kept.history == [QUESTION]
    ask(app, "first")
    (kept,) = state.state_data.values()
    assert kept.history == [QUESTION, QUESTION]
    assert state.config_values == {}
    assert "first" in held(app)
    assert held(app).session_data["first"] is state


def test_all_of_it_is_gone_an_hour_after_the_last_question(app) -> None:
    ask(app, "old")
    ask(app, "new")
    found = held(app)
    past = timedelta(seconds=SESSION_SECONDS + 1)
    found.time_last_used["old"] -= past
    found.delete_all_expired_state()
    assert "old" not in found
    assert "old" not in found.time_last_used
    assert "new" in found


def test_the_oldest_goes_when_there_are_too_many(app, monkeypatch) -> None:
    monkeypatch.setattr(held(app), "capacity", 3)
    for number in range(6):
        ask(app, f"many-{number}")
    assert "many-0" not in held(app)
    assert "many-5" in held(app)
    assert len(held(app).session_data) <= 4
    assert sessions.SESSIONS < 10_000  # Gradio's own bound
