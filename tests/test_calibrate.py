"""Fitting the decision: which samples count how, what is fitted, what is written."""

import json
import random
from pathlib import Path
from typing import Any

import pytest

from chatbot import answer
from chatbot.answer import Chatbot
from chatbot.decide import FEATURES
from eval.calibrate import DENSE_ONLY, Sample, calibrate, fit, samples
from index import store
from tests.fake_encoder import FakeEncoder
from tests.small_corpus import write_corpus

RIGHT = {"id": "right", "question": "生育津贴谁申请", "facts": [["个人申请", "单位申请"]]}
ROWS: list[dict[str, Any]] = [
    RIGHT,
    {
        "id": "title",
        "question": "惠州门诊怎么办",
        "source": "门诊怎么办",
        "facts": [["没有这一句"]],
    },
    {
        "id": "titles",
        "question": "生育津贴怎么算",
        "source": ["别的", "津贴怎么办"],
        "facts": [["没有"]],
    },
    {"id": "nothing", "question": "种植牙一颗多少钱"},
    {"id": "missed", "question": "异地备案怎么办", "facts": [["没有这一句"]], "source": "别的"},
    {"id": "trap", "question": "门诊报销比例是多少", "trap": "other_city"},
    {"id": "dialogue", "turns": ["惠州门诊", "那住院呢"], "facts": [["90%"]]},
    {"id": "blank", "question": "？？？"},
    {
        "id": "part",
        "question": "门诊报销比例是多少",
        "facts": [["80%"], ["没有"]],
        "source": "别的",
    },
]


@pytest.fixture(scope="module")
def index_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("calibrate")
    store.build(write_corpus(place / "文章"), place / "索引", FakeEncoder())
    return place / "索引"


def made(share: float) -> list[Sample]:
    """200 samples whose closeness alone tells right from wrong, but for ``share`` of them."""
    chance = random.Random(7)
    found = []
    for n in range(200):
        right = n % 2 == 0
        near = right != (chance.random() < share)
        values = {name: chance.random() for name in FEATURES}
        values["closeness"] = chance.uniform(0.7, 1.0) if near else chance.uniform(0.0, 0.3)
        found.append(Sample(str(n), values, right))
    return found


def test_samples_are_labelled_as_told(index_dir: Path):
    found = samples(Chatbot.open(index_dir), ROWS)
    assert {sample.id: sample.right for sample in found} == {
        "right": True,
        "title": True,
        "titles": True,
        "nothing": False,
    }
    assert all(set(sample.features) == set(FEATURES) for sample in found)


def test_the_region_of_a_row_counts(index_dir: Path):
    here, there = (
        samples(Chatbot.open(index_dir), [RIGHT | {"region": region}]) for region in ("惠州", "")
    )
    assert here[0].features["fit"] < there[0].features["fit"]


def test_a_fit_separates_what_can_be_separated():
    fitted = fit(made(0.0), FEATURES)
    assert (fitted["questions"], fitted["right"]) == (200, 100)
    assert fitted["answered_wrongly"] == fitted["refused_falsely"] == 0
    assert max(fitted["weights"], key=fitted["weights"].get) == "closeness"
    assert 0 < fitted["threshold"] < 1


def test_a_fit_counts_its_mistakes():
    fitted = fit(made(0.1), FEATURES)
    wrong = fitted["answered_wrongly"] + fitted["refused_falsely"]
    assert 5 <= wrong <= 40
    assert all(weight >= 0 for weight in fitted["weights"].values())


def test_a_feature_that_points_the_wrong_way_gets_no_weight():
    turned = [
        Sample(s.id, s.features | {"title": 0.0 if s.right else 1.0}, s.right) for s in made(0.0)
    ]
    assert fit(turned, FEATURES)["weights"]["title"] == 0.0


def test_fitting_twice_gives_the_same():
    assert fit(made(0.1), FEATURES) == fit(made(0.1), FEATURES)


def test_calibrating_writes_both_fits_with_their_run(
    index_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(answer, "load_encoder", lambda name: FakeEncoder())
    questions = tmp_path / "made-dev.jsonl"
    lines = [json.dumps(row, ensure_ascii=False) for row in ROWS]
    questions.write_text("\n".join(lines) + "\n", encoding="utf-8")
    out = tmp_path / "decision.json"
    result = calibrate([index_dir, index_dir], [questions], out)
    assert json.loads(out.read_text(encoding="utf-8")) == result
    assert result["run"] == {
        "command": "python -m eval calibrate",
        "questions": ["made-dev.jsonl"],
        "indexes": 2,
    }
    assert set(result["fits"]["hybrid"]["weights"]) == set(FEATURES)
    assert set(result["fits"]["bm25"]["weights"]) == set(FEATURES) - set(DENSE_ONLY)
    assert result["fits"]["bm25"]["questions"] == 8
    assert result["fits"]["bm25"]["right"] == 6
