"""Small faults for mutation testing: which places a file has, and the file with one changed."""

import ast
from pathlib import Path

ROOT = Path(__file__).parents[2]
RULES = ROOT / "hub" / "rules"
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
    """Count the places of a file that can be changed."""
    counter = Mutator()
    counter.visit(ast.parse((RULES / f"{name}.py").read_text()))
    return counter.count


class Mutant:
    """A file with one fault: what it is, where, and in which function (None = outside any)."""

    def __init__(self, name, place):
        self.name = name
        self.place = place
        self.path = RULES / f"{name}.py"
        tree = ast.parse(self.path.read_text())
        mutator = Mutator(place)
        self.functions = list(_functions(tree))
        self.tree = ast.fix_missing_locations(mutator.visit(tree))
        self.what = mutator.what
        self.line = int(mutator.what.split(":")[0].removeprefix("line "))
        self.within = next((one for one in self.functions if one.has(self.line)), None)

    def code(self):
        """Compile the file with its fault."""
        return compile(self.tree, str(self.path), "exec")

    def code_of_function(self):
        """Give the code of the function that holds the fault, None when it is outside any."""
        return self.within and _code_named(self.code(), self.within.qualname)


class Function:
    """A function or method of a file, with the lines of its body."""

    def __init__(self, node, qualname):
        self.qualname = qualname
        self.starts = min([node.lineno, *(one.lineno for one in node.decorator_list)])
        self.body = node.body[0].lineno
        self.ends = node.end_lineno

    def has(self, line):
        """Tell whether a line is in the body; defaults and decorators are not."""
        return self.body <= line <= self.ends


def _functions(tree, prefix=""):
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            yield from _functions(node, f"{prefix}{node.name}.")
        elif isinstance(node, ast.FunctionDef):
            yield Function(node, prefix + node.name)


def _code_named(code, qualname):
    for one in code.co_consts:
        if not hasattr(one, "co_qualname"):
            continue
        if one.co_qualname == qualname:
            return one
        if qualname.startswith(one.co_qualname + "."):
            return _code_named(one, qualname)
    return None
