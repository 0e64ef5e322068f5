"""Cover: by which keys a condition tree can be found, and how often they will be hit."""

from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

from hub.rules.conditions import Leaf, NodeOrLeaf
from hub.rules.keys import fitting
from hub.rules.tables import RANGES, TableId
from hub.rules.text import Pattern, literal_of
from hub.rules.values import Json
from hub.sdk.operators import AccessKey, KeyKind
from hub.sdk.vocabulary import FieldSchema, FieldType

if TYPE_CHECKING:
    from collections.abc import Sequence

DEAR: Final = 0.6
_FIXED: Final = {
    KeyKind.INTERVAL: 0.05,
    KeyKind.CHANGED: 0.2,
    KeyKind.REGEX: 0.3,
    KeyKind.LOWER: 0.4,
    KeyKind.UPPER: 0.4,
    KeyKind.PRESENT: 0.4,
}


class Key(NamedTuple):
    """A bucket of a table; `exact` = whoever is found there meets the condition."""

    table: TableId
    value: Json
    exact: bool

    @property
    def path(self) -> object:
        """What is known to be hit below: the very value, or any of a table of ranges."""
        return self.table if self.table.kind in RANGES else (self.table, self.value)


class Cover(NamedTuple):
    """Keys of which one is hit whenever the condition is met.

    `cost` is the share of events that will hit one. `pivot` = it is a single condition,
    which exact keys prove.
    """

    cost: float
    keys: tuple[Key, ...]
    pivot: bool


def cover(tree: NodeOrLeaf) -> Cover | None:
    """Find the keys of a condition or group; None = every event must be tested."""
    if isinstance(tree, Leaf):
        return _of_leaf(tree)
    kids = [cover(kid) for kid in tree.kids] if tree.kind != "none" else []
    if tree.kind == "any":
        known = [one for one in kids if one is not None]
        return _together(known) if len(known) == len(kids) else None
    found = [one for one in kids if one is not None]
    cheapest = min(found, key=lambda one: one.cost, default=None)
    return cheapest and cheapest._replace(pivot=False)


def _together(covers: list[Cover]) -> Cover:
    keys = dict.fromkeys(key for one in covers for key in one.keys)
    return Cover(sum(one.cost for one in covers), tuple(keys), pivot=False)


def _of_leaf(leaf: Leaf) -> Cover | None:
    if leaf.cover is None:
        keys = _keys(leaf)
        leaf.cover = False if keys is None else Cover(_sum(keys, leaf.field), keys, pivot=True)
    return leaf.cover if isinstance(leaf.cover, Cover) else None


def _sum(keys: tuple[Key, ...], field: FieldSchema) -> float:
    return sum(cost(key, field) for key in keys)


def _keys(leaf: Leaf) -> tuple[Key, ...] | None:
    declared = _declared(leaf)
    if declared is None:
        return None
    keys = [_key(leaf, key) for key in declared]
    found = tuple(dict.fromkeys(key for key in keys if key is not None))
    return None if None in keys else found


def _declared(leaf: Leaf) -> list[AccessKey] | None:
    """Ask the operator; one that fails here can still be tested."""
    operator, name = leaf.operator, leaf.name
    found: Sequence[AccessKey] | None
    try:
        if leaf.by_field:
            found = None
        elif operator.allowed is not None:
            values = operator.allowed(leaf.operand, leaf.field)
            found = [AccessKey(KeyKind.EQUAL, name, one) for one in values]
        else:
            found = operator.keys and operator.keys(leaf.operand, name)
    except Exception:  # noqa: BLE001  a plugin's operator may raise anything; without keys it is right
        found = None
    if found is None and operator.changes:
        return [AccessKey(KeyKind.CHANGED, name)]
    return None if found is None else list(found)


def _key(leaf: Leaf, declared: AccessKey) -> Key | None:
    """Translate a declared key into a table's; None = no table can take it."""
    kind, value = declared.kind, declared.value
    proves = kind in leaf.operator.exact or leaf.operator.allowed is not None
    folded = leaf.folded
    if kind is KeyKind.EQUAL and leaf.field.type is FieldType.LIST:
        kind, proves = KeyKind.MEMBER, False
    if kind is KeyKind.REGEX and isinstance(value, Pattern):
        literal = literal_of(value)
        if literal is not None:
            kind, folded, value, proves = KeyKind.SUBSTRING, value.ignore_case, literal, False
    if kind in RANGES | {KeyKind.CHANGED, KeyKind.PRESENT, KeyKind.REGEX}:
        folded = False
    if not fitting(kind, value) or declared.field != leaf.name:
        return None
    return Key(_table(kind, leaf.name, folded), value, proves)


def rank(tree: NodeOrLeaf) -> float:
    """Order conditions so that few tests decide: cheap ones first, and those that rarely hold."""
    found = cover(tree)
    return tree.weight / (1 - min(0.9, 0.5 if found is None else found.cost))


@lru_cache(maxsize=4_096)
def _table(kind: KeyKind, name: str, folded: bool) -> TableId:  # noqa: FBT001  a cache's key
    return TableId(kind, name, folded)


def cost(key: Key, field: FieldSchema) -> float:
    """Guess the share of events that hit a key, from the field's schema alone."""
    kind = key.table.kind
    if kind in _FIXED:
        return _FIXED[kind]
    if kind in {KeyKind.EQUAL, KeyKind.MEMBER}:
        return _cost_of_value(key.value, field)
    length = len(key.value)
    if kind is KeyKind.SUBSTRING:
        return max(0.002, 0.5**length)
    return max(0.0005, 0.4**length)


def _cost_of_value(value: Json, field: FieldSchema) -> float:
    if field.type is FieldType.BOOLEAN:
        return 0.5
    if field.choices:
        return 1 / len(field.choices)
    if field.type in {FieldType.ID, FieldType.REFERENCE}:
        return 0.01
    return 0.2 if isinstance(value, str) and len(value) < 3 else 0.01
