"""Imported articles borrow the ways of asking of shipped sections that say the same."""

from dataclasses import replace
from pathlib import Path

import pytest

from chatbot.answer import Chatbot
from corpus import folder
from corpus.errors import IndexStale
from corpus.sections import asked_by_heading
from index import lending, store
from tests.conftest import EMBEDDINGS
from tests.fake_encoder import FakeEncoder

ABROAD = "参保人去外省住院以前，先在手机上办好异地就医备案。"
TEXTS = {
    "备案": f"title: 出省看病要做什么\n---\n\n{ABROAD}今天天气很好。",
    "天气": "title: 秋天的天气\n---\n\n昨天刮了一天大风。树叶落了一地。",
    "自带": f"title: 自己写了问法\nasked: {{'': [咋整]}}\n---\n\n{ABROAD}",
}


@pytest.fixture(scope="module")
def corpus(tmp_path_factory) -> Path:
    target = tmp_path_factory.mktemp("lending")
    for name, text in TEXTS.items():
        (target / f"{name}.md").write_text(f"---\nid: {name}\n{text}\n", encoding="utf-8")
    return target


@pytest.fixture(scope="module")
def built(corpus: Path, encoder, tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("lending-index")
    store.build(corpus, out, encoder, cache=EMBEDDINGS)
    return out


def test_a_sentence_borrows_from_sections_that_say_the_same(built: Path) -> None:
    found = store.open_index(built).articles["备案"].asked
    shipped = {
        way for article in folder.load(folder.SHIPPED) for _, way in article.asked
    }  # fmt: skip
    assert len(found) >= 5
    assert {way for _, way in found} <= shipped
    body = store.open_index(built).articles["备案"].body
    assert {span.of(body)[-3:] for span, _ in found} == {"备案。"}  # not the one on the weather


def test_what_says_nothing_of_insurance_borrows_nothing(built: Path) -> None:
    assert store.open_index(built).articles["天气"].asked == ()


def test_an_article_with_its_own_ways_of_asking_borrows_none(built: Path) -> None:
    assert asked_by_heading(store.open_index(built).articles["自带"]) == {"": ["咋整"]}


def test_borrowed_ways_find_the_article_by_words_and_by_vector(built: Path, encoder) -> None:
    index = store.open_index(built, encoder)
    for _, way in index.articles["备案"].asked[:5]:
        for legs in (("bm25",), ("dense",)):
            assert index.search(way, 1, legs=legs)[0].article.id == "备案"


def test_borrowed_ways_are_never_shown(built: Path, encoder) -> None:
    bot = Chatbot.open(built)
    store.attach(bot.index, encoder)
    way = bot.index.articles["备案"].asked[0][1]
    answer = bot.ask(way)
    assert way not in answer.text
    assert all(quote.text in bot.index.articles["备案"].body for quote in answer.quotes)


def test_a_wording_that_names_another_place_is_not_lent(encoder, corpus: Path) -> None:
    article = replace(folder.load(corpus)[0], place=("广东省", "惠州市"))
    assert lending.may_be_asked("惠州看病报多少", article.place)
    assert lending.may_be_asked("看病报多少", article.place)
    assert not lending.may_be_asked("深圳看病报多少", article.place)


def test_an_index_is_stale_when_the_shipped_ways_have_changed(
    built: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.verify(built)
    monkeypatch.setattr(store, "lender", lambda: "another")
    with pytest.raises(IndexStale, match="问法改过了"):
        store.verify(built)


def test_an_encoder_whose_vectors_are_not_centred_lends_nothing(corpus: Path, tmp_path: Path):
    store.build(corpus, tmp_path, FakeEncoder())
    articles = store.open_index(tmp_path).articles
    assert not articles["备案"].asked
    assert store.verify(tmp_path).lent == ""


def test_the_shipped_articles_borrow_nothing(shipped_index: Path) -> None:
    assert store.verify(shipped_index).lent == ""
