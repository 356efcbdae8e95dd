"""The README cannot lie: its file map is whole and its commands exist."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

READMES = [ROOT / "README.md", ROOT / "README.zh.md"]
PACKAGES = ("corpus", "index", "chatbot", "eval", "tests")
_COMMAND = re.compile(r"(?:python(?:3)? -m (corpus|index|chatbot|eval)(?: ([a-z]+))?)|make ([a-z]+)")


def read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def code(text: str) -> str:
    """What stands in code blocks and code spans."""
    blocks = re.findall(r"```[^\n]*\n(.*?)```", text, re.DOTALL)
    spans = re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", text, flags=re.DOTALL))
    return "\n".join(blocks + spans)


def commands(path: Path) -> set[str]:
    found = set()
    for match in _COMMAND.finditer(code(read(path))):
        package, verb, target = match.groups()
        found.add(f"make {target}" if target else f"python -m {package} {verb or ''}".strip())
    return found


def targets() -> set[str]:
    return set(re.findall(r"^([a-z]+):", read(ROOT / "Makefile"), re.MULTILINE))


def programs() -> list[Path]:
    found = [ROOT / "app.py"]
    for package in PACKAGES:
        found += sorted((ROOT / package).rglob("*.py"))
    return [path for path in found if read(path).strip()]


def test_every_file_is_in_the_map_with_its_purpose() -> None:
    """The map is a code block or table: a line names a file (or its folder above it) and says why."""
    text = read(ROOT / "README.md")
    missing = []
    for path in programs():
        relative = path.relative_to(ROOT)
        if relative.parts[0] == "tests" and path.name != "conftest.py":
            continue  # one file a module, named as the module
        line = next((l for l in text.splitlines() if re.search(rf"[\s`/│├└─]{path.name}\b", l)), "")
        purpose = re.sub(r"[`│├└─|\s/]", "", line.split(path.name, 1)[-1])
        if len(purpose) < 6:
            missing.append(str(relative))
    assert missing == []


def test_every_file_that_the_readme_names_exists() -> None:
    for readme in READMES:
        for name in re.findall(r"\]\(((?!https?:|#)[^)#\s]+)", read(readme)):
            assert (ROOT / name).exists(), f"{readme.name}: {name}"


@pytest.mark.parametrize("readme", READMES, ids=lambda path: path.name)
def test_make_commands_exist(readme: Path) -> None:
    shown = {command for command in commands(readme) if command.startswith("make ")}
    assert {"make chat", "make test", "make eval", "make bench"} <= shown
    assert {command.removeprefix("make ") for command in shown} <= targets()


@pytest.mark.parametrize("package", ["corpus", "index", "chatbot", "eval"])
def test_python_commands_exist(package: str) -> None:
    shown = {
        command.split()[3]
        for readme in READMES
        for command in commands(readme)
        if command.startswith(f"python -m {package} ")
    }
    assert shown, f"README shows no command of {package}"
    result = subprocess.run(
        [sys.executable, "-m", package, "--help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    known = set(re.findall(r"^[\s│|]+([a-z]+)\s", result.stdout, re.MULTILINE))
    assert shown <= known


def test_both_readmes_name_the_same_commands() -> None:
    english, chinese = (commands(readme) for readme in READMES)
    assert english == chinese


def test_every_command_is_shown() -> None:
    """What can be run is in the README."""
    shown = commands(ROOT / "README.md")
    for package in ("corpus", "index", "chatbot", "eval"):
        text = read(ROOT / package / "__main__.py")
        names = re.findall(r"@app\.command\((?:\"([a-z]+)\")?\)[^d]*?(?:@\w+\s+)*def (\w+)", text)
        for named, function in names:
            assert f"python -m {package} {named or function.rstrip('_')}" in shown


@pytest.mark.parametrize("path", [*READMES, ROOT / "pyproject.toml", ROOT / "Makefile"])
def test_no_machine_paths(path: Path) -> None:
    assert not re.search(r"/(?:work|tmp|root)\b", read(path))
