"""Are contradictions between two articles found, and is nothing else called one?

A line of a set holds two short articles and whether they contradict each other; ``group`` says by
what two articles that do not are alike or apart (other place, other tier, same value written
otherwise …).
"""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from corpus.conflicts import conflicts
from corpus.errors import InputError, SkippedFile
from corpus.readers.markdown import to_article
from corpus.records import Article

FOLDER = Path(__file__).with_name("questions")
SETS = {half: FOLDER / f"conflicts-{half}.jsonl" for half in ("dev", "test")}
CONFLICT = "conflict"  # the group of the pairs that contradict each other


@dataclass(frozen=True, slots=True)
class Pair:
    """Two articles and whether they contradict each other."""

    id: str
    group: str
    conflict: bool
    first: Article
    second: Article


@dataclass(frozen=True, slots=True)
class GroupResult:
    """How many pairs of a group were called contradictory, and the ids of the wrong calls."""

    pairs: int
    called: int
    wrong: tuple[str, ...]

    @property
    def rate(self) -> float:
        """Share called contradictory: recall for conflicts, false alarms for the other groups."""
        return self.called / self.pairs


def _pair(row: Mapping[str, Any]) -> Pair:
    first, second = (
        to_article(
            {key: value for key, value in row[side].items() if key != "body"},
            row[side]["body"],
            default_id=f"{row['id']}-{side}",
        )
        for side in ("a", "b")
    )
    return Pair(row["id"], row["group"], bool(row["conflict"]), first, second)


def load_pairs(path: Path) -> list[Pair]:
    """The pairs of a set.

    Raises:
        InputError: the file cannot be read or a line is no pair.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        msg = f"读不了题目文件 {path}，请检查路径和编码（UTF-8）"
        raise InputError(msg) from error
    pairs = []
    for number, line in enumerate(lines, 1):
        try:
            pairs.append(_pair(json.loads(line)))
        except (ValueError, KeyError, TypeError, AttributeError, SkippedFile) as error:
            msg = f"{path.name} 第 {number} 行不是一对文章，要有 id、group、conflict、a、b"
            raise InputError(msg) from error
    if not pairs:
        msg = f"{path.name} 里没有题目"
        raise InputError(msg)
    return pairs


def judge(pairs: Sequence[Pair]) -> dict[str, GroupResult]:
    """The outcome by group, ``conflict`` first."""
    called: dict[str, list[tuple[Pair, bool]]] = defaultdict(list)
    for pair in sorted(pairs, key=lambda pair: not pair.conflict):
        called[pair.group].append((pair, bool(conflicts((pair.first, pair.second)))))
    return {
        group: GroupResult(
            pairs=len(calls),
            called=sum(call for _, call in calls),
            wrong=tuple(pair.id for pair, call in calls if call != pair.conflict),
        )
        for group, calls in called.items()
    }


def summary(results: Mapping[str, GroupResult]) -> dict[str, float]:
    """``recall`` over the conflicts, ``false_alarms`` over all other pairs; shares from 0 to 1."""
    found = results.get(CONFLICT)
    others = [result for group, result in results.items() if group != CONFLICT]
    pairs = sum(result.pairs for result in others)
    return {
        "recall": found.rate if found else 0.0,
        "false_alarms": sum(result.called for result in others) / pairs if pairs else 0.0,
    }
