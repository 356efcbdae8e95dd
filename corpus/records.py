"""What flows through the program: articles, their chunks, and the metadata that goes with them.

Read this file first. Everything here is frozen; a record that would break an invariant cannot be
made. Offsets count characters (code points) of an article's body, half-open: ``body[start:end]``.
"""

from dataclasses import dataclass, field
from enum import StrEnum

from corpus.errors import VerbatimError

NATIONAL = "全国"
UNPLACED = "未注明"


class Audience(StrEnum):
    """For whom an article holds."""

    EMPLOYEE = "职工"
    RESIDENT = "居民"
    ANYONE = "不限"


class Authority(StrEnum):
    """Who says it, from most to least authoritative."""

    OFFICIAL = "official"
    MEDIA = "media"
    SITE = "site"
    UNVERIFIED = "unverified"

    @property
    def label(self) -> str:
        """The word that a citizen reads.

        >>> Authority.SITE.label
        '网站，待核实'
        """
        labels = {"official": "官方", "media": "媒体", "site": "网站，待核实"}
        return labels.get(self.value, "待核实")


class Status(StrEnum):
    """Whether the article's rule is in force."""

    CURRENT = "current"
    SUPERSEDED = "superseded"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A half-open range of characters, ``start < end``."""

    start: int
    end: int

    def __post_init__(self) -> None:
        if not 0 <= self.start < self.end:
            msg = f"空的或反向的位置：{self.start}–{self.end}"
            raise ValueError(msg)

    def of(self, text: str) -> str:
        """The characters of ``text`` that the span covers."""
        return text[self.start : self.end]


@dataclass(frozen=True, slots=True)
class Article:
    """One subject, one source. ``place`` runs from wide to narrow: ``("广东省", "惠州市")``.

    An empty ``place`` means that the article names none (未注明); ``("全国",)`` that it holds
    nationally. Dates are ISO strings (``2025-04-19``), ``effective_year`` four digits; empty means
    not known. ``truncated``: the text breaks off, so its last, unfinished sentence must never be
    quoted. ``document_number`` is the official number (文号) of the document itself, such as
    国医保发〔2024〕38号; empty where none was found. ``lint_ok`` holds the findings of ``corpus
    lint`` that a person has looked at, as pairs (finding, reason). ``asked`` holds how citizens
    ask for a part of the article, as pairs (where it stands in ``body``, wording): the search finds
    the article by them, an answer never shows them. Neither is part of what identifies an article.
    """

    id: str
    title: str
    body: str
    place: tuple[str, ...] = ()
    audience: Audience = Audience.ANYONE
    published: str = ""
    effective_year: str = ""
    topic: str = ""
    source_name: str = ""
    source_url: str = ""
    authority: Authority = Authority.UNVERIFIED
    status: Status = Status.UNKNOWN
    truncated: bool = False
    document_number: str = ""
    lint_ok: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    asked: tuple[tuple[Span, str], ...] = field(default=(), repr=False)

    def __post_init__(self) -> None:
        if not (self.id and self.title.strip() and self.body.strip()):
            msg = f"文章缺少编号、标题或正文：{self.id or self.title or '（无名）'}"
            raise ValueError(msg)

    @property
    def place_label(self) -> str:
        """The place as a citizen reads it.

        >>> Article("a", "题", "文。", place=("广东省", "惠州市")).place_label
        '广东省惠州市'
        >>> Article("a", "题", "文。").place_label
        '未注明'
        """
        return "".join(self.place) or UNPLACED


@dataclass(frozen=True, slots=True)
class Chunk:
    """A passage of an article, the unit that is searched."""

    id: str
    article_id: str
    start: int
    end: int
    text: str
    heading_path: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not 0 <= self.start < self.end or self.end - self.start != len(self.text):
            msg = f"片段 {self.id} 的位置与文字不符"
            raise VerbatimError(msg)

    def check(self, article: Article) -> None:
        """Raise ``VerbatimError`` unless the chunk stands in ``article`` at its offsets."""
        if article.id != self.article_id or article.body[self.start : self.end] != self.text:
            msg = f"片段 {self.id} 不在文章 {article.id} 里，请重建索引：python -m index build"
            raise VerbatimError(msg)
