"""The question sets are well formed; no line of a test half is shown by a failure here."""

import re
from collections import Counter

import pytest

from chatbot.records import Kind
from eval.expectations import QUESTIONS, Case, load_cases, question_files

FILES = question_files()
SETS = sorted({path.stem.rsplit("-", 1)[0] for path in FILES})
FITTED = {"heard-emergency", "heard-lookalikes"}  # of these both halves are for the fit


@pytest.fixture(scope="module")
def cases() -> list[Case]:
    return load_cases(FILES)


def test_every_set_has_two_halves():
    tests = {f"{name}-test" for name in SETS if name not in FITTED}
    assert {path.stem for path in FILES} == {f"{name}-dev" for name in SETS} | tests


def test_all_files_load_together_so_that_every_id_is_unique(cases: list[Case]):
    ids = Counter(case.id for case in cases)
    assert len(ids) == len(cases) == sum(path.read_bytes().count(b"\n") for path in FILES)


def test_an_id_begins_with_the_name_of_its_set(cases: list[Case]):
    assert {case.group for case in cases} == {path.stem for path in FILES}
    wrong = [case.id for case in cases if not re.fullmatch(rf"{case.group}-\d+", case.id)]
    assert wrong == []


def test_the_counts_are_those_of_the_readme(cases: list[Case]):
    text = (QUESTIONS / "README.md").read_text(encoding="utf-8")
    told = {
        name: (int(dev), int(test or dev))
        for name, dev, test in re.findall(
            r"^\| `([a-z-]+)-\*\.jsonl` \| (\d+)(?: \+ (\d+))? \|", text, re.M
        )
    }
    assert set(told) == set(SETS)
    found = Counter(case.group for case in cases)
    for name, counts in told.items():
        assert (name, (found[f"{name}-dev"], found[f"{name}-test"])) == (name, counts)


def test_every_case_expects_known_kinds(cases: list[Case]):
    known = {kind.value for kind in Kind}
    assert [case.id for case in cases if not case.kinds or not set(case.kinds) <= known] == []


def test_an_answerable_case_names_what_is_looked_for(cases: list[Case]):
    wanted = [c for c in cases if "seeds" in c.group or "shipped" in c.group]
    assert [case.id for case in wanted if not (case.facts and case.sources)] == []


def test_what_cannot_be_answered_names_no_fact(cases: list[Case]):
    assert [case.id for case in cases if case.unanswerable and case.facts] == []


def test_nothing_forbidden_stands_in_its_own_question_or_facts(cases: list[Case]):
    wrong = [
        case.id
        for case in cases
        for text in case.forbidden
        if text in "".join(case.turns) or any(text in fact for fact in case.facts)
    ]
    assert wrong == []


def test_the_halves_share_no_question(cases: list[Case]):
    dev = {case.turns for case in cases if case.group.endswith("-dev")}
    test = {case.turns for case in cases if case.group.endswith("-test")}
    assert len(dev & test) == 0, "a question stands in both halves"


def test_only_dialogues_have_several_turns(cases: list[Case]):
    for case in cases:
        turns = len(case.turns)
        right = 2 <= turns <= 6 if "dialogues" in case.group else turns == 1
        assert right, case.id
