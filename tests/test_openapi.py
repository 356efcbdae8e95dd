"""Schemathesis draws requests from the service's own description: none may end in a 5xx."""

import warnings

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chatbot.feedback import Feedback
from chatbot.service import Service
from tests.application import application

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of its own dependencies
    schemathesis = pytest.importorskip("schemathesis")


@pytest.fixture(scope="module")
def described(bot, tmp_path_factory):
    store = Feedback.open(tmp_path_factory.mktemp("openapi") / "feedback.db")
    service = application(Service(bot, store))
    yield schemathesis.openapi.from_asgi("/api/openapi.json", service)
    store.close()


def operations(schema) -> list:
    return [found.ok() for found in schema.get_all_operations()]


def test_the_description_has_the_public_operations(described) -> None:
    shown = {operation.path for operation in operations(described)}
    assert shown == {
        "/api/ask", "/api/feedback", "/healthz", "/readyz", "/article/{article_id}",
    }  # fmt: skip


@given(st.data())
@settings(max_examples=40, suppress_health_check=list(HealthCheck))
def test_no_request_ends_in_a_server_error(described, data) -> None:
    operation = data.draw(st.sampled_from(operations(described)))
    case = data.draw(operation.as_strategy())
    assert case.call().status_code < 500
