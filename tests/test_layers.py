"""Imports point one way, and importing anything is cheap."""

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT

BELOW = {
    "corpus": set(),
    "index": {"corpus"},
    "chatbot": {"corpus", "index"},
    "eval": {"corpus", "index", "chatbot"},
    "app": {"corpus", "index", "chatbot"},
}
HEAVY = ("torch", "sentence_transformers", "transformers", "gradio", "onnxruntime")
# Imported by functions, when needed.
LATE = {"index.e5modules", "chatbot.page", "chatbot.turns", "chatbot.api", "chatbot.sessions"}


def sources(package: str) -> list[Path]:
    found = [ROOT / "app.py"] if package == "app" else sorted((ROOT / package).rglob("*.py"))
    assert found
    return found


def imported(path: Path) -> Iterator[str]:
    """Top-level names of all modules that a file imports anywhere in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield (node.module or "").split(".")[0]


@pytest.mark.parametrize("package", BELOW)
def test_imports_point_one_way(package: str) -> None:
    allowed = BELOW[package] | {package}
    for path in sources(package):
        ours = set(imported(path)) & set(BELOW)
        assert ours <= allowed, f"{path.relative_to(ROOT)} imports {ours - allowed}"


@pytest.mark.parametrize("package", BELOW)
def test_no_program_imports_the_tests(package: str) -> None:
    for path in sources(package):
        assert "tests" not in set(imported(path)), path


def test_eval_is_imported_by_its_modules_only() -> None:
    """``import eval`` would hide the builtin of that name."""
    for path in sorted(ROOT.glob("tests/**/*.py")) + [p for name in BELOW for p in sources(name)]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                assert all(alias.name != "eval" for alias in node.names), path


def test_importing_loads_nothing_heavy() -> None:
    """The command lines answer and the page's process starts before torch and gradio are there."""
    modules = [
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        for package in BELOW
        for path in sources(package)
    ]
    assert set(modules) > LATE
    program = (
        "import importlib, json, sys\n"
        "modules, heavy = json.loads(sys.argv[1])\n"
        "found = {}\n"
        "for name in modules:\n"
        "    importlib.import_module(name)\n"
        "    for loaded in set(heavy) & set(sys.modules) - set(found):\n"
        "        found[loaded] = name\n"
        "print(json.dumps(found))\n"
    )
    light = [name for name in modules if name not in LATE]
    result = subprocess.run(
        [sys.executable, "-c", program, json.dumps([light, HEAVY])],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout.splitlines()[-1]) == {}
