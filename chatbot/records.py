"""What an answer is made of, and its JSON (the contract with everything outside the project)."""

from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from corpus.errors import VerbatimError
from corpus.records import UNPLACED, Article

DISCLAIMER = "本内容不能代替面诊，如有不适请尽快就医。"


class Kind(StrEnum):
    """The rungs of the answer ladder."""

    ANSWER = "answer"
    CAVEAT = "caveat"
    CLARIFY = "clarify"
    CONFLICT = "conflict"
    NO_ANSWER = "no_answer"
    EMERGENCY = "emergency"
    MEDICAL = "medical"
    INVALID = "invalid"


@dataclass(frozen=True, slots=True)
class Quote:
    """A sentence of an article, word for word: ``article.body[start:end] == text``."""

    article: Article
    start: int
    end: int
    text: str

    def __post_init__(self) -> None:
        if not self.text or self.article.body[self.start : self.end] != self.text:
            msg = f"引文不在文章 {self.article.id} 里，请重建索引：python -m index build"
            raise VerbatimError(msg)

    @classmethod
    def of(cls, article: Article, start: int, end: int) -> "Quote":
        """The quote of ``article.body[start:end]``."""
        return cls(article, start, end, article.body[start:end])


@dataclass(frozen=True, slots=True)
class Citation:
    """A numbered source; everything in it is the article's own metadata."""

    n: int
    article_id: str
    title: str
    place: tuple[str, ...]
    audience: str
    published: str
    effective_year: str
    status: str
    authority: str
    source_name: str
    source_url: str

    @classmethod
    def of(cls, n: int, article: Article) -> "Citation":
        """Citation number ``n`` of ``article``."""
        return cls(
            n=n,
            article_id=article.id,
            title=article.title,
            place=article.place or (UNPLACED,),
            audience=article.audience.value,
            published=article.published,
            effective_year=article.effective_year,
            status=article.status.value,
            authority=article.authority.value,
            source_name=article.source_name,
            source_url=article.source_url,
        )


@dataclass(frozen=True, slots=True)
class Slots:
    """What is known of the person's situation; shown as chips, carried over between turns."""

    region: str = ""
    insurance: str = ""
    year: str = ""


@dataclass(frozen=True, slots=True)
class Retrieval:
    """Which legs searched, and the text searched for if it was not the question itself."""

    legs: tuple[str, ...] = ()
    rewritten: str | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """One turn's answer. ``quotes[i]`` is cited by citation number ``cited[i]``.

    ``text`` is all that a citizen sees; its body holds only quotes and fixed templates, and it ends
    with the disclaimer. ``lead`` are fixed sentences before the quotes, ``closing`` those after.
    """

    question: str
    kind: Kind
    text: str
    lead: str = ""
    closing: str = ""
    quotes: tuple[Quote, ...] = ()
    cited: tuple[int, ...] = ()
    citations: tuple[Citation, ...] = ()
    slots: Slots = field(default_factory=Slots)
    followups: tuple[str, ...] = ()
    retrieval: Retrieval = field(default_factory=Retrieval)
    elapsed_ms: float = 0.0

    def __post_init__(self) -> None:
        numbers = {citation.n: citation.article_id for citation in self.citations}
        sound = len(self.cited) == len(self.quotes) and self.text.endswith(DISCLAIMER)
        if not sound or any(
            numbers.get(n) != quote.article.id or quote.text not in self.text
            for n, quote in zip(self.cited, self.quotes, strict=True)
        ):
            msg = "答案没有通过核对，不能显示"
            raise VerbatimError(msg)

    def to_json(self, id_: str | None = None) -> dict[str, Any]:
        """The contract's object (see DESIGN: "One answer as JSON")."""
        return {
            "id": id_,
            "question": self.question,
            "kind": self.kind.value,
            "text": self.text,
            "sentences": [
                {
                    "text": quote.text,
                    "citation": n,
                    "article_id": quote.article.id,
                    "start": quote.start,
                    "end": quote.end,
                }
                for n, quote in zip(self.cited, self.quotes, strict=True)
            ],
            "citations": [asdict(c) | {"place": list(c.place)} for c in self.citations],
            "disclaimer": DISCLAIMER,
            "slots": asdict(self.slots),
            "followups": list(self.followups),
            "retrieval": {
                "legs": list(self.retrieval.legs),
                "rewritten": self.retrieval.rewritten,
            },
            "elapsed_ms": round(self.elapsed_ms, 1),
        }
