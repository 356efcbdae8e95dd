"""The README cannot lie: its file map is whole and its commands exist."""

import importlib
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.conftest import ROOT

READMES = [ROOT / "README.md", ROOT / "README.zh.md"]
PACKAGES = ("corpus", "index", "chatbot", "eval", "tests")
_COMMAND = re.compile(r"python -m (corpus|index|chatbot|eval) ([a-z-]+)|make ([a-z]+)")


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
        found.add(f"make {target}" if target else f"python -m {package} {verb}")
    return found


def targets() -> set[str]:
    return set(re.findall(r"^([a-z]+):", read(ROOT / "Makefile"), re.MULTILINE))


def programs() -> list[Path]:
    found = [ROOT / "app.py"]
    for package in PACKAGES:
        found += sorted((ROOT / package).rglob("*.py"))
    return [path for path in found if read(path).strip()]


def test_every_file_is_in_the_map_with_its_purpose() -> None:
    """A line of the map names a file and says in some words what it is for."""
    text = read(ROOT / "README.md")
    missing = []
    for path in programs():
        relative = path.relative_to(ROOT)
        if relative.parts[0] == "tests" and path.name != "conftest.py":
            continue  # one file a module, named as the module
        named = re.search(rf"(?<![\w.]){re.escape(path.name)}\b(.*)", text)
        purpose = re.sub(r"\W", "", named.group(1)) if named else ""
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


def test_python_commands_exist() -> None:
    shown = {c for readme in READMES for c in commands(readme) if c.startswith("python -m ")}
    for command in sorted(shown):
        package, *verb = command.split()[2:]
        main = importlib.import_module(f"{package}.__main__")
        result = CliRunner().invoke(main.app, [*verb, "--help"])
        assert result.exit_code == 0, command


def test_both_readmes_name_the_same_commands() -> None:
    english, chinese = (commands(readme) for readme in READMES)
    assert english == chinese


@pytest.mark.parametrize("package", ["corpus", "index", "chatbot", "eval"])
def test_every_command_is_shown(package: str) -> None:
    """What can be run is in the README."""
    main = importlib.import_module(f"{package}.__main__")
    names = {
        (command.name or command.callback.__name__).rstrip("_").replace("_", "-")
        for command in main.app.registered_commands
    }
    assert {f"python -m {package} {name}" for name in names} <= commands(ROOT / "README.md")


@pytest.mark.parametrize("path", [*READMES, ROOT / "pyproject.toml", ROOT / "Makefile"])
def test_no_machine_paths(path: Path) -> None:
    assert not re.search(r"/(?:work|tmp|root)\b", read(path))
