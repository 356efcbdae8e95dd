"""Questions files, verdicts and sums, on a chatbot small enough to read."""

import csv
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatbot.records import DISCLAIMER, Answer, Citation, Kind, Quote
from corpus.errors import InputError
from corpus.records import Article
from eval.answer_report import LABELS, write_answers
from eval.answers import Outcome, ask_all, latency, summary, summary_by_group
from eval.expectations import Case, load_cases, question_files
from eval.judge import holds, judge, normalise

ARTICLE = Article("limit", "惠州限额", "惠州一年最多付25万元。电话是0752-1234567。")
TITLES = frozenset({"惠州限额", "别的文章"})


class TinyBot:
    """Quotes its only article when 惠州 is named, sends chest pain to 120, else knows nothing."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, tuple[str, ...]]] = []

    def ask(self, question: str, *, region: str = "", history: Sequence[str] = ()) -> Answer:
        """Answer one turn."""
        self.asked.append((question, region, tuple(history)))
        if "胸痛" in question:
            return Answer(question, Kind.EMERGENCY, f"请马上打120。{DISCLAIMER}")
        if "惠州" not in " ".join((question, region, *history)):
            return Answer(question, Kind.NO_ANSWER, f"没有找到。{DISCLAIMER}")
        quote = Quote.of(ARTICLE, 0, 12)
        return Answer(
            question,
            Kind.ANSWER,
            f"{quote.text}[1]\n{DISCLAIMER}",
            quotes=(quote,),
            cited=(1,),
            citations=(Citation.of(1, ARTICLE),),
        )

    def article(self, article_id: str) -> Article:
        """The only article."""
        return {"limit": ARTICLE}[article_id]


CASES = [
    {
        "id": "right",
        "question": "惠州一年最多报多少",
        "source": "惠州限额",
        "facts": [["25万元", "25万"]],
        "kinds": ["answer"],
        "set": "seeds",
    },
    {
        "id": "half",
        "turns": ["我是惠州的", "限额和电话？"],
        "source": ["别的文章", "不在索引里"],
        "facts": [["25万"], ["0752-1234567"]],
        "kinds": ["answer", "caveat"],
        "set": "seeds",
    },
    {"id": "trap", "question": "深圳呢", "region": "惠州", "forbidden": ["25万"], "set": "traps"},
    {"id": "refused", "question": "限额？", "facts": [["25万"]], "kinds": ["answer"]},
    {"id": "wrongly", "question": "惠州能种牙吗", "kinds": ["no_answer"]},
    {"id": "emergency", "question": "胸痛", "kinds": ["emergency"], "facts": [["120"]]},
    {"id": "missed", "question": "喘不上气", "kinds": ["emergency"]},
    {"id": "alarm", "question": "胸痛能报销吗", "kinds": ["no_answer", "answer"]},
]


@pytest.fixture
def questions(tmp_path: Path) -> Path:
    """A questions file."""
    return write_cases(tmp_path / "mixed.jsonl", CASES)


@pytest.fixture
def outcomes(questions: Path) -> list[Outcome]:
    """Every case asked and judged."""
    return ask_all(TinyBot(), load_cases([questions]), TITLES)


def write_cases(path: Path, rows: Sequence[dict[str, Any]]) -> Path:
    lines = (json.dumps(row, ensure_ascii=False) for row in rows)
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def test_reads_every_field_and_groups_by_set_or_file(questions: Path) -> None:
    cases = load_cases([questions])
    assert cases[1] == Case(
        id="half",
        turns=("我是惠州的", "限额和电话？"),
        group="seeds",
        sources=("别的文章", "不在索引里"),
        facts=(("25万",), ("0752-1234567",)),
        kinds=("answer", "caveat"),
    )
    assert cases[1].question == "限额和电话？"
    assert cases[2].region == "惠州"
    assert [case.group for case in cases[2:5]] == ["traps", "mixed", "mixed"]
    assert [case.id for case in cases if case.answerable] == ["right", "half", "refused"]
    assert [case.id for case in cases if case.unanswerable] == ["wrongly"]
    assert [case.id for case in cases if case.emergency] == ["emergency", "missed"]


@pytest.mark.parametrize(
    ("row", "field"),
    [
        ({"question": "问"}, "id"),
        ({"id": " ", "question": "问"}, "id"),
        ({"id": "a"}, "question"),
        ({"id": "a", "question": 5}, "question"),
        ({"id": "a", "turns": []}, "turns"),
        ({"id": "a", "turns": "问"}, "turns"),
        ({"id": "a", "question": "问", "region": ["惠州"]}, "region"),
        ({"id": "a", "question": "问", "facts": ["25万"]}, "facts"),
        ({"id": "a", "question": "问", "facts": [[]]}, "facts"),
        ({"id": "a", "question": "问", "kinds": ["maybe"]}, "kinds"),
        ({"id": "a", "question": "问", "forbidden": [""]}, "forbidden"),
        ({"id": "a", "question": "问", "source": {"t": 1}}, "source"),
        ({"id": "a", "question": "问", "set": ""}, "set"),
        ({"id": "a", "question": "问", "style": 1}, "style"),
    ],
)
def test_a_damaged_row_is_named_with_its_line(
    tmp_path: Path, row: dict[str, Any], field: str
) -> None:
    path = write_cases(tmp_path / "bad.jsonl", [CASES[0], row])
    with pytest.raises(InputError, match=rf"bad\.jsonl 第 2 行.*{field}"):
        load_cases([path])


def test_an_id_twice_is_refused_across_files(tmp_path: Path, questions: Path) -> None:
    other = write_cases(tmp_path / "other.jsonl", CASES[:1])
    with pytest.raises(InputError, match=r"right.*重复"):
        load_cases([questions, other])


def test_the_last_turn_is_asked_with_region_and_history(questions: Path) -> None:
    bot = TinyBot()
    ask_all(bot, load_cases([questions])[:3], TITLES)
    assert bot.asked == [
        ("惠州一年最多报多少", "", ()),
        ("限额和电话？", "", ("我是惠州的",)),
        ("深圳呢", "惠州", ()),
    ]


def test_verdicts(outcomes: list[Outcome]) -> None:
    verdicts = {outcome.case.id: outcome.verdict for outcome in outcomes}
    assert not verdicts["right"].failed
    assert (verdicts["right"].source_cited, verdicts["right"].source_first) == (True, True)
    assert verdicts["half"].missing == ("0752-1234567",)
    assert (verdicts["half"].facts_found, verdicts["half"].source_cited) == (1, False)
    assert verdicts["trap"].forbidden_seen == ("25万",)
    assert verdicts["trap"].kind_right is None
    assert verdicts["refused"].source_cited is None
    assert [name for name, verdict in verdicts.items() if not verdict.failed] == [
        "right",
        "emergency",
    ]


def test_the_sums(outcomes: list[Outcome]) -> None:
    sums = summary(outcomes)
    assert sums["questions"] == 8
    assert sums["fact_recall"] == round(3 / 5, 4)
    assert sums["all_facts"] == 0.5
    assert (sums["sources_judged"], sums["source_cited"]) == (2, 0.5)
    assert sums["kind_accuracy"] == round(3 / 7, 4)
    assert sums["refused_answerable"] == round(1 / 3, 4)
    assert sums["answered_wrongly"] == 1.0
    assert sums["emergency_recall"] == 0.5
    assert sums["false_alarms"] == round(1 / 5, 4)
    assert (sums["wrong_place_figures"], sums["broken_quotes"]) == (1, 0)
    assert (sums["quotes"], sums["without_disclaimer"]) == (4, 0)
    assert set(sums) == set(LABELS)
    groups = summary_by_group(outcomes)
    assert list(groups) == ["all", "seeds", "traps", "mixed"]
    assert groups["traps"]["fact_recall"] is None
    times = latency(outcomes)
    assert 0 < times["p50_ms"] <= times["p95_ms"]


def test_a_quote_that_is_not_in_its_article_is_seen() -> None:
    case = Case("a", ("惠州",), "g")
    sound = TinyBot().ask("惠州").to_json("a")
    changed = [
        {"sentences": [sound["sentences"][0] | {"start": 1}]},
        {"sentences": [sound["sentences"][0] | {"article_id": "other"}]},
        {"sentences": [sound["sentences"][0] | {"citation": 2}]},
        {"text": DISCLAIMER},
    ]
    broken = [judge(case, sound | change, TinyBot().article, TITLES) for change in changed]
    assert [verdict.broken_quotes for verdict in broken] == [1, 1, 1, 1]
    assert judge(case, sound, TinyBot().article, TITLES).broken_quotes == 0
    bare = judge(case, sound | {"text": sound["text"] + "…"}, TinyBot().article, TITLES)
    assert not bare.disclaimer
    assert bare.failed


@pytest.mark.parametrize(
    ("text", "wanted", "found"),
    [
        ("最多25万元", "25万", True),
        ("最多125万元", "25万", False),
        ("最多1.25万元", "25万", False),
        ("25,000元", "２５０００元", True),
        ("報銷 55 %", "55%", True),
        ("报15.5%", "5.5%", False),
        ("满30年", "30", True),
        ("满300年", "30", False),
        ("满30.5年", "30", False),
        ("电话05525312916", "5312916", True),
        ("申請APP", "申请app", True),
    ],
)
def test_a_figure_must_stand_as_a_whole(text: str, wanted: str, found: bool) -> None:
    assert holds(normalise(text), normalise(wanted)) is found


@given(st.text())
def test_every_text_holds_itself(text: str) -> None:
    plain = normalise(text)
    assert "".join(plain.split()) == plain
    assert holds(plain, plain) is bool(plain)


def test_the_files(outcomes: list[Outcome], tmp_path: Path) -> None:
    write_answers(outcomes, tmp_path)
    metrics = json.loads((tmp_path / "metrics.json").read_text(encoding="utf-8"))
    assert metrics == summary_by_group(outcomes)
    lines = (tmp_path / "answers.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["id"] for line in lines] == [case["id"] for case in CASES]
    with (tmp_path / "per_question.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert rows[0]["text"] == outcomes[0].answer["text"]
    assert rows[1]["missing"] == "0752-1234567"
    html = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert html.index("Failed (6)") < html.index("half") < html.index("Passed (2)")
    assert "出现了别处的数字 25万" in html


def test_two_runs_differ_in_times_alone(outcomes: list[Outcome], tmp_path: Path) -> None:
    slower = [replace(outcome, milliseconds=99.0) for outcome in outcomes]
    for name, run in (("one", outcomes), ("two", slower)):
        (tmp_path / name).mkdir()
        write_answers(run, tmp_path / name)
    for file in ("metrics.json", "report.html", "answers.jsonl"):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()


def test_the_report_escapes_what_it_shows(tmp_path: Path) -> None:
    case = Case("a", ("<script>alert(1)</script>惠州",), "<b>", sources=("惠州限额",))
    write_answers(ask_all(TinyBot(), [case], TITLES), tmp_path)
    html = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "<script" not in html
    assert "<th>&lt;b&gt;</th>" in html


def test_the_shipped_questions_can_be_read() -> None:
    cases = load_cases(question_files("dev"))
    assert len(cases) >= 800
    assert all(case.kinds for case in cases)
