"""The command line of the index, with a small encoder in place of the bundled one."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from index import __main__ as command
from index import manifest
from tests.fake_encoder import FakeEncoder


def run(*arguments: object) -> Result:
    return CliRunner().invoke(command.app, [str(argument) for argument in arguments])


def failed(result: Result, *words: str) -> None:
    """One sentence on stderr, status 1, no traceback."""
    assert result.exit_code == 1
    assert result.stdout == ""
    lines = [line for line in result.stderr.strip().splitlines() if line]
    assert len(lines) == 1, lines
    assert all(word in lines[0] for word in (*words, "。" if "。" in lines[0] else "")), lines


@pytest.fixture(autouse=True)
def names(monkeypatch: pytest.MonkeyPatch) -> list[str | None]:
    """What ``load_encoder`` was asked for."""
    asked: list[str | None] = []

    def load(name: str | None = None) -> FakeEncoder:
        asked.append(name)
        return FakeEncoder(name or "bundled")

    monkeypatch.setattr(command, "load_encoder", load)
    return asked


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    found = tmp_path / "文章"
    found.mkdir()
    for name, body in (("门诊", "门诊报80%。"), ("住院", "住院报90%。"), ("津贴", "津贴按天算。")):
        (found / f"{name}.md").write_text(f"# {name}怎么办\n\n{body}\n", encoding="utf-8")
    return found


@pytest.fixture
def out(corpus: Path, tmp_path: Path) -> Path:
    place = tmp_path / "索引"
    result = run("build", "--corpus", corpus, "--out", place)
    assert result.exit_code == 0, result.output
    assert result.stdout == "索引已建好：3 篇文章，3 个片段，3 句话，模型 bundled。\n"
    return place


def test_build_again_says_that_nothing_was_to_do(corpus: Path, out: Path) -> None:
    assert "索引已是最新：3 篇文章" in run("build", "--corpus", corpus, "--out", out).stdout


def test_the_model_that_built_it_answers_too(
    corpus: Path, tmp_path: Path, names: list[str | None]
) -> None:
    place = tmp_path / "别"
    assert run("build", "--corpus", corpus, "--out", place, "--model", "a/b").exit_code == 0
    assert run("search", "门诊", "--index", place).exit_code == 0
    assert names == ["a/b", "a/b"]


def test_search_shows_passages(out: Path) -> None:
    result = run("search", "住院报多少", "--index", out, "-k", 2)
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert len(lines) == 4
    assert lines[0].startswith("1. ")
    assert "《住院怎么办》未注明" in lines[0]
    assert lines[1].strip() == "住院报90%。"


def test_search_as_json_is_one_object_of_verbatim_hits(corpus: Path, out: Path) -> None:
    result = run("search", "住院报多少", "--index", out, "--json")
    data = json.loads(result.stdout)
    assert data["question"] == "住院报多少"
    assert len(data["hits"]) == 3
    assert [hit["score"] for hit in data["hits"]] == sorted(
        (hit["score"] for hit in data["hits"]), reverse=True
    )
    first = data["hits"][0]
    assert set(first) == {
        "chunk_id", "article_id", "title", "place", "start", "end", "text", "score",
        "bm25", "bm25_rank", "dense", "dense_rank",
    }  # fmt: skip
    assert (first["article_id"], first["text"]) == ("住院", "住院报90%。")
    body = (corpus / "住院.md").read_text(encoding="utf-8").split("\n\n")[1].strip()
    assert body[first["start"] : first["end"]] == first["text"]


def test_verify(out: Path) -> None:
    result = run("verify", "--index", out)
    assert (result.exit_code, result.stdout) == (0, "索引完好：3 篇文章，3 个片段。\n")


def test_errors_are_one_sentence(corpus: Path, out: Path, tmp_path: Path) -> None:
    gone = tmp_path / "没有"
    failed(run("verify", "--index", gone), "请先建立：python -m index build")
    failed(run("search", "门诊", "--index", gone), "请先建立：python -m index build")
    failed(run("build", "--corpus", gone, "--out", out), "找不到文章目录")
    failed(run("build", "--corpus", corpus, "--out", corpus / "门诊.md"), "写不了索引目录")
    (corpus / "门诊.md").write_text("# 门诊\n\n改了。", encoding="utf-8")
    failed(run("verify", "--index", out), "文章改过了")
    failed(run("search", "门诊", "--index", out), "文章改过了")
    assert run("build", "--corpus", corpus, "--out", out).exit_code == 0
    (manifest.version_of(out) / "terms.txt").write_text("坏", encoding="utf-8")
    failed(run("verify", "--index", out), "terms.txt", "请重建索引")


@pytest.mark.parametrize("k", ["0", "1001", "多"])
def test_bad_usage_ends_with_2(out: Path, k: str) -> None:
    assert run("search", "门诊", "--index", out, "-k", k).exit_code == 2
    assert run("search", "--index", out).exit_code == 2
    assert run("无此命令").exit_code == 2


def test_every_command_has_help() -> None:
    for name in ("build", "search", "verify", "model"):
        result = run(name, "--help")
        assert result.exit_code == 0
        assert "Traceback" not in result.output
