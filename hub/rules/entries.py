"""Entries: the rules of a plan, compiled."""

from dataclasses import dataclass
from typing import Any

from hub.rules.check import check_rule
from hub.rules.conditions import Conditions, Node, NodeOrLeaf
from hub.rules.model import Rule
from hub.rules.planning import Line, compile_line, compile_lines
from hub.rules.problems import Problem
from hub.rules.schema import EVENT_CONNECTOR, Schema
from hub.rules.template_syntax import TemplateFault


@dataclass(slots=True)
class Home:
    """The ruleset of an entry; `order` is its place in the tenant's order."""

    id: str
    name: str
    version: int
    state: str
    order: int

    @property
    def live(self) -> bool:
        """Whether its rules are matched."""
        return self.state != "disabled"


class Entry:
    """A rule of a plan. `tree` is what is matched (None = always), `source` the rule's JSON."""

    __slots__ = (
        "becomes_true", "digest", "enabled", "home", "id", "lines", "name", "object", "place",
        "problems", "source", "stop", "tree", "triggers",
    )  # fmt: skip

    def __init__(self, rule: Rule, home: Home, place: int) -> None:
        if rule.id is None:
            raise ValueError(f"rule '{rule.name}' has no id")
        self.id = rule.id
        self.name = rule.name
        self.object = rule.object
        self.home = home
        self.place = place
        self.enabled = rule.enabled
        self.stop = rule.after == "stop"
        self.becomes_true = rule.run == "becomes_true"
        self.source = rule.model_dump_json(exclude_unset=True).encode()
        self.digest = rule.digest
        self.triggers: frozenset[str] = frozenset()
        self.tree: NodeOrLeaf | None = None
        self.problems: tuple[Problem, ...] = ()
        self.lines: tuple[Line, ...] | None = None

    @property
    def live(self) -> bool:
        """Whether it is matched at all."""
        return self.enabled and self.home.live and not self.problems

    @property
    def order(self) -> tuple[int, int]:
        """Its place among all rules of the tenant."""
        return self.home.order, self.place

    def rule(self) -> Rule:
        """Read the rule again."""
        return Rule.model_validate_json(self.source)


class Compiler:
    """Compiles the rules of one plan; equal conditions are shared between them."""

    def __init__(self, schema: Schema) -> None:
        self.schema = schema
        self.conditions = Conditions(schema)
        self._fine: set[Any] = set()

    def entry(self, rule: Rule, home: Home, place: int) -> Entry:
        """Compile a rule; one that names what is not there any more keeps its problems."""
        entry = Entry(rule, home, place)
        entry.triggers = frozenset(self.schema.expand(rule.on))
        try:
            entry.tree = self._tree(rule)
            self._probe_lines(rule)
        except Exception as error:  # noqa: BLE001  a plugin's operator may raise anything; kept as a problem
            entry.problems = self._problems(rule, error)
        return entry

    def lines(self, entry: Entry) -> tuple[Line, ...]:
        """Give the entry's actions, compiled when they are first wanted."""
        if entry.lines is None:
            entry.lines = compile_lines(entry.rule().then, entry.object, self.schema)
        return entry.lines

    def _tree(self, rule: Rule) -> NodeOrLeaf | None:
        tree = self.conditions.tree(rule.when)
        if rule.sources:
            source = self.conditions.leaf(EVENT_CONNECTOR.name, "is_any_of", rule.sources)
            tree = source if tree is None else Node("all", (source, tree))
        return tree and simplified(tree)

    def _probe_lines(self, rule: Rule) -> None:
        if not self.schema.expand(rule.on):
            raise ValueError("none of the triggers is known")
        for index, line in enumerate(rule.then):
            key = (line.do, line.connector, index, rule.object, repr(line.params))
            if key not in self._fine:
                if (
                    self.schema.connectors[line.connector]
                    != self.schema.actions[line.do].connector_type
                ):
                    raise ValueError(f"'{line.connector}' is of another type")
                compile_line(index, line, rule.object, self.schema)
                self._fine.add(key)

    def _problems(self, rule: Rule, error: Exception) -> tuple[Problem, ...]:
        found = [one for one in check_rule(rule.as_json(), self.schema) if one.severity == "error"]
        code = error.code if isinstance(error, TemplateFault) else "rule.invalid"
        return tuple(found) or (Problem(pointer="", code=code, message=str(error)),)


def simplified(tree: NodeOrLeaf) -> NodeOrLeaf:
    """Unwrap single children and flatten groups of the same kind: no change of meaning."""
    if not isinstance(tree, Node):
        return tree
    kids: list[NodeOrLeaf] = []
    for kid in map(simplified, tree.kids):
        same = isinstance(kid, Node) and kid.kind == tree.kind and tree.kind != "none"
        kids.extend(kid.kids if same and isinstance(kid, Node) else (kid,))
    kids = list(dict.fromkeys(kids))
    if len(kids) == 1 and tree.kind != "none":
        return kids[0]
    return Node(tree.kind, kids)
