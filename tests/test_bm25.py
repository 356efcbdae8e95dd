"""The sparse matrix gives what rank_bm25 gives, whatever the documents and the question."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from rank_bm25 import BM25Okapi

from corpus.folder import SHIPPED, load
from index import bm25
from index.bm25 import BM25, most, term_scores
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
