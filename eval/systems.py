"""The retrieval systems that can be named on the command line, over the engine of the chatbot."""

from collections.abc import Sequence

from corpus.errors import InputError
from eval.retrieval import Ranker
from index.fusion import reciprocal_rank
from index.search import Engine

__all__ = ["SYSTEMS", "needs_encoder", "systems"]

LEGS = {"bm25": ("bm25",), "dense": ("dense",), "hybrid": ("bm25", "dense")}
SYSTEMS = (*LEGS, "rrf")


def systems(engine: Engine, names: Sequence[str]) -> dict[str, Ranker]:
    """The named systems over ``engine``, in the order asked for.

    Raises:
        InputError: a name is unknown, or none is given.
    """
    unknown = [name for name in names if name not in SYSTEMS]
    if unknown or not names:
        msg = f"没有这个检索系统：{'、'.join(unknown) or '（空）'}；可选 {'、'.join(SYSTEMS)}"
        raise InputError(msg)
    return {name: _rrf(engine) if name == "rrf" else _legs(engine, LEGS[name]) for name in names}


def _legs(engine: Engine, legs: Sequence[str]) -> Ranker:
    def rank(question: str, k: int) -> list[tuple[int, float]]:
        return [(hit.position, hit.score) for hit in engine.rank(question, k, legs)]

    return rank


def _rrf(engine: Engine) -> Ranker:
    def rank(question: str, k: int) -> list[tuple[int, float]]:
        legs = [
            [hit.position for hit in engine.rank(question, k, (leg,))] for leg in LEGS["hybrid"]
        ]
        return reciprocal_rank(legs)[:k]

    return rank
