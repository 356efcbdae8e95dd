"""One turn from top to bottom: a message becomes an answer. Start reading here.

message → something to answer? → red flags → understand (with the dialogue) → evidence that applies
→ quotes → is it enough? which reservation? → text with citations and the disclaimer
"""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from chatbot import compose, dialogue, safety
from chatbot.applicable import is_local
from chatbot.decide import answerable, caveats, features, probability
from chatbot.dialogue import Turn
from chatbot.evidence import Sentence, Source, gather, unknown_share, word_weights
from chatbot.question import Question, problem, understand, wants
from chatbot.records import Answer, Quote, Retrieval
from chatbot.select import choose
from corpus.records import Article
from corpus.regions import PlacePath, mentions
from index import store
from index.encoder import load_encoder
from index.search import Index
from index.terms import normalise

PLACE_BOUND = frozenset({"phone", "percent", "amount"})  # wants whose figures differ by place


FOREIGN = 0.5  # share of unknown words above which a message is no follow-up


class Reading:
    """What one reading of a turn finds: sources, quotes and how likely they answer."""

    def __init__(self, index: Index, turn: Turn, text: str, question: Question) -> None:
        self.index = index
        self.question = question
        self.text = text
        self.place = turn.place
        vector = index.engine.encode(text)
        self.sources = gather(index, question, text, vector, turn.place, turn.year)
        if turn.place is None and self.sources and not is_local(self.sources[0].article):
            self.sources = [s for s in self.sources if not is_local(s.article)]
        self.dense = vector is not None
        self.weights = word_weights(index, question.content)
        self._choose()

    def _choose(self) -> None:
        self.quotes = choose(self.sources, self._may_show)
        self.values = features(self.index, self.weights, self.sources, self.quotes)
        self.enough = answerable(self.values, dense=self.dense) and not self._figure_missing()

    @property
    def probability(self) -> float:
        """How likely the quotes answer the question, 0…1."""
        return probability(self.values, dense=self.dense)

    def _may_show(self, source: Source, sentence: Sentence) -> bool:
        """A figure of an article that names no place is not shown to someone who names one."""
        if self.place is None or source.article.place:
            return True
        return not compose.has_place_bound_figure(sentence.span.of(source.article.body))

    def _figure_missing(self) -> bool:
        """Whether a place's figure is asked for and only wider texts without one were found."""
        if self.place is None or any(is_local(quote.article) for quote in self.quotes):
            return False
        asked = self.question.wants & PLACE_BOUND
        shown = [wants()[name].shows for name in asked]
        return bool(asked) and not any(
            pattern.search(normalise(quote.text)) for pattern in shown for quote in self.quotes
        )

    def without_local(self) -> None:
        """Keep only what does not depend on the place."""
        self.sources = [s for s in self.sources if not is_local(s.article)]
        self._choose()


class Chatbot:
    """Answers questions from one opened index."""

    def __init__(self, index: Index) -> None:
        self.index = index

    @classmethod
    def open(cls, index_dir: Path = store.DEFAULT) -> Self:
        """Open an index without its encoder: BM25 answers at once, ``warm`` brings the rest.

        Raises:
            SearchIndexError: the index is missing, stale or damaged; its text says what to do.
        """
        return cls(store.open_index(index_dir))

    def warm(self) -> None:
        """Load the encoder and run it once; blocks for seconds."""
        self.ask("医保怎么办理")  # dictionaries and rules are read on first use
        encoder = load_encoder(self.index.model or None)
        encoder.encode_questions(["医保"])
        store.attach(self.index, encoder)

    @property
    def ready(self) -> bool:
        """Whether both legs can search."""
        return self.index.engine.encoder is not None

    @property
    def articles_count(self) -> int:
        """How many articles there are."""
        return len(self.index.articles)

    @property
    def starters(self) -> tuple[str, ...]:
        """Up to six titles to begin with, one a topic."""
        return compose.starters(self.index.articles.values())

    def article(self, article_id: str) -> Article:
        """An article by its id; raises ``KeyError``."""
        return self.index.articles[article_id]

    def ask(self, question: str, *, region: str = "", history: Sequence[str] = ()) -> Answer:
        """Answer a message.

        Args:
            question: what the person typed.
            region: the 参保地 that the person chose, or empty.
            history: earlier messages of the dialogue, oldest first.
        """
        started = time.perf_counter()
        question, region, *earlier = map(_encodable, (question, region, *history))
        answer = self._answer(question, region, earlier)
        return compose.timed(answer, (time.perf_counter() - started) * 1000)

    def _answer(self, raw: str, region: str, history: Sequence[str]) -> Answer:
        why = problem(raw)
        if why:
            return compose.invalid(raw, why)
        alert = safety.check(raw)
        turn = dialogue.read(history, raw, region)
        if alert:
            return compose.emergency(raw, alert.card, turn.slots)
        if safety.asks_medical_advice(raw):
            return compose.medical(raw, turn.slots)
        nothing_said = not turn.question.content and not turn.completed
        if nothing_said or dialogue.is_courtesy(turn.question.text):
            return compose.small_talk(raw, turn.slots)
        if turn.question.places.ambiguous and turn.place is None:
            return compose.ask_name(raw, turn, mentions(turn.question.text))
        return self._from_corpus(raw, turn)

    def _from_corpus(self, raw: str, turn: Turn) -> Answer:
        reading = self._best_reading(turn)
        retrieval = Retrieval(
            legs=self.index.engine.legs(),
            rewritten=reading.text if reading.text != turn.question.text else None,
        )
        if reading.enough and turn.place is None and _depends_on_place(reading):
            local = reading.sources
            reading.without_local()
            meanwhile = reading.quotes if reading.enough else []
            return compose.clarify(raw, turn, retrieval, local, meanwhile)
        if not reading.enough:
            return compose.no_answer(raw, turn, retrieval, reading.sources, self._covered(reading))
        notes = caveats(reading.question, turn.place, turn.year, reading.quotes)
        return compose.answer(raw, turn, retrieval, reading.quotes, notes, reading.sources)

    def _best_reading(self, turn: Turn) -> Reading:
        """The message alone if it finds an answer; else together with the subject before it.

        A message whose own words the corpus does not know has a subject of its own, only not ours.
        """
        if not turn.completed:
            return Reading(self.index, turn, turn.text, turn.question)
        completed = Reading(self.index, turn, turn.completed, understand(turn.completed))
        if not turn.question.content:
            return completed
        alone = Reading(self.index, turn, turn.text, turn.question)
        unknown = unknown_share(self.index, alone.weights)
        foreign = unknown > FOREIGN and not dialogue.leans_on_before(turn.question.text)
        better = alone.enough and alone.probability >= completed.probability
        return alone if foreign or better else completed

    def _covered(self, reading: Reading) -> list[PlacePath]:
        """Places whose articles are about what was asked, if the asked place has none."""
        own = any(article.place == reading.place for article in self.index.articles.values())
        if reading.place is None or own:
            return []
        elsewhere = self.index.search(reading.text, k=10)
        near = [hit.article for hit in elsewhere[:5] if is_local(hit.article)]
        return list(dict.fromkeys(article.place for article in near))


def _encodable(text: str) -> str:
    """The text with a question mark for each half of a surrogate pair, which no file could hold."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _depends_on_place(reading: Reading) -> bool:
    """Whether the best evidence holds for one place only."""
    best: Quote = reading.quotes[0]
    return is_local(best.article) and is_local(reading.sources[0].article)
