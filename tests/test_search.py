"""The engine's order, its legs and filters; hits with their passages."""

import dataclasses
from collections import Counter
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus.chunks import split
from corpus.records import Article, Chunk, Span
from index.bm25 import BM25, most
from index.embedded import Embedded, Library
from index.engine import SENTENCE_WEIGHT, SYNONYM_WEIGHT
from index.fusion import DENSE_WEIGHT, SENTENCE_DENSE_WEIGHT, convex, reciprocal_rank
from index.search import (
    LEGS,
    Analysis,
    Engine,
    Index,
    Ranked,
    document_terms,
    passage_text,
)
from index.terms import synonyms, terms
from tests.fake_encoder import FakeEncoder

DOCUMENTS = [
    ("惠州门诊", "惠州门诊报销比例是80%。"),
    ("惠州住院", "惠州住院起付线是300元。"),
    ("生育津贴", "生育津贴由单位申请。"),
    ("异地就医", "异地就医要先备案。"),
    ("惠州门诊", "惠州门诊报销比例是80%。"),
    ("", "医保缴费年限是25年。"),
]
QUESTIONS = ["惠州门诊报多少", "生育津贴怎么领", "异地住院要备案吗", "zzz", ""]
words = st.sampled_from(["门诊", "住院", "惠州", "报销", "备案", "生育津贴"])
corpora = st.lists(
    st.tuples(words, st.lists(words, max_size=6).map("".join)), min_size=1, max_size=9
)


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine.build(DOCUMENTS, FakeEncoder())


def over(engine: Engine, library: Library) -> Index:
    """An index over an engine's parts and a library."""
    parts = engine.embedded
    held = Embedded(parts.weights, parts.vocabulary, parts.vectors, None, library, "v-1")
    return Index(Engine(held, engine.encoder), "fake-1")


@settings(max_examples=40, deadline=None)
@given(corpora, st.lists(words, max_size=4).map("".join), st.integers(1, 12))
@pytest.mark.parametrize("fuse", ["convex", "rrf"])
def test_results_are_sorted_by_score_and_then_position(
    fuse: str, documents: list[tuple[str, str]], question: str, k: int
) -> None:
    engine = Engine.build(documents, FakeEncoder())
    for legs in (LEGS, ("bm25",), ("dense",)):
        ranked = engine.rank(question, k, legs, fuse=fuse)  # type: ignore[arg-type]
        order = [(-hit.score, hit.position) for hit in ranked]
        assert order == sorted(order)
        assert len({hit.position for hit in ranked}) == len(ranked) <= min(k, len(documents))
        assert ranked == engine.rank(question, k, legs, fuse=fuse)  # type: ignore[arg-type]


def test_fewer_are_a_beginning_of_more(engine: Engine) -> None:
    for question in QUESTIONS:
        for legs in (LEGS, ("bm25",), ("dense",)):
            many = engine.rank(question, 6, legs)
            assert engine.rank(question, 2, legs) == many[:2]


def test_a_batch_of_vectors_gives_what_single_questions_give(engine: Engine) -> None:
    assert engine.encoder is not None
    vectors = engine.encoder.encode_questions(QUESTIONS)
    batch = [engine.rank(q, 5, vector=v) for q, v in zip(QUESTIONS, vectors, strict=True)]
    assert batch == [engine.rank(question, 5) for question in QUESTIONS]


def test_the_bm25_leg_is_bm25_over_the_weighted_terms(engine: Engine) -> None:
    model = BM25([document_terms(title, text) for title, text in DOCUMENTS])
    question = "惠州门诊比例"
    assert synonyms(question) == {}
    expected = model.get_scores(terms(question))
    for hit in engine.rank(question, 9, ("bm25",)):
        assert hit.score == hit.bm25 == pytest.approx(expected[hit.position], abs=1e-6)
        assert (hit.dense, hit.dense_rank) == (0.0, 0)


def test_the_dense_leg_is_the_cosine(engine: Engine) -> None:
    fake = FakeEncoder()
    passages = fake.encode_passages([passage_text(*document) for document in DOCUMENTS])
    cosines = passages @ fake.encode_questions(["惠州住院"])[0]
    ranked = engine.rank("惠州住院", 9, ("dense",))
    assert [hit.position for hit in ranked] == np.lexsort((range(6), -cosines)).tolist()
    for rank, hit in enumerate(ranked, 1):
        assert hit.score == hit.dense == pytest.approx(float(cosines[hit.position]), abs=1e-6)
        assert (hit.dense_rank, hit.bm25, hit.bm25_rank) == (rank, 0.0, 0)


def mixed(engine: Engine, question: str, hits: Sequence[Ranked], weight: float) -> np.ndarray:
    bm25, dense = np.asarray([h.bm25 for h in hits]), np.asarray([h.dense for h in hits])
    bound = most(Counter(terms(question)), engine.candidates.chunks_with, len(engine))
    return convex(bm25, bound, dense, weight)


@pytest.mark.parametrize("fuse", ["convex", "rrf"])
def test_both_legs_are_fused_as_defined(engine: Engine, fuse: str) -> None:
    ranked = engine.rank("惠州门诊报多少", 9, fuse=fuse)  # type: ignore[arg-type]
    hits = sorted(ranked, key=lambda hit: hit.position)
    ranks = [np.asarray([hit.bm25_rank for hit in hits]), np.asarray([h.dense_rank for h in hits])]
    expected = (
        reciprocal_rank(*ranks)
        if fuse == "rrf"
        else mixed(engine, "惠州门诊报多少", hits, DENSE_WEIGHT)
    )
    np.testing.assert_allclose([hit.score for hit in hits], expected, atol=1e-9)
    assert sorted(ranks[1]) == list(range(1, 7))
    found = [hit for hit in hits if hit.bm25_rank]
    by_rank = sorted(found, key=lambda hit: hit.bm25_rank)
    assert by_rank == sorted(found, key=lambda hit: (-hit.bm25, hit.position))


def test_a_question_without_known_words_finds_nothing_by_words(engine: Engine) -> None:
    for question in ("zzz", "", "。。。"):
        assert engine.rank(question, 5, ("bm25",)) == []
        assert len(engine.rank(question, 5)) == 5  # the dense leg has an opinion on anything


def test_without_an_encoder_only_bm25_searches() -> None:
    engine = Engine.build(DOCUMENTS, None)
    assert engine.legs() == ("bm25",)
    assert engine.legs(("dense",)) == ()
    assert engine.encode("门诊") is None
    assert engine.rank("惠州门诊", 3, ("dense",)) == []
    assert engine.rank("惠州门诊", 3) == engine.rank("惠州门诊", 3, ("bm25",)) != []
    assert len(engine) == 6


def test_an_unknown_leg_is_refused(engine: Engine) -> None:
    with pytest.raises(ValueError, match="sparse"):
        engine.rank("门诊", 3, ("bm25", "sparse"))


@pytest.mark.parametrize("legs", [LEGS, ("bm25",), ("dense",)])
def test_only_allowed_documents_come_and_their_order_does_not_change(
    index: Index, legs: tuple[str, ...]
) -> None:
    wanted = {"a0", "a3", "a4", "a5"}
    everything = index.search("惠州门诊异地备案", 6, legs=("bm25",) if legs == LEGS else legs)
    hits = index.search("惠州门诊异地备案", 6, legs=legs, where=lambda a: a.id in wanted)
    assert {hit.article.id for hit in hits} <= wanted
    if legs != LEGS:
        kept = [hit.chunk.id for hit in everything if hit.article.id in wanted]
        assert [hit.chunk.id for hit in hits] == kept
    assert index.search("惠州门诊", 6, legs=legs, where=lambda _: False) == []


def test_more_than_the_candidates_can_be_asked_for() -> None:
    engine = Engine.build([("门诊", f"门诊{n}") for n in range(30)], FakeEncoder())
    assert len(engine.rank("门诊", 25, depth=3)) == 25


@settings(max_examples=40, deadline=None)
@given(st.lists(st.lists(words, min_size=2, max_size=2), min_size=3, max_size=8), words)
def test_an_irrelevant_document_changes_no_order_between_two_others(
    bodies: list[list[str]], word: str
) -> None:
    documents = [("", "，".join(body)) for body in bodies]
    lengths = [len(document_terms(*document)) for document in documents]
    average = round(sum(lengths) / len(lengths))
    stranger = ("", "，".join(f"x{n}" for n in range(average)))  # no term in common

    def order(found: list[tuple[str, str]]) -> list[tuple[str, str]]:
        model = BM25([document_terms(*document) for document in found])
        scores = model.get_scores(terms(word)[:1]).round(9)
        ranked = np.lexsort((np.arange(len(scores)), -scores))
        return [found[at] for at in ranked if found[at] != stranger and scores[at] > 0]

    before = order([*documents, *[stranger] * 9])
    assert order([*documents, *[stranger] * 10]) == before


def test_a_phrase_counts_as_its_best_synonym_and_no_more() -> None:
    named = [("", "起付线是三百元。"), ("", "门槛费是三百元。"), ("", "天气好。")]
    engine = Engine.build(
        [*named, ("", "起付线、起付标准、门槛费、门槛。"), ("", "别的事。")], None
    )
    scores = {hit.position: hit.score for hit in engine.rank("门槛费", 5)}
    assert set(scores) == {0, 1, 3}
    assert scores[1] > scores[0] > 0
    plain = Engine(engine.candidates, None, Analysis(synonyms=False))
    without = {hit.position: hit.score for hit in plain.rank("门槛费", 5)}
    assert set(without) == {1, 3}
    assert scores[1] == pytest.approx(without[1])
    single = max(plain.rank(other, 5)[0].score for other in synonyms("门槛费")["门槛费"])
    assert scores[3] - without[3] <= SYNONYM_WEIGHT * single


def test_without_bigrams_only_whole_words_are_found() -> None:
    plain = Engine.build(DOCUMENTS, None, analysis=Analysis(bigrams=False))
    assert "育津" in Engine.build(DOCUMENTS, None).vocabulary
    assert "育津" not in plain.vocabulary
    assert plain.rank("生育津贴", 1)[0].position == 2


def test_a_passage_is_as_near_as_its_nearest_sentence_and_itself() -> None:
    fake = FakeEncoder()
    lines = [[text for text in (title, body) if text] for title, body in DOCUMENTS]
    lines[3] = []
    engine = Engine.build(DOCUMENTS, fake, sentences=lines)
    question = fake.encode_questions(["惠州住院"])[0]
    whole = fake.encode_passages([passage_text(*document) for document in DOCUMENTS]) @ question
    for hit in engine.rank("惠州住院", 6, ("dense",)):
        own = lines[hit.position]
        best = (fake.encode_passages(own) @ question).max() if own else whole[hit.position]
        expected = (1 - SENTENCE_WEIGHT) * whole[hit.position] + SENTENCE_WEIGHT * best
        assert hit.dense == pytest.approx(float(expected), abs=1e-5)
    hits = engine.rank("惠州住院", 6)
    expected = mixed(engine, "惠州住院", hits, SENTENCE_DENSE_WEIGHT)
    np.testing.assert_allclose([hit.score for hit in hits], expected, atol=1e-9)


def test_an_index_knows_the_sentences_of_its_chunks() -> None:
    article = Article("a", "门特", "第一句说门特。第二句说备案。\n\n第三句说津贴。")
    chunks = [
        Chunk("a#1", "a", 0, 14, article.body[:14]),
        Chunk("a#2", "a", 16, 23, "第三句说津贴。"),
    ]
    spans = {"a": [Span(0, 7), Span(7, 14), Span(16, 23)]}
    vectors = np.eye(3, 16, dtype=np.float32)
    engine = Engine.build([("门特", chunk.text) for chunk in chunks], FakeEncoder())
    index = over(engine, Library(chunks, {"a": article}, spans, vectors))
    sentences = index.engine.embedded.sentences
    assert sentences is not None
    none = np.zeros(2, dtype=np.float32)
    for row, best in ((0, [1, 0]), (1, [1, 0]), (2, [0, 1])):
        found = sentences.best(vectors[row], np.arange(2), none)
        assert found.tolist() == best


@pytest.fixture(scope="module")
def index() -> Index:
    articles = {
        f"a{n}": Article(f"a{n}", title or "题", text, place=("广东省",) if "惠州" in text else ())
        for n, (title, text) in enumerate(DOCUMENTS)
    }
    chunks = [chunk for article in articles.values() for chunk in split(article)]
    documents = [(articles[chunk.article_id].title, chunk.text) for chunk in chunks]
    spans: dict[str, list[Span]] = {key: [] for key in articles}
    library = Library(chunks, articles, spans, np.zeros((0, 16), dtype=np.float32))
    return over(Engine.build(documents, FakeEncoder()), library)


def test_hits_hold_their_passage_and_all_scores(index: Index) -> None:
    hits = index.search("惠州门诊报多少", 4)
    ranked = index.engine.rank("惠州门诊报多少", 4)
    for hit, row in zip(hits, ranked, strict=True):
        assert hit.chunk is index.chunks[row.position]
        assert hit.article.body[hit.chunk.start : hit.chunk.end] == hit.chunk.text
        scores = dataclasses.asdict(row)
        del scores["position"]
        assert {name: getattr(hit, name) for name in scores} == scores


def test_a_filter_on_articles(index: Index) -> None:
    hits = index.search("惠州门诊报多少", 10, where=lambda article: not article.place)
    assert {hit.article.id for hit in hits} == {"a2", "a3", "a5"}
    assert index.search("惠州", 10, where=lambda article: False) == []
    everywhere = index.search("惠州门诊", 3, where=lambda article: True)
    assert everywhere == index.search("惠州门诊", 3)


def test_a_misspelt_term_is_mended_reported_and_can_be_left(index: Index) -> None:
    mended = index.search("生育今贴怎么领", 3)
    assert mended.rewritten == "生育津贴怎么领"
    assert [change.after for change in mended.rewrites] == ["生育津贴"]
    assert mended == index.search("生育津贴怎么领", 3)
    assert index.search("生育津贴怎么领", 3).rewritten is None
    left = index.search("生育今贴怎么领", 3, mend=False)
    assert left.rewritten is None
    assert left.searched == "生育今贴怎么领"


def test_a_vector_of_the_misspelt_question_is_not_used_for_the_mended_one(index: Index) -> None:
    assert index.engine.encoder is not None
    vector = index.engine.encoder.encode_questions(["生育今贴怎么领"])[0]
    assert index.search("生育今贴怎么领", 3, vector=vector) == index.search("生育津贴怎么领", 3)
