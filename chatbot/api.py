"""The service: the page, questions and feedback as JSON, whole articles, what operators look at."""

import ipaddress
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal

from anyio import CapacityLimiter, move_on_after, to_thread
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse, Response
from fastapi.staticfiles import StaticFiles
from pydantic import BaseModel, Field, StringConstraints, model_validator
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.gzip import GZipMiddleware

from chatbot.about import add_about
from chatbot.article_page import article_page, broken_page, missing_page, parse_marks
from chatbot.database import Postgres, why
from chatbot.gradio_import import quieten_gradio
from chatbot.headers import BodyLimit, ClosedRoutes, SecurityHeaders
from chatbot.logs import describe, log
from chatbot.mcp_tool import add_mcp
from chatbot.operator_page import authorised, operator_page
from chatbot.page import WORKERS, Answering, build_page, mount_page, refresh_starters
from chatbot.queue_guard import QueueGuard
from chatbot.rate import Buckets, RateLimit, Waiting
from chatbot.records import Kind
from chatbot.service import OUT_OF_ORDER, WAY_OUT, Service
from chatbot.settings import Settings
from chatbot.turns import named_ask
from corpus.errors import FeedbackError, InputError, SearchIndexError, YibaoError

STATIC = Path(__file__).parent / "static"
LOOK_SECONDS = 2.0  # until a search engine of which nothing is heard counts as gone
MAX_TURNS = 50  # turns of one dialogue; the page forgets earlier ones too
SHOULD_BE = '请提交 {"question": "…"} 或 {"turns": ["…", "…"]}，可以另加 "region" 和 "id"。'
VERDICT_SHOULD_BE = (
    '请提交 {"question": "…", "answer_kind": "answer", "verdict": "good" 或 "bad", "reason": "…"}，'
    '可以另加 "key"，重发时不变的就只记一次。'
)
_SENTENCES = {401: "请输入管理口令。", 404: "没有这个地址。", 405: "这个地址不接受这种请求。"}

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


class Verdict(BaseModel):
    """What a visitor says of an answer."""

    question: Annotated[str, StringConstraints(max_length=2_000)]
    answer_kind: Kind
    verdict: Literal["good", "bad"]
    reason: Annotated[str, StringConstraints(max_length=500)] = ""
    key: Annotated[
        str,
        StringConstraints(pattern=r"^[A-Za-z0-9-]{0,64}$"),
        Field(description="发送者给这个评价起的编号；同一个编号再发一次，只记一次"),
    ] = ""


class Problem(BaseModel):
    """Why a request was refused, in one sentence."""

    error: str


_REFUSALS: dict[int | str, dict[str, Any]] = {
    status: {"model": Problem} for status in (400, 408, 413, 422, 429, 503)
}


def create_app(bot: Answering, settings: Settings | None = None) -> FastAPI:
    """The whole service around ``bot``; nothing listens yet.

    Args:
        bot: an opened chatbot, or a ``Service`` around one. ``/readyz`` answers 503 until its
            encoder is loaded.
        settings: the operator's; without them nobody is slowed down and nothing is stored.
    """
    quieten_gradio()
    settings = settings or Settings.model_construct(rate_per_minute=0)
    service = bot if isinstance(bot, Service) else Service(bot)
    app = FastAPI(title="医保问答", docs_url=None, redoc_url=None, openapi_url="/api/openapi.json")
    app.mount("/own", GZipMiddleware(StaticFiles(directory=STATIC)), name="own")
    _add_answers(app, service)
    _add_feedback(app, service)
    _add_articles(app, service)
    add_about(app, service)
    _add_operator(app, service, settings.operator_token.get_secret_value())
    _add_problems(app)
    if settings.mcp:
        add_mcp(app, named_ask(service), WORKERS)
    page = build_page(service)
    mount_page(app, page)
    service.on_swap = lambda: refresh_starters(page, service)
    app.add_middleware(QueueGuard, functions={n: len(fn.inputs) for n, fn in page.fns.items()})
    _add_guards(app, service, settings)
    return app


def _add_guards(app: FastAPI, service: Service, settings: Settings) -> None:
    """The middleware, innermost first."""

    def refused(reason: str) -> None:
        service.metrics.refused.labels(reason).inc()

    # Gradio reflects any Origin unless the parent application has a CORS middleware: allow none.
    app.add_middleware(CORSMiddleware, allow_origins=[])
    app.add_middleware(BodyLimit, refused=refused)
    app.add_middleware(ClosedRoutes)
    if settings.rate_per_minute:
        app.add_middleware(
            RateLimit,
            per_minute=settings.rate_per_minute,
            refused=refused,
            shared=_shared(settings) if settings.shared_rate else None,
        )
    app.add_middleware(SecurityHeaders)


def _shared(settings: Settings) -> Callable[[Buckets], Waiting]:
    from chatbot import shared_rate

    url = settings.feedback.get_secret_value()
    database = Postgres(url, shared_rate.TABLES, shared_rate.SERVER_SECONDS)
    return partial(shared_rate.SharedBuckets, database)


def _add_answers(app: FastAPI, service: Service) -> None:
    # Threads of their own: articles and feedback do not wait behind a flood of questions.
    workers = CapacityLimiter(WORKERS)

    def answered(row: Ask) -> JSONResponse:
        *history, question = row.dialogue
        answer = service.ask(question, region=row.region, history=history)
        return JSONResponse(answer.to_json(None if row.id is None else str(row.id)))

    @app.post(
        "/api/ask",
        summary="回答一个问题或一段对话的最后一问",
        responses=_REFUSALS,
        response_model=dict[str, Any],
    )
    async def ask(row: Ask) -> JSONResponse:
        return await to_thread.run_sync(answered, row, limiter=workers)

    @app.get("/healthz", summary="进程是否活着")
    async def healthz() -> dict[str, str]:
        return {"status": "ok"}

    lookers = CapacityLimiter(WORKERS)

    @app.get(
        "/readyz",
        summary="检索引擎是否应答，编码模型是否就绪",
        responses={503: {"description": "还没有"}},
    )
    async def readyz() -> JSONResponse:
        found = False
        with move_on_after(LOOK_SECONDS):
            found = await to_thread.run_sync(
                service.can_search, limiter=lookers, abandon_on_cancel=True
            )
        status = "out_of_order" if not found else "ready" if service.ready else "warming"
        return JSONResponse(
            {"status": status, "articles": service.articles_count},
            200 if status == "ready" else 503,
        )


def _add_feedback(app: FastAPI, service: Service) -> None:
    @app.post("/api/feedback", status_code=204, summary="说一个答案有没有帮助", responses=_REFUSALS)
    def feedback(verdict: Verdict) -> None:
        if service.feedback is None:
            msg = "这里没有开放评价。"
            raise FeedbackError(msg)
        row = (verdict.question, verdict.answer_kind.value, verdict.verdict, verdict.reason)
        try:
            service.feedback.add(*row, verdict.key)
        except FeedbackError as error:
            log("feedback not stored", "error", **describe(error), said=why(error))
            raise


def _add_operator(app: FastAPI, service: Service, token: str) -> None:
    def knows_token(request: Request) -> bool:
        return authorised(request.headers.get("authorization", ""), token)

    @app.get("/metrics", include_in_schema=False)
    def metrics(request: Request) -> Response:
        if not (knows_token(request) or _is_local(request)):
            raise HTTPException(404)
        return Response(service.metrics.text(), media_type="text/plain; version=0.0.4")

    @app.get("/operator", include_in_schema=False)
    def operator(request: Request) -> HTMLResponse:
        if not token:
            raise HTTPException(404)
        if not knows_token(request):
            challenge = {"www-authenticate": 'Basic realm="yibao", charset="UTF-8"'}
            raise HTTPException(401, headers=challenge)
        page = operator_page(service.articles, service.feedback)
        return HTMLResponse(page, headers={"cache-control": "no-store"})


def _is_local(request: Request) -> bool:
    """Whether the request comes from this machine, such as Prometheus on it."""
    try:
        return request.client is not None and ipaddress.ip_address(request.client.host).is_loopback
    except ValueError:
        return False


def _add_articles(app: FastAPI, service: Service) -> None:
    @app.get("/article/{article_id:path}", response_class=HTMLResponse, summary="文章全文")
    def article(article_id: str, quote: str = "") -> HTMLResponse:
        try:
            found = service.article(article_id)
        except KeyError:
            return HTMLResponse(missing_page(), 404)
        return HTMLResponse(article_page(found, parse_marks(quote, len(found.body))))


def _add_problems(app: FastAPI) -> None:
    @app.exception_handler(RequestValidationError)
    async def unfit(request: Request, error: RequestValidationError) -> JSONResponse:
        asks = request.url.path != "/api/feedback"
        should_be = SHOULD_BE if asks else VERDICT_SHOULD_BE
        if any(problem["type"] == "json_invalid" for problem in error.errors()):
            return JSONResponse({"error": "请求不是有效的 JSON。" + should_be}, 400)
        return JSONResponse({"error": "请求的内容不对。" + should_be}, 422)

    @app.exception_handler(HTTPException)
    async def refused(_: Request, error: HTTPException) -> JSONResponse:
        sentence = _SENTENCES.get(error.status_code, "请求没有被接受。")
        return JSONResponse({"error": sentence}, error.status_code, headers=error.headers)

    @app.exception_handler(YibaoError)
    async def failed(request: Request, error: YibaoError) -> Response:
        # What is wrong with the search engine, address and all, is for the log.
        engine = isinstance(error, SearchIndexError | InputError)
        sentence = OUT_OF_ORDER if engine else str(error)
        if "text/html" in request.headers.get("accept", ""):
            return HTMLResponse(broken_page(sentence), 503)
        return JSONResponse({"error": sentence}, 503)

    @app.exception_handler(Exception)
    async def broken(_: Request, __: Exception) -> JSONResponse:
        return JSONResponse({"error": WAY_OUT}, 500)
