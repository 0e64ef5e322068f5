"""Conditions, compiled: interned leaves, trees, and the view of an event they test."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final, TypeAlias

from hub.rules.facts import Facts
from hub.rules.operands import NOT_GIVEN, OtherField, read_operand
from hub.rules.schema import Schema, object_of
from hub.rules.values import TEMPORAL, Json, NotOfType, coerce, fold, folds_by_default, same
from hub.sdk.operators import AccessKey, KeyKind, Operand, Operator, Test
from hub.sdk.vocabulary import FieldSchema, FieldType, Value

NO_PRIOR: Final = "no prior value"
NOT_ITS_RECORD: Final = "not the record that changed"
_UNKNOWN: Final = object()
Check: TypeAlias = Callable[["View"], bool]


class OperatorFailed(Exception):
    """An operator raised: the rule does not match, whatever else holds."""

    def __init__(self, leaf: "Leaf", cause: Exception) -> None:
        super().__init__(f"operator failed: {type(cause).__name__}: {cause}")
        self.leaf = leaf


class View:
    """An event as conditions test it: new and prior values, folded ones, what changed.

    `values` replace those of the facts: the picture of one linked record, or of the past.
    """

    __slots__ = (
        "_schema", "at", "changed", "facts", "folded", "folded_prior", "new", "owner", "prior",
    )  # fmt: skip

    def __init__(
        self, facts: Facts, schema: Schema, values: Mapping[str, Value] | None = None
    ) -> None:
        self._schema = schema
        self.facts = facts
        self.new = facts.new if values is None else values
        self.prior = facts.prior
        self.owner = facts.record.source_object
        self.at = facts.at.astimezone(schema.zone)
        self.folded = _Folded(self.new)
        self.folded_prior = _Folded(self.prior or {})
        self.changed = _Changed(self, schema)

    def before(self) -> "View":
        """Give the picture of the past: prior values as new ones, with unknown prior."""
        past = dict(self.new)
        changed = self.facts.changed
        for name in self.new:
            if object_of(name) == self.owner and (changed is None or name in changed):
                past[name] = None
        view = View(self.facts, self._schema, past | dict(self.prior or {}))
        view.prior = None
        view.changed = _Unchanged(view, self._schema)
        return view

    def why_no_prior(self, field: FieldSchema) -> str | None:
        """Say why nothing is known of the field's past; None when something is."""
        if field.source_object != self.owner:
            return NOT_ITS_RECORD
        if self.prior is None:
            return NO_PRIOR
        return None if not self.prior or field.name in self.prior else NO_PRIOR


class _Folded(dict[str, Value]):
    __slots__ = ("_plain",)

    def __init__(self, plain: Mapping[str, Value]) -> None:
        self._plain = plain

    def __missing__(self, name: str) -> Value:
        value = self[name] = fold(self._plain.get(name))
        return value


class _Changed(dict[str, bool]):
    __slots__ = ("_schema", "_view")

    def __init__(self, view: View, schema: Schema) -> None:
        self._view = view
        self._schema = schema

    def __missing__(self, name: str) -> bool:
        answer = self[name] = self._answer(name)
        return answer

    def _answer(self, name: str) -> bool:
        view, field = self._view, self._schema.fields.get(name)
        if field is None or field.noise or field.source_object != view.owner:
            return False
        told = view.facts.changed
        if told is not None and name not in told:
            return False
        if view.prior is None:
            return told is not None
        if view.prior and name not in view.prior:
            return told is not None
        return not same(view.prior.get(name), view.new.get(name))


class _Unchanged(_Changed):
    __slots__ = ()

    def __missing__(self, name: str) -> bool:
        return False


class Leaf:
    """A condition; equal conditions of one plan are one leaf, so identity is equality.

    `check(view)` tells whether it is met and raises OperatorFailed. `keys` are its access
    keys, `exact` the kinds whose hit proves it. `uses` counts the rules that have it.
    """

    __slots__ = (
        "check", "exact", "field", "folded", "id", "keys", "operand", "operator", "uses", "weight",
    )  # fmt: skip

    def __init__(
        self, id: int, operator: Operator, field: FieldSchema, operand: Json, *, folded: bool
    ) -> None:
        self.id = id
        self.operator = operator
        self.field = field
        self.operand = operand
        self.folded = folded
        self.uses = 0
        self.exact: frozenset[KeyKind] = frozenset()
        self.keys: tuple[AccessKey, ...] | None = None
        self.check: Check = _guarded(self, _asked(self))
        self.weight = 1.0


Kind: TypeAlias = str


class Node:
    """A group of conditions, in the order in which they were written."""

    __slots__ = ("check", "kids", "kind")

    def __init__(self, kind: Kind, kids: "Iterable[NodeOrLeaf]") -> None:
        self.kind = kind
        self.kids = tuple(kids)
        self.check: Check = _GROUPS[kind](tuple(kid.check for kid in self.kids))


NodeOrLeaf: TypeAlias = Node | Leaf


class Conditions:
    """Compiles the conditions of one plan; equal ones share one leaf."""

    def __init__(self, schema: Schema) -> None:
        self._schema = schema
        self._leaves: dict[tuple[Any, ...], Leaf] = {}

    def tree(self, when: Json) -> NodeOrLeaf | None:
        """Compile a rule's conditions; None = always."""
        return self._node(when) if when.kind else None

    def _node(self, written: Json) -> NodeOrLeaf:
        if not hasattr(written, "kids"):
            given = "value" in written.model_fields_set
            return self.leaf(
                written.field,
                written.op,
                _raw(written.value) if given else NOT_GIVEN,
                written.ignore_case if "ignore_case" in written.model_fields_set else None,
            )
        return Node(written.kind, [self._node(kid) for kid in written.kids])

    def leaf(self, field_name: str, op: str, raw: Json, ignore_case: bool | None = None) -> Leaf:  # noqa: FBT001
        """Compile one condition; OperandFaults or ValueError when its value does not fit."""
        field, operator = self._schema.fields[field_name], self._schema.operators[op]
        folded = folds_by_default(field) if ignore_case is None else ignore_case
        folded = folded and operator.operand is not Operand.NONE
        operand = read_operand(operator, field, raw, self._schema, ignore_case=folded)
        folded = folded and operator.operand is not Operand.PATTERN
        key = (field_name, op, operand, _types(operand), folded)
        found = self._leaves.get(key)
        if found is None:
            found = Leaf(len(self._leaves), operator, field, operand, folded=folded)
            self._leaves[key] = found
        return found


def _raw(value: Json) -> Json:
    return value.model_dump() if hasattr(value, "model_dump") else value


def _types(operand: Json) -> Json:
    return tuple(map(type, operand)) if isinstance(operand, tuple) else type(operand)


def _guarded(leaf: Leaf, asked: Check) -> Check:
    def check(view: View) -> bool:
        try:
            return asked(view)
        except Exception as error:  # an operator of a plugin may raise anything
            raise OperatorFailed(leaf, error) from error

    return check


def _asked(leaf: Leaf) -> Check:
    if isinstance(leaf.operand, OtherField):
        return _against_field(leaf, leaf.operand.field)
    test = leaf.operator.compile(leaf.operand, leaf.field)
    if leaf.operator.changes or leaf.operator.needs_prior:
        return _of_change(leaf, test)
    name = leaf.field.name
    if leaf.folded:
        return lambda view: test(view.folded[name], None, view.at)
    return lambda view: test(view.new.get(name), None, view.at)


def _of_change(leaf: Leaf, test: Test) -> Check:
    name, operator, folded = leaf.field.name, leaf.operator, leaf.folded

    def asked(view: View) -> bool:
        if operator.changes and not view.changed[name]:
            return False
        if operator.needs_prior and view.why_no_prior(leaf.field):
            return False
        if folded:
            return test(view.folded[name], view.folded_prior[name], view.at)
        return test(view.new.get(name), (view.prior or {}).get(name), view.at)

    return asked


_SAMPLES: Final[Mapping[FieldType, Value]] = {
    FieldType.BOOLEAN: True,
    FieldType.INTEGER: 0,
    FieldType.DECIMAL: Decimal(0),
    FieldType.DURATION: timedelta(0),
    FieldType.DATE: datetime(2000, 1, 1).date(),  # noqa: DTZ001  a day has no zone
}


def _against_field(leaf: Leaf, other: FieldSchema) -> Check:
    operator, field, name, folded = leaf.operator, leaf.field, leaf.field.name, leaf.folded
    of_empty = operator.compile(_sample(field), field)
    change = _of_change(leaf, lambda *_: True) if operator.changes or operator.needs_prior else None

    def asked(view: View) -> bool:
        if change is not None and not change(view):
            return False
        prior = (
            (view.folded_prior[name] if folded else (view.prior or {}).get(name))
            if change
            else None
        )
        actual = view.folded[name] if folded else view.new.get(name)
        found = view.folded[other.name] if folded else view.new.get(other.name)
        wanted = _as_type(found, field, view.at)
        if wanted is None or (actual is None and change is None):
            return of_empty(None, None, view.at)
        return operator.compile(wanted, field)(actual, prior, view.at)

    return asked


def _sample(field: FieldSchema) -> Value:
    if field.type is FieldType.TIMESTAMP:
        return _SAMPLES[FieldType.DATE]
    if field.choices:
        return field.choices[0].value
    return _SAMPLES.get(field.type, "x")


def _as_type(value: Value, field: FieldSchema, at: datetime) -> Value:
    if field.type in TEMPORAL:
        if isinstance(value, datetime) and field.type is FieldType.DATE:
            return value.astimezone(at.tzinfo).date()
        return value
    try:
        return coerce(value, FieldType.TEXT if field.type is FieldType.LIST else field.type)
    except NotOfType:
        return None


def _all(checks: tuple[Check, ...]) -> Check:
    def check(view: View) -> bool:
        try:
            for one in checks:
                if not one(view):
                    return False
        except OperatorFailed as failed:
            return _despite(failed, checks, view, decisive=False)
        return True

    return check


def _any(checks: tuple[Check, ...]) -> Check:
    def check(view: View) -> bool:
        try:
            for one in checks:
                if one(view):
                    return True
        except OperatorFailed as failed:
            return _despite(failed, checks, view, decisive=True)
        return False

    return check


def _none(checks: tuple[Check, ...]) -> Check:
    found = _any(checks)
    return lambda view: not found(view)


def _despite(
    failed: OperatorFailed, checks: tuple[Check, ...], view: View, *, decisive: bool
) -> bool:
    """Look whether another child decides the group whatever the failed one would say."""
    for one in checks:
        try:
            if one(view) is decisive:
                return decisive
        except OperatorFailed:
            continue
    raise failed


_GROUPS: Final[Mapping[Kind, Callable[[tuple[Check, ...]], Check]]] = {
    "all": _all,
    "any": _any,
    "none": _none,
}
