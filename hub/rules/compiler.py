"""Compiling the rules of one plan."""

from hub.rules.check import check_rule
from hub.rules.conditions import Conditions, NodeOrLeaf
from hub.rules.cover import rank
from hub.rules.entries import Entry, Home
from hub.rules.model import Rule
from hub.rules.planning import Line, compile_line, compile_lines
from hub.rules.problems import Problem
from hub.rules.schema import EVENT_CONNECTOR, Schema
from hub.rules.template_syntax import TemplateFault


class Compiler:
    """Compiles the rules of one plan; equal conditions are shared between them."""

    def __init__(self, schema: Schema) -> None:
        self.schema = schema
        self.conditions = Conditions(schema)
        self._fine: set[tuple[str, ...]] = set()
        self._triggers: dict[tuple[str, ...], frozenset[str]] = {}

    def entry(self, rule: Rule, home: Home, place: int) -> Entry:
        """Compile a rule; one that names what is not there any more keeps its problems."""
        entry = Entry(rule, home, place)
        entry.triggers = self._expanded(rule)
        try:
            entry.tree = self.conditions.tree(rule.when)
            entry.rest = self._rest(entry)
            self._probe_lines(rule)
        except Exception as error:  # noqa: BLE001  of a plugin's operator, too: kept as a problem
            entry.problems = self._problems(rule, error)
        return entry

    def _expanded(self, rule: Rule) -> frozenset[str]:
        on = tuple(rule.on)
        known = self._triggers.get(on)
        if known is None:
            known = self._triggers[on] = frozenset(self.schema.expand(on))
        return known

    def lines(self, entry: Entry) -> tuple[Line, ...]:
        """Give the entry's actions, compiled when they are first wanted."""
        if entry.lines is None:
            entry.lines = compile_lines(entry.rule().then, entry.object, self.schema)
        return entry.lines

    def _rest(self, entry: Entry) -> tuple[NodeOrLeaf, ...]:
        rest = self.conditions.conjuncts(entry.tree)
        if entry.sources:
            names = list(entry.sources)
            rest = (*rest, self.conditions.leaf(EVENT_CONNECTOR.name, "is_any_of", names))
        return tuple(sorted(rest, key=rank))

    def _probe_lines(self, rule: Rule) -> None:
        """Make sure that the actions can be compiled; alike ones are looked at once."""
        if not self._expanded(rule):
            raise ValueError("none of the triggers is known")
        for index, line in enumerate(rule.then):
            seen = (line.do, line.connector, str(index), rule.object, repr(line.params))
            if seen not in self._fine:
                kind = self.schema.connectors[line.connector]
                if kind != self.schema.actions[line.do].connector_type:
                    raise ValueError(f"'{line.connector}' is not of the action's type")
                compile_line(index, line, rule.object, self.schema)
                self._fine.add(seen)

    def _problems(self, rule: Rule, error: Exception) -> tuple[Problem, ...]:
        found = [one for one in check_rule(rule.as_json(), self.schema) if one.severity == "error"]
        code = error.code if isinstance(error, TemplateFault) else "rule.invalid"
        return tuple(found) or (Problem(pointer="", code=code, message=str(error)),)
