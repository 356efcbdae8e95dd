"""Perturbed questions: the same every time, another text, places as they were."""

import pytest

from corpus.regions import mentions
from eval.datasets import Dataset, Document, Qrel, Query
from eval.perturb import PERTURBATIONS, homophone, perturbed, pinyin, traditional, typo, word_order
from index.repair import readings, repair
from index.terms import normalise

QUESTIONS = (
    "医保门特怎么办理，要准备哪些材料？",
    "起付线是什么",
    "惠州想换个看门诊的社区医院，几月份能改",
    "我爸尿毒症要在外省做透析，门诊的钱能当场报不",
)
DATASET = Dataset(
    name="tiny",
    split="dev",
    documents=(Document("d", "", "文"),),
    queries=tuple(Query(f"q{n}", text) for n, text in enumerate(QUESTIONS)),
    qrels=(Qrel("q0", "d", 1),),
)


@pytest.mark.parametrize("name", PERTURBATIONS)
@pytest.mark.parametrize("question", QUESTIONS)
def test_a_question_changes_and_always_in_the_same_way(name: str, question: str) -> None:
    changed = PERTURBATIONS[name](question)
    assert changed != question
    assert changed == PERTURBATIONS[name](question)
    places = [mention.candidates for mention in mentions(normalise(question))]
    assert [m.candidates for m in mentions(normalise(changed))] == places


@pytest.mark.parametrize("name", PERTURBATIONS)
@pytest.mark.parametrize("text", ["", "12393", "OK", "？"])
def test_what_holds_no_chinese_is_no_error(name: str, text: str) -> None:
    assert isinstance(PERTURBATIONS[name](text), str)


def test_a_homophone_sounds_the_same() -> None:
    for question in QUESTIONS:
        changed = homophone(question)
        assert len(changed) == len(question)
        ((one, other),) = [(a, b) for a, b in zip(question, changed, strict=True) if a != b]
        assert readings(one) & readings(other)


def test_a_typo_is_one_slip() -> None:
    for question in QUESTIONS:
        assert abs(len(typo(question)) - len(question)) <= 1


def test_traditional_characters_are_read_as_simplified_ones() -> None:
    for question in QUESTIONS:
        assert normalise(traditional(question)) == normalise(question)


def test_pinyin_of_a_term_is_mended() -> None:
    assert pinyin("起付线是什么") == "qifuxian是什么"
    assert repair(pinyin("起付线是什么")).text == "起付线是什么"


def test_word_order_keeps_every_character() -> None:
    for question in QUESTIONS:
        assert sorted(word_order(question)) == sorted(question.rstrip("？"))


def test_a_perturbed_collection_differs_in_its_questions_only() -> None:
    changed = perturbed(DATASET, "padding")
    assert [query.id for query in changed.queries] == [query.id for query in DATASET.queries]
    assert (changed.documents, changed.qrels) == (DATASET.documents, DATASET.qrels)
    assert all(a.text != b.text for a, b in zip(changed.queries, DATASET.queries, strict=True))
    with pytest.raises(KeyError):
        perturbed(DATASET, "anything")
