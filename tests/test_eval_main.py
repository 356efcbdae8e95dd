"""The command line: real files in, real files out, one sentence for what fails."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from eval import suite
from eval.__main__ import app
from eval.metrics import METRICS
from eval.report import TIMES
from index.encoder import Encoder

DOCUMENTS = {
    "d1": "申请门特要带身份证和近期病历。",
    "d2": "异地就医前先在国家医保服务平台备案。",
    "d3": "生育津贴由单位向医保局申报。",
    "d4": "今天天气晴朗，适合散步。",
}
QUERIES = {"q1": "门特要带什么材料", "q2": "去外地看病怎么备案", "q3": "？！"}
QRELS = "query-id\tcorpus-id\tscore\nq1\td1\t1\nq2\td2\t1\nq3\td3\t1\n"


@pytest.fixture
def collection(tmp_path: Path) -> Path:
    """A collection of four documents; the third query finds nothing."""
    folder = tmp_path / "tiny"
    (folder / "qrels").mkdir(parents=True)
    write_lines(folder / "corpus.jsonl", [{"_id": k, "text": v} for k, v in DOCUMENTS.items()])
    write_lines(folder / "queries.jsonl", [{"_id": k, "text": v} for k, v in QUERIES.items()])
    (folder / "qrels" / "dev.tsv").write_text(QRELS, encoding="utf-8")
    return folder


def write_lines(path: Path, rows: list[dict[str, str]]) -> None:
    lines = (json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    path.write_text("".join(lines), encoding="utf-8")


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def files_of(folder: Path) -> dict[str, bytes]:
    """All files but the times."""
    files = {p.name: p.read_bytes() for p in folder.iterdir() if p.name != "timings.json"}
    before, _, after = files["report.html"].split(TIMES.encode())
    return files | {"report.html": before + after}


def test_retrieval_writes_every_file(collection: Path, tmp_path: Path) -> None:
    done = run(
        "retrieval", "--data", collection, "--systems", "bm25", "--out", tmp_path / "out", "--json"
    )
    assert done.exit_code == 0, done.output
    printed = json.loads(done.stdout)
    written = json.loads((tmp_path / "out" / "metrics.json").read_text(encoding="utf-8"))
    assert printed == {"tiny": written}
    assert written["bm25"] == dict.fromkeys(METRICS, pytest.approx(2 / 3, abs=1e-6))
    assert set(files_of(tmp_path / "out")) == {
        *("metrics.json", "per_query.csv", "significance.csv", "report.html", "run.bm25.trec"),
        *("qrels.trec", "topics.tsv", "slices.csv"),
    }


def test_all_systems_twice_are_byte_identical(
    collection: Path, tmp_path: Path, encoder: Encoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(suite, "load_encoder", lambda _: encoder)
    for name in ("one", "two"):
        cache = tmp_path / f"{name}.db"  # no help from the other run's vectors
        options = ("--systems", "bm25,dense,hybrid,rrf", "--cache", cache)
        done = run("retrieval", "--data", collection, *options, "--out", tmp_path / name)
        assert done.exit_code == 0, done.output
        assert "hybrid" in done.stdout
    files = files_of(tmp_path / "one")
    assert files == files_of(tmp_path / "two")
    metrics = json.loads(files["metrics.json"])
    assert list(metrics) == ["bm25", "dense", "hybrid", "rrf"]
    assert metrics["dense"]["Recall@10"] == 1.0
    assert files["significance.csv"].count(b"\n") == 1 + 3 * len(METRICS)


def test_several_collections_get_folders_and_a_summary(collection: Path, tmp_path: Path) -> None:
    other = collection.rename(tmp_path / "other")
    again = tmp_path / "again"
    again.mkdir()
    for path in ("corpus.jsonl", "queries.jsonl"):
        (again / path).write_bytes((other / path).read_bytes())
    (again / "qrels").mkdir()
    (again / "qrels" / "dev.tsv").write_text(QRELS, encoding="utf-8")
    options = ("--systems", "bm25", "--limit", 1, "--out", tmp_path / "out")
    done = run("retrieval", "--data", other, "--data", again, *options)
    assert done.exit_code == 0, done.output
    summary = json.loads((tmp_path / "out" / "summary.json").read_text(encoding="utf-8"))
    assert list(summary) == ["other", "again"]
    assert summary["again"]["bm25"]["nDCG@10"] == 1.0
    assert (tmp_path / "out" / "again" / "report.html").is_file()
    twice = run("retrieval", "--data", other, "--data", other, *options)
    assert twice.exit_code == 1
    assert "同名" in twice.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("retrieval",),
        ("retrieval", "--data", "x", "--out", "y", "--systems", "bm26"),
        ("retrieval", "--data", "x", "--out", "y", "--systems", " , "),
        ("retrieval", "--data", "x", "--out", "y", "--limit", "0"),
        ("answers", "--out", "y"),
        ("nonsense",),
    ],
)
def test_bad_usage_ends_with_2(arguments: tuple[str, ...]) -> None:
    assert run(*arguments).exit_code == 2


def test_what_fails_is_one_sentence_and_status_1(collection: Path, tmp_path: Path) -> None:
    (collection / "corpus.jsonl").write_text('{"_id": "d1", "text": "。！"}\n', encoding="utf-8")
    no_words = run("retrieval", "--data", collection, "--systems", "bm25", "--out", tmp_path / "o")
    missing = run("retrieval", "--data", tmp_path / "none", "--out", tmp_path / "o")
    no_index = run(
        "answers", "--questions", questions(tmp_path), "--index", tmp_path, "--out", tmp_path / "o"
    )
    for done, words in (
        (no_words, "没有可检索的文字"),
        (missing, "找不到数据集文件夹"),
        (no_index, "python -m index build"),
    ):
        assert done.exit_code == 1, done.output
        assert words in done.stderr
        assert len(done.stderr.splitlines()) == 1
        assert "Traceback" not in done.output


def questions(folder: Path) -> Path:
    """A questions file of two."""
    path = folder / "questions.jsonl"
    row = {"id": "a", "question": "门特怎么办理", "kinds": ["answer", "caveat"]}
    write_lines(path, [row, {"id": "b", "question": "写一首诗", "kinds": ["no_answer"]}])  # type: ignore[dict-item, list-item]
    return path


def test_answers_over_the_shipped_index(shipped_index: Path, tmp_path: Path) -> None:
    arguments = ("--questions", questions(tmp_path), "--index", shipped_index)
    done = run("answers", *arguments, "--out", tmp_path / "out", "--json")
    assert done.exit_code == 0, done.output
    metrics = json.loads(done.stdout)["all"]
    assert metrics["questions"] == 2
    assert (metrics["broken_quotes"], metrics["without_disclaimer"]) == (0, 0)
    assert len((tmp_path / "out" / "answers.jsonl").read_text("utf-8").splitlines()) == 2


def test_help_is_in_chinese_for_every_command() -> None:
    for command in ("retrieval", "answers", "bench", "calibrate"):
        shown = run(command, "--help")
        assert shown.exit_code == 0
        assert any("\u4e00" <= letter <= "\u9fff" for letter in shown.stdout)
