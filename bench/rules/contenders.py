"""What is compared: the hub's index, plain closures, and reading the JSON each time."""

import gc

import re2

from bench.rules import workload
from hub.rules.level import Shape
from hub.rules.plan import Plan
from hub.rules.state import State
from hub.rules.view import View


class Index:
    """The hub's: what `Plan.match` does before it plans actions."""

    def __init__(self, rules, schema=None):
        self.rules = rules
        self.schema = schema or workload.schema()
        self.ruleset = workload.ruleset(rules)

    def build(self):
        self.state = State(self.schema, Shape())
        gc.disable()
        self.state.replace(self.ruleset)
        self.state.settle()
        gc.enable()
        self.plan = Plan(self.state, 1)
        assert not self.plan.invalid

    def match(self, facts):
        return self.state.find(View(facts, self.schema))

    def found(self, facts):
        return {entry.id for entry in self.match(facts)}


class Closures:
    """Every rule a closure over the same view of the event; all are called."""

    def __init__(self, rules):
        self.rules = rules
        self.schema = workload.schema()

    def build(self):
        self.compiled = [(one["id"], closure(one["when"])) for one in self.rules]

    def match(self, facts):
        view = View(facts, self.schema)
        return [rule for rule, met in self.compiled if met(view)]

    def found(self, facts):
        return set(self.match(facts))


def closure(tree):
    if "all" in tree:
        kids = tuple(closure(one) for one in tree["all"])
        return lambda view: _every(kids, view)
    if "any" in tree:
        kids = tuple(closure(one) for one in tree["any"])
        return lambda view: _some(kids, view)
    return TESTS[tree["op"]](tree["field"], tree.get("value"))


def _every(kids, view):
    for kid in kids:  # noqa: SIM110  a generator would slow the anchor down
        if not kid(view):
            return False
    return True


def _some(kids, view):
    for kid in kids:  # noqa: SIM110  a generator would slow the anchor down
        if kid(view):
            return True
    return False


def _among(name, wanted):
    listed = frozenset(wanted)
    return lambda view: view.new[name] in listed


def _matches(name, wanted):
    options = re2.Options()
    options.case_sensitive = False
    search = re2.compile(wanted, options).search
    return lambda view: search(view.new[name]) is not None


def _reads_text(make):
    """Text is compared without letter case: folded once on either side."""
    return lambda name, wanted: make(name, wanted.casefold())


TESTS = {
    "is": lambda name, wanted: lambda view: view.new[name] == wanted,
    "is_not": lambda name, wanted: lambda view: view.new[name] != wanted,
    "is_any_of": _among,
    "gt": lambda name, wanted: lambda view: view.new[name] > wanted,
    "lt": lambda name, wanted: lambda view: view.new[name] < wanted,
    "between": lambda name, w: lambda view: w[0] <= view.new[name] <= w[1],
    "contains": _reads_text(lambda name, wanted: lambda view: wanted in view.folded[name]),
    "not_contains": _reads_text(lambda name, wanted: lambda view: wanted not in view.folded[name]),
    "starts_with": _reads_text(
        lambda name, wanted: lambda view: view.folded[name].startswith(wanted)
    ),
    "matches": _matches,
    "changed": lambda name, _: lambda view: view.prior[name] != view.new[name],
    "changed_to": lambda name, wanted: (
        lambda view: view.new[name] == wanted and view.prior[name] != wanted
    ),
}


class Naive:
    """The JSON, read for every event."""

    def __init__(self, rules):
        self.rules = rules
        self.schema = workload.schema()

    def build(self):
        pass

    def match(self, facts):
        view = View(facts, self.schema)
        return [one["id"] for one in self.rules if _met(one["when"], view)]

    def found(self, facts):
        return set(self.match(facts))


def _met(tree, view):
    if "all" in tree:
        return all(_met(one, view) for one in tree["all"])
    if "any" in tree:
        return any(_met(one, view) for one in tree["any"])
    return TESTS[tree["op"]](tree["field"], tree.get("value"))(view)


CONTENDERS = {"index": Index, "closures": Closures, "naive": Naive}
