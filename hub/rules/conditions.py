"""Conditions, compiled: interned leaves, trees, and the view of an event they test."""

from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar, Final, TypeAlias

from pydantic import BaseModel

from hub.rules.model import Condition, Group
from hub.rules.operands import NOT_GIVEN, OtherField, read_operand
from hub.rules.schema import Schema
from hub.rules.values import Json, folds_by_default
from hub.rules.view import View
from hub.sdk.operators import Operand, Operator, Test
from hub.sdk.vocabulary import FieldSchema, FieldType, Value

if TYPE_CHECKING:
    from hub.rules.cover import Cover
    from hub.rules.words import Said

Check: TypeAlias = Callable[[View], bool]


class OperatorFailed(Exception):
    """An operator raised: the rule does not match, whatever else holds."""

    def __init__(self, leaf: "Leaf", cause: Exception) -> None:
        super().__init__(f"operator failed: {type(cause).__name__}: {cause}")
        self.leaf = leaf


class Leaf:
    """A condition; equal conditions of one plan are one leaf, so identity is equality.

    `check(view)` tells whether it is met and raises OperatorFailed; it is made when it is
    first asked for, since most conditions are proven by a key. `uses` counts the rules that
    have it, `by_field` = it compares with another field; `cover` belongs to `cover.py` and
    `said` to `explain.py`.
    """

    __slots__ = (
        "by_field", "check", "cover", "field", "folded", "id", "name", "operand", "operator",
        "said", "uses", "weight",
    )  # fmt: skip

    check: Check
    observe: ClassVar[Callable[["Leaf", Check], Check] | None] = None
    """Wraps every check that is made; for counting tests."""

    def __init__(
        self, id: int, operator: Operator, field: FieldSchema, operand: Json, *, folded: bool
    ) -> None:
        self.id = id
        self.name = field.name
        self.operator = operator
        self.field = field
        self.operand = operand
        self.folded = folded
        self.by_field = isinstance(operand, OtherField)
        self.uses = 0
        self.weight = _weight(operator, field)
        self.cover: Cover | bool | None = None
        self.said: Said | None = None

    def __getattr__(self, name: str) -> Check:
        if name != "check":
            raise AttributeError(name)
        made = _asked(self)
        self.check = made if Leaf.observe is None else Leaf.observe(self, made)
        return self.check


def _weight(operator: Operator, field: FieldSchema) -> float:
    if operator.operand is Operand.PATTERN:
        return 6.0
    return 1.5 if field.type is FieldType.TEXT else 1.0


class Node:
    """A group of conditions: `all`, `any` or `none`; equal groups of one plan are one node."""

    __slots__ = ("check", "id", "kids", "kind", "uses", "weight")

    check: Check

    def __init__(self, id: int, kind: str, kids: "tuple[NodeOrLeaf, ...]") -> None:
        self.id = id
        self.kind = kind
        self.kids = kids
        self.uses = 0
        self.weight = 4.0

    def __getattr__(self, name: str) -> Check:
        if name != "check":
            raise AttributeError(name)
        self.check = _GROUPS[self.kind](tuple(kid.check for kid in self.kids))
        return self.check


NodeOrLeaf: TypeAlias = Node | Leaf


class Conditions:
    """Compiles the conditions of one plan; equal ones share one leaf, equal groups one node."""

    def __init__(self, schema: Schema) -> None:
        self._schema = schema
        self._leaves: dict[tuple[Any, ...], Leaf] = {}
        self._names = {one: one for one in schema.fields}
        self._nodes: dict[tuple[str, tuple[NodeOrLeaf, ...]], Node] = {}

    def tree(self, when: Group) -> NodeOrLeaf | None:
        """Compile a rule's conditions as written; None = always."""
        if not when.kind:
            return None
        return Node(-1, when.kind, tuple([self._node(kid) for kid in when.kids]))

    def _node(self, written: Group | Condition) -> NodeOrLeaf:
        if isinstance(written, Group):
            return self.group(written.kind, [self._node(kid) for kid in written.kids])
        given = written.model_fields_set
        return self.leaf(
            written.field,
            written.op,
            _raw(written.value) if "value" in given else NOT_GIVEN,
            ignore_case=written.ignore_case if "ignore_case" in given else None,
        )

    def group(self, kind: str, kids: Iterable[NodeOrLeaf]) -> Node:
        """Give the group of these conditions."""
        key = kind, tuple(kids)
        found = self._nodes.get(key)
        if found is None:
            found = self._nodes[key] = Node(len(self._nodes), *key)
        return found

    def leaf(self, name: str, op: str, raw: Json, *, ignore_case: bool | None = None) -> Leaf:
        """Compile one condition; OperandFaults or ValueError when its value does not fit."""
        field, operator = self._schema.fields[name], self._schema.operators[op]
        if field.type not in operator.types:
            raise ValueError(f"'{operator.label}' does not work on {field.label}")
        if op in self._schema.off:
            raise ValueError(self._schema.off[op])
        folded = folds_by_default(field) if ignore_case is None else ignore_case
        folded = folded and operator.operand is not Operand.NONE and operator.allowed is None
        operand = read_operand(operator, field, raw, self._schema, ignore_case=folded)
        folded = folded and operator.operand is not Operand.PATTERN
        name = self._names[name]
        key = (name, operator.name, operand, _types(operand), folded)
        found = self._leaves.get(key)
        if found is None:
            if not isinstance(operand, OtherField):
                operator.compile(operand, field)
            found = Leaf(len(self._leaves), operator, field, operand, folded=folded)
            found.name = name
            self._leaves[key] = found
        return found

    def distrust(self, operators: Collection[str]) -> None:
        """Use no keys of these operators any more."""
        for leaf in self._leaves.values():
            if leaf.operator.name in operators:
                leaf.cover = False

    def conjuncts(self, tree: NodeOrLeaf | None) -> tuple[NodeOrLeaf, ...]:
        """Take a tree apart into what must all hold: single children unwrapped, alike joined."""
        if tree is None:
            return ()
        if isinstance(tree, Node) and tree.kind == "all":
            parts = [one for kid in tree.kids for one in self.conjuncts(self._plain(kid))]
            return tuple(dict.fromkeys(parts))
        plain = self._plain(tree)
        return (
            self.conjuncts(plain) if isinstance(plain, Node) and plain.kind == "all" else (plain,)
        )

    def _plain(self, tree: NodeOrLeaf) -> NodeOrLeaf:
        if isinstance(tree, Leaf):
            return tree
        kids: dict[NodeOrLeaf, None] = {}
        for kid in map(self._plain, tree.kids):
            alike = isinstance(kid, Node) and kid.kind == tree.kind and tree.kind != "none"
            kids |= dict.fromkeys(kid.kids if alike and isinstance(kid, Node) else (kid,))
        if len(kids) == 1 and tree.kind != "none":
            return next(iter(kids))
        return self.group(tree.kind, kids)


def _raw(value: Json) -> Json:
    return value.model_dump() if isinstance(value, BaseModel) else value


def _types(operand: Json) -> Json:
    return tuple(map(type, operand)) if isinstance(operand, tuple) else type(operand)


def _asked(leaf: Leaf) -> Check:
    if isinstance(leaf.operand, OtherField):
        return _against_field(leaf, leaf.operand.field)
    test = leaf.operator.compile(leaf.operand, leaf.field)
    if leaf.operator.changes or leaf.operator.needs_prior:
        return _of_change(leaf, test)
    return _of_folded(leaf, test) if leaf.folded else _of_value(leaf, test)


def _of_value(leaf: Leaf, test: Test) -> Check:
    name = leaf.name

    def check(view: View) -> bool:
        try:
            return test(view.new.get(name), None, view.at)
        except Exception as error:  # an operator of a plugin may raise anything
            raise OperatorFailed(leaf, error) from error

    return check


def _of_folded(leaf: Leaf, test: Test) -> Check:
    name = leaf.name

    def check(view: View) -> bool:
        try:
            return test(view.folded[name], None, view.at)
        except Exception as error:  # an operator of a plugin may raise anything
            raise OperatorFailed(leaf, error) from error

    return check


def _of_change(leaf: Leaf, test: Test) -> Check:
    field, operator, folded = leaf.field, leaf.operator, leaf.folded
    name = leaf.name

    def check(view: View) -> bool:
        if operator.changes and not view.changed[name]:
            return False
        if operator.needs_prior and view.why_no_prior(field):
            return False
        actual, prior = view.pair(name, folded=folded)
        try:
            return test(actual, prior, view.at)
        except Exception as error:  # an operator of a plugin may raise anything
            raise OperatorFailed(leaf, error) from error

    return check


def _against_field(leaf: Leaf, other: FieldSchema) -> Check:
    operator, field, folded = leaf.operator, leaf.field, leaf.folded
    of_empty = operator.compile(_sample(field), field)
    of_past = operator.changes or operator.needs_prior
    open_to_test = _of_change(leaf, _yes) if of_past else None

    def asked(view: View) -> bool:
        if open_to_test is not None and not open_to_test(view):
            return False
        actual, prior = view.pair(field.name, folded=folded)
        wanted = _as_type(view.pair(other.name, folded=folded)[0], field, view.at)
        if wanted is None or (actual is None and not of_past):
            return of_empty(None, None, view.at)
        return operator.compile(wanted, field)(actual, prior, view.at)

    def check(view: View) -> bool:
        try:
            return asked(view)
        except Exception as error:  # an operator of a plugin may raise anything
            raise OperatorFailed(leaf, error) from error

    return check


def _yes(_actual: Value, _prior: Value, _at: datetime) -> bool:
    return True


_SAMPLES: Final[Mapping[FieldType, Value]] = {
    FieldType.BOOLEAN: True,
    FieldType.INTEGER: 0,
    FieldType.DECIMAL: Decimal(0),
    FieldType.DURATION: timedelta(0),
    FieldType.DATE: datetime(2000, 1, 1).date(),  # noqa: DTZ001  a day has no zone
}


def _sample(field: FieldSchema) -> Value:
    if field.type is FieldType.TIMESTAMP:
        return _SAMPLES[FieldType.DATE]
    if field.choices:
        return field.choices[0].value
    return _SAMPLES.get(field.type, "x")


def _as_type(value: Value, field: FieldSchema, at: datetime) -> Value:
    if field.type is FieldType.DATE and isinstance(value, datetime):
        return value.astimezone(at.tzinfo).date()
    return value


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


_GROUPS: Final[Mapping[str, Callable[[tuple[Check, ...]], Check]]] = {
    "all": _all,
    "any": _any,
    "none": _none,
}
