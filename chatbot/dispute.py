"""Sources that differ in a number that was asked for: shown side by side, never chosen silently."""

import re
from collections.abc import Iterator, Sequence

from chatbot.evidence import Source
from chatbot.records import Quote
from chatbot.select import tidied
from chatbot.suits import of_elsewhere
from corpus.claims import Claim
from corpus.conflicts import conflicts
from corpus.records import Article, Authority
from corpus.regions import PlacePath

NEAR = 0.75  # a side that is not quoted fits the question at least so well as the best quote
_RANK = {name: rank for rank, name in enumerate(Authority)}  # official first
_WANT_OF = {"比例": "percent", "电话": "phone"}
_WANT_OF |= dict.fromkeys(("起付线", "限额", "缴费", "金额"), "amount")
_WANT_OF |= dict.fromkeys(("年限", "期限", "年龄", "日期"), "time")
# How a question names the sort of sum of money that it asks for.
_NAMED = {
    "起付线": re.compile(r"起付|门槛"),
    "限额": re.compile(r"限额|封顶|上限|最[高多]|顶多"),
    "缴费": re.compile(r"[交缴]"),
}
# Without such words a question that wants yes or no names a sum only: 「限额能不能转给家里人」.
_OF_FIGURES = re.compile(r"\d|多少|几|多[大久长]|是不是|有没有|[高低多少]")
_USE = re.compile(
    r"结算|征缴|缴费|转移|接续|监督|举报|投诉|咨询|报销|参保|登记|备案|生育|异地|大病|救助|慢病"
)
_IN_BRACKETS = re.compile(r"[（(]([^）)]{1,20})[）)]")
_STOPS = re.compile(r"[，,、；;。:：]")


def side_by_side(
    sources: Sequence[Source],
    quotes: Sequence[Quote],
    wants: frozenset[str],
    question: str = "",
    place: PlacePath | None = None,
) -> list[Quote]:
    """The quotes with both sides of what is disputed among them; empty if nothing is.

    A contradiction counts if one side is quoted and the other is about as near to the question,
    and if it is about the sort of figure that is asked for. The sides come first, the more
    authoritative, the newer, the better fitting one before the other.

    Args:
        sources: the articles that apply, best first.
        quotes: what was chosen from them.
        wants: what the question asks for; see ``chatbot.question.wants``.
        question: its words; one that names a deductible is not told of limits that differ.
        place: the 参保地; a sentence on another place is no side of anything.
    """
    figures = wants & frozenset(_WANT_OF.values())
    if "amount" in figures and "decide" in wants and not _OF_FIGURES.search(question):
        return []
    articles = {source.article.id: source.article for source in sources}
    scores = {
        (source.article.id, s.span.start): s.score for source in sources for s in source.sentences
    }
    quoted = {(quote.article.id, quote.start) for quote in quotes}
    floor = NEAR * max((scores.get(key, 0.0) for key in quoted), default=0.0)
    claims: list[Claim] = []
    for conflict in conflicts(articles.values()):
        pair = [(claim.article_id, claim.start) for claim in (conflict.first, conflict.second)]
        kind = conflict.first.kind
        asked = _WANT_OF.get(kind) in figures if figures else wants <= {"decide"}
        if (
            asked
            and _asked_by_name(kind, question)
            and not _different_lines(conflict.first, conflict.second)
            and not quoted.isdisjoint(pair)
            and all(key in quoted or scores.get(key, 0.0) >= floor for key in pair)
            and not any(
                of_elsewhere(question, articles[claim.article_id], claim.text, place)
                for claim in (conflict.first, conflict.second)
            )
        ):
            claims += [conflict.first, conflict.second]
    if not claims:
        return []
    sides = [Quote.of(articles[c.article_id], c.start, c.end) for c in claims]
    named = {side.article.id for side in sides}
    disputing = [article for article in articles.values() if article.id in named]
    dated = all(article.effective_year for article in disputing)
    order = sorted(disputing, key=lambda article: _standing(article, dated))
    order += [quote.article for quote in quotes if quote.article.id not in named]
    return tidied(list(_by_article(list(dict.fromkeys(order)), [*quotes, *sides])))


def _asked_by_name(kind: str, question: str) -> bool:
    """Whether a sort of sum is one that the question names, if it names any."""
    named = {name for name, words in _NAMED.items() if words.search(question)}
    return kind not in _NAMED or not named or kind in named


def _different_lines(first: Claim, second: Claim) -> bool:
    """Whether two telephone numbers serve different purposes: an office has many lines."""
    if first.kind != "电话":
        return False
    one, other = _uses(first), _uses(second)
    return bool(one or other) and one != other


def _uses(claim: Claim) -> set[str]:
    """What a telephone number is for, by the brackets behind it or the words before it."""
    behind = _IN_BRACKETS.match(claim.text, claim.figure.end)
    before = _STOPS.split(claim.text[: claim.figure.start])[-1]
    return set(_USE.findall(behind.group(1) if behind else before))


def _by_article(order: Sequence[Article], quotes: Sequence[Quote]) -> Iterator[Quote]:
    for article in order:
        own = {quote.start: quote for quote in quotes if quote.article.id == article.id}
        yield from (own[start] for start in sorted(own))


def _standing(article: Article, dated: bool) -> tuple[int, int]:
    """Authority first, then the newer rule if all of them say for which year they hold.

    When an article appeared is no sign: the same rule is written about again and again.
    """
    return _RANK[article.authority], -int(article.effective_year) if dated else 0
