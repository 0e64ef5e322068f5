"""Other engines on the same rules and events, where they are installed (group `peers`).

Each gets the rules in its own language and the events in its own form; putting them into it
is not timed. What a language can not say is left out, and the answer is compared with
closures over the rules that are left.
"""

import json
from importlib import import_module
from importlib.util import find_spec

from bench.rules.workload import NUMBERS

MODULES = {
    "zen_engine": "zen",
    "datalogic_py": "datalogic_py",
    "cel_expr_python": "cel_expr_python",
    "rule_engine": "rule_engine",
}


def installed(name):
    return find_spec(MODULES[name]) is not None


def key_of(name):
    return name.rpartition(".")[2]


def plain(facts):
    """An event as a flat object: values, and prior ones with p_ in front."""
    new = {key_of(name): _number(value) for name, value in facts.new.items()}
    return new | {f"p_{key_of(name)}": _number(one) for name, one in facts.prior.items()}


def _number(value):
    if value is None or isinstance(value, (bool, int, str)):
        return value
    return float(value) if not hasattr(value, "isoformat") else value.isoformat()


class Peer:
    """Rules as expressions, called one by one."""

    def __init__(self, rules):
        self.rules = rules

    def prepare(self, events):
        self.events = {one.event_id: self.convert(plain(one)) for one in events}

    def convert(self, event):
        return event

    def build(self):
        self.module = import_module(MODULES[self.name])
        self.compiled = [(one["id"], self.compile(self.say(one["when"]))) for one in self.rules]

    def match(self, facts):
        event = self.events[facts.event_id]
        return [rule for rule, compiled in self.compiled if self.met(compiled, event)]

    def found(self, facts):
        return set(self.match(facts))

    def say(self, tree):
        for kind, joint in (("all", self.AND), ("any", self.OR)):
            if kind in tree:
                return "(" + joint.join(self.say(one) for one in tree[kind]) + ")"
        return self.SAID[tree["op"]](key_of(tree["field"]), tree.get("value"))


def text(value):
    return json.dumps(value)


def listed(values):
    return "[" + ", ".join(map(text, values)) + "]"


COMPARED = {
    "is": lambda key, value: f"{key} == {text(value)}",
    "is_not": lambda key, value: f"{key} != {text(value)}",
    "is_any_of": lambda key, value: f"{key} in {listed(value)}",
    "gt": lambda key, value: f"{key} > {value}",
    "lt": lambda key, value: f"{key} < {value}",
    "between": lambda key, value: f"({key} >= {value[0]} and {key} <= {value[1]})",
    "changed": lambda key, _: f"{key} != p_{key}",
    "changed_to": lambda key, value: f"({key} == {text(value)} and p_{key} != {text(value)})",
}


class Zen(Peer):
    name = "zen_engine"
    AND, OR = " and ", " or "
    SAID = COMPARED | {
        "contains": lambda key, value: f"contains({key}, {text(value)})",
        "not_contains": lambda key, value: f"not contains({key}, {text(value)})",
        "starts_with": lambda key, value: f"startsWith({key}, {text(value)})",
        "matches": lambda key, value: f"matches({key}, {_zen_text(value)})",
    }

    def compile(self, said):
        return self.module.compile_expression(said)

    def met(self, compiled, event):
        return compiled.evaluate(event) is True


def _zen_text(value):
    return "'" + value.replace("'", "") + "'"


class RuleEngine(Peer):
    name = "rule_engine"
    AND, OR = " and ", " or "
    SAID = COMPARED | {
        "contains": lambda key, value: f"{text(value)} in {key}",
        "not_contains": lambda key, value: f"not ({text(value)} in {key})",
        "starts_with": lambda key, value: f"{key} =~ {text('^' + value.replace('.', '[.]'))}",
        "matches": lambda key, value: f"{key} =~~ {text(value)}",
    }

    def compile(self, said):
        return self.module.Rule(said)

    def met(self, compiled, event):
        return compiled.matches(event)


class Cel(Peer):
    name = "cel_expr_python"
    AND, OR = " && ", " || "
    SAID = COMPARED | {
        "between": lambda key, value: f"({key} >= {value[0]}.0 && {key} <= {value[1]}.0)",
        "gt": lambda key, value: f"{key} > {value}{_point(key)}",
        "lt": lambda key, value: f"{key} < {value}{_point(key)}",
        "changed_to": lambda key, value: f"({key} == {text(value)} && p_{key} != {text(value)})",
        "contains": lambda key, value: f"{key}.contains({text(value)})",
        "not_contains": lambda key, value: f"!{key}.contains({text(value)})",
        "starts_with": lambda key, value: f"{key}.startsWith({text(value)})",
        "matches": lambda key, value: f"{key}.matches({text(value)})",
    }

    def build(self):
        self.cel = import_module("cel_expr_python.cel")
        kinds = dict.fromkeys(NUMBERS, self.cel.Type.INT) | {"amount": self.cel.Type.DOUBLE}
        used = sorted({key for one in self.rules for key in _keys(one["when"])})
        variables = {key: kinds.get(key, self.cel.Type.STRING) for key in used}
        self.used = [*used, *(f"p_{key}" for key in used)]
        variables |= {f"p_{key}": kind for key, kind in variables.items()}
        self.env = self.cel.NewEnv(variables=variables)
        super().build()

    def convert(self, event):
        return self.env.Activation(
            {key: event[key] for key in self.used if event.get(key) is not None}
        )

    def compile(self, said):
        return self.env.compile(said)

    def met(self, compiled, event):
        return compiled.eval(event).value() is True


def _point(key):
    return ".0" if key == "amount" else ""


def _keys(tree):
    for kind in ("all", "any"):
        for one in tree.get(kind, ()):
            yield from _keys(one)
    if "field" in tree:
        yield key_of(tree["field"])


class Datalogic(Peer):
    """JSONLogic in Rust; it has no patterns, so rules with one are left out."""

    name = "datalogic_py"

    def __init__(self, rules):
        super().__init__([one for one in rules if "matches" not in json.dumps(one["when"])])

    def say(self, tree):
        for kind, joint in (("all", "and"), ("any", "or")):
            if kind in tree:
                return {joint: [self.say(one) for one in tree[kind]]}
        key = {"var": key_of(tree["field"])}
        return LOGIC[tree["op"]](key, tree.get("value"))

    def build(self):
        self.module = import_module("datalogic_py")
        self.engine = self.module.Engine()
        super().build()

    def compile(self, said):
        return self.engine.compile(json.dumps(said))

    def convert(self, event):
        return self.module.DataHandle(json.dumps(event))

    def met(self, compiled, event):
        return compiled.evaluate_data(event) is True


def _prior(key):
    return {"var": "p_" + key["var"]}


LOGIC = {
    "is": lambda key, value: {"===": [key, value]},
    "is_not": lambda key, value: {"!==": [key, value]},
    "is_any_of": lambda key, value: {"in": [key, value]},
    "gt": lambda key, value: {">": [key, value]},
    "lt": lambda key, value: {"<": [key, value]},
    "between": lambda key, value: {"<=": [value[0], key, value[1]]},
    "contains": lambda key, value: {"in": [value, key]},
    "not_contains": lambda key, value: {"!": {"in": [value, key]}},
    "starts_with": lambda key, value: {"===": [{"substr": [key, 0, len(value)]}, value]},
    "changed": lambda key, _: {"!==": [key, _prior(key)]},
    "changed_to": lambda key, value: {
        "and": [{"===": [key, value]}, {"!==": [_prior(key), value]}]
    },
}
PEERS = {one.name: one for one in (Zen, Datalogic, Cel, RuleEngine)}
