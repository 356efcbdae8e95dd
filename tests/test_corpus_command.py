"""The command line of the corpus: results, JSON, exit statuses, errors in one sentence."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from corpus.__main__ import app
from corpus.records import Article


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def failed(result: Result, *words: str) -> None:
    """One sentence on stderr, status 1, no traceback."""
    assert result.exit_code == 1
    assert result.stdout == ""
    (line,) = result.stderr.strip().splitlines()
    assert "Traceback" not in line
    assert all(word in line for word in words), line


@pytest.fixture
def source(tmp_path: Path, article: Article) -> Path:
    found = tmp_path / "源"
    found.mkdir()
    (found / "甲.txt").write_text(f"{article.title}\n{article.body}", encoding="utf-8")
    (found / "乙.md").write_text("---\ntitle: 门诊\ntopic: 门诊\n---\n报80%。", encoding="utf-8")
    return found


def test_import_says_what_it_did(source: Path, tmp_path: Path) -> None:
    result = run("import", source, "--to", tmp_path / "库")
    assert result.exit_code == 0, result.output
    assert "导入 2 篇，未变 0 篇，跳过 0 个文件。" in result.stdout
    assert "没写地区 1 篇，没有日期 2 篇，没写哪一年 2 篇" in result.stdout
    assert "  乙《门诊》：没写地区、没有日期、没写哪一年、没有来源\n" in result.stdout
    assert "未变 2 篇" in run("import", source, "--to", tmp_path / "库").stdout


def test_import_names_what_it_skips_and_ends_with_1(source: Path, tmp_path: Path) -> None:
    (source / "空.txt").write_bytes(b"")
    result = run("import", source, "--to", tmp_path / "库")
    assert result.exit_code == 1
    assert "空.txt：是空文件" in result.stderr
    assert "导入 2 篇" in result.stdout


def test_import_as_json(source: Path, tmp_path: Path) -> None:
    (source / "空.txt").write_bytes(b"")
    result = run("import", source, source / "没有.txt", "--to", tmp_path / "库", "--json")
    assert result.exit_code == 1
    data = json.loads(result.stdout)
    assert set(data) == {"imported", "unchanged", "skipped", "missing"}
    assert data["missing"]["没写地区"] == ["乙"]
    assert "乙" in data["imported"]
    assert [(Path(row["file"]).name, row["reason"]) for row in data["skipped"]] == [
        ("空.txt", "是空文件"),
        ("没有.txt", "找不到这个文件"),
    ]


def test_import_into_a_file_fails_in_one_sentence(source: Path) -> None:
    failed(run("import", source, "--to", source / "甲.txt"), "写不进目录")


def test_lint_lists_findings_and_only_errors_end_with_1(source: Path) -> None:
    for path in source.glob("*.txt"):
        path.unlink()
    result = run("lint", source)
    assert result.exit_code == 0
    assert "请留意　乙《门诊》：有数字，却没有写明是哪里的规定" in result.stdout
    assert "共 5 条，其中已确认 0 条，还要看 5 条。" in result.stdout
    (source / "丙.md").write_text("题\n文。\n本内容不能代替面诊。", encoding="utf-8")
    result = run("lint", source, "--json")
    assert result.exit_code == 1
    findings = json.loads(result.stdout)["findings"]
    assert [f["article_id"] for f in findings if f["severity"] == "error"] == ["丙"]
    assert "必须改" in run("lint", source).stdout


def test_stats_count_places_topics_and_authorities(source: Path) -> None:
    for path in source.glob("*.txt"):
        path.unlink()
    result = run("stats", source)
    assert result.exit_code == 0
    assert "文章 1 篇，正文 5 字。" in result.stdout
    assert "未注明　1" in result.stdout
    assert "待核实　1" in result.stdout
    assert json.loads(run("stats", source, "--json").stdout) == {
        "articles": 1,
        "characters": 5,
        "place": {"未注明": 1},
        "topic": {"门诊": 1},
        "authority": {"unverified": 1},
    }


def test_stats_table_crosses_topics_places_and_authorities(source: Path) -> None:
    for path in source.glob("*.txt"):
        path.unlink()
    head = "title: 丁\nplace: [全国]\ntopic: 住院\nauthority: official"
    (source / "丁.md").write_text(f"---\n{head}\n---\n先付起付线。", encoding="utf-8")
    assert run("stats", source, "--table").stdout.splitlines() == [
        "| 主题 | 全国·官方 | 未注明·待核实 | 合计 |",
        "|---|---|---|---|",
        "| 住院 | 1 |  | 1 |",
        "| 门诊 |  | 1 | 1 |",
        "| 合计 | 1 | 1 | 2 |",
    ]


def test_the_shipped_articles_are_the_default() -> None:
    data = json.loads(run("stats", "--json").stdout)
    assert data["articles"] >= 42
    assert run("lint").exit_code == 0


@pytest.mark.parametrize("command", ["lint", "stats"])
def test_a_missing_or_broken_folder_is_one_sentence(command: str, tmp_path: Path) -> None:
    failed(run(command, tmp_path / "没有"), "找不到文章目录")
    failed(run(command, tmp_path), "没有文章")
    (tmp_path / "坏.md").write_text("---\ntitle: [\n---\n文。", encoding="utf-8")
    failed(run(command, tmp_path), "坏.md", "YAML")


def test_bad_usage_ends_with_2_and_help_with_0() -> None:
    assert run("import").exit_code == 2
    assert run("无此命令").exit_code == 2
    assert run("lint", "--无此选项").exit_code == 2
    for arguments in (("--help",), ("import", "--help"), ("lint", "--help"), ("stats", "--help")):
        assert run(*arguments).exit_code == 0
