"""Plan: one tenant's rules, compiled, matched and changed."""

import gc
from collections.abc import Collection, Iterable, Mapping, Sequence

from hub.rules.entries import Entry
from hub.rules.explaining import Explainer
from hub.rules.facts import Facts
from hub.rules.finders import Upkeep
from hub.rules.matches import Disagreement, Failure, Match, RuleTrace
from hub.rules.model import Rule, Ruleset
from hub.rules.problems import Problem
from hub.rules.schema import Schema
from hub.rules.state import State


class PlanReplaced(RuntimeError):
    """The plan has been changed: match with the newer handle."""


class Plan:
    """A tenant's rules, compiled; owned by one thread.

    `match` and `with_changes` are plain synchronous calls and never interleave. After
    `with_changes` this handle refuses `match`; its `explain` still answers as it was.
    """

    def __init__(self, state: State, version: int) -> None:
        self._state = state
        self._newer: tuple[Plan, dict[str, Entry | None]] | None = None
        self.version = version

    @property
    def schema(self) -> Schema:
        """What the rules may name."""
        return self._state.compiler.schema

    @property
    def invalid(self) -> Mapping[str, tuple[Problem, ...]]:
        """The rules that are off because they name what is not there any more, and why."""
        return {one.id: one.problems for one in self._entries().values() if one.problems}

    def __len__(self) -> int:
        """Count the rules, matched or not."""
        return len(self._entries())

    def match(self, facts: Facts) -> list[Match]:
        """Find the rules that fire, in order, with the actions they want; nothing is done."""
        if self._newer is not None:
            raise PlanReplaced(f"plan {self.version} has been changed")
        return self._state.match(facts)

    def explain(self, facts: Facts, rule_id: str | None = None) -> list[RuleTrace]:
        """Say why rules fired or not: one rule, or all that run on the event's trigger."""
        explainer = Explainer(self._state.compiler, facts, self.version)
        return explainer.explain(self._entries().values(), rule_id)

    def explain_matches(self, facts: Facts, matches: Sequence[Match]) -> list[RuleTrace]:
        """Say why the rules fired that `match` found; no other rule is looked at."""
        explainer = Explainer(self._state.compiler, facts, self.version, matches)
        named = dict.fromkeys(one.rule for one in matches)
        return explainer.traces([one for name in named if (one := self._entry(name))])

    def with_changes(
        self,
        add: Iterable[Rule] = (),
        remove: Iterable[str] = (),
        *,
        ruleset: Ruleset | None = None,
        version: int | None = None,
    ) -> "Plan":
        """Add, replace and remove rules in place; rules of the same content are not touched.

        `ruleset` is where added rules live (its `rules` are not read); without it, a
        replaced rule stays where it was and a new one goes to the first ruleset.
        """
        undo = self._state.change(add, remove, ruleset)
        return self._next(undo, version)

    def with_rulesets(
        self,
        rulesets: Iterable[Ruleset] = (),
        *,
        remove: Iterable[str] = (),
        order: Iterable[str] | None = None,
        version: int | None = None,
    ) -> "Plan":
        """Put changed rulesets in the place of what the plan has of them, and drop others.

        `order` names all rulesets in the tenant's order; without it new ones go last.
        """
        undo: dict[str, Entry | None] = {}
        for ruleset_id in remove:
            undo |= self._state.drop(ruleset_id)
        for one in rulesets:
            undo |= self._state.replace(one) | undo
        if order is not None:
            self._state.reorder(order)
        return self._next(undo, version)

    def take_failures(self) -> list[Failure]:
        """Give the operators that raised since this was asked last; each once, at most 1,000."""
        return self._state.take_failures()

    def take_failing(self) -> Mapping[str, int]:
        """Count by operator the events on which it raised since this was asked last.

        One event counts once, however many rules and conditions failed on it.
        """
        return self._state.take_failing()

    def disagreements(self, facts: Facts) -> list[Disagreement]:
        """Compare the index with direct evaluation on one event; [] is as it should be.

        It costs as much as explaining: ask for one event in a thousand. `distrust` the
        operators that are named.
        """
        return self._state.disagreements(facts)

    def distrust(self, operators: Collection[str]) -> None:
        """Find rules by these operators' keys no more: what is filed by them is filed anew."""
        self._state.distrust(operators)

    def upkeep(self) -> list[Upkeep]:
        """Give the work that would make matching quicker after many changes.

        Each is built in any thread (`build`) and then installed in this one (`install`).
        Without it the plan does the same by itself, when it can not wait any longer.
        """
        return list(self._state.upkeep())

    def _next(self, undo: dict[str, Entry | None], version: int | None) -> "Plan":
        if self._newer is not None:
            raise PlanReplaced(f"plan {self.version} has been changed")
        newer = Plan(self._state, self.version + 1 if version is None else version)
        self._newer = (newer, undo)
        return newer

    def _entry(self, rule_id: str) -> Entry | None:
        if self._newer is None:
            return self._state.entries.get(rule_id)
        newer, undo = self._newer
        return undo[rule_id] if rule_id in undo else newer._entry(rule_id)  # noqa: SLF001  as below

    def _entries(self) -> Mapping[str, Entry]:
        if self._newer is None:
            return self._state.entries
        newer, undo = self._newer
        entries = dict(newer._entries())  # noqa: SLF001  a handle of the same plan
        for rule_id, entry in undo.items():
            if entry is None:
                entries.pop(rule_id, None)
            else:
                entries[rule_id] = entry
        return entries


def compile_plan(rulesets: Iterable[Ruleset], schema: Schema, version: int) -> Plan:
    """Compile a tenant's rulesets, given in the tenant's order.

    Rules that name what is not there are kept, off, and listed in `invalid`.
    """
    state = State(schema)
    collecting = gc.isenabled()
    gc.disable()
    try:
        for one in rulesets:
            state.replace(one)
        state.settle()
    finally:
        if collecting:
            gc.enable()
    return Plan(state, version)
