"""Judge one answer against what was expected of it. Strings only: no model judges here."""

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from opencc import OpenCC

from corpus.records import Article
from eval.expectations import Case

__all__ = ["Verdict", "holds", "judge", "normalise"]

TELEPHONE_DIGITS = 7  # a bare number this long may follow an area code without a gap

THOUSANDS = re.compile(r"(?<=\d),(?=\d{3})")
BLANKS = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is right and wrong with one answer; ``None`` where nothing was expected."""

    kind: str
    kind_right: bool | None
    facts_found: int
    facts_wanted: int
    missing: tuple[str, ...]
    source_cited: bool | None
    source_first: bool | None
    forbidden_seen: tuple[str, ...]
    quotes: int
    broken_quotes: int
    disclaimer: bool

    @property
    def failed(self) -> bool:
        """Anything that a reader of the report should look at."""
        return (
            self.kind_right is False
            or bool(self.missing or self.forbidden_seen or self.broken_quotes)
            or self.source_cited is False
            or not self.disclaimer
        )


def normalise(text: str) -> str:
    """NFKC, traditional → simplified, without blanks and thousands separators, lower case.

    >>> normalise("門診 ２５,０００ 元")
    '门诊25000元'
    """
    simplified: str = _converter().convert(unicodedata.normalize("NFKC", text))
    return THOUSANDS.sub("", BLANKS.sub("", simplified)).lower()


def holds(text: str, wanted: str) -> bool:
    """Whether ``wanted`` stands in ``text``, both normalised; a figure must stand as a whole.

    >>> holds("一年最多25万元", "25万"), holds("一年最多125万元", "25万")
    (True, False)
    >>> holds("报15.6%", "5.6%"), holds("电话0555-5312916", "5312916")
    (False, True)
    """
    if len(wanted) >= TELEPHONE_DIGITS and wanted.isdigit():
        return wanted in text
    before = r"(?<!\d)(?<!\d\.)" if wanted[:1].isdigit() else ""
    after = r"(?!\d)(?!\.\d)" if wanted[-1:].isdigit() else ""
    return bool(wanted) and re.search(before + re.escape(wanted) + after, text) is not None


def judge(
    case: Case,
    answer: Mapping[str, Any],
    article_of: Callable[[str], Article],
    titles: frozenset[str],
) -> Verdict:
    """Compare an answer, in the contract's JSON, with the expectations of ``case``.

    Args:
        case: the question.
        answer: ``Answer.to_json(id)``.
        article_of: article id → article, ``KeyError`` if there is none.
        titles: the titles in the index; sources that are not among them are not judged.
    """
    text = normalise(answer["text"])
    missing = tuple(
        group[0] for group in case.facts if not any(holds(text, normalise(a)) for a in group)
    )
    cited = [citation["title"] for citation in answer["citations"]]
    known = titles.intersection(case.sources)
    return Verdict(
        kind=answer["kind"],
        kind_right=answer["kind"] in case.kinds if case.kinds else None,
        facts_found=len(case.facts) - len(missing),
        facts_wanted=len(case.facts),
        missing=missing,
        source_cited=not known.isdisjoint(cited) if known else None,
        source_first=bool(cited) and cited[0] in known if known else None,
        forbidden_seen=tuple(word for word in case.forbidden if holds(text, normalise(word))),
        quotes=len(answer["sentences"]),
        broken_quotes=sum(
            not _verbatim(quote, answer, article_of) for quote in answer["sentences"]
        ),
        disclaimer=answer["text"].endswith(answer["disclaimer"]) and bool(answer["disclaimer"]),
    )


def _verbatim(
    quote: Mapping[str, Any], answer: Mapping[str, Any], article_of: Callable[[str], Article]
) -> bool:
    """The quote stands in its article at its offsets, in the text, and under its own citation."""
    try:
        body = article_of(quote["article_id"]).body
    except KeyError:
        return False
    sources = {citation["n"]: citation["article_id"] for citation in answer["citations"]}
    return (
        body[quote["start"] : quote["end"]] == quote["text"]
        and quote["text"] in answer["text"]
        and sources.get(quote["citation"]) == quote["article_id"]
    )


@cache
def _converter() -> OpenCC:
    return OpenCC("t2s")
