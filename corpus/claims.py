"""What an article states in figures, of what and under which conditions.

A ``Claim`` is one figure of one sentence, or the side that a sentence takes in a question that law
answers alike for the whole country (``stances`` in ``claims.yaml``: 断缴后年限清不清零).
``corpus/facets.py`` reads the conditions, ``corpus/conflicts.py`` compares claims.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from corpus import facets
from corpus.facets import Facets
from corpus.figures import Bound, Figure, figures
from corpus.passages import Passage, passages
from corpus.records import NATIONAL, Article, Audience, Span
from corpus.regions import PlacePath

STANCE = "说法"  # the unit of a claim that is a side taken, no figure
_BANDED = re.compile(r"的?部分|以[上下]|[：:]|段|档|之间|区间|的?费用")
_DEDUCTIBLE = re.compile(r"(?:起付|门槛)[^，,；;。]{0,6}$")
_OF_ITSELF = re.compile(r"(?:起付|门槛|限额|封顶)[^，,；;。]{0,6}$")
_KINDS = {
    "%": "比例",
    "点": "比例",
    "号": facets.PHONE,
    "期": "日期",
    "日期": "日期",
    STANCE: STANCE,
}
LENGTHS = ("月", "周", "日")  # can be counted in days
TIMES = ("月", "周", "日", "工作日", "时")
_KINDS |= dict.fromkeys(TIMES, "期限") | {"岁": "年龄"}
_MONEY = {"起付": "起付线", "限额": "限额", "缴费": "缴费"}
_TURNED = {Bound.MOST: Bound.LEAST, Bound.LEAST: Bound.MOST, Bound.ABOVE: Bound.MOST}


@dataclass(frozen=True, slots=True)
class Claim:
    """One figure, or one stance, that an article states.

    ``span`` is its sentence in the article's body (its words are ``text``); ``figure`` stands in
    that sentence. ``strict`` facets must be equal for two claims to speak of the same thing, in
    ``lenient`` ones silence fits everything. ``bands`` are the sums of money for which a percentage
    holds. ``example``: part of a worked example; ``denied``: the sentence itself calls it wrong.
    """

    article_id: str
    title: str
    span: Span
    text: str
    figure: Figure
    subject: str
    place: PlacePath
    years: frozenset[str]
    strict: Facets
    lenient: Facets
    stance: str = ""
    bands: tuple[tuple[float, float], ...] = ()
    example: bool = False
    denied: bool = False

    @property
    def kind(self) -> str:
        """比例, 起付线, 限额, 缴费, 金额, 年限, 期限, 年龄, 电话, 日期, 数量 or 说法."""
        if self.figure.unit == "元":
            return _MONEY.get(self.subject, "金额")
        if self.figure.unit == "月" and "年限" in self.subject:
            return "年限"
        return _KINDS.get(self.figure.unit, "数量")

    @property
    def start(self) -> int:
        """Offset of the sentence in the article's body."""
        return self.span.start

    @property
    def end(self) -> int:
        """Offset just after the sentence in the article's body."""
        return self.span.end

    @property
    def value(self) -> str:
        """The figure as the sentence writes it; of a stance, the side that is taken."""
        return self.stance or self.text[self.figure.start : self.figure.end]

    @property
    def key(self) -> tuple[object, ...]:
        """What must be equal before two claims are compared at all; no place means everywhere."""
        unit = "时长" if self.figure.unit in LENGTHS else self.figure.unit
        hard = tuple(facet for facet in self.strict if facet[0] != "setting")
        return self.place or (NATIONAL,), unit, hard

    @property
    def setting(self) -> frozenset[str]:
        """住院, 门诊, 门特, 大病 …; empty if it goes without saying."""
        return dict(self.strict).get("setting", frozenset())

    @property
    def states(self) -> bool:
        """Whether it is a rule that holds, not an example or a figure called wrong."""
        return not (self.example or self.denied)


def _bands(figure: Figure, found: Sequence[Figure], text: str) -> tuple[tuple[float, float], ...]:
    """The sums of money before a percentage that say for which part of the bill it holds."""
    if figure.unit not in ("%", "点"):
        return ()
    last = max((f.end for f in found if f.unit == figure.unit and f.end <= figure.start), default=0)
    return tuple(
        f.interval
        for f in found
        if f.unit == "元" and last <= f.start < figure.start and _BANDED.search(text, f.end)
        if not _DEDUCTIBLE.search(text, 0, f.start)
    )


def _is_band(figure: Figure, found: Sequence[Figure], text: str) -> bool:
    """Whether a sum of money only says for which part of the bill a percentage holds."""
    if figure.unit != "元" or _OF_ITSELF.search(text, 0, figure.start):
        return False
    return any(f.unit == "%" and f.start > figure.end for f in found)


def _meant(figure: Figure, subject: str) -> Figure:
    """The figure as the other way of saying it: the share paid for, the limit, the longest term."""
    if subject == "自付" and figure.unit == "%":
        bound = _TURNED.get(figure.bound, figure.bound)
        low, high = 100 - figure.high, 100 - figure.low
        return replace(figure, low=low, high=high, bound=bound)
    usual = facets.words()["usual"]
    if figure.bound is Bound.EXACT and subject in usual["most"] and figure.unit in TIMES:
        return figure if figure.low < figure.high else replace(figure, bound=Bound.MOST)
    at_most = subject in usual["limits"] and figure.bound in (Bound.MOST, Bound.ABOUT)
    at_least = subject in usual["minima"] and figure.bound in (Bound.LEAST, Bound.ABOVE)
    return replace(figure, bound=Bound.EXACT) if at_most or at_least else figure


def _purposes(text: str, found: Sequence[Figure], at: int, around: Sequence[str]) -> frozenset[str]:
    """What a telephone number is for: by the words nearest before it and those after it."""
    named = next((v for t in around if (v := facets.values_of(t).get("purpose"))), ())
    stop = next((f.start for f in found[at + 1 :] if f.unit == "号"), len(text))
    edge = max((e for _, e in facets.cuts(text[:stop], found)), default=stop)
    end = stop if stop == len(text) else max(edge, found[at].end)
    return frozenset(named) | set(facets.values_of(text[found[at].end : end]).get("purpose", ()))


def _lenient(
    passage: Passage, found: Sequence[Figure], at: int, around: Sequence[str], article: Article
) -> Facets:
    values = dict(facets.facets("lenient", around, passage.over))
    if "insurance" not in values and article.audience is not Audience.ANYONE:
        values["insurance"] = frozenset((article.audience.value,))
    sexes = facets.both_sexes(passage.text, found, at)
    if sexes:
        values["sex"] = sexes
    values.pop("purpose", None)
    if found[at].unit == "号":
        values["purpose"] = _purposes(passage.text, found, at, around) or frozenset(("咨询",))
    return tuple(values.items())


def _figure_claims(passage: Passage, article: Article) -> Iterator[Claim]:
    found = figures(passage.text)
    if found and facets.pattern("question").search(passage.text):
        return
    plain = facets.pattern("attribution").sub(lambda m: "\0" * len(m.group()), passage.text)
    example = bool(facets.pattern("example").search(passage.text))
    denied = bool(facets.pattern("denied").search(passage.text))
    met_already = bool(facets.pattern("met_already").search(passage.text))
    for at, figure in enumerate(found):
        if plain[figure.start] == "\0":  # the date of a source
            continue
        around = (*passage.column(figure.start), *facets.near(plain, found, at))
        lenient = _lenient(passage, found, at, around, article)
        found_subject = facets.subject(figure, around, passage.over)
        subject, setting = facets.named(found_subject, figure, lenient)
        for place in facets.places(plain, figure, article):
            yield Claim(
                article_id=article.id,
                title=article.title,
                span=passage.span,
                text=passage.text,
                figure=_meant(figure, subject),
                subject="报销" if subject == "自付" else subject,
                place=place,
                years=facets.years(facets.near(passage.text, found, at), article),
                strict=facets.strict(around, passage.over, subject, setting),
                lenient=lenient,
                bands=_bands(figure, found, passage.text),
                example=example,
                denied=denied
                or any(facets.pattern("somewhere").search(text) for text in around)
                or (met_already and subject == "缴费年限")
                or _is_band(figure, found, passage.text),
            )


def _stance_claims(passage: Passage, article: Article) -> Iterator[Claim]:
    context = "".join((*passage.over, passage.text))
    if facets.pattern("question").search(passage.text):
        return
    denied = bool(facets.pattern("denied").search(passage.text))
    for topic in facets.words()["stances"]:
        sides = facets.patterns("stances", topic)
        if not sides["about"].search(context):
            continue
        for side, compiled in sides.items():
            match = compiled.search(passage.text) if side != "about" else None
            if match:
                figure = Figure(match.start(), match.end(), STANCE, 0, 0, Bound.EXACT)
                around = facets.near(passage.text, (figure,), 0)
                payer = facets.facets("strict", around, (), only=("payer",))
                yield Claim(
                    article_id=article.id,
                    title=article.title,
                    span=passage.span,
                    text=passage.text,
                    figure=figure,
                    subject=topic,
                    place=(NATIONAL,),
                    years=frozenset(),
                    strict=tuple(f for f in payer if "灵活" in f[1]),
                    lenient=facets.facets("lenient", around, (), only=("insurance", "work")),
                    stance=side,
                    denied=denied,
                )


def claims_of(article: Article, *, unquotable: bool = False) -> tuple[Claim, ...]:
    """Every figure and stance that an article states, in the order of its sentences.

    Args:
        article: the article.
        unquotable: read headings too and the whole clauses of a sentence that breaks off; these
            spans may be reported to an operator but never quoted in an answer.
    """
    return _claims(article, unquotable)


@lru_cache(maxsize=20_000)
def _claims(article: Article, unquotable: bool) -> tuple[Claim, ...]:
    return tuple(
        claim
        for passage in passages(article, unquotable=unquotable)
        for read in ((_stance_claims,) if passage.heading else (_figure_claims, _stance_claims))
        for claim in read(passage, article)
    )
