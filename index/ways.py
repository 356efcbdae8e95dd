"""What a question in everyday words is about: the nearest subjects of ``lexicon/ways.yaml``.

The encoder puts all texts into a narrow cone, and a question in everyday words far from the same
question in the words of the articles. Two remedies, and a measure, all data that ``python -m index
ways`` makes for the bundled encoder:

- *Centring.* The mean of all ways of asking is taken off every question, the mean of the shipped
  sentences off every passage (Mu & Viswanath 2018, "All-but-the-Top"). The means are constants of
  the encoder: an index never changes because articles come or go.
- *Leaning.* A question is moved towards the subjects whose ways of asking lie around it, as in
  Rocchio's feedback, only with ways of asking in place of judged documents. The more clearly a
  subject is recognised, the further.
- *Sides.* ``lexicon/within.yaml`` and ``beside.yaml`` hold ways of asking for what articles answer
  and for what none does. A question that lies nearer to the latter than to the former and to the
  ways stored with the articles is less likely to be answered by what resembles it. Two measures:
  the margin between the nearest neighbours of the two classes, and a kernel ridge regression on all
  of them (Saunders, Gammerman & Vovk 1998). Only the decision to answer weighs this; nothing is
  found or left out by it.

Other encoders have no such data: their vectors stay as they are.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import yaml
from numpy.typing import NDArray

from corpus.errors import ModelError
from index.encoder import Encoder
from index.vectors import Float32

LEXICON = Path(__file__).with_name("lexicon")
VECTORS = LEXICON / "ways.npz"
SHARPNESS = 0.05  # of the softmax over subjects, in cosine
LEAN = 0.5  # how far a question moves that is recognised for sure; see eval/LOG.md
MIDDLE = 0.5  # between what is answered and what is not
DOUBTFUL, SURE = 0.2, 0.5  # cosine to a subject's ways: below no lean at all, above a full one
# Of the regression: how narrow the Gaussian kernel is, and the ridge; see eval/LOG.md.
NARROWNESS, RIDGE = 2.0, 0.3


class Side(NamedTuple):
    """How much more a question looks like what is answered than like what is not, each 0…1.

    ``nearest`` by the nearest ways of asking, ``all_ways`` by all of them; ``MIDDLE`` in between,
    and where nothing is known of the encoder.
    """

    nearest: float = MIDDLE
    all_ways: float = MIDDLE

    def at_least(self, other: "Side") -> "Side":
        """The greater of each."""
        return Side(*map(max, self, other))


@dataclass(frozen=True, slots=True)
class Subject:
    """A question in the articles' words, and the ways in which citizens ask it."""

    text: str
    asked: tuple[str, ...]


def subjects() -> tuple[Subject, ...]:
    """All subjects, in the order of the file."""
    data: list[dict[str, Any]] = yaml.safe_load((LEXICON / "ways.yaml").read_text(encoding="utf-8"))
    return tuple(Subject(row["subject"], tuple(row["asked"])) for row in data)


def examples(name: Literal["within", "beside"]) -> list[str]:
    """Ways of asking for what articles answer (``within``) or none does, in the file's order."""
    text = (LEXICON / f"{name}.yaml").read_text(encoding="utf-8")
    data: dict[str, list[str]] = yaml.safe_load(text)
    return [way for ways in data.values() for way in ways]


def unit(vectors: Float32) -> Float32:
    """Vectors of shape (…, dimension) at length 1; a zero vector stays zero."""
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.asarray(vectors / np.maximum(lengths, 1e-12), dtype=np.float32)


@dataclass(frozen=True, slots=True)
class Space:
    """Centred vectors of one encoder; ``ways`` and ``subjects`` are unit rows, one a subject.

    ``ways``: mean of a subject's ways of asking; ``subjects``: the subject itself. Shapes
    (subjects, dimension), float32; the centres have shape (dimension,). ``examples``: unit rows,
    one a way of asking; the first ``answered`` of them for a shipped section, the others for what
    no article answers. ``pulls``: the coefficients of the regression, one a row.
    """

    question_centre: Float32
    passage_centre: Float32
    ways: Float32
    subjects: Float32
    examples: Float32
    pulls: Float32
    answered: int

    @property
    def centred(self) -> bool:
        """Whether there are data of this encoder."""
        return len(self.ways) > 0

    def passages(self, vectors: Float32) -> Float32:
        """Unit vectors of passages, shape (n, dimension), centred."""
        return unit(vectors - self.passage_centre) if self.centred else vectors

    def asked(self, vectors: Float32) -> Float32:
        """Unit vectors of questions, shape (n, dimension), centred but not leaning."""
        return unit(vectors - self.question_centre) if self.centred else vectors

    def question(self, vector: Float32) -> Float32:
        """A question's unit vector, shape (dimension,), centred and leaning to its subjects."""
        if not self.centred:
            return vector
        centred = unit(vector - self.question_centre)
        near = self.ways @ centred
        share = np.exp((near - near.max()) / SHARPNESS)
        sure = float(np.clip((near.max() - DOUBTFUL) / (SURE - DOUBTFUL), 0.0, 1.0))
        return unit(centred + LEAN * sure * (share / share.sum()) @ self.subjects)

    def side(self, vector: Float32) -> Side:
        """On which side a question lies; ``vector`` is as the encoder gives it."""
        if not self.centred:
            return Side()
        near = self.examples @ unit(vector - self.question_centre)
        margin = near[: self.answered].max() - near[self.answered :].max()
        told = _kernel(near) @ self.pulls / 2
        return Side(*(min(max(MIDDLE + float(one), 0.0), 1.0) for one in (margin, told)))


def space_of(encoder_name: str, dimension: int) -> Space:
    """The space of an encoder; one without data leaves vectors as they are.

    Raises:
        ModelError: the data belong to other ways of asking.
    """
    name, found = _saved()
    if encoder_name == name:
        return found
    none, centre = np.zeros((0, dimension), np.float32), np.zeros(dimension, np.float32)
    return Space(centre, centre, none, none, none, centre[:0], 0)


def _source() -> str:
    files = (LEXICON / name for name in ("ways.yaml", "within.yaml", "beside.yaml"))
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()


@cache
def _saved() -> tuple[str, Space]:
    with np.load(VECTORS, allow_pickle=False) as data:
        space = Space(
            data["question_centre"],
            data["passage_centre"],
            data["ways"].astype(np.float32),
            data["subjects"].astype(np.float32),
            unit(data["examples"].astype(np.float32)),
            data["pulls"],
            int(data["answered"]),
        )
        if str(data["source"]) != _source():
            msg = "问法改过了，它们的向量还没有更新，请运行：python -m index ways"
            raise ModelError(msg)
        return str(data["encoder"]), space


def make(encoder: Encoder, sentences: Float32, stored: Float32, out: Path = VECTORS) -> int:
    """Write the data of an encoder; returns how many ways of asking were encoded.

    Args:
        encoder: the bundled encoder.
        sentences: raw unit vectors of the shipped sentences, shape (n, dimension).
        stored: raw unit vectors of the ways of asking for shipped sections, shape (m, dimension).
        out: the file to write, replaced if it is there.
    """
    known = subjects()
    texts = [text for subject in known for text in (subject.text, *subject.asked)]
    vectors = encoder.encode_questions(texts)
    centre = vectors.mean(axis=0)
    centred = unit(vectors - centre)
    first = np.cumsum([0, *(1 + len(subject.asked) for subject in known)])
    within, aside = examples("within"), examples("beside")
    answered = len(stored) + len(within)
    told = encoder.encode_questions([*within, *aside])
    rows = unit(np.concatenate([stored, told]) - centre)
    beside = out.with_name(f".{out.stem}.npz")
    np.savez(
        beside,
        encoder=np.asarray(encoder.name),
        source=np.asarray(_source()),
        question_centre=centre,
        passage_centre=sentences.mean(axis=0),
        ways=_means(centred, first).astype(np.float16),
        subjects=centred[first[:-1]].astype(np.float16),
        examples=_packed(rows),
        pulls=_regress(rows, answered),
        answered=np.asarray(answered),
    )
    beside.replace(out)
    return len(texts) + len(told)


def _kernel(cosines: Float32) -> Float32:
    """A Gaussian of the distance between unit vectors."""
    return np.asarray(np.exp(2 * NARROWNESS * (cosines - 1)), dtype=np.float32)


def _regress(examples: Float32, answered: int) -> Float32:
    """The coefficients of a kernel ridge regression of +1 (answered) and −1; both weigh the same.

    It takes 4 n² bytes and n³/3 steps: half a minute for 15,000 rows on two cores.

    Args:
        examples: unit rows, shape (n, dimension).
        answered: how many of them, the first ones, are answered.
    """
    from scipy.linalg import cho_factor, cho_solve  # 40 ms of every start, for this alone

    n = len(examples)
    signs = np.where(np.arange(n) < answered, 1, -1).astype(np.float32)
    weights = np.where(signs > 0, n / 2 / answered, n / 2 / (n - answered))
    gram = _kernel(examples @ examples.T)
    gram[np.diag_indices(n)] += RIDGE / weights
    solved = cho_solve(cho_factor(gram, overwrite_a=True), signs)
    return np.asarray(solved, dtype=np.float32)


def _packed(vectors: Float32) -> NDArray[np.int8]:
    """Rows in whole numbers; ``unit`` brings them back to three decimals."""
    scale = 127 / np.abs(vectors).max(axis=1, keepdims=True)
    return np.asarray(np.round(vectors * scale), dtype=np.int8)


def _means(vectors: Float32, first: Sequence[int] | np.ndarray[Any, Any]) -> Float32:
    """The unit mean of each run of rows ``first[i]`` up to ``first[i + 1]``."""
    return unit(np.add.reduceat(vectors, np.asarray(first[:-1]), axis=0))
