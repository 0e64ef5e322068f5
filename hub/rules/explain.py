"""Explaining one event: every condition with what was expected and what was there."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from hub.rules.conditions import Leaf, Node, NodeOrLeaf, OperatorFailed
from hub.rules.matches import Trace
from hub.rules.values import Json, json_value
from hub.rules.view import View
from hub.rules.words import MASK, MAX_SHOWN, Said, cut, denial, in_words, say
from hub.sdk.vocabulary import FieldSchema, Value

ALWAYS = Trace(met=True, kind="all", text="always")
_FAILED: Final = "operator failed"
_IMPOSSIBLE: Final = 1_000_000
_trace_of = Trace._make


class Shown(NamedTuple):
    """A field's value as traces show it: now, before, and in words."""

    actual: Json
    prior: Json
    words: str


class Telling:
    """One picture of an event, being explained: what rules share is tested and said once."""

    __slots__ = ("_failed", "_shown", "_traces", "view")

    def __init__(self, view: View) -> None:
        self.view = view
        self._shown: dict[str, Shown] = {}
        self._traces: dict[Leaf, Trace] = {}
        self._failed = False

    def trace(self, tree: NodeOrLeaf) -> Trace:
        """Test a tree; each condition says what it expected and what it found."""
        if isinstance(tree, Leaf):
            return self._traces.get(tree) or self._leaf(tree)
        known, leaf = self._traces.get, self._leaf
        children = tuple([
            known(kid) or leaf(kid) if type(kid) is Leaf else self.trace(kid) for kid in tree.kids
        ])  # fmt: skip
        met, why = _met(tree.kind, children), None
        if self._failed:
            met, why = self._despite(tree, children)
        text, none = f"{tree.kind} of {len(children)}", None
        return _trace_of((met, tree.kind, text, none, none, none, none, why, children, none))

    def _despite(self, tree: Node, children: Sequence[Trace]) -> tuple[bool, str | None]:
        """Ask a group anew when an operator failed: another child may decide it all the same."""
        failed = [one.reason for one in children if (one.reason or "").startswith(_FAILED)]
        if not failed:
            return _met(tree.kind, children), None
        try:
            return tree.check(self.view), None
        except OperatorFailed:
            return False, failed[0]

    def _leaf(self, leaf: Leaf) -> Trace:
        view, reason = self.view, None
        try:
            met = leaf.check(view)
        except OperatorFailed as failed:
            met, reason, self._failed = False, str(failed), True
        text, expected, *_ = leaf.said or _said(leaf)
        name, operator = leaf.name, leaf.operator
        actual, prior, _ = self._shown.get(name) or self._value(leaf)
        if reason is None and (view.facts.notes or not met):
            reason = _reason(leaf, view, actual, met=met)
        members = met, "condition", text, name, expected, actual, prior, reason, (), operator.name
        made = self._traces[leaf] = _trace_of(members)
        return made

    def _value(self, leaf: Leaf) -> Shown:
        view, name, field = self.view, leaf.name, leaf.field
        actual = view.new.get(name)
        prior = (view.prior or {}).get(name)
        found = Shown(_shown(actual, field), _shown(prior, field), in_words(actual, field))
        self._shown[name] = found
        return found

    def because(self, tree: NodeOrLeaf | None, found: Trace) -> str:
        """Say in plain words what decided: the first condition that failed, or all that held."""
        if tree is None:
            return "it has no conditions"
        if found.met:
            return " and ".join(_held(found)) or "none of its conditions rules it out"
        return self._first_against(tree, found)

    def _first_against(self, tree: NodeOrLeaf, found: Trace) -> str:
        if isinstance(tree, Leaf):
            if found.reason is not None and found.reason != "empty":
                return f"{found.text}: {found.reason}"
            words = None if found.actual is None else self._shown[tree.name].words
            return denial(tree.said or _said(tree), words)
        if found.reason is not None:
            return found.reason
        excludes = tree.kind == "none"
        for kid, child in zip(tree.kids, found.children, strict=True):
            if child.met is excludes:
                return _ruled_out(child) if excludes else self._first_against(kid, child)
        return found.text


def _met(kind: str, children: Sequence[Trace]) -> bool:
    """Put together what the children said."""
    wanted = kind != "all"
    for one in children:
        if one.met is wanted:
            return kind == "any"
    return kind != "any"


def _said(leaf: Leaf) -> Said:
    """Say the condition once; it is the same for every event."""
    leaf.said = say(leaf.operator, leaf.field, leaf.operand)
    return leaf.said


def _reason(leaf: Leaf, view: View, actual: Json, *, met: bool) -> str | None:
    noted = view.facts.notes.get(leaf.name) if view.facts.notes else None
    if met or noted is not None:
        return noted
    operator = leaf.operator
    if operator.needs_prior or operator.changes:
        unknown = _no_prior(leaf, view)
        if unknown:
            return unknown
    return "empty" if actual is None else None


def _no_prior(leaf: Leaf, view: View) -> str | None:
    if leaf.operator.needs_prior or view.facts.changed is None:
        unknown = view.why_no_prior(leaf.field)
        if unknown:
            return unknown
    foreign = leaf.operator.changes and leaf.field.source_object != view.owner
    return view.why_no_prior(leaf.field) if foreign else None


def _shown(value: Value, field: FieldSchema) -> Json:
    if value is None:
        return None
    if field.secret:
        return MASK
    if isinstance(value, str):
        return value if len(value) <= MAX_SHOWN else cut(value)
    return value if isinstance(value, int) else json_value(value)


def _held(found: Trace) -> list[str]:
    if found.kind == "condition":
        return [found.text] if found.met else []
    if found.kind == "none":
        return []
    met = [text for child in found.children if child.met for text in _held(child)]
    return met[:1] if found.kind == "any" else met


def _ruled_out(child: Trace) -> str:
    held = " and ".join(_held(child)) or f"{child.text} holds"
    return f"{held}, which rules it out"


def is_near(found: Trace) -> bool:
    """Tell whether a rule failed by one condition only."""
    if found.kind != "all":
        return flips(found) == 1
    missed = 0
    for child in found.children:
        if not child.met:
            missed += 1 if child.kind == "condition" else flips(child)
            if missed > 1:
                return False
    return missed == 1


def flips(found: Trace, *, wanted: bool = True) -> int:
    """Count the conditions that would have to turn out otherwise."""
    if found.kind == "condition":
        return int(found.met is not wanted)
    kids = [flips(child, wanted=wanted is (found.kind != "none")) for child in found.children]
    together = (found.kind == "all") is wanted if found.kind != "none" else wanted
    return sum(kids) if together else min(kids, default=_IMPOSSIBLE)
