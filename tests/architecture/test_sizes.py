"""A file stays under 400 lines, a function under 50."""

import ast
from pathlib import Path

from tests.architecture.tree import ROOT, modules, parsed, shown

LONGEST_FILE = 400
LONGEST_FUNCTION = 50
HISTORY = ROOT / "hub" / "migrations" / "versions"  # written once, by alembic


def written() -> list[Path]:
    return [file for file in modules() if HISTORY not in file.parents]


def test_files_are_short():
    long = {
        shown(file): lines
        for file in written()
        if (lines := len(file.read_text(encoding="utf-8").splitlines())) >= LONGEST_FILE
    }

    assert long == {}


def test_functions_are_short():
    long = {
        f"{shown(file)}:{node.lineno} {node.name}": lines
        for file in written()
        for node in ast.walk(parsed(file))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (lines := _lines(node)) > LONGEST_FUNCTION
    }

    assert long == {}


def _lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Count the lines of a body, without its docstring."""
    body = node.body[1:] if ast.get_docstring(node) else node.body
    return (node.end_lineno or 0) - body[0].lineno + 1 if body else 0
