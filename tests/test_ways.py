"""Ways of asking: the data are sound, vectors are centred, a question leans to what it means."""

import numpy as np
import pytest
import yaml

from corpus.errors import ModelError
from corpus.folder import SHIPPED, load
from corpus.regions import mentions
from index import ways
from index.shipped import answered
from tests.fake_encoder import FakeEncoder


def test_no_way_of_asking_stands_twice_or_names_a_place() -> None:
    asked = [text for subject in ways.subjects() for text in subject.asked]
    names = [subject.text for subject in ways.subjects()]
    assert len(set(asked)) == len(asked) > 3000
    assert len(set(names)) == len(names)
    assert set(asked).isdisjoint(names)
    places = [text for text in (*asked, *names) if any(m.path for m in mentions(text))]
    assert len(places) <= 1, places  # 「安宁疗护」 holds the name of a city


def test_no_way_of_asking_is_both_answered_and_not() -> None:
    within, beside = ways.examples("within"), ways.examples("beside")
    stored = [way for article in load(SHIPPED) for _, way in article.asked]
    asked = [text for subject in ways.subjects() for text in subject.asked]
    assert len(set(within)) == len(within) > 3000
    assert len(set(beside)) == len(beside) > 1400
    assert set(within).isdisjoint(stored)
    assert set(beside).isdisjoint([*within, *stored, *asked])


def test_ways_of_asking_for_articles_name_articles() -> None:
    data = yaml.safe_load((ways.LEXICON / "within.yaml").read_text(encoding="utf-8"))
    assert data.keys() <= {article.id for article in load(SHIPPED)}


def test_the_stored_ways_of_asking_are_those_of_the_shipped_articles(encoder) -> None:
    space = ways.space_of(encoder.name, encoder.dimension)
    asked = answered(load(SHIPPED))
    assert space.answered == len(asked) + len(ways.examples("within"))
    some = slice(0, None, 700)
    vectors = space.asked(encoder.encode_questions(asked[some]))
    cosines = np.sum(vectors * space.examples[: len(asked)][some], axis=1)
    assert cosines.min() > 0.99  # made with VNNI; .9954 without


def test_a_question_that_no_article_answers_lies_on_the_other_side(encoder) -> None:
    space = ways.space_of(encoder.name, encoder.dimension)
    asked = ["根管治疗一颗牙要多少钱", "上班时受伤了医保给报吗", "退休时年限不够怎么补缴"]
    sides = np.asarray([space.side(vector) for vector in encoder.encode_questions(asked)])
    assert (sides[0] < ways.MIDDLE).all()
    assert (sides[1:] > ways.MIDDLE).all()
    assert sides.min() >= 0
    assert sides.max() <= 1


@pytest.mark.parametrize(
    "question", ["怎么查余额", "大病保险怎么报", "生育津贴怎么领", "门诊能报吗"]
)
def test_a_terse_question_that_articles_answer_lies_on_their_side(encoder, question) -> None:
    space = ways.space_of(encoder.name, encoder.dimension)
    assert min(space.side(encoder.encode_questions([question])[0])) >= ways.MIDDLE


@pytest.mark.parametrize(
    ("question", "word"),
    [
        ("家里老人走不动路，我去帮他把药开回来行不", "代"),
        ("娃生下来那笔补贴啥时候打到卡上", "津贴"),
        ("去外省看病要不要先报备一声", "备案"),
    ],
)
def test_an_everyday_question_is_recognised(encoder, question, word) -> None:
    space = ways.space_of(encoder.name, encoder.dimension)
    vector = ways.unit(encoder.encode_questions([question])[0] - space.question_centre)
    near = np.argsort(-(space.ways @ vector))[:3]
    assert any(word in ways.subjects()[at].text for at in near)


def test_a_question_leans_to_its_subject_and_stays_a_unit_vector(encoder) -> None:
    space = ways.space_of(encoder.name, encoder.dimension)
    raw = encoder.encode_questions(["停了几个月没交，看病还给报不"])[0]
    plain = ways.unit(raw - space.question_centre)
    leaning = space.question(raw)
    best = int(np.argmax(space.ways @ plain))
    assert leaning @ space.subjects[best] > plain @ space.subjects[best]
    assert np.linalg.norm(leaning) == pytest.approx(1, abs=1e-5)


def test_a_question_from_elsewhere_does_not_lean(encoder) -> None:
    space = ways.space_of(encoder.name, encoder.dimension)
    away = np.linalg.svd(space.ways)[2][-1]  # at right angles to every subject
    assert max(space.ways @ away) < ways.DOUBTFUL
    assert space.question(away + space.question_centre) @ away == pytest.approx(1, abs=1e-4)


def test_centred_passages_spread_out(encoder) -> None:
    space = ways.space_of(encoder.name, encoder.dimension)
    texts = ["门诊报销比例是多少", "太阳从东边升起", "生育津贴由单位申请", "今天的股市大跌"]
    raw = encoder.encode_passages(texts)
    centred = space.passages(raw)
    off = ~np.eye(len(texts), dtype=bool)
    assert (centred @ centred.T)[off].mean() < (raw @ raw.T)[off].mean() - 0.3


def test_another_encoder_keeps_its_vectors() -> None:
    other = FakeEncoder()
    space = ways.space_of(other.name, other.dimension)
    vectors = other.encode_passages(["门诊", "住院"])
    assert np.array_equal(space.passages(vectors), vectors)
    assert np.array_equal(space.question(vectors[0]), vectors[0])
    assert space.side(vectors[0]) == ways.Side()


def test_vectors_of_other_ways_are_refused(monkeypatch, tmp_path) -> None:
    with np.load(ways.VECTORS) as data:
        changed = dict(data) | {"source": np.asarray("0")}
    np.savez(tmp_path / "ways.npz", **changed)
    monkeypatch.setattr(ways, "VECTORS", tmp_path / "ways.npz")
    ways._saved.cache_clear()
    try:
        with pytest.raises(ModelError, match="python -m index ways"):
            ways.space_of("any", 384)
    finally:
        monkeypatch.undo()
        ways._saved.cache_clear()
