"""Questions files: one JSON object a line, with what a right answer must and must not hold.

The fields are told in ``eval/questions/README.md``. Every error names the file and the line.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chatbot.records import Kind
from corpus.errors import InputError
from eval.lines import json_rows

__all__ = ["ANSWERING", "Case", "load_cases", "question_files"]

QUESTIONS = Path(__file__).parent / "questions"
OTHERS = ("conflicts-", "regions-")  # pairs of articles, labelled places: no questions to the bot

ANSWERING = frozenset({Kind.ANSWER, Kind.CAVEAT, Kind.CONFLICT})  # kinds that quote an article
KINDS = frozenset(kind.value for kind in Kind)


@dataclass(frozen=True, slots=True)
class Case:
    """One question and what is expected of the answer to its last turn.

    ``facts`` are groups of aliases, one of each group must stand in the answer; ``kinds`` are the
    acceptable kinds (empty: any); ``sources`` are titles of which one must be cited.
    """

    id: str
    turns: tuple[str, ...]
    group: str
    region: str = ""
    sources: tuple[str, ...] = ()
    facts: tuple[tuple[str, ...], ...] = ()
    kinds: tuple[str, ...] = ()
    forbidden: tuple[str, ...] = ()
    style: str = ""

    @property
    def question(self) -> str:
        """The turn that is judged: the last."""
        return self.turns[-1]

    @property
    def answerable(self) -> bool:
        """The corpus holds the answer and every acceptable kind quotes it."""
        return bool(self.facts and self.kinds) and set(self.kinds) <= ANSWERING

    @property
    def unanswerable(self) -> bool:
        """No kind that quotes an article is acceptable, and it is no emergency."""
        return bool(self.kinds) and not set(self.kinds) & {*ANSWERING, Kind.EMERGENCY}

    @property
    def emergency(self) -> bool:
        """The only acceptable answer is to call for help."""
        return self.kinds == (Kind.EMERGENCY,)


def question_files(half: str = "", folder: Path = QUESTIONS) -> list[Path]:
    """The questions files of one half (``dev``, ``test``) or all of them, by name."""
    found = sorted(folder.glob(f"*-{half}.jsonl" if half else "*.jsonl"))
    return [path for path in found if not path.name.startswith(OTHERS)]


def load_cases(paths: Sequence[Path]) -> list[Case]:
    """Read questions files, in order; a group is the field ``set`` or the file's name.

    Raises:
        InputError: a file or a line is damaged, or an id stands twice.
    """
    cases: list[Case] = []
    seen: dict[str, str] = {}
    for path in paths:
        for number, row in json_rows(path):
            where = f"{path} 第 {number} 行"
            case = _case(row, path.stem, where)
            if case.id in seen:
                msg = f"{where}：id {case.id} 与 {seen[case.id]} 重复"
                raise InputError(msg)
            seen[case.id] = where
            cases.append(case)
    return cases


def _case(row: dict[str, Any], stem: str, where: str) -> Case:
    turns = row["turns"] if "turns" in row else [row.get("question")]
    source = row.get("source", [])
    return Case(
        id=_check(row.get("id"), _is_word, "id", where),
        turns=tuple(_check(turns, _are_questions, "question 或 turns", where)),
        group=_check(row.get("set", stem), _is_word, "set", where),
        region=_check(row.get("region") or "", _is_text, "region", where),
        sources=(source,)
        if isinstance(source, str)
        else tuple(_check(source, _are_words, "source", where)),
        facts=tuple(
            tuple(group) for group in _check(row.get("facts", []), _are_facts, "facts", where)
        ),
        kinds=tuple(_check(row.get("kinds", []), _are_kinds, "kinds", where)),
        forbidden=tuple(_check(row.get("forbidden", []), _are_words, "forbidden", where)),
        style=_check(row.get("style", ""), _is_text, "style", where),
    )


def _check(value: Any, sound: Callable[[Any], bool], field: str, where: str) -> Any:  # noqa: ANN401
    """``value`` if it is sound, else an ``InputError`` that names field and line."""
    if not sound(value):
        msg = f"{where}：字段 {field} 缺少或写错了，写法见 eval/questions/README.md"
        raise InputError(msg)
    return value


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_word(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _are_words(value: object) -> bool:
    return isinstance(value, list) and all(_is_word(item) for item in value)


def _are_questions(value: object) -> bool:
    """Texts, at least one; they may be blank: a blank question is a case too."""
    return isinstance(value, list) and bool(value) and all(_is_text(item) for item in value)


def _are_facts(value: object) -> bool:
    return isinstance(value, list) and all(_are_words(group) and group for group in value)


def _are_kinds(value: object) -> bool:
    return isinstance(value, list) and set(map(str, value)) <= KINDS
