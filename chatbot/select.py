"""Choose the quotes: relevant sentences of the best articles, no repetition, in their own order."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest

from chatbot.evidence import Sentence, Source, is_referral
from chatbot.records import Quote
from corpus.sections import heading_of

MAX_QUOTES = 6
MAX_LENGTH = 350  # characters of quotes in one answer
MAX_SOURCES = 3
LIST_LENGTH = 220  # characters; a longer list is quoted item by item
OTHERS = 0.9  # what a sentence of a further source counts against one of the best source
SOURCE_RATIO = 0.78  # a further article is quoted if it fits at least so well as the best
SENTENCE_RATIO = 0.35  # a sentence is quoted if it fits at least so well as the best one
SAME = 0.6  # share of common character pairs above which two sentences repeat each other
_DEPENDENT = re.compile(
    r"(?:这|该|其(?!他|余|中|实|次)|上述|此|它|他们|前者|后者|因此|所以|否则|但|而且|同时|另外|不过|以上|以下|如此|并)"
)
# An example, a numbered point, or a sentence that answers the one before.
_CONTINUES = re.compile(r"例如|比如|如[:：]|[（(]?\d+[.、)）]|.{0,24}却")
_ITEM = re.compile(r"(?:^|\n)[ \t]*[-*•][ \t]+\Z")
_LEAD_IN = re.compile(r"[:：]$")
_STOP = re.compile(r"[。.!！]$")
# What announces a list, at the end of a sentence that says something itself.
_ANNOUNCES = re.compile(r"[,，。;；](?:具体|以下|主要|如下|其中|下面|包括)[^,，。;；]{0,14}[:：]$")
_ORGANISATION = re.compile(r"(?!.*[什哪几谁怎])(?:.*)(?:医院|门诊部|中心|诊所|药房|药店|[局所科])$")
_UNSPEAKABLE = re.compile(r"[:：?？]$")  # a lead-in or a question explains nothing
_QUESTION = re.compile(r"[?？]$")


@dataclass(frozen=True, slots=True)
class _Block:
    """Sentences that are only understood together: antecedent or lead-in first."""

    source: Source
    sentences: tuple[Sentence, ...]
    score: float

    @property
    def length(self) -> int:
        return sum(s.span.end - s.span.start for s in self.sentences)


def _text(source: Source, sentence: Sentence) -> str:
    return sentence.span.of(source.article.body)


def _same_block(body: str, before: Sentence, after: Sentence) -> bool:
    """Whether no heading and no blank line lies between two neighbouring sentences."""
    gap = body[before.span.end : after.span.start]
    return "\n#" not in gap and "\n\n" not in gap


def _lead_in_of(source: Source, at: int) -> int | None:
    """Order of the line with a colon under which sentence ``at`` is an item, or None."""
    for before in range(at - 1, -1, -1):
        first, second = source.sentences[before], source.sentences[before + 1]
        if not _same_block(source.article.body, first, second):
            return None
        if _LEAD_IN.search(_text(source, first)):
            return before
        if "\n" not in source.article.body[first.span.end : second.span.start]:
            return None
    return None


def items_of(source: Source, at: int) -> list[Sentence]:
    """The lines that follow lead-in ``at``, as long as they belong to it.

    Lines without marks are a list up to the first that ends in a full stop.
    """
    items: list[Sentence] = []
    body = source.article.body
    previous = source.sentences[at]
    for sentence in source.sentences[at + 1 :]:
        if not _same_block(body, previous, sentence) or _LEAD_IN.search(_text(source, sentence)):
            break
        if items and _STOP.search(_text(source, previous)) and not _is_item(body, sentence):
            break
        items.append(sentence)
        previous = sentence
    return items


def _is_item(body: str, sentence: Sentence) -> bool:
    """Whether a sentence stands behind the mark of a list item."""
    return bool(_ITEM.search(body, 0, sentence.span.start))


def _list_around(source: Source, at: int) -> list[Sentence]:
    """The items of the list in which sentence ``at`` stands; empty if it is no item."""
    body = source.article.body

    def is_item(order: int) -> bool:
        return _is_item(body, source.sentences[order])

    if not is_item(at):
        return []
    first = last = at
    while (
        first
        and is_item(first - 1)
        and _same_block(body, source.sentences[first - 1], source.sentences[first])
    ):
        first -= 1
    while (
        last + 1 < len(source.sentences)
        and is_item(last + 1)
        and _same_block(body, source.sentences[last], source.sentences[last + 1])
    ):
        last += 1
    return list(source.sentences[first : last + 1])


def _is_row(source: Source, at: int) -> bool:
    """Whether a sentence is a line without an end below another one: 「5000元以上:95%」."""
    if not at:
        return False
    before, own = source.sentences[at - 1], source.sentences[at]
    ends = _STOP.search(_text(source, before)) or _STOP.search(_text(source, own))
    return not ends and _same_block(source.article.body, before, own)


def _block(source: Source, at: int) -> _Block | None:
    """Sentence ``at`` with what it needs to be understood, or None if that is not to be had.

    A list that is short enough is given whole: half of the steps or papers help nobody.
    """
    sentence = source.sentences[at]
    text = _text(source, sentence)
    if _QUESTION.search(text):
        return None
    listed = _list_around(source, at)
    if len(listed) > 1 and sum(s.span.end - s.span.start for s in listed) <= LIST_LENGTH:
        lead = _lead_in_of(source, listed[0].order)
        before = [source.sentences[lead]] if lead is not None else []
        return _Block(source, (*before, *listed), sentence.score)
    if _LEAD_IN.search(text):
        items = items_of(source, at)
        return _Block(source, (sentence, *items), sentence.score) if items else None
    members = [sentence]
    while _DEPENDENT.match(_text(source, members[0])):
        order = members[0].order
        if not order or not _same_block(
            source.article.body, source.sentences[order - 1], members[0]
        ):
            return None
        antecedent = source.sentences[order - 1]
        if _UNSPEAKABLE.search(_text(source, antecedent)):
            return None
        members.insert(0, antecedent)
    lead = _lead_in_of(source, members[0].order)
    if lead is not None:
        announced = [source.sentences[lead], *items_of(source, lead)]
        short = sum(s.span.end - s.span.start for s in announced) <= LIST_LENGTH
        members = announced if short else [announced[0], *members]
    return _Block(source, tuple(members), sentence.score)


def _pairs(text: str) -> set[str]:
    plain = re.sub(r"\W", "", text)
    return {plain[at : at + 2] for at in range(len(plain) - 1)}


def _repeats(text: str, chosen: Sequence[str]) -> bool:
    """Whether a text says again what one of the chosen ones says, figures included."""
    own = _pairs(text)
    for other in chosen:
        theirs = _pairs(other)
        if own and len(own & theirs) / len(own) > SAME and _figures(text) <= _figures(other):
            return True
    return False


def _figures(text: str) -> set[str]:
    return set(re.findall(r"\d[\d.,\-]*", text))


def quotable_sources(sources: Sequence[Source]) -> list[Source]:
    """The best source and the few that fit about as well; only these are quoted."""
    return [s for s in sources[:MAX_SOURCES] if s.score >= SOURCE_RATIO * sources[0].score]


def choose(
    sources: Sequence[Source],
    allowed: Callable[[Source, Sentence], bool] = lambda s, t: True,
    *,
    share: int = 1,
    leads: bool = False,
) -> list[Quote]:
    """The quotes for an answer, by article (best first) and within it in the text's own order.

    Args:
        sources: articles that apply, best first.
        allowed: whether a sentence may be shown at all (place rules).
        share: how many questions share the room of one answer.
        leads: whether the best sentence of the best source goes first if it shows what is asked.
    """
    if not sources:
        return []
    near = quotable_sources(sources)
    blocks = []
    for rank, source in enumerate(near):
        for at, sentence in enumerate(source.sentences):
            block = _block(source, at)
            if block and all(allowed(source, member) for member in block.sentences):
                weight = OTHERS * source.score / sources[0].score if rank else 1.0
                blocks.append(_Block(source, block.sentences, sentence.score * weight))
    blocks.sort(key=lambda b: (-b.score, b.source.article.id, b.sentences[0].order))
    chosen = _fill(blocks, share)
    place = {source.article.id: n for n, source in enumerate(near)}
    chosen.sort(key=lambda pair: (place[pair[0].article.id], pair[1].order))
    return tidied(list(_quotes(_led(chosen) if chosen and leads else chosen)))


def _fill(blocks: Sequence[_Block], share: int) -> list[tuple[Source, Sentence]]:
    """The sentences of the best blocks, as many as there is room for."""
    chosen: dict[tuple[str, int], tuple[Source, Sentence]] = {}
    texts: list[str] = []
    length = taken = 0
    for block in blocks:
        if block.score < SENTENCE_RATIO * blocks[0].score:
            break
        new = [s for s in block.sentences if (block.source.article.id, s.order) not in chosen]
        text = "".join(_text(block.source, s) for s in new)
        if not new or _repeats(text, texts):
            continue
        if chosen and (length + len(text) > MAX_LENGTH / share or taken >= MAX_QUOTES / share):
            continue
        taken += 1
        texts.append(text)
        length += len(text)
        for sentence in new:
            chosen[(block.source.article.id, sentence.order)] = (block.source, sentence)
    return list(chosen.values())


def _led(chosen: list[tuple[Source, Sentence]]) -> list[tuple[Source, Sentence]]:
    """The same sentences, the best one first if it shows what is asked for.

    It stays where it is if it is an item of a list or an example, leans on a neighbour, holds less
    of the question than the first one or only says whom to ask.
    """
    best = chosen[0][0]
    own = [at for at, (source, _) in enumerate(chosen) if source is best]
    lead = max(own, key=lambda at: (chosen[at][1].score, -at))
    sentence, first = chosen[lead][1], chosen[0][1]
    text = _text(best, sentence)
    near = [_text(*pair) for pair in chosen[lead : lead + 2]]
    leans = (
        any(map(_DEPENDENT.match, near))
        or _CONTINUES.match(text)
        or _list_around(best, sentence.order)
        or _is_row(best, sentence.order)
        or _lead_in_of(best, sentence.order) is not None
        or sentence.coverage < first.coverage
    )
    if leans or is_referral(text) or not sentence.wanted:
        return chosen
    return [chosen[lead], *chosen[:lead], *chosen[lead + 1 :]]


def _quotes(chosen: Sequence[tuple[Source, Sentence]]) -> Iterator[Quote]:
    """The sentences as quotes; a heading that names whom they are about goes before them."""
    shown: set[tuple[str, int]] = set()
    for source, sentence in chosen:
        article = source.article
        heading = heading_of(article.body, sentence.span.start)
        if heading and (article.id, heading.start) not in shown:
            shown.add((article.id, heading.start))
            text, name = _text(source, sentence), heading.of(article.body)
            told = len(_pairs(name) & _pairs(text)) >= len(_pairs(name)) / 2
            if _ORGANISATION.match(name) and not told:
                yield Quote.of(article, heading.start, heading.end)
        yield Quote.of(article, sentence.span.start, sentence.span.end)


def tidied(quotes: Sequence[Quote]) -> list[Quote]:
    """The quotes, none of which announces a list that does not follow it.

    Such a sentence loses the words that announce, or goes if it holds no figure either.
    """
    found = []
    for quote, following in zip_longest(quotes, quotes[1:]):
        if not _LEAD_IN.search(quote.text) or (following and _follows(quote, following)):
            found.append(quote)
        elif announces := _ANNOUNCES.search(quote.text):
            end = quote.start + announces.start()
            found.append(Quote.of(quote.article, quote.start, end))
        elif _figures(quote.text):
            found.append(quote)
    return found


def _follows(quote: Quote, following: Quote) -> bool:
    """Whether no heading and no blank line lies between two quotes of one article."""
    same = quote.article.id == following.article.id and following.start >= quote.end
    gap = quote.article.body[quote.end : following.start]
    return same and "\n#" not in gap and "\n\n" not in gap
