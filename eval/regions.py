"""How well places in texts are recognised: labelled texts, precision and recall, failures.

A label is a name, the place or places that it may mean, and its role. A mention counts as found if
name and places agree, as read if the role agrees too. The format of the files is told in
``questions/README.md``.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import typer

from corpus.errors import InputError
from corpus.place_suggestions import suggest_places
from corpus.regions import PlacePath, PlaceReading, mentions, read_places, within
from eval.console import show_table
from eval.lines import json_rows

__all__ = [
    "LabelledText",
    "Outcome",
    "Tally",
    "as_dict",
    "judge_text",
    "load_labels",
    "show_failures",
    "show_summary",
    "summarise",
]

PARTS = ("names", "roles", "suggestions")
ANY = "any"  # places compared on equal terms: the role is not judged
ROLES = ("insured", "care", "none", ANY)

Named = tuple[str, tuple[PlacePath, ...]]


@dataclass(frozen=True, slots=True)
class LabelledText:
    """A text and what a person reads in it; ``roles`` holds each mention's role, one of ROLES."""

    id: str
    text: str
    kind: str
    roles: dict[Named, str]
    suggestions: frozenset[PlacePath] = frozenset()


@dataclass(frozen=True, slots=True)
class Tally:
    """Counts of right, spurious and missed items.

    >>> Tally(right=3, spurious=1, missed=0).precision
    0.75
    """

    right: int
    spurious: int
    missed: int

    @property
    def precision(self) -> float | None:
        """The share of what was found that is right, or None if nothing was found."""
        return self.right / found if (found := self.right + self.spurious) else None

    @property
    def recall(self) -> float | None:
        """The share of what there is that was found, or None if there is nothing."""
        return self.right / there if (there := self.right + self.missed) else None

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(
            self.right + other.right, self.spurious + other.spurious, self.missed + other.missed
        )


@dataclass(frozen=True, slots=True)
class Outcome:
    """One text's tallies: names with their places, the same with roles, suggested places."""

    label: LabelledText
    found: dict[Named, str]
    names: Tally
    roles: Tally
    suggestions: Tally

    @property
    def failed(self) -> bool:
        """Whether anything is wrong with names or roles, or a wrong place is suggested."""
        parts = (self.names, self.roles)
        return any(p.spurious or p.missed for p in parts) or self.suggestions.spurious > 0


def load_labels(path: Path) -> list[LabelledText]:
    """Read a file of labelled texts.

    Raises:
        InputError: the file or a line is damaged; names the line.
    """
    return [_labelled(row, f"{path} 第 {number} 行") for number, row in json_rows(path)]


def _labelled(row: dict[str, Any], where: str) -> LabelledText:
    try:
        text, kind = str(row["question"]), str(row["kind"])
        roles = {
            (str(m["name"]), tuple(sorted(tuple(p) for p in m["places"]))): str(m["role"])
            for m in row["mentions"]
        }
        suggestions = frozenset(tuple(path) for path in row.get("suggest", []))
        label = LabelledText(str(row["id"]), text, kind, roles, suggestions)
    except (KeyError, TypeError) as error:
        msg = f"{where}：写法不对（{error}），写法见 eval/questions/README.md"
        raise InputError(msg) from error
    if wrong := [n for (n, _), role in roles.items() if n not in label.text or role not in ROLES]:
        msg = f"{where}：{'、'.join(wrong)} 不在原文里，或角色不是 {'、'.join(ROLES)} 之一"
        raise InputError(msg)
    return label


def _role(places: Sequence[PlacePath], reading: PlaceReading) -> str:
    """The role that a reading gives to a mention; a parent of a place has the role of the place."""
    if len(places) != 1:
        return "none"
    if reading.insured and within(reading.insured, places[0]):
        return "insured"
    return "care" if reading.care and within(reading.care, places[0]) else "none"


def _tally(found: set[Any], there: set[Any]) -> Tally:
    return Tally(len(found & there), len(found - there), len(there - found))


def judge_text(label: LabelledText) -> Outcome:
    """Read a text and compare with its label."""
    reading = read_places(label.text)
    found = {
        (m.span.of(label.text), m.candidates): _role(m.candidates, reading)
        for m in mentions(label.text)
    }
    judged = {
        named: ANY if label.roles.get(named) == ANY else role for named, role in found.items()
    }
    return Outcome(
        label,
        found,
        names=_tally(set(found), set(label.roles)),
        roles=_tally(set(judged.items()), set(label.roles.items())),
        suggestions=_tally(set(suggest_places(label.text)), set(label.suggestions)),
    )


def summarise(outcomes: Iterable[Outcome]) -> dict[str, dict[str, Tally]]:
    """``{kind: {"names" | "roles" | "suggestions": tally}}``, with all texts together last."""
    nothing = Tally(0, 0, 0)
    sums: dict[str, dict[str, Tally]] = {}
    everything = dict.fromkeys(PARTS, nothing)
    for outcome in outcomes:
        of = sums.setdefault(outcome.label.kind, dict.fromkeys(PARTS, nothing))
        for part in PARTS:
            of[part] += getattr(outcome, part)
            everything[part] += getattr(outcome, part)
    return sums | {"all": everything}


def as_dict(outcomes: Sequence[Outcome]) -> dict[str, dict[str, dict[str, float | None]]]:
    """``{kind: {part: {"precision", "recall", "right", "spurious", "missed"}}}``."""
    return {
        kind: {
            part: {"precision": tally.precision, "recall": tally.recall} | asdict(tally)
            for part, tally in parts.items()
        }
        for kind, parts in summarise(outcomes).items()
    }


def show_summary(outcomes: Sequence[Outcome]) -> None:
    """Print precision and recall by kind of text."""
    texts = Counter(outcome.label.kind for outcome in outcomes) + Counter({"all": len(outcomes)})
    header = ("", "条", "地名 准确", "召回", "连角色 准确", "召回", "建议 准确", "召回")
    rows = [
        (kind, texts[kind], *(share for part in PARTS for share in _shares(parts[part])))
        for kind, parts in summarise(outcomes).items()
    ]
    show_table(header, rows)


def _shares(tally: Tally) -> tuple[float | None, float | None]:
    return tally.precision, tally.recall


def show_failures(outcomes: Iterable[Outcome]) -> None:
    """Print the texts that were read otherwise than labelled: what should be, what came out."""
    for outcome in outcomes:
        if outcome.failed:
            label = outcome.label
            typer.echo(f"{label.id} {label.kind}：{label.text}")
            typer.echo(f"  应为 {_told(label.roles)}")
            typer.echo(f"  认成 {_told(outcome.found)}")


def _told(roles: Mapping[Named, str]) -> str:
    told = (
        f"{name}={'或'.join(''.join(place) for place in places)}（{role}）"
        for (name, places), role in roles.items()
    )
    return "，".join(told) or "没有地名"
