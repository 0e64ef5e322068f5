"""Mutation testing of the rules: small faults are put in, and the tests must notice.

    python -m bench.rules.mutants               every file, a sample of its mutants
    python -m bench.rules.mutants level keys    these files
    python -m bench.rules.mutants --all level   every mutant of a file
    python -m bench.rules.mutants --every 5     every fifth

Prints one JSON object a mutant that lives, and one a file. What is known to live, and why, is
told in docs/explanation/rules.md.
"""

import ast
import importlib.abc
import importlib.util
import json
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
RULES = ROOT / "hub" / "rules"
TESTS = "tests/unit/rules/"
SAMPLE = 12
SECONDS = 90
FILES = {
    "check": ["test_check", "test_failures", "test_changes"],
    "check_actions": ["test_check", "test_changes"],
    "compiler": ["test_plan", "test_changes", "test_failures", "test_differential"],
    "conditions": ["test_operators", "test_failures", "test_tables", "test_differential"],
    "cover": ["test_tables", "test_differential", "test_counts"],
    "entries": ["test_plan", "test_changes"],
    "explain": ["test_explain", "test_failures", "test_operators"],
    "explaining": ["test_explain", "test_plan"],
    "facts": ["test_facts", "test_operators"],
    "finders": ["test_text", "test_changes"],
    "index": ["test_changes", "test_plan", "test_differential"],
    "keys": ["test_tables", "test_changes", "test_differential"],
    "level": ["test_changes", "test_differential", "test_counts"],
    "matches": ["test_laws", "test_explain", "test_plan"],
    "model": ["test_model", "test_check", "test_plan"],
    "operands": ["test_check", "test_operators", "test_differential"],
    "params": ["test_templates", "test_check"],
    "plan": ["test_changes", "test_plan"],
    "planning": ["test_plan", "test_templates", "test_explain"],
    "problems": ["test_check"],
    "ranges": ["test_tables", "test_differential"],
    "schema": ["test_changes", "test_check", "test_operators"],
    "state": ["test_changes", "test_plan", "test_differential"],
    "template_syntax": ["test_templates"],
    "templates": ["test_templates", "test_check"],
    "text": ["test_text", "test_check"],
    "trie": ["test_changes", "test_differential", "test_counts"],
    "value_maps": ["test_templates"],
    "values": ["test_facts", "test_operators", "test_explain"],
    "view": ["test_operators", "test_tables", "test_differential"],
    "views": ["test_plan", "test_explain", "test_differential"],
    "words": ["test_explain"],
}
SWAPS = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq, ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn,
    ast.NotIn: ast.In, ast.And: ast.Or, ast.Or: ast.And, ast.Add: ast.Sub, ast.Sub: ast.Add,
    ast.Mult: ast.Add, ast.BitOr: ast.BitAnd, ast.FloorDiv: ast.Mult,
}  # fmt: skip


class Mutator(ast.NodeTransformer):
    """Changes the place number `wanted`; without it, only counts the places."""

    def __init__(self, wanted=None):
        self.wanted = wanted
        self.count = 0
        self.what = ""

    def _here(self, node, what):
        self.count += 1
        if self.count - 1 != self.wanted:
            return False
        self.what = f"line {node.lineno}: {what}"
        return True

    def visit_FunctionDef(self, node):
        node.body = [self.visit(one) for one in _without_docstring(node.body)] or [ast.Pass()]
        node.args.kw_defaults = [one and self.visit(one) for one in node.args.kw_defaults]
        return node

    def visit_ClassDef(self, node):
        node.body = [self.visit(one) for one in node.body]
        return node

    def visit_AnnAssign(self, node):
        if node.value is not None:
            node.value = self.visit(node.value)
        return node

    def visit_Assign(self, node):
        names = [one.id for one in node.targets if isinstance(one, ast.Name)]
        return node if "__slots__" in names else self.generic_visit(node)

    def visit_Compare(self, node):
        for at, op in enumerate(node.ops):
            swap = SWAPS.get(type(op))
            if swap and self._here(node, f"{type(op).__name__} → {swap.__name__}"):
                node.ops[at] = swap()
        return self.generic_visit(node)

    def visit_BoolOp(self, node):
        swap = SWAPS[type(node.op)]
        if self._here(node, f"{type(node.op).__name__} → {swap.__name__}"):
            node.op = swap()
        return self.generic_visit(node)

    def visit_BinOp(self, node):
        swap = SWAPS.get(type(node.op))
        if swap and self._here(node, f"{type(node.op).__name__} → {swap.__name__}"):
            node.op = swap()
        return self.generic_visit(node)

    def visit_UnaryOp(self, node):
        self.generic_visit(node)
        if isinstance(node.op, ast.Not) and self._here(node, "not removed"):
            return node.operand
        return node

    def visit_If(self, node):
        typing_only = isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
        return node if typing_only else self._turned(node)

    def visit_IfExp(self, node):
        return self._turned(node)

    def visit_While(self, node):
        return self.generic_visit(node)

    def _turned(self, node):
        self.generic_visit(node)
        if self._here(node, "condition turned round"):
            node.test = ast.UnaryOp(ast.Not(), node.test)
        return node

    def visit_Return(self, node):
        self.generic_visit(node)
        empty = node.value is None or (
            isinstance(node.value, ast.Constant) and node.value.value is None
        )
        if not empty and self._here(node, "returns None"):
            node.value = ast.Constant(None)
        return node

    def visit_Continue(self, node):
        return ast.Break() if self._here(node, "continue → break") else node

    def visit_Break(self, node):
        return ast.Continue() if self._here(node, "break → continue") else node

    def visit_Constant(self, node):
        value = node.value
        if isinstance(value, bool):
            changed = not value
        elif isinstance(value, (int, float)):
            changed = value + 1
        else:
            return node
        return ast.Constant(changed) if self._here(node, f"{value} → {changed}") else node

    def visit_JoinedStr(self, node):
        return node


def _without_docstring(body):
    first = body[0]
    said = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
    return body[1:] if said else body


def places(name):
    counter = Mutator()
    counter.visit(ast.parse((RULES / f"{name}.py").read_text()))
    return counter.count


class Loader(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Gives one module with its fault."""

    def __init__(self, name, place):
        self.module = f"hub.rules.{name}"
        self.path = RULES / f"{name}.py"
        self.mutator = Mutator(place)
        self.tree = ast.fix_missing_locations(self.mutator.visit(ast.parse(self.path.read_text())))

    def find_spec(self, fullname, *_):
        if fullname != self.module:
            return None
        return importlib.util.spec_from_loader(fullname, self, origin=str(self.path))

    def exec_module(self, module):
        exec(compile(self.tree, str(self.path), "exec"), module.__dict__)


def run_one(name, place):
    """Run the tests of a file with one fault in it; the exit status is pytest's."""
    loader = Loader(name, place)
    sys.meta_path.insert(0, loader)
    print(loader.mutator.what)
    files = [f"{TESTS}{one}.py" for one in FILES[name]]
    without = [word for one in ("randomly", "cacheprovider") for word in ("-p", f"no:{one}")]
    own = ["-x", "-q", "--no-header", "-o", "addopts=--import-mode=importlib"]
    return pytest.main([*own, *without, *files])


def lives(name, place):
    """Tell what the fault was, if the tests did not notice it."""
    command = [sys.executable, "-m", "bench.rules.mutants", "--one", name, str(place)]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=SECONDS, cwd=ROOT, check=False
        )
    except subprocess.TimeoutExpired:
        return None
    return done.stdout.splitlines()[0] if done.returncode == 0 else None


def test_file(name, chosen):
    started, alive = time.perf_counter(), 0
    for place in chosen:
        what = lives(name, place)
        if what is not None:
            alive += 1
            print(json.dumps({"lives": name, "place": place, "what": what}), flush=True)
    killed = 1 - alive / max(1, len(chosen))
    took = round(time.perf_counter() - started)
    line = {"figure": f"rules.mutants_killed_{name}", "value": round(killed, 3), "unit": "share"}
    print(json.dumps(line | {"mutants": len(chosen), "seconds": took}), flush=True)
    return len(chosen), alive


def choose(name, how, every):
    count = places(name)
    if how == "all":
        return range(count)
    if how == "every":
        return range(0, count, every)
    return sorted(random.Random(name).sample(range(count), min(SAMPLE, count)))


def main(arguments):
    if arguments[:1] == ["--one"]:
        return run_one(arguments[1], int(arguments[2]))
    how, every = "sample", 1
    if arguments[:1] == ["--all"]:
        how, arguments = "all", arguments[1:]
    elif arguments[:1] == ["--every"]:
        how, every, arguments = "every", int(arguments[1]), arguments[2:]
    total = alive = 0
    for name in arguments or FILES:
        tried, lived = test_file(name, choose(name, how, every))
        total, alive = total + tried, alive + lived
    share = round(1 - alive / max(1, total), 3)
    print(json.dumps({"figure": "rules.mutants_killed", "value": share, "unit": "share"}))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
