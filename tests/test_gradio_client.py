"""Gradio's own client: one named function, the same answer as everywhere else."""

import asyncio
import socket
import threading
from collections.abc import Iterator

import pytest
import uvicorn
from gradio.queueing import Queue
from gradio_client import Client
from gradio_client.exceptions import ValidationError

from chatbot.answer import Chatbot
from chatbot.api import create_app


@pytest.fixture(scope="module")
def client(bot: Chatbot) -> Iterator[Client]:
    listening = socket.create_server(("127.0.0.1", 0))
    servers: list[uvicorn.Server] = []

    async def serve() -> None:
        config = uvicorn.Config(create_app(bot), log_level="critical", timeout_graceful_shutdown=1)
        servers.append(uvicorn.Server(config))
        await servers[0].serve(sockets=[listening])

    thread = threading.Thread(target=asyncio.run, args=(serve(),), daemon=True)
    thread.start()
    opened = Client(f"http://127.0.0.1:{listening.getsockname()[1]}", verbose=False)
    yield opened
    opened.close()
    servers[0].should_exit = True
    thread.join(20)
    listening.close()


def test_it_sees_one_function_and_gets_the_contracts_answer(client: Client, bot: Chatbot) -> None:
    assert list(client.view_api(return_format="dict")["named_endpoints"]) == ["/ask"]
    got = client.predict("门诊怎么报销", region="惠州", api_name="/ask")
    direct = bot.ask("门诊怎么报销", region="惠州").to_json()
    assert set(got) == set(direct)
    for key in ("text", "kind", "sentences", "citations", "slots"):
        assert got[key] == direct[key]


def test_the_queue_makes_no_table_of_earlier_answers(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    tables: list[object] = []
    monkeypatch.setattr(Queue, "_get_df", tables.append)
    for question in ("门诊怎么报销", "异地就医怎么备案"):
        assert client.predict(question, api_name="/ask")["text"]
    assert not tables


def test_what_is_no_text_is_refused(client: Client) -> None:
    with pytest.raises(ValidationError, match="请求的内容不对"):
        client.predict(5, api_name="/ask")
