"""What every answer guarantees whatever was asked, checked on its JSON alone.

``broken`` names each guarantee that an answer breaks; it never trusts the program's own checks.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from functools import cache
from typing import Any

import yaml

from chatbot.compose import describe, has_place_bound_figure, templates
from chatbot.question import MAX_LENGTH, RULES, clean
from chatbot.records import DISCLAIMER, Citation, Kind
from corpus.records import NATIONAL, Article
from corpus.regions import PlacePath, mentions, within
from index.terms import normalise

__all__ = ["broken", "named_place"]

QUOTING = frozenset({Kind.ANSWER, Kind.CAVEAT, Kind.CONFLICT})
SILENT = frozenset({Kind.NO_ANSWER, Kind.MEDICAL, Kind.INVALID})
PROBLEMS = (  # the fixed sentences for a message that cannot be a question
    "您还没有输入问题。",
    f"您输入的文字太长了（超过{MAX_LENGTH}字），请缩短成一两句话。",
    "没有看懂您的问题，请用文字写出来。",
)
WORDS = r"[^\d。？]{1,200}?"  # what may stand in a gap of a fixed sentence: no figure
YEAR = r"20\d\d"  # but in the one that compares years

Json = Mapping[str, Any]
ArticleOf = Callable[[str], Article]


def broken(turns: Sequence[str], region: str, row: Json, article_of: ArticleOf) -> list[str]:
    """The names of the guarantees that an answer breaks, empty if it keeps them all.

    Args:
        turns: the messages, oldest first; the last one was answered.
        region: the 参保地 chosen on the page, or empty.
        row: ``Answer.to_json()``.
        article_of: article id → article, ``KeyError`` if there is none.
    """
    checks = {
        "json": _is_json(row),
        "kind": _kind_fits(turns[-1], row),
        "disclaimer": row["disclaimer"] == DISCLAIMER and _ends_once(row["text"]),
        "verbatim": _verbatim(row, article_of),
        "metadata": _metadata(row, article_of),
        "numbering": _numbered(row),
        "templates": _only_quotes_and_templates(row, article_of),
        "place": _no_figure_of_elsewhere(turns, region, row, article_of),
    }
    return [name for name, kept in checks.items() if not kept]


def named_place(turns: Sequence[str], region: str) -> PlacePath | None:
    """The only place that the person named, in the messages or on the page; None if not one.

    >>> named_place(["惠州门诊报多少"], ""), named_place(["湖南医保在广州能用吗"], "")
    (('广东省', '惠州市'), None)
    """
    texts = (text.encode("utf-8", "replace").decode("utf-8") for text in (*turns, region))
    paths = {mention.path for text in texts for mention in mentions(normalise(clean(text)))}
    return next(iter(paths)) if len(paths) == 1 else None


def _is_json(row: Json) -> bool:
    text = json.dumps(row, ensure_ascii=False)
    text.encode("utf-8")  # raises for half a surrogate pair
    return bool(json.loads(text) == row)


def _kind_fits(message: str, row: Json) -> bool:
    kind = Kind(row["kind"])
    cites = bool(row["citations"])
    if len(message) > MAX_LENGTH and kind is not Kind.INVALID:
        return False
    enough = 2 if kind is Kind.CONFLICT else 1
    return not (kind in SILENT and cites) and (
        kind not in QUOTING or len(row["citations"]) >= enough
    )


def _ends_once(text: str) -> bool:
    return text.endswith(DISCLAIMER) and text.count(DISCLAIMER) == 1


def _verbatim(row: Json, article_of: ArticleOf) -> bool:
    sources = {citation["n"]: citation["article_id"] for citation in row["citations"]}
    return all(
        quote["text"]
        and article_of(quote["article_id"]).body[quote["start"] : quote["end"]] == quote["text"]
        and sources.get(quote["citation"]) == quote["article_id"]
        for quote in row["sentences"]
    )


def _metadata(row: Json, article_of: ArticleOf) -> bool:
    return all(
        c == json.loads(json.dumps(asdict(Citation.of(c["n"], article_of(c["article_id"])))))
        for c in row["citations"]
    )


def _numbered(row: Json) -> bool:
    """Citations run from 1 without a gap, in the order in which the text first uses them."""
    numbers = [citation["n"] for citation in row["citations"]]
    used = list(dict.fromkeys(quote["citation"] for quote in row["sentences"]))
    return numbers == list(range(1, len(numbers) + 1)) and used == numbers


def _only_quotes_and_templates(row: Json, article_of: ArticleOf) -> bool:
    """Every line is a quote, the line of a source or made of fixed sentences."""
    quotes = [f"{quote['text']}[{quote['citation']}]" for quote in row["sentences"]]
    articles = {c["n"]: article_of(c["article_id"]) for c in row["citations"]}
    heads = {
        templates()["source_line"].format(n=n, title=article.title, facts=describe(article))
        for n, article in articles.items()
    }
    rest = row["text"].removesuffix(DISCLAIMER)
    for quote in quotes:
        if rest.count(quote) < 1:
            return False
        rest = rest.replace(quote, "", 1)
    own = [line for line in rest.split("\n") if line and line not in heads]
    return all(_fixed().fullmatch(line) for line in own)


class _Gaps(dict[str, str]):
    """The pattern for each gap of the fixed sentence with this name."""

    def __init__(self, name: str) -> None:
        self.pattern = YEAR if name == "older" else WORDS

    def __missing__(self, gap: str) -> str:
        return self.pattern


@cache
def _fixed() -> re.Pattern[str]:
    """What a line of our own words may be: fixed sentences, gaps filled without figures."""
    safety = yaml.safe_load((RULES / "safety.yaml").read_text(encoding="utf-8"))
    cards = [re.escape(line) for lines in safety["cards"].values() for line in lines]
    own = [
        re.escape(sentence).replace(r"\{", "{").replace(r"\}", "}").format_map(_Gaps(name))
        for name, sentence in templates().items()
    ]
    return re.compile(f"(?:{'|'.join([*own, *cards, *map(re.escape, PROBLEMS)])})*")


def _no_figure_of_elsewhere(
    turns: Sequence[str], region: str, row: Json, article_of: ArticleOf
) -> bool:
    """If one place was named, no figure is another place's, by its article or its sentence."""
    place = named_place(turns, region)
    if place is None:
        return True
    return not any(
        _of_elsewhere(article_of(quote["article_id"]), quote["text"], place)
        for quote in row["sentences"]
        if has_place_bound_figure(quote["text"])
    )


def _of_elsewhere(article: Article, sentence: str, place: PlacePath) -> bool:
    """Whether a sentence belongs to an article of another place, or names other places only."""
    if article.place and article.place != (NATIONAL,) and not within(place, article.place):
        return True
    named = [m.path for m in mentions(normalise(sentence)) if m.path]
    return bool(named) and not any(within(place, one) or within(one, place) for one in named)
