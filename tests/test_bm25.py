"""The sparse matrix gives what rank_bm25 gives, whatever the documents and the question."""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from rank_bm25 import BM25Okapi

from corpus.folder import SHIPPED, load
from index import bm25
from index.bm25 import BM25, Counts, most, term_scores
from index.candidates import Phrase, WordQuery
from index.embedded import Embedded, query_scores
from index.terms import terms

TOLERANCE = 1e-6
words = st.sampled_from(["医保", "门诊", "住院", "报销", "惠州", "备案", "80%", "a"])
documents = st.lists(st.lists(words, max_size=12), min_size=1, max_size=12).filter(any)
queries = st.lists(words | st.sampled_from(["无此词", ""]), max_size=8)


def twin(corpus: list[list[str]], query: list[str], **constants: float) -> np.ndarray:
    return BM25Okapi(corpus, **constants).get_scores(query)


@settings(max_examples=100, deadline=None)
@given(documents, queries)
@example([["医保"], []], ["医保", "医保"])
@example([["医保"]], ["医保"])
def test_equals_rank_bm25(corpus: list[list[str]], query: list[str]) -> None:
    scores = BM25(corpus).get_scores(query)
    assert scores.shape == (len(corpus),)
    np.testing.assert_allclose(scores, twin(corpus, query), atol=TOLERANCE)


@settings(max_examples=50, deadline=None)
@given(documents, queries, st.sampled_from([0.5, 1.2, 2.0]), st.sampled_from([0.0, 0.4, 0.9]))
def test_equals_rank_bm25_with_other_constants(
    corpus: list[list[str]], query: list[str], k1: float, b: float
) -> None:
    np.testing.assert_allclose(
        BM25(corpus, k1=k1, b=b).get_scores(query), twin(corpus, query, k1=k1, b=b), atol=TOLERANCE
    )


def test_equals_rank_bm25_on_the_shipped_articles() -> None:
    corpus = [terms(article.title + article.body) for article in load(SHIPPED)[:40]]
    model = BM25(corpus)
    for question in (
        "惠州医保一年最多报多少钱",
        "生育津贴是医保领还是社保领",
        "门特门特门特",
        "没有这些词xyz",
    ):
        query = terms(question)
        np.testing.assert_allclose(
            model.get_scores(query), twin(corpus, query), atol=TOLERANCE, err_msg=question
        )


def test_a_repeated_term_counts_each_time_and_an_unknown_one_not_at_all() -> None:
    corpus = [["医保", "门诊"], ["住院"], ["备案"], ["报销"]]
    model = BM25(corpus)
    once = model.get_scores(["门诊"])
    np.testing.assert_allclose(model.get_scores(["门诊", "门诊", "无此词"]), 2 * once)
    assert not model.get_scores(["无此词"]).any()
    assert not model.get_scores([]).any()
    assert once.argmax() == 0


def test_an_empty_document_scores_zero() -> None:
    scores = BM25([["医保"], [], ["门诊"], ["住院"]]).get_scores(["医保"])
    assert scores[0] > 0
    assert scores[1] == 0


@pytest.mark.parametrize("corpus", [[], [[]], [[], []]])
def test_a_corpus_without_any_term_is_refused(corpus: list[list[str]]) -> None:
    with pytest.raises(ValueError, match="at least one document"):
        BM25(corpus)


@settings(max_examples=30, deadline=None)
@given(documents, queries)
def test_save_and_load_score_alike(
    tmp_path_factory: pytest.TempPathFactory, corpus: list[list[str]], query: list[str]
) -> None:
    folder: Path = tmp_path_factory.mktemp("bm25")
    model = BM25(corpus)
    bm25.save(model, folder)
    weights, vocabulary = bm25.load(folder)
    assert vocabulary == model.vocabulary
    counts = {term: float(query.count(term)) for term in query}
    assert term_scores(weights, vocabulary, counts).tolist() == model.get_scores(query).tolist()


def test_weighted_terms_are_sums_of_rows() -> None:
    model = BM25([["医保", "门诊"], ["住院"], ["备案"], ["报销", "医保"], ["其他"]])
    mixed = term_scores(model.weights, model.vocabulary, {"门诊": 1.0, "住院": 0.4})
    expected = model.get_scores(["门诊"]) + 0.4 * model.get_scores(["住院"])
    np.testing.assert_allclose(mixed, expected)
    assert mixed.dtype == np.float64


@settings(max_examples=60, deadline=None)
@given(documents, st.lists(words, min_size=1, max_size=8, unique=True))
def test_rare_terms_never_earn_more_than_the_bound(
    corpus: list[list[str]], query: list[str]
) -> None:
    model = BM25(corpus)

    def holding(term: str) -> int:
        return sum(term in document for document in corpus)

    rare = [term for term in query if 2 * holding(term) < len(corpus)]
    bound = most(dict.fromkeys(rare, 1.0), holding, len(corpus))
    assert bound > 0
    assert (model.get_scores(rare) <= bound + TOLERANCE).all()
    assert most(dict.fromkeys(rare, 2.0), holding, len(corpus)) == pytest.approx(
        2 * bound if rare else 1.0
    )


counted = st.dictionaries(words, st.sampled_from([1.0, 2.0]), max_size=4)
phrases = st.builds(Phrase, counted, st.lists(counted, min_size=1, max_size=3).map(tuple))
word_queries = st.builds(WordQuery, counted, st.lists(phrases, max_size=3).map(tuple), st.just(0.6))


@settings(max_examples=100, deadline=None)
@given(
    documents, st.builds(WordQuery, counted, st.lists(phrases, max_size=3).map(tuple), st.just(0.6))
)
def test_meanings_are_scored_as_if_in_every_document(
    corpus: list[list[str]], query: WordQuery
) -> None:
    model = BM25(corpus)

    def whole(wanted: Mapping[str, float]) -> np.ndarray:
        return term_scores(model.weights, model.vocabulary, wanted)

    slow = whole(query.terms)
    for phrase in query.phrases:
        best = np.max([whole(meaning) for meaning in phrase.meanings], axis=0)
        slow += np.maximum(0.0, query.weight * best - whole(phrase.terms))
    assert query_scores(model.weights, model.vocabulary, query).tolist() == slow.tolist()


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(0, 3), min_size=1, max_size=200), st.integers(1, 30))
def test_the_best_are_those_of_a_full_sort(held: list[int], k: int) -> None:
    corpus = [["医保"] * count + ["门诊"] for count in held]
    model = BM25([*corpus, *[["住院"]] * (len(corpus) + 1)])
    scores = Embedded(model.weights, model.vocabulary).words(WordQuery({"医保": 1.0}))
    every = scores.of(np.arange(len(corpus) * 2 + 1))
    order = np.lexsort((np.arange(len(every)), -every))
    assert scores.best(k).tolist() == [at for at in order if every[at] > 0][:k]


def test_counts_that_are_given_weigh_as_term_lists_do() -> None:
    corpus = [["医保", "门诊", "门诊"], [], ["住院", "医保"], ["备案"]]
    counts = Counts.of([Counter(terms) for terms in corpus])
    assert counts.matrix.toarray().sum(axis=0).tolist() == [3, 0, 2, 1]
    assert list(counts.vocabulary) == ["医保", "门诊", "住院", "备案"]
    assert BM25(counts).get_scores(["门诊"]).tolist() == BM25(corpus).get_scores(["门诊"]).tolist()
