"""Every import contract and every banned name is seen to fail on purpose, in a copy of the tree."""

from __future__ import annotations

import ast
import importlib
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ROOMS = ("bot", "handlers", "storage")
BIN = Path(sys.executable).parent
SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text())
CONTRACTS = {contract["id"] for contract in SETTINGS["tool"]["importlinter"]["contracts"]}
BANNED = SETTINGS["tool"]["ruff"]["lint"]["flake8-tidy-imports"]["banned-api"]

BROKEN = {
    "inward": ("bot/rules.py", "import storage.sqlite"),
    "apart": ("handlers/menu/desk.py", "import storage.sqlite"),
    "chats": ("handlers/console.py", "import handlers.telegram"),
    "menu": ("handlers/menu/desk.py", "import handlers.console"),
    "sql": ("handlers/menu/desk.py", "import sqlite3"),
    "sdk": ("bot/deliver.py", "import telegram"),
    "pure": ("bot/rules.py", "import asyncio"),
}


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    for room in ROOMS:
        shutil.copytree(ROOT / room, tmp_path / room, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def lint_imports(folder: Path, contract: str) -> subprocess.CompletedProcess[str]:
    words = [BIN / "lint-imports", "--no-cache", "--contract", contract]
    return subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False)


def test_every_contract_has_its_violation_here():
    assert set(BROKEN) == CONTRACTS


@pytest.mark.parametrize("contract", sorted(BROKEN))
def test_a_broken_import_contract_is_noticed(copy: Path, contract: str):
    file, line = BROKEN[contract]
    target = copy / file
    target.write_text(target.read_text() + f"\n{line}\n")
    result = lint_imports(copy, contract)
    assert result.returncode != 0
    assert "BROKEN" in result.stdout


@pytest.mark.parametrize("name", sorted(BANNED))
def test_a_banned_name_is_noticed(copy: Path, name: str):
    module, _, last = name.rpartition(".")
    line = f"import {name}\n" if not module else f"from {module} import {last}\n"
    if module.count(".") or module == "os":
        line = f"import {module.split('.')[0]}\nprint({name})\n"
    target = copy / "bot" / "broken.py"
    target.write_text(line)
    words = [BIN / "ruff", "check", "--no-cache", "--select", "TID251", "bot/broken.py"]
    result = subprocess.run(words, cwd=copy, capture_output=True, text=True, check=False)
    assert result.returncode != 0
    assert "TID251" in result.stdout


def test_no_function_is_over_sixty_lines_and_no_module_needs_a_map():
    for file in (path for room in ROOMS for path in (ROOT / room).rglob("*.py")):
        source = file.read_text()
        assert source.count("\n") <= 350, file
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                assert (node.end_lineno or 0) - node.lineno < 60, f"{file}: {node.name}"


def test_every_long_form_is_a_row_of_the_fault_table():
    rows = (ROOT / "tests" / "chaos.py").read_text()
    long = {file.name for file in (ROOT / "tests").glob("test_*.py") if "mark" + ".chaos" in file.read_text()}
    assert {name for name in long if f'"{name}"' not in rows} == set()


@pytest.mark.parametrize("bench", sorted(path.stem for path in (ROOT / "bench").glob("*.py")))
def test_a_bench_still_finds_what_it_measures(bench: str):
    importlib.import_module(f"bench.{bench}")
