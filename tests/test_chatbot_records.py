"""A quote or an answer that is not true to its articles cannot be made."""

import dataclasses
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatbot.records import DISCLAIMER, Answer, Citation, Kind, Quote, Retrieval, Slots
from corpus.errors import VerbatimError
from corpus.records import Article, Audience, Authority, Status

bodies = st.text(min_size=1, max_size=80).filter(lambda text: bool(text.strip()))


def article_of(body: str) -> Article:
    return Article(id="a", title="题", body=body)


@st.composite
def spans(draw: st.DrawFn) -> tuple[Article, int, int]:
    body = draw(bodies)
    start = draw(st.integers(0, len(body) - 1))
    return article_of(body), start, draw(st.integers(start + 1, len(body)))


def answer_of(article: Article, **changed: object) -> Answer:
    """A sound answer with one quote, with some fields changed."""
    quote = Quote.of(article, 6, article.body.index("。") + 1)
    sound: dict[str, object] = {
        "question": "惠州怎么改定点",
        "kind": Kind.ANSWER,
        "text": f"{quote.text}[1]\n\n{DISCLAIMER}",
        "quotes": (quote,),
        "cited": (1,),
        "citations": (Citation.of(1, article),),
    }
    return Answer(**(sound | changed))  # type: ignore[arg-type]


@given(spans())
def test_any_span_of_any_body_is_a_quote_of_exactly_that_text(where: tuple[Article, int, int]):
    article, start, end = where
    quote = Quote.of(article, start, end)
    assert quote.text == article.body[start:end]
    assert Quote(article, start, end, quote.text) == quote


@given(spans(), st.text(max_size=90))
def test_any_other_text_is_refused(where: tuple[Article, int, int], other: str):
    article, start, end = where
    for altered in (other, article.body[start:end] + "。", article.body[start : end - 1]):
        if altered != article.body[start:end]:
            with pytest.raises(VerbatimError, match="请重建索引"):
                Quote(article, start, end, altered)


@pytest.mark.parametrize(("start", "end"), [(3, 3), (5, 2), (400, 410)])
def test_an_empty_span_is_no_quote(article: Article, start: int, end: int):
    with pytest.raises(VerbatimError):
        Quote.of(article, start, end)


def test_quotes_and_answers_cannot_be_changed_afterwards(article: Article):
    found = answer_of(article)
    with pytest.raises(dataclasses.FrozenInstanceError):
        found.quotes[0].text = "别的"  # type: ignore[misc]
    with pytest.raises(dataclasses.FrozenInstanceError):
        found.text = "别的"  # type: ignore[misc]


def test_an_answer_needs_the_disclaimer_at_its_end(article: Article):
    quote = answer_of(article).quotes[0]
    for text in (quote.text, f"{DISCLAIMER}{quote.text}", f"{quote.text}{DISCLAIMER}。"):
        with pytest.raises(VerbatimError, match="没有通过核对"):
            answer_of(article, text=text)


def test_an_answer_needs_its_quotes_in_the_text(article: Article):
    with pytest.raises(VerbatimError):
        answer_of(article, text=f"惠州每年可以改门诊定点。[1]\n\n{DISCLAIMER}")


@pytest.mark.parametrize("cited", [(), (2,), (0,), (1, 1)])
def test_every_quote_needs_a_citation_number_that_is_there(
    article: Article, cited: tuple[int, ...]
):
    with pytest.raises(VerbatimError):
        answer_of(article, cited=cited)


def test_a_citation_of_another_article_is_refused(article: Article):
    other = dataclasses.replace(article, id="elsewhere")
    with pytest.raises(VerbatimError):
        answer_of(article, citations=(Citation.of(1, other),))


def test_a_citation_holds_the_metadata_of_its_article(article: Article):
    full = dataclasses.replace(
        article,
        audience=Audience.RESIDENT,
        effective_year="2024",
        status=Status.SUPERSEDED,
        authority=Authority.OFFICIAL,
        source_url="https://example.org/a",
    )
    citation = Citation.of(3, full)
    assert dataclasses.asdict(citation) == {
        "n": 3,
        "article_id": "huizhou",
        "title": "惠州门诊定点医院怎么改",
        "place": ("广东省", "惠州市"),
        "audience": "居民",
        "published": "2025-04-19",
        "effective_year": "2024",
        "status": "superseded",
        "authority": "official",
        "source_name": "健康新闻",
        "source_url": "https://example.org/a",
    }
    assert Citation.of(1, dataclasses.replace(article, place=())).place == ("未注明",)


def test_json_has_exactly_the_keys_of_the_contract(article: Article):
    found = answer_of(
        article,
        slots=Slots("广东省惠州市", "职工", "2025"),
        followups=("还能改吗",),
        retrieval=Retrieval(("bm25",), "惠州 定点"),
        elapsed_ms=12.345,
    )
    row = json.loads(json.dumps(found.to_json("q1"), ensure_ascii=False))
    assert list(row) == [
        "id",
        "question",
        "kind",
        "text",
        "sentences",
        "citations",
        "disclaimer",
        "slots",
        "followups",
        "retrieval",
        "elapsed_ms",
    ]
    assert list(row["sentences"][0]) == ["text", "citation", "article_id", "start", "end"]
    assert list(row["citations"][0]) == [
        "n",
        "article_id",
        "title",
        "place",
        "audience",
        "published",
        "effective_year",
        "status",
        "authority",
        "source_name",
        "source_url",
    ]
    sentence = row["sentences"][0]
    assert article.body[sentence["start"] : sentence["end"]] == sentence["text"]
    assert row["id"] == "q1"
    assert row["kind"] == "answer"
    assert row["citations"][0]["place"] == ["广东省", "惠州市"]
    assert row["disclaimer"] == DISCLAIMER == "本内容不能代替面诊，如有不适请尽快就医。"
    assert row["slots"] == {"region": "广东省惠州市", "insurance": "职工", "year": "2025"}
    assert row["followups"] == ["还能改吗"]
    assert row["retrieval"] == {"legs": ["bm25"], "rewritten": "惠州 定点"}
    assert row["elapsed_ms"] == 12.3


def test_an_answer_without_quotes_has_empty_lists_in_its_json():
    row = Answer(question="?", kind=Kind.INVALID, text=DISCLAIMER).to_json()
    assert row["id"] is None
    assert (
        row["sentences"] == row["citations"] == row["followups"] == row["retrieval"]["legs"] == []
    )
    assert row["retrieval"]["rewritten"] is None


def test_the_kinds_are_those_of_the_contract():
    assert [kind.value for kind in Kind] == [
        "answer",
        "caveat",
        "clarify",
        "conflict",
        "no_answer",
        "emergency",
        "medical",
        "invalid",
    ]
