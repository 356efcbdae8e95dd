"""One turn from top to bottom: a message becomes an answer. Start reading here.

message → something to answer? → red flags → understand (with the dialogue) → evidence that applies
→ quotes → is it enough? which reservation? → text with citations and the disclaimer
"""

import time
from collections.abc import Collection, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Self

from chatbot import compose, dialogue, safety
from chatbot.advice import Advice, asks_advice
from chatbot.applicable import is_local
from chatbot.decide import caveats
from chatbot.dialogue import Turn
from chatbot.dispute import side_by_side
from chatbot.encoder_import import import_sentence_transformers
from chatbot.followup import asks_by_itself
from chatbot.limits import limit_of
from chatbot.measures import coverage
from chatbot.question import clean, problem
from chatbot.reading import Reading, read
from chatbot.records import Answer, Retrieval
from chatbot.safety import Alert
from chatbot.starters import choose_starters
from corpus.errors import EngineUnreachable
from corpus.place_suggestions import suggest_places
from corpus.records import Article
from corpus.regions import PlacePath, mentions
from index import opening, store
from index.absent import Absent
from index.encoder import load_encoder
from index.search import Engine, Index
from index.terms import normalise

ABOUT_IT = 0.5  # share of what is asked that the title of another place's article holds


class Chatbot:
    """Answers questions from one opened index."""

    def __init__(self, index: Index) -> None:
        self.index = index

    @classmethod
    def open(cls, index_dir: Path = store.DEFAULT) -> Self:
        """Open an index without its encoder: BM25 answers at once, ``warm`` brings the rest.

        ``MILVUS_URI`` in the environment goes before the folder; see ``index/opening.py``.

        Raises:
            SearchIndexError: the index is missing, stale or damaged; its text says what to do.
        """
        return cls(opening.open_chosen(index_dir))

    @classmethod
    def without_engine(cls, error: EngineUnreachable) -> Self:
        """A chatbot for as long as the search engine is not there: it answers emergencies."""
        return cls(Index(Engine(Absent(error), None), ""))

    def warm(self) -> None:
        """Load the encoder and run it once; blocks for seconds."""
        self.ask("医保怎么办理")  # dictionaries and rules are read on first use
        import_sentence_transformers()
        encoder = load_encoder(self.index.model or None)
        encoder.encode_questions(["医保"])
        store.attach(self.index, encoder)

    @property
    def ready(self) -> bool:
        """Whether both legs can search."""
        return self.index.engine.encoder is not None

    def can_search(self) -> bool:
        """Whether the index can be reached now; known within seconds."""
        return self.index.answers()

    @property
    def articles_count(self) -> int:
        """How many articles there are."""
        return len(self.index.articles)

    @property
    def articles(self) -> Collection[Article]:
        """Every article, in no particular order."""
        return self.index.articles.values()

    @property
    def starters(self) -> tuple[str, ...]:
        """Up to six questions to begin with, common ones first."""
        return choose_starters(self.index.articles.values())

    def article(self, article_id: str) -> Article:
        """An article by its id; raises ``KeyError``."""
        return self.index.articles[article_id]

    def ask(
        self,
        question: str,
        *,
        region: str = "",
        history: Sequence[str] = (),
        mend: bool = True,
        forget: Collection[str] = (),
    ) -> Answer:
        """Answer a message.

        Args:
            question: what the person typed.
            region: the 参保地 that the person chose, or empty.
            history: earlier messages of the dialogue, oldest first.
            mend: whether misspelt terms of the question are mended.
            forget: names of slots of ``Slots`` that do not carry over from ``history``.
        """
        started = time.perf_counter()
        question, region, *earlier = map(_encodable, (question, region, *history))
        answer = self._answer(question, region, earlier, mend=mend, forget=forget)
        return compose.timed(answer, (time.perf_counter() - started) * 1000)

    def _answer(
        self,
        raw: str,
        region: str,
        history: Sequence[str],
        *,
        mend: bool,
        forget: Collection[str],
    ) -> Answer:
        why = problem(raw)
        if why:
            return compose.invalid(raw, why)
        alert = safety.check(raw)
        if alert:
            return self._emergency(raw, alert, history, region, forget)
        turn = dialogue.read(history, raw, region, mend=mend, forget=forget)
        advice = asks_advice(raw, follows=bool(turn.completed))
        if advice is Advice.ASKED:
            return compose.medical(raw, turn.slots)
        limit = limit_of(turn.question.text)
        if limit:
            return compose.beyond(raw, limit, turn.slots)
        nothing_said = not turn.question.content and not turn.completed
        if nothing_said or dialogue.says_nothing(turn.question.text):
            return compose.small_talk(raw, turn.slots)
        if turn.question.places.ambiguous and turn.place is None:
            return compose.ask_name(raw, turn, mentions(turn.question.text))
        earlier = dialogue.questions(history)
        return self._from_corpus(raw, turn, earlier, medical=advice is Advice.HEARD)

    def _emergency(
        self,
        raw: str,
        alert: Alert,
        history: Sequence[str],
        region: str,
        forget: Collection[str],
    ) -> Answer:
        """The card, and below it what the corpus says to an insurance question in the message.

        The card comes although no search engine answers.
        """
        asked = safety.insurance_part(raw)
        turn = dialogue.read(history, asked or raw, region, forget=forget)
        below = None
        if asked and not problem(asked):
            with suppress(EngineUnreachable):
                below = self._from_corpus(asked, turn)
        return compose.emergency(raw, alert.card, turn.slots, below)

    def _from_corpus(
        self, raw: str, turn: Turn, earlier: Sequence[str] = (), *, medical: bool = False
    ) -> Answer:
        """What the corpus says; if it says nothing, a ``medical`` question is a doctor's."""
        reading = read(self.index, turn)
        if medical and not reading.enough:
            return compose.medical(raw, turn.slots)
        retrieval = Retrieval(
            legs=self.index.engine.legs(),
            rewritten=reading.text if reading.text != clean(raw) else None,
        )
        unsure = turn.place or not reading.enough or reading.depends_on_place
        if unsure and turn.question.places.place is None:
            meant = suggest_places(turn.question.text)
            if meant:
                return compose.ask_place(raw, turn, retrieval, meant)
        if reading.enough and reading.depends_on_place:
            local = reading.sources
            reading.without_local()
            meanwhile = reading.shown if reading.enough else []
            return compose.clarify(raw, turn, retrieval, local, meanwhile)
        if not reading.enough:
            return compose.no_answer(raw, turn, retrieval, reading.nearby, self._covered(reading))
        again = self._shown_before(reading, turn, earlier)
        if again and asks_by_itself(turn, reading.quotes):
            return compose.nothing_more(raw, turn, retrieval, reading.nearby)
        sides = side_by_side(
            reading.sources,
            reading.quotes,
            reading.question.wants,
            turn.question.text,
            turn.place,
        )
        quotes = sides or reading.shown
        notes = caveats(reading.question, turn.place, turn.year, quotes)
        notes = [("again", {}), *notes] if again else notes
        found = (quotes, notes, reading.sources)
        return compose.answer(raw, turn, retrieval, *found, disputed=bool(sides))

    def _shown_before(self, reading: Reading, turn: Turn, earlier: Sequence[str]) -> bool:
        """Whether a follow-up finds nothing but what the message before it was answered with."""
        if reading.answers_anew or not earlier:
            return False
        before = dialogue.read(earlier[:-1], earlier[-1], "".join(turn.place or ()))
        return set(reading.quotes) <= set(read(self.index, before).quotes)

    def _covered(self, reading: Reading) -> list[PlacePath]:
        """Places whose articles are about what was asked, if the asked place has none."""
        if reading.place is None or self.index.has_place(reading.place):
            return []
        elsewhere = self.index.search(reading.text, k=10)
        near = [hit.article for hit in elsewhere[:5] if is_local(hit.article)]
        near = [a for a in near if coverage(reading.weights, normalise(a.title)) >= ABOUT_IT]
        return list(dict.fromkeys(article.place for article in near))


def _encodable(text: str) -> str:
    """The text with a question mark for each half of a surrogate pair, which no file could hold."""
    return text.encode("utf-8", "replace").decode("utf-8")
