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
HEAVY = ("torch", "sentence_transformers", "transformers", "gradio", "onnxruntime", "matplotlib")


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


@pytest.fixture(scope="module")
def loaded() -> dict[str, list[str]]:
    """Heavy packages that are loaded once all modules of one package are imported."""
    modules = {
        package: [
            ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
            for path in sources(package)
            if path.name != "__main__.py"
        ]
        for package in BELOW
    }
    program = (
        "import importlib, json, sys\n"
        "modules, heavy = json.loads(sys.argv[1])\n"
        "found = {}\n"
        "for package, names in modules.items():\n"
        "    for name in names:\n"
        "        importlib.import_module(name)\n"
        "        for loaded in heavy:\n"
        "            if loaded in sys.modules and loaded not in found:\n"
        "                found[loaded] = name\n"
        "print(json.dumps(found))\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", program, json.dumps([modules, HEAVY])],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(result.stdout.splitlines()[-1])


def test_importing_everything_loads_nothing_heavy(loaded: dict[str, list[str]]) -> None:
    assert loaded == {}
