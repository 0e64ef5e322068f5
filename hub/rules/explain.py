"""Explain: why a rule fired or not, condition by condition."""

from hub.rules.conditions import Leaf, Node, NodeOrLeaf, OperatorFailed
from hub.rules.matches import Trace
from hub.rules.values import Json, json_value
from hub.rules.view import View
from hub.rules.words import MASK, MAX_SHOWN, Said, cut, denial, say
from hub.sdk.vocabulary import FieldSchema, Value

ALWAYS = Trace(met=True, kind="all", text="always")
_IMPOSSIBLE = 1_000_000


def trace(tree: NodeOrLeaf, view: View) -> Trace:
    """Test a tree; each condition says what it expected and what it found."""
    if isinstance(tree, Leaf):
        return _leaf(tree, view)
    children = tuple(trace(kid, view) for kid in tree.kids)
    met = _met(tree, children, view)
    reason = next((one.reason for one in children if _failed(one)), None) if met is None else None
    text = f"{tree.kind} of {len(children)}"
    return Trace(bool(met), tree.kind, text, None, None, None, None, reason, children)


def _met(tree: Node, children: tuple[Trace, ...], view: View) -> bool | None:
    """Put together what the children said; ask anew only when an operator failed."""
    if any(one.reason is not None and _failed(one) for one in children):
        try:
            return tree.check(view)
        except OperatorFailed:
            return None
    if tree.kind == "all":
        return all(one.met for one in children)
    return any(one.met for one in children) is (tree.kind == "any")


def _failed(one: Trace) -> bool:
    return one.reason is not None and one.reason.startswith("operator failed")


def _leaf(leaf: Leaf, view: View) -> Trace:
    reason: str | None = None
    try:
        met = leaf.check(view)
    except OperatorFailed as failed:
        met, reason = False, str(failed)
    name, field = leaf.name, leaf.field
    actual, prior = view.new.get(name), (view.prior or {}).get(name)
    said = leaf.said or _said(leaf)
    if reason is None and not (met and not view.facts.notes):
        reason = _reason(leaf, view, actual, met=met)
    shown = None if actual is None else _shown(actual, field)
    before = None if prior is None else _shown(prior, field)
    op = leaf.operator.name
    return Trace(met, "condition", said.text, name, said.expected, shown, before, reason, (), op)


def _said(leaf: Leaf) -> Said:
    """Say the condition once; it is the same for every event."""
    leaf.said = say(leaf.operator, leaf.field, leaf.operand)
    return leaf.said


def _reason(leaf: Leaf, view: View, actual: Value, *, met: bool) -> str | None:
    noted = view.facts.notes.get(leaf.name) if view.facts.notes else None
    if met or noted is not None:
        return noted
    if leaf.operator.needs_prior or (leaf.operator.changes and view.facts.changed is None):
        unknown = view.why_no_prior(leaf.field)
        if unknown:
            return unknown
    if leaf.operator.changes and leaf.field.source_object != view.owner:
        return view.why_no_prior(leaf.field)
    return "empty" if actual is None else None


def _shown(value: Value, field: FieldSchema) -> Json:
    if field.secret:
        return MASK
    if isinstance(value, str):
        return value if len(value) <= MAX_SHOWN else cut(value)
    return value if isinstance(value, int) else json_value(value)


def because(tree: NodeOrLeaf | None, found: Trace, view: View) -> str:
    """Say in plain words what decided: the first condition that failed, or all that held."""
    if tree is None:
        return "it has no conditions"
    if found.met:
        return " and ".join(_held(found)) or "none of its conditions rules it out"
    return _first_against(tree, found, view)


def _held(found: Trace) -> list[str]:
    if found.kind == "condition":
        return [found.text] if found.met else []
    if found.kind == "none":
        return []
    met = [text for child in found.children if child.met for text in _held(child)]
    return met[:1] if found.kind == "any" else met


def _first_against(tree: NodeOrLeaf, found: Trace, view: View) -> str:
    if isinstance(tree, Leaf):
        if found.reason not in (None, "empty"):
            return f"{found.text}: {found.reason}"
        actual = view.new.get(tree.name)
        return denial(tree.said or _said(tree), tree.field, actual)
    if found.reason is not None:
        return found.reason
    for kid, child in zip(tree.kids, found.children, strict=True):
        if child.met is (tree.kind == "none"):
            return _ruled_out(child) if tree.kind == "none" else _first_against(kid, child, view)
    return found.text


def _ruled_out(child: Trace) -> str:
    held = " and ".join(_held(child)) or f"{child.text} holds"
    return f"{held}, which rules it out"


def flips(found: Trace, *, wanted: bool = True) -> int:
    """Count the conditions that would have to turn out otherwise."""
    if found.kind == "condition":
        return int(found.met is not wanted)
    kids = [flips(child, wanted=wanted is (found.kind != "none")) for child in found.children]
    together = (found.kind == "all") is wanted if found.kind != "none" else wanted
    return sum(kids) if together else min(kids, default=_IMPOSSIBLE)
