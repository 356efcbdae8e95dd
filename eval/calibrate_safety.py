"""Fit how much a message sounds like a red flag (``chatbot/rules/safety_weights.json``).

``python -m eval.calibrate_safety`` reads the utterances of ``tests/safety_cases.yaml`` and the
development questions; nothing of a test half. Three ridge logistic regressions on single
characters and pairs of characters: red flag or not; among red flags, thoughts of self-harm or
not; among the rest, a request for medical advice or not. The error rates in the file are those of
five-fold cross-validation, so of messages not fitted on.
"""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, product
from pathlib import Path

import numpy as np
import yaml
from numpy.typing import NDArray
from scipy import sparse
from scipy.optimize import minimize

from chatbot.safety import by_rule
from chatbot.safety_rules import WEIGHTS, characters, literal, placeless, without_insurance
from corpus import folder
from eval.expectations import question_files
from eval.lines import json_rows
from index.ways import examples

RIDGE = 1.0  # strength of the pull of the weights towards 0, best of 0.3, 1 and 3
FOLDS = 5
SCALE = 8.0  # of a message's features, over the root of their number; 3, 5 and 8 were tried
MIN_MESSAGES = 4  # messages that a pair of characters must stand in
THRESHOLDS = np.linspace(-1.0, 3.0, 41)  # log odds
ALARM_COST = (
    8.0  # a false alarm against a missed red flag: ordinary questions are far more frequent
)
ADVICE_COST = 4.0  # a refusal of a question on insurance against advice not refused

HARMLESS = (False, False, False)
# What is plainly said stands in no question set: somebody, and what has happened.
WHO = ("", "我爸", "我妈", "老公", "老婆", "孩子", "奶奶", "邻居大爷", "他", "同事")
HAPPENED = (
    "中风了", "脑梗了", "脑出血了", "心梗了", "休克了", "昏迷了", "晕倒了", "抽搐了", "大出血了",
    "出车祸了", "触电了", "溺水了", "煤气中毒了", "食物中毒了", "喝农药了", "噎住了", "喘不上气了",
    "从楼上摔下来了", "羊水破了", "胸口疼得厉害", "过敏性休克", "被车撞了", "烫伤了一大片",
)  # fmt: skip

Vector = NDArray[np.float64]
Matrix = sparse.csr_array


@dataclass(frozen=True, slots=True)
class Message:
    """A flat text, whether it holds a red flag, a thought of self-harm, or asks for advice.

    ``number`` is that of the utterance: with and without its insurance clauses it counts twice.
    ``extra``: plainly said, or a way of asking from the articles or the lexicon, harmless; no
    threshold is chosen by these.
    """

    text: str
    flag: bool
    self_harm: bool
    advice: bool
    number: int
    whole: bool
    extra: bool


def messages(cases: Path, questions: Path) -> list[Message]:
    """All utterances whose label is known, in a fixed order."""
    found: dict[str, tuple[bool, bool, bool]] = {}
    groups = yaml.safe_load(cases.read_text(encoding="utf-8"))
    for name, texts in groups.items():
        for raw in texts:
            alert = by_rule(raw)
            own = name == "emergencies" and alert is not None and alert.category == "self_harm"
            found[raw] = (name == "emergencies", own, name == "advice")
    for path in question_files("dev", questions):
        for _, row in json_rows(path):
            flag = row.get("kinds") == ["emergency"]
            raw = row["question"] if "question" in row else row["turns"][-1]
            own = flag and row.get("category") == "self_harm"
            found[raw] = (flag, own, row.get("kinds") == ["medical"])
    asked = len(found)
    for raw in map("".join, product(WHO, HAPPENED)):
        found.setdefault(raw, (True, False, False))
    stored = (raw for article in folder.load(folder.SHIPPED) for _, raw in article.asked)
    for raw in chain(stored, examples("within"), examples("beside")):
        if by_rule(raw) is None:
            found.setdefault(raw, HARMLESS)
    flat = ((placeless(literal(raw)), labels) for raw, labels in found.items())
    return [
        Message(text, *labels, number, whole=text == told, extra=number >= asked)
        for number, (told, labels) in enumerate(flat)
        for text in dict.fromkeys((told, without_insurance(told)))
        if text
    ]


def _names(found: Sequence[Message]) -> list[str]:
    counts = Counter(gram for message in found for gram in characters(message.text))
    return sorted(gram for gram, count in counts.items() if count >= MIN_MESSAGES)


def _matrix(found: Sequence[Message], names: Sequence[str]) -> Matrix:
    columns = {name: column for column, name in enumerate(names)}
    held = [[columns[gram] for gram in characters(m.text) if gram in columns] for m in found]
    row = np.repeat(np.arange(len(found)), list(map(len, held)))
    column = np.fromiter(chain.from_iterable(held), np.int64)
    x = Matrix((np.ones(len(row)), (row, column)), shape=(len(found), len(names)))
    many = np.maximum(np.asarray(x.sum(axis=1)), 1)
    return Matrix(sparse.diags_array(SCALE / np.sqrt(many)) @ x)


def _fit(x: Matrix, y: Vector) -> Vector:
    """Weights, the bias last."""

    def loss(w: Vector) -> tuple[float, Vector]:
        z = x @ w[:-1] + w[-1]
        wrong = 1 / (1 + np.exp(-z)) - y
        value = np.sum(np.logaddexp(0, z) - y * z) + RIDGE * (w[:-1] @ w[:-1]) / 2
        return float(value), np.append(x.T @ wrong + RIDGE * w[:-1], wrong.sum())

    return np.asarray(
        minimize(loss, np.zeros(x.shape[1] + 1), jac=True, method="L-BFGS-B").x, dtype=np.float64
    )


def _unseen_scores(x: Matrix, y: Vector, numbers: NDArray[np.int64]) -> Vector:
    """Log odds of every message from a fit without its fold."""
    fold = numbers % FOLDS
    scores = np.zeros(len(y))
    for one in range(FOLDS):
        w = _fit(x[fold != one], y[fold != one])
        scores[fold == one] = x[fold == one] @ w[:-1] + w[-1]
    return scores


def _threshold(scores: Vector, label: Vector, cost: float) -> tuple[float, dict[str, float]]:
    """The threshold with the lowest cost, and its error rates."""
    missed = [float(np.mean(scores[label == 1] < t)) for t in THRESHOLDS]
    alarms = [float(np.mean(scores[label == 0] >= t)) for t in THRESHOLDS]
    best = int(np.argmin(np.asarray(missed) + cost * np.asarray(alarms)))
    rates = {"missed": round(missed[best], 4), "false_alarms": round(alarms[best], 4)}
    return float(THRESHOLDS[best]), rates


def calibrate(cases: Path, questions: Path, out: Path = WEIGHTS) -> dict[str, object]:
    """Fit the regressions and write them with the run; returns the run."""
    found = messages(cases, questions)
    names = _names(found)
    x = _matrix(found, names)
    numbers = np.asarray([m.number for m in found])
    flag, own, advice = np.asarray(
        [(m.flag, m.self_harm, m.advice) for m in found], dtype=np.float64
    ).T
    whole, extra = np.asarray([(m.whole, m.extra) for m in found]).T
    judged = whole & ~extra
    calm = judged & (flag == 0)  # ways of asking drown the few requests for advice
    flag_scores = _unseen_scores(x, flag, numbers)
    advice_scores = _unseen_scores(x[calm], advice[calm], numbers[calm])
    alarm, flag_rates = _threshold(flag_scores[judged], flag[judged], ALARM_COST)
    asks, advice_rates = _threshold(advice_scores, advice[calm], ADVICE_COST)
    fits = [
        _fit(x, flag),
        _fit(x[flag == 1], own[flag == 1]),
        _fit(x[calm], advice[calm]),
    ]
    run: dict[str, object] = {
        "command": "python -m eval.calibrate_safety",
        "messages": int(whole.sum()),
        "red_flags": {"count": int(flag[whole].sum())} | flag_rates,
        "advice": {"count": int(advice[calm].sum())} | advice_rates,
    }
    columns = zip(names, *((SCALE * fit[:-1]).round(2).tolist() for fit in fits), strict=True)
    data = {
        "run": run,
        "bias": [
            round(float(fits[0][-1]) - alarm, 2),
            round(float(fits[1][-1]), 2),
            round(float(fits[2][-1]) - asks, 2),
        ],
        "weights": {name: row for name, *row in columns},
    }
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":")).replace("],", "],\n")
    out.write_text(text + "\n", encoding="utf-8")
    return run


if __name__ == "__main__":
    ROOT = Path(__file__).parents[1]
    print(calibrate(ROOT / "tests" / "safety_cases.yaml", ROOT / "eval" / "questions"))  # noqa: T201
