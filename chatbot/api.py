"""The service: the page at ``/``, ``POST /api/ask``, whole articles, and two signs of life."""

import os
from pathlib import Path
from typing import Annotated, Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse
from fastapi.staticfiles import StaticFiles
from pydantic import BaseModel, Field, StringConstraints, model_validator
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.gzip import GZipMiddleware

from chatbot.about import add_about
from chatbot.article_page import article_page, missing_page, parse_marks
from chatbot.headers import BodyLimit, SecurityHeaders
from chatbot.page import Answering, build_page, mount_page
from corpus.errors import YibaoError

STATIC = Path(__file__).parent / "static"
MAX_TURNS = 50  # turns of one dialogue; the page forgets earlier ones too
SHOULD_BE = '请提交 {"question": "…"} 或 {"turns": ["…", "…"]}，可以另加 "region" 和 "id"。'
_SENTENCES = {404: "没有这个地址。", 405: "这个地址不接受这种请求。"}

# 20,000 characters: beyond any question; the chatbot itself says when one is too long.
Text = Annotated[str, StringConstraints(max_length=20_000)]


class Ask(BaseModel):
    """One row of a questions file. Other keys, such as a benchmark's labels, are ignored."""

    id: str | int | None = None
    question: Text | None = Field(None, examples=["惠州职工怎么改门诊定点？"])
    turns: list[Text] | None = Field(None, min_length=1, max_length=MAX_TURNS)
    region: Annotated[str, StringConstraints(max_length=200)] = ""

    @model_validator(mode="after")
    def _one_of_two(self) -> "Ask":
        if (self.question is None) == (self.turns is None):
            raise ValueError(SHOULD_BE)
        return self

    @property
    def dialogue(self) -> list[str]:
        """The questions, oldest first; the last one is to be answered."""
        return self.turns if self.turns is not None else [self.question or ""]


def create_app(bot: Answering) -> FastAPI:
    """The whole service around ``bot``; nothing listens yet.

    Args:
        bot: an opened chatbot. ``/readyz`` answers 503 until its encoder is loaded.
    """
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"  # read when the Blocks are built
    app = FastAPI(title="医保问答", docs_url=None, redoc_url=None, openapi_url="/api/openapi.json")
    app.mount("/own", GZipMiddleware(StaticFiles(directory=STATIC)), name="own")
    _add_answers(app, bot)
    _add_articles(app, bot)
    add_about(app, bot)
    _add_problems(app)
    mount_page(app, build_page(bot))
    # Gradio reflects any Origin unless the parent application has a CORS middleware: allow none.
    app.add_middleware(CORSMiddleware, allow_origins=[])
    app.add_middleware(BodyLimit)
    app.add_middleware(SecurityHeaders)
    return app


def _add_answers(app: FastAPI, bot: Answering) -> None:
    @app.post("/api/ask", summary="回答一个问题或一段对话的最后一问")
    def ask(row: Ask) -> dict[str, Any]:
        *history, question = row.dialogue
        answer = bot.ask(question, region=row.region, history=history)
        return answer.to_json(None if row.id is None else str(row.id))

    @app.get("/healthz", summary="进程是否活着")
    def healthz() -> dict[str, str]:
        return {"status": "ok"}

    @app.get("/readyz", summary="编码模型是否就绪")
    def readyz() -> JSONResponse:
        status = "ready" if bot.ready else "warming"
        return JSONResponse(
            {"status": status, "articles": bot.articles_count}, 200 if bot.ready else 503
        )


def _add_articles(app: FastAPI, bot: Answering) -> None:
    @app.get("/article/{article_id:path}", response_class=HTMLResponse, summary="文章全文")
    def article(article_id: str, quote: str = "") -> HTMLResponse:
        try:
            found = bot.article(article_id)
        except KeyError:
            return HTMLResponse(missing_page(), 404)
        return HTMLResponse(article_page(found, parse_marks(quote, len(found.body))))


def _add_problems(app: FastAPI) -> None:
    @app.exception_handler(RequestValidationError)
    async def unfit(_: Request, error: RequestValidationError) -> JSONResponse:
        if any(problem["type"] == "json_invalid" for problem in error.errors()):
            return JSONResponse({"error": "请求不是有效的 JSON。" + SHOULD_BE}, 400)
        return JSONResponse({"error": "请求的内容不对。" + SHOULD_BE}, 422)

    @app.exception_handler(HTTPException)
    async def refused(_: Request, error: HTTPException) -> JSONResponse:
        sentence = _SENTENCES.get(error.status_code, "请求没有被接受。")
        return JSONResponse({"error": sentence}, error.status_code, headers=error.headers)

    @app.exception_handler(YibaoError)
    async def failed(_: Request, error: YibaoError) -> JSONResponse:
        return JSONResponse({"error": str(error)}, 503)

    @app.exception_handler(Exception)
    async def broken(_: Request, __: Exception) -> JSONResponse:
        return JSONResponse({"error": "系统出了问题，请稍后再试。"}, 500)
