"""One reading of a message: what the corpus holds on it, which quotes, is it enough."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from itertools import compress

from chatbot import dialogue
from chatbot.actions import acting, actions_of
from chatbot.applicable import is_about_travel, is_local, this_year, treated_elsewhere
from chatbot.compose import has_place_bound_figure
from chatbot.decide import answerable, features, probability
from chatbot.dialogue import Turn
from chatbot.evidence import Sentence, Source, gather, is_referral
from chatbot.followup import Focus, dimmed, focus_of, tells
from chatbot.measures import unknown_share, word_weights
from chatbot.question import Question, Want, asks_only, content_words, parts, understand, wants
from chatbot.records import Quote
from chatbot.select import choose, quotable_sources, tidied
from chatbot.suits import (
    asks_way,
    for_others,
    is_filler,
    of_elsewhere,
    of_tier,
    other_care,
    other_way,
    way_missing,
)
from corpus.place_names import short_name
from corpus.records import Audience, Authority
from corpus.regions import mentions
from index.search import Index
from index.terms import normalise
from index.ways import Side

FOREIGN = 0.5  # share of unknown words above which a message is no follow-up
_SAYS_UNKNOWN = re.compile(
    r"没有?写|没有收录|[由看按].{0,8}定[,。]|没有查到.{0,8}(?:通知|标准|不能)"
)
_FOR_CARE_HERE = re.compile(r"\d\s*%|百分[之点]|\d[\d.,]*\s*万?元")
_HEDGED = re.compile(r"最低|不低于|至少|以上|左右|各地|由.{0,8}定|待核实")
_COMPARES = re.compile(r"[比和跟同].{1,12}(?:[低高多少贵](?![少几])|便宜|划算|一样)")
_HOW_MUCH = re.compile("多少|几")
_SUMS = {"起付", "门槛", "封顶", "限额", "上限"}
IN_ORDER = {"steps", "papers", "difference", "sum"}  # asks for what is told one after another
ALONE = 2  # content words that a part of a message needs to be understood for itself
NEAR = 0.05  # probability from which articles that do not answer are offered as nearby questions
FOCUSED = 4  # quotes of a follow-up, if no more of them are about what is new
_LEAST = Side(0.0, 0.0)
SURE = 0.75  # probability from which a part of a message is answered for itself


class Reading:
    """What one reading of a turn finds: sources, quotes and how likely they answer."""

    def __init__(
        self,
        index: Index,
        turn: Turn,
        text: str,
        question: Question,
        focus: Focus | None = None,
        side: Side = _LEAST,
    ) -> None:
        """Read ``text``, the message alone or completed; ``side`` is the least it is taken for."""
        self.index = index
        self.focus = focus
        self.question = replace(question, insurance=question.insurance or turn.insurance)
        self.text = text
        self.place = turn.place
        self.care = treated_elsewhere(self.question, turn.place)
        self.year = turn.year
        sought = _as_if_told(text, turn)
        vector, own = index.engine.heard(sought)
        self.side = own.at_least(side)
        asked = (self.question, sought, vector, turn.place, turn.year)
        self.sources = gather(index, *asked, follows=focus is not None)
        if turn.place is None and self.sources and not is_local(self.sources[0].article):
            self.sources = [s for s in self.sources if not is_local(s.article)]
        self.dense = vector is not None
        self.weights = word_weights(index, question.content)
        self.choose()

    def choose(self, share: int = 1) -> None:
        """Choose the quotes and judge them; ``share`` questions share the room of the answer."""
        self.quotes = self._quotes(self.sources, self._may_show, share)
        self.values = features(
            self.index,
            self.text,
            self.weights,
            self.question.wants,
            self.sources,
            self.quotes,
            self.side,
        )
        self.enough = answerable(self.values, dense=self.dense) and not self.figure_missing
        if self.enough and asks_way(self.text):
            self.quotes = self._quotes(self.sources, self._may_show_way, share)
            self.enough = not way_missing(self.text, [quote.text for quote in self.quotes])
        self.answers_anew = True
        actions = () if len(parts(self.text)) > 1 else actions_of(self.text)
        if actions and self.enough:
            self.enough = self._narrow(acting(actions, self._near()), share)
        if self.focus and self.enough and not actions:
            self._answer_anew(self.focus, share)

    def _quotes(
        self, sources: Sequence[Source], allowed: Callable[[Source, Sentence], bool], share: int
    ) -> list[Quote]:
        leads = not self.question.wants & IN_ORDER
        quotes = choose(sources, allowed, share=share, leads=leads)
        return list(compress(quotes, of_tier(self.text, [quote.text for quote in quotes])))

    def _answer_anew(self, focus: Focus, share: int) -> None:
        """Quote first what is new in a follow-up, if anything tells of it; then of the rest."""
        before = self.quotes
        self.answers_anew = self._narrow(focus.about(self.index, self._near()), share)
        if self.answers_anew:
            room = max(len(self.quotes), FOCUSED)
            self.quotes = tidied(_each_once([*self.quotes, *before])[:room])

    def _near(self) -> list[Source]:
        return quotable_sources(self.sources)

    def _narrow(self, about: set[tuple[str, int]], share: int) -> bool:
        """Quote what stands in the sentences ``about`` something, if they can be quoted."""
        near = dimmed(self._near(), about)
        quotes = self._quotes(near, self._may_show, share) if about else []
        found = tells(quotes, near, about)
        self.quotes = quotes if found else self.quotes
        return found

    @property
    def probability(self) -> float:
        """How likely the quotes answer the question, 0…1."""
        return probability(self.values, dense=self.dense)

    @property
    def nearby(self) -> list[Source]:
        """The sources that may help though they do not answer."""
        return self.sources if self.probability >= NEAR else []

    @property
    def depends_on_place(self) -> bool:
        """Whether the best evidence holds for one place only, and no place is known."""
        local = is_local(self.quotes[0].article) and is_local(self.sources[0].article)
        return self.place is None and local

    def without_local(self) -> None:
        """Keep only what does not depend on the place."""
        self.sources = [s for s in self.sources if not is_local(s.article)]
        self.choose()

    def take(self, others: Sequence["Reading"]) -> None:
        """Answer with the quotes of several readings, each question's own in turn."""
        for other in others:
            other.choose(share=len(others))
        self.quotes = _each_once(quote for other in others for quote in other.quotes)
        sources = {s.article.id: s for other in others for s in other.sources}
        self.sources = list(sources.values())
        self.enough = True

    def _may_show(self, source: Source, sentence: Sentence) -> bool:
        """Whether a figure is one for this person: place, insurance, outpatient or inpatient.

        Figures without a place are not for someone who names one.
        """
        article = source.article
        text = sentence.span.of(article.body)
        if of_elsewhere(self.text, article, text, self.place):
            return False
        placed = self.place is None or bool(article.place)
        strange = for_others(self.question.insurance, article, text) or other_care(
            self.question.text, article, text
        )
        return (placed and not strange) or not has_place_bound_figure(text)

    def _may_show_way(self, source: Source, sentence: Sentence) -> bool:
        """The same, and nothing on paying in where one asks what is paid back, or the reverse."""
        text = sentence.span.of(source.article.body)
        return self._may_show(source, sentence) and not other_way(self.text, text)

    @property
    def shown(self) -> list[Quote]:
        """The quotes without praise and announcements, unless there is nothing else."""
        told = [quote for quote in self.quotes if not is_filler(self.text, quote.text)]
        return tidied(told) or self.quotes

    @property
    def figure_missing(self) -> bool:
        """Whether a place's figure is asked for and none is quoted, nor that none is known.

        A sum over one's own money needs a worked example or the place's own percentage.
        """
        if "sum" in self.question.wants:
            return not any(self._helps_to_reckon(quote) for quote in self.quotes)
        asked = [want for name, want in wants().items() if name in self.question.wants]
        needed = [want for want in asked if want.needs and want.needs.search(self.text)]
        if (
            not self.sources
            or not needed
            or (self.place is None and not self.year > str(this_year()))
        ):
            return False
        other = {"difference", "meaning"} & self.question.wants or _COMPARES.search(self.text)
        if other and is_local(self.sources[0].article):
            return False  # the figure is not all that is asked
        return not any(self._settles(quote, needed) for quote in self.quotes)

    def _settles(self, quote: Quote, needed: Sequence[Want]) -> bool:
        """Whether a quote gives such a figure for the asked place and year, or says that none is.

        A sum or a percentage for care at home is none for who is treated elsewhere. Of wider
        articles only what an official document fixes for all counts: no 最低. An article of the
        place whose title asks for the figure may give it in its own way.
        """
        text, article = normalise(quote.text), quote.article
        at_home = bool(self.care) and not is_about_travel(article)
        if at_home and _FOR_CARE_HERE.search(text):
            return False
        if self.year > str(this_year()) and self.year not in f"{article.effective_year}{text}":
            return False
        if self.place is not None and not is_local(article):
            fixed = article.authority is Authority.OFFICIAL and not _HEDGED.search(text)
            return fixed and any(want.shows.search(text) for want in needed)
        phone = wants()["phone"]
        if phone in needed:  # the hotline of everybody is no number of the place
            told = bool(phone.shows.search(text)) and not is_referral(text)
            return told or bool(_SAYS_UNKNOWN.search(text) and phone.asks.search(text))
        others = at_home or for_others(self.question.insurance, article, text)
        title = "" if others else normalise(article.title)
        given = any(want.shows.search(text) or want.asks.search(title) for want in needed)
        return given or bool(_SAYS_UNKNOWN.search(text)) or self._named(needed, text)

    def _named(self, needed: Iterable[Want], text: str) -> bool:
        """Whether a sentence says something of a sum that is named, if nobody asks how much."""
        if _HOW_MUCH.search(self.text):
            return False
        asked = (want.needs.search(self.text) for want in needed if want.needs)
        names = {found.group() for found in asked if found} & _SUMS
        return any(name in text for name in names)

    def _helps_to_reckon(self, quote: Quote) -> bool:
        text = normalise(quote.text)
        rate = self.place is not None and is_local(quote.article)
        return bool(
            wants()["sum"].shows.search(text) or (rate and wants()["percent"].shows.search(text))
        )


def _as_if_told(text: str, turn: Turn) -> str:
    """The text with the place and the insurance that are known but not said in it.

    So a place that was chosen, or told before, finds what one finds that stands in the question.
    """
    insurance = "" if any(kind.value in text for kind in Audience) else turn.insurance
    place = "" if turn.place is None or mentions(text) else short_name(turn.place[-1])
    return place + insurance + text


def _each_once(quotes: Iterable[Quote]) -> list[Quote]:
    """The quotes without doubles, those of one article together, in order of appearance."""
    by_article: dict[str, dict[int, Quote]] = {}
    for quote in quotes:
        by_article.setdefault(quote.article.id, {}).setdefault(quote.start, quote)
    return [quote for found in by_article.values() for quote in found.values()]


def read(index: Index, turn: Turn) -> Reading:
    """The reading to answer from: of the whole message, or of each question in it."""
    whole = _best(index, turn)
    asked = parts(turn.question.text)
    if len(asked) < 2 or (whole.enough and whole.depends_on_place):
        return whole
    found = {whole.sources[0].article.id: whole} if whole.enough else {}
    for before, part in zip(("", *asked), asked, strict=False):
        reading = _of_part(index, turn, before, part)
        if reading.enough and reading.probability >= SURE and not reading.depends_on_place:
            found.setdefault(reading.sources[0].article.id, reading)
    if len(found) > 1 or (found and not whole.enough):
        whole.take(list(found.values()))
    return whole


def _of_part(index: Index, turn: Turn, before: str, part: str) -> Reading:
    """One question of a message: alone if it says enough and finds an answer, or completed."""
    heard = turn.question
    own = replace(understand(part), places=heard.places, insurance=heard.insurance)
    completed = f"{before} {part}" if before else turn.completed and f"{turn.completed} {part}"
    if completed and len(own.content) < ALONE:
        return Reading(index, turn, completed, replace(own, content=content_words(completed)))
    return _best(index, replace(turn, question=own, text=part, completed=completed))


def _best(index: Index, turn: Turn) -> Reading:
    """The message alone if it finds an answer; else together with the subject before it.

    A message whose own words the corpus does not know has a subject of its own, only not ours.
    """
    if not turn.completed:
        return Reading(index, turn, turn.text, turn.question)
    alone = Reading(index, turn, turn.text, turn.question) if turn.question.content else None
    # Nobody asks two questions at once in one breath: the message alone says on which side it is.
    side = Side().at_least(alone.side) if alone else Side()
    whole = understand(turn.completed)
    completed = Reading(index, turn, turn.completed, whole, focus_of(turn), side)
    if alone is None:
        return completed
    named = {word: w for word, w in alone.weights.items() if not asks_only(word)}
    unknown = min(unknown_share(index, words) for words in (named, alone.weights))
    foreign = unknown > FOREIGN and not dialogue.leans_on_before(turn.question.text)
    surer = alone.probability >= completed.probability or not completed.answers_anew
    better = alone.enough and surer
    return alone if foreign or (better and not _same_source(alone, completed)) else completed


def _same_source(alone: Reading, completed: Reading) -> bool:
    """Whether a message leads where the subject before it leads: then it asks for more of it."""
    first, second = alone.sources[0].article, completed.sources[0].article
    return completed.enough and first.id == second.id
