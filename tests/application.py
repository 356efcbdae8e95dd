"""The service as the tests build it."""

import asyncio

from fastapi import FastAPI

from chatbot.api import create_app
from chatbot.settings import Settings
from chatbot.turns import Answering


def application(bot: Answering, settings: Settings | None = None) -> FastAPI:
    """The service, built inside a loop: Gradio would otherwise leave loops unclosed."""

    async def built() -> FastAPI:
        return create_app(bot, settings)

    return asyncio.run(built())
