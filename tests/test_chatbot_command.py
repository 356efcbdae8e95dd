"""The command line of the chatbot, with a small encoder in place of the bundled one."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from chatbot import __main__ as command
from chatbot import answer
from chatbot.records import DISCLAIMER
from index import store
from tests.fake_encoder import FakeEncoder
from tests.small_corpus import write_corpus


@pytest.fixture(scope="module")
def index_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("command")
    store.build(write_corpus(place / "文章"), place / "索引", FakeEncoder())
    return place / "索引"


@pytest.fixture(autouse=True)
def _small_encoder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answer, "load_encoder", lambda name: FakeEncoder())


def run(*arguments: object) -> Result:
    return CliRunner().invoke(command.app, ["ask", *[str(argument) for argument in arguments]])


def failed(result: Result) -> str:
    """The one sentence on stderr of a run with status 1."""
    assert result.exit_code == 1
    assert result.stdout == ""
    lines = result.stderr.strip().splitlines()
    assert len(lines) == 1, lines
    return lines[0]


def questions(tmp_path: Path, *lines: str) -> Path:
    file = tmp_path / "问题.jsonl"
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return file


def test_ask_prints_the_text_that_a_citizen_sees(index_dir: Path):
    result = run("惠州门诊报销比例是多少", "--index", index_dir)
    assert result.exit_code == 0, result.output
    assert result.stdout.endswith(f"\n\n{DISCLAIMER}\n")
    assert result.stderr == ""


def test_json_is_one_object_and_nothing_else(index_dir: Path):
    result = run("惠州门诊报销比例是多少", "--index", index_dir, "--json")
    assert result.exit_code == 0, result.output
    assert result.stdout.count("\n") == 1
    row = json.loads(result.stdout)
    assert row["question"] == "惠州门诊报销比例是多少"
    assert row["disclaimer"] == DISCLAIMER
    assert row["slots"]["region"] == "广东省惠州市"
    assert row["retrieval"]["legs"] == ["bm25", "dense"]


def test_region_is_the_place(index_dir: Path):
    row = json.loads(run("门诊报销比例", "--index", index_dir, "--region", "惠州", "--json").stdout)
    assert row["slots"]["region"] == "广东省惠州市"


def test_an_empty_question_is_answered_as_invalid(index_dir: Path):
    result = run("", "--index", index_dir, "--json")
    assert result.exit_code == 0
    assert json.loads(result.stdout)["kind"] == "invalid"


def test_a_file_of_questions_is_answered_line_by_line(index_dir: Path, tmp_path: Path):
    file = questions(
        tmp_path,
        '{"id": "a", "question": "惠州门诊报销比例是多少"}',
        "",
        '{"id": "b", "turns": ["我是惠州的", "住院起付线多少"]}',
        '{"id": "c", "question": "住院起付线多少", "region": "深圳"}',
        '{"question": "住院起付线多少"}',
    )
    out = tmp_path / "答案.jsonl"
    result = run("--file", file, "--out", out, "--index", index_dir, "--region", "广州")
    assert result.exit_code == 0, result.output
    assert "4 个问题" in result.stdout
    rows = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    assert [row["id"] for row in rows] == ["a", "b", "c", None]
    assert rows[1]["question"] == "住院起付线多少"
    assert rows[1]["slots"]["region"] == "广东省惠州市"
    assert rows[2]["slots"]["region"] == "广东省深圳市"
    assert rows[3]["slots"]["region"] == "广东省广州市"
    assert [path.name for path in tmp_path.iterdir()] != []
    assert not list(tmp_path.glob(".答案*"))


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["问题", "--file", "a.jsonl", "--out", "b.jsonl"],
        ["--file", "a.jsonl"],
        ["--out", "b.jsonl"],
        ["问题", "--out", "b.jsonl"],
        ["问题", "--nonsense"],
        ["问题", "又一个问题"],
    ],
)
def test_bad_usage_ends_with_2(arguments: list[str]):
    result = run(*arguments)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr


def test_help_ends_with_0():
    result = run("--help")
    assert result.exit_code == 0
    assert "--region" in result.stdout


def test_without_an_index_one_sentence_says_what_to_do(tmp_path: Path):
    assert "python -m index build" in failed(run("门诊", "--index", tmp_path / "没有"))


@pytest.mark.parametrize(
    "line",
    [
        "{",
        "[]",
        "7",
        '{"id": "a"}',
        '{"question": 7}',
        '{"turns": []}',
        '{"turns": "门诊"}',
        '{"turns": [7]}',
        '"门诊"',
    ],
)
def test_a_broken_line_is_named(index_dir: Path, tmp_path: Path, line: str):
    file = questions(tmp_path, '{"question": "门诊"}', line)
    out = tmp_path / "答案.jsonl"
    sentence = failed(run("--file", file, "--out", out, "--index", index_dir))
    assert "第 2 行" in sentence
    assert file.name in sentence
    assert not out.exists()


def test_a_questions_file_that_cannot_be_read_is_named(index_dir: Path, tmp_path: Path):
    assert "没有.jsonl" in failed(
        run("--file", tmp_path / "没有.jsonl", "--out", tmp_path / "a", "--index", index_dir)
    )
    latin = tmp_path / "latin.jsonl"
    latin.write_bytes(b'{"question": "\xff\xfe"}\n')
    assert "UTF-8" in failed(run("--file", latin, "--out", tmp_path / "a", "--index", index_dir))


def test_an_output_that_cannot_be_written_is_one_sentence(index_dir: Path, tmp_path: Path):
    file = questions(tmp_path, '{"question": "门诊"}')
    sentence = failed(
        run("--file", file, "--out", tmp_path / "没有" / "答案", "--index", index_dir)
    )
    assert "找不到目录" in sentence
    assert "没有" in sentence
    sentence = failed(run("--file", file, "--out", tmp_path, "--index", index_dir))
    assert "写不了答案文件" in sentence
