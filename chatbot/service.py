"""What stands between the page or the API and the chatbot: the bot in use, counted and logged.

The bot is one reference. A newly built index is opened beside the old one and the reference is
replaced; answers under way end with the bot that they began with.
"""

import threading
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from time import monotonic, perf_counter
from typing import TYPE_CHECKING

from chatbot.database import why
from chatbot.logs import describe, log
from chatbot.metrics import Metrics
from chatbot.records import Answer
from corpus.errors import EngineUnreachable, FeedbackError, SearchIndexError, YibaoError
from corpus.records import Article
from index import store
from index.opening import name_in_use

if TYPE_CHECKING:
    from chatbot.answer import Chatbot
    from chatbot.feedback import Feedback
    from chatbot.page import Answering

LOOK_SECONDS = 5.0  # between two looks at which version is in use
FORGET_SECONDS = 3600.0  # between two deletions of what is past its retention
WAY_OUT = "系统出了问题，请稍后再试。"
OUT_OF_ORDER = "资料检索暂时出了故障，请过几分钟再问。急病请直接拨打 120，医保的事可以打 12393。"
SEEN_SECONDS = 1.0  # that a look at the search engine holds


class AnswerFailed(Exception):  # noqa: N818 - as the other leaves are named
    """An answer failed for a reason that is in the log; says nothing of the question."""

    def __init__(self) -> None:
        super().__init__(WAY_OUT)


class Service:
    """An ``Answering`` around the bot in use.

    Args:
        bot: an opened chatbot.
        feedback: where verdicts go; None stores nothing.
        keep_questions: whether ``feedback`` also keeps the questions themselves.
    """

    def __init__(
        self, bot: "Answering", feedback: "Feedback | None" = None, *, keep_questions: bool = False
    ) -> None:
        self.bot = bot
        self.on_swap: Callable[[], None] = lambda: None  # called when ``bot`` was replaced
        self.feedback = feedback
        self.keep_questions = keep_questions
        self.metrics = Metrics()
        self.metrics.articles.set_function(lambda: self.articles_count)
        self.metrics.ready.set_function(lambda: self.ready)
        self.metrics.engine.set_function(self.can_search)
        self._looking = threading.Lock()
        self._could, self._seen = True, -SEEN_SECONDS

    @property
    def ready(self) -> bool:
        """Whether both legs can search."""
        return self.bot.ready

    def can_search(self) -> bool:
        """Whether the search engine answers; it is asked no more than once a second."""
        with self._looking:
            if monotonic() - self._seen >= SEEN_SECONDS:
                self._could = self.bot.can_search()
                self._seen = monotonic()
            return self._could

    @property
    def articles_count(self) -> int:
        """Articles in the index."""
        return self.bot.articles_count

    @property
    def starters(self) -> tuple[str, ...]:
        """Questions to start with."""
        return self.bot.starters

    @property
    def articles(self) -> Collection[Article]:
        """All articles in use."""
        return self.bot.articles

    def article(self, article_id: str) -> Article:
        """The article, or ``KeyError``."""
        return self.bot.article(article_id)

    def ask(
        self,
        question: str,
        *,
        region: str = "",
        history: Sequence[str] = (),
        mend: bool = True,
        forget: Collection[str] = (),
    ) -> Answer:
        """The bot's answer; the arguments are those of ``Chatbot.ask``.

        Raises:
            YibaoError: as the bot raises it.
            AnswerFailed: for any other error; its message may hold the question, so it is not
                handed on, and the log has only its type and place.
        """
        started = perf_counter()
        try:
            answer = self.bot.ask(
                question, region=region, history=history, mend=mend, forget=forget
            )
        except YibaoError as error:
            self._failed(error)
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, nobody may see the question
            self._failed(error)
            raise AnswerFailed from None
        self._count(answer, perf_counter() - started)
        return answer

    def _failed(self, error: Exception) -> None:
        """Count and log; what an index says of itself holds nothing of the question."""
        self.metrics.failures.inc()
        said = {"said": str(error)} if isinstance(error, SearchIndexError) else {}
        log("answer failed", "error", **describe(error), **said)

    def _count(self, answer: Answer, seconds: float) -> None:
        kind = answer.kind.value
        self.metrics.answers.labels(kind).inc()
        self.metrics.seconds.observe(seconds)
        log("answer", kind=kind, ms=round(seconds * 1000, 1), legs=",".join(answer.retrieval.legs))
        if self.feedback is not None and self.keep_questions:
            try:
                self.feedback.add_asked(answer.question, kind)
            except FeedbackError as error:  # the citizen's answer goes before our records
                log("question not kept", "error", **describe(error), said=why(error))


class Watcher:
    """Opens an index that was newly built and puts it into use; a failing one changes nothing.

    Args:
        service: whose bot is replaced.
        index: the index folder.
        open_bot: opens an index folder; ``Chatbot.open``.
        seen: the name of the version in use, read before it was opened; empty if none was opened.
    """

    def __init__(
        self, service: Service, index: Path, open_bot: "Callable[[Path], Chatbot]", seen: str
    ) -> None:
        self.service = service
        self.index = index
        self.open_bot = open_bot
        self._seen = seen
        self._stop = threading.Event()
        self._forgotten = -FORGET_SECONDS

    def open_again(self) -> None:
        """Take the next version that can be opened, be it the one in use."""
        self._seen = ""

    def run(self) -> None:
        """Look every few seconds until ``stop``."""
        while not self._stop.wait(LOOK_SECONDS):
            self.look()
            self._forget()

    def stop(self) -> None:
        """End ``run`` soon."""
        self._stop.set()

    def look(self) -> bool:
        """Swap if another version is in use than at the last look; whether it swapped."""
        name = ""
        try:
            name = name_in_use(self.index)
            if not name or name == self._seen:
                return False
            self.service.bot = self._opened()
            self._seen = name
            self.service.on_swap()
        except EngineUnreachable:  # the next look may find it
            return False
        except (YibaoError, OSError, MemoryError) as error:
            self._seen = name or self._seen
            self.service.metrics.swaps.labels("failed").inc()
            log("new index refused", "error", version=name, **describe(error), said=str(error))
            return False
        self.service.metrics.swaps.labels("done").inc()
        log("new index in use", version=name, articles=self.service.articles_count)
        return True

    def _opened(self) -> "Chatbot":
        new, old = self.open_bot(self.index), self.service.bot
        encoder = old.index.engine.encoder if hasattr(old, "index") else None
        if encoder is not None and encoder.name == new.index.encoder_name:
            store.attach(new.index, encoder)
        else:
            new.warm()
        new.ask("医保怎么办理")  # an index that cannot answer is not put into use
        return new

    def _forget(self) -> None:
        if self.service.feedback is None or monotonic() - self._forgotten < FORGET_SECONDS:
            return
        self._forgotten = monotonic()
        try:
            self.service.feedback.forget_old()
        except FeedbackError as error:
            log("old feedback not deleted", "error", **describe(error), said=why(error))
