"""Fit the answer / refuse decision (``chatbot/rules/decision.json``) on development questions.

A question counts as answered if every fact that it lists stands in the quotes or its source comes
first; questions without facts are ones that the corpus cannot answer. A logistic regression on
``chatbot.decide.FEATURES`` gives the probability; the threshold is the one with the lowest cost of
the two error rates. Right and wrong of every index weigh the same in all.
"""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from chatbot import dialogue
from chatbot.advice import Advice, asks_advice
from chatbot.answer import Chatbot
from chatbot.decide import FEATURES
from chatbot.limits import limit_of
from chatbot.question import clean, problem
from chatbot.reading import Reading
from corpus import folder
from eval.datasets import load_dataset
from eval.expectations import ANSWERING
from eval.lines import json_rows
from index.terms import normalise

RIDGE = 0.05  # strength of the pull of the weights towards 0
FOLDS = 10  # where all questions are of one author
AUTHORS = ("fresh", "blind", "late", "last", "next")  # see eval/questions/README.md
ANSWERS = 2  # the grade of an article that answers
DENSE_ONLY = ("closeness", "nearest", "all_ways")  # features that need the encoder


@dataclass(frozen=True, slots=True)
class Sample:
    """Features of one question, whether its quotes answer it, and which index was asked."""

    id: str
    features: dict[str, float]
    right: bool
    index: str = ""

    @property
    def author(self) -> str:
        """Who wrote the question, as the name of its set tells; the older sets are of one hand."""
        return next((name for name in AUTHORS if self.id.startswith(f"{name}-")), "older")


def _plain(text: str) -> str:
    return normalise(text).replace(" ", "")


def samples(bot: Chatbot, rows: Iterable[dict[str, Any]]) -> list[Sample]:
    """Read every single-turn row that the index can be asked, and label it.

    Right: all its facts stand in the quotes, or one of its sources came first; of a row that names
    ``articles``: one of them came first. Wrong: it has no facts and may not be answered. Left out:
    what rules decide before the fit, and rows of which neither holds.
    """
    found = []
    for row in rows:
        if "question" not in row or row.get("trap") or problem(row["question"]):
            continue
        if "articles" in row and not bot.index.articles.keys() & row["articles"]:
            continue
        if limit_of(clean(row["question"])) or asks_advice(row["question"]) is Advice.ASKED:
            continue
        turn = dialogue.read([], row["question"], row.get("region", ""))
        reading = Reading(bot.index, turn, turn.text, turn.question)
        quoted = _plain(" ".join(quote.text for quote in reading.quotes))
        facts = [any(_plain(alias) in quoted for alias in fact) for fact in row.get("facts", [])]
        named = row.get("source", [])
        wanted = {_plain(title) for title in ([named] if isinstance(named, str) else named)}
        first = bool(reading.sources) and _plain(reading.sources[0].article.title) in wanted
        graded = row.get("articles")
        best = reading.sources[0].article.id if reading.sources else ""
        right = best in graded if graded else bool(facts) and (all(facts) or first)
        wrong = not (graded or facts or ANSWERING & set(row.get("kinds", ())))
        if right or (wrong and not reading.figure_missing):
            found.append(Sample(row["id"], reading.values, right, str(bot.index.version)))
    return found


def _matrix(found: Sequence[Sample], names: Sequence[str]) -> NDArray[np.float64]:
    rows = [[s.features[name] for name in names] for s in found]
    return np.asarray(rows, dtype=np.float64).reshape(len(rows), len(names))


def _balance(found: Sequence[Sample]) -> NDArray[np.float64]:
    """A weight for each sample, 1 on average: right and wrong of each index weigh the same."""
    kinds = [(sample.index, sample.right) for sample in found]
    many = Counter(kinds)
    return np.asarray([len(found) / len(many) / many[kind] for kind in kinds], dtype=np.float64)


def _regress(
    x: NDArray[np.float64], y: NDArray[np.float64], balance: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Weights ≥ 0 and, last, the bias of a ridge logistic regression over weighted samples."""

    def loss(w: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        z = x @ w[:-1] + w[-1]
        value = np.mean(balance * (np.logaddexp(0, z) - y * z)) + RIDGE * (w[:-1] @ w[:-1]) / len(y)
        wrong = balance * (1 / (1 + np.exp(-z)) - y) / len(y)
        return float(value), np.append(x.T @ wrong + 2 * RIDGE * w[:-1] / len(y), wrong.sum())

    bounds = [(0.0, None)] * x.shape[1] + [(None, None)]
    start = np.zeros(x.shape[1] + 1)
    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds).x
    return np.asarray(found, dtype=np.float64)


def _chance(x: NDArray[np.float64], w: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(1 / (1 + np.exp(-(x @ w[:-1] + w[-1]))), dtype=np.float64)


def _unseen(
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    balance: NDArray[np.float64],
    authors: Sequence[str],
) -> NDArray[np.float64]:
    """The probability of each sample under a fit on the questions of all other authors."""
    p = np.zeros(len(y))
    for author in set(authors):
        held = np.asarray([one == author for one in authors])
        p[held] = _chance(x[held], _regress(x[~held], y[~held], balance[~held]))
    return p


def fit(found: Sequence[Sample], names: Sequence[str]) -> dict[str, Any]:
    """Weights, bias and threshold.

    The threshold is the lowest whose cost, the sum of the rates of wrong answers and of false
    refusals, lies within half a standard error of the least one: the cost is flat, and words that
    no lexicon knows yet make new questions look less answerable. It is counted on questions of
    authors who are left out of the fit: what one author writes is alike, so that questions left out
    at random flatter.
    """
    x, y = _matrix(found, names), np.asarray([s.right for s in found], dtype=np.float64)
    weight = _balance(found)
    authors = [sample.author for sample in found]
    if len(set(authors)) == 1:
        authors = [str(number % FOLDS) for number in range(len(found))]
    w, p = _regress(x, y, weight), _unseen(x, y, weight, authors)

    def errors(t: float) -> list[float]:
        """The rates of wrong answers and of false refusals at a threshold."""
        missed = (p >= t) != (y == 1)
        return [float(np.average(missed[y == v], weights=weight[y == v])) for v in (0, 1)]

    steps = np.linspace(0.05, 0.95, 91)
    costs = np.asarray([sum(errors(t)) for t in steps])
    least = enumerate(errors(steps[int(np.argmin(costs))]))
    spread = np.sqrt(sum(e * (1 - e) / max(np.sum(y == v), 1) for v, e in least))
    threshold = float(steps[int(np.argmax(costs <= costs.min() + spread / 2))])
    return {
        "weights": {name: round(float(v), 3) for name, v in zip(names, w, strict=False)},
        "bias": round(float(w[-1]), 3),
        "threshold": round(threshold, 3),
        "questions": len(found),
        "right": int(y.sum()),
        "answered_wrongly": int(np.sum((p >= threshold) & (y == 0))),
        "refused_falsely": int(np.sum((p < threshold) & (y == 1))),
    }


def _rows(path: Path) -> list[dict[str, Any]]:
    """The rows of a questions file; of a folder with judgements, each with its best articles."""
    if path.is_file():
        return [row for _, row in json_rows(path)]
    dataset = load_dataset(path, "dev", folder.SHIPPED)
    best: dict[str, list[str]] = {}
    for qrel in dataset.qrels:
        if qrel.relevance == ANSWERS:
            best.setdefault(qrel.query_id, []).append(qrel.document_id)
    return [
        {"id": query.id, "question": query.text, "articles": best.get(query.id, [])}
        for query in dataset.queries
    ]


def calibrate(indexes: Sequence[Path], questions: Sequence[Path], out: Path) -> dict[str, Any]:
    """Fit with and without the encoder over all indexes and write the values with their run."""
    rows = [row for path in questions for row in _rows(path)]
    found: dict[str, list[Sample]] = {"hybrid": [], "bm25": []}
    for path in indexes:
        bot = Chatbot.open(path)
        found["bm25"] += samples(bot, rows)
        bot.warm()
        found["hybrid"] += samples(bot, rows)
    lexical = [name for name in FEATURES if name not in DENSE_ONLY]
    result = {
        "run": {
            "command": "python -m eval calibrate",
            "questions": sorted(file.name for file in questions),
            "indexes": len(indexes),
        },
        "fits": {"hybrid": fit(found["hybrid"], FEATURES), "bm25": fit(found["bm25"], lexical)},
    }
    out.write_text(json.dumps(result, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return result
