"""Settings: where they come from, what is refused, and that the documents show them all."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

import app
from chatbot.settings import read_settings, settings_rows
from corpus.errors import InputError
from tests.conftest import ROOT


@pytest.fixture(autouse=True)
def clean(monkeypatch):
    for name, _, _ in settings_rows():
        monkeypatch.delenv(name, raising=False)


def test_the_command_line_goes_before_the_environment_before_the_file(tmp_path, monkeypatch):
    file = tmp_path / "yibao.env"
    file.write_text("# 注释\nYIBAO_PORT=1111\nYIBAO_HOST=0.0.0.0\nYIBAO_KEEP_QUESTIONS=true\n")
    monkeypatch.setenv("YIBAO_PORT", "2222")
    found = read_settings(file)
    assert (found.port, found.host, found.keep_questions) == (2222, "0.0.0.0", True)
    assert read_settings(file, port=3333, host=None).port == 3333
    assert read_settings().host == "127.0.0.1"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("port", "0"),
        ("port", "viele"),
        ("rate_per_minute", "-1"),
        ("trusted_proxies", "nginx"),
        ("operator_token", "kurz"),
        ("retention_days", "0"),
        ("log_level", "laut"),
        ("keep_questions", "vielleicht"),
        ("shared_rate", "true"),
    ],
)
def test_a_bad_value_is_one_chinese_sentence(name, value, monkeypatch) -> None:
    variable = f"YIBAO_{name.upper()}"
    monkeypatch.setenv(variable, value)
    result = CliRunner().invoke(app.command, [])
    assert result.exit_code == 1
    assert result.stderr.startswith(f"设置 {variable} 的值不对")
    assert len(result.stderr.splitlines()) == 1
    assert value not in result.stderr or value in ("0", "-1")


def test_a_file_with_an_unknown_name_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "yibao.env"
    file.write_text("YIBAO_PROT=80\n")
    with pytest.raises(InputError, match="第 1 行"):
        read_settings(file)
    with pytest.raises(InputError, match="读不了"):
        read_settings(tmp_path / "none")


def test_the_token_is_not_shown() -> None:
    assert "geheim" not in repr(read_settings(operator_token="geheim" * 4))


def test_the_table_and_the_help_show_every_setting() -> None:
    table = (ROOT / "deploy" / "README.md").read_text(encoding="utf-8")
    shown = "".join(CliRunner().invoke(app.command, ["--help"]).stdout.split()).replace("│", "")
    for name, default, told in settings_rows():
        assert f"| `{name}` | {f'`{default}`' if default else '–'} | {told} |" in table
        assert name in shown
        assert "".join(told.split()) in shown
