"""Which events a rule's conditions can let through: overlap, implication, contradiction.

Decided per field on what must all hold at once; the rest is kept as it is written. What can't
be decided counts as "can be met", "can overlap" and "is not implied". Pure.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final, TypeAlias

from hub.rules.conditions import Conditions, Leaf
from hub.rules.model import Condition, FieldOperand, FromTo, Group, Rule
from hub.rules.operands import NOT_GIVEN, OtherField
from hub.rules.schema import Schema
from hub.sdk.operators import KeyKind, Operand
from hub.sdk.vocabulary import Value

_LOWER: Final = frozenset({"gt", "gte", "after"})
_UPPER: Final = frozenset({"lt", "lte", "before"})
Place: TypeAlias = tuple[str, bool]
"""(field, whether letter case is ignored)"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Domain:
    """What is known of one field's new value; None = anything."""

    allowed: frozenset[Value] | None = None
    low: Any = None
    high: Any = None
    prefixes: tuple[str, ...] = ()
    suffixes: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()
    present: bool = False
    empty: bool = False
    never: bool = False

    def joined(self, other: "Domain") -> "Domain":
        """Return what holds when both hold."""
        never = self.never or other.never
        try:
            low = _greater(self.low, other.low)
            high = _smaller(self.high, other.high)
            never = never or (low is not None and high is not None and low > high)
        except TypeError:
            low = high = None
        allowed = _common(self.allowed, other.allowed)
        prefixes = (*self.prefixes, *other.prefixes)
        suffixes = (*self.suffixes, *other.suffixes)
        present, empty = self.present or other.present, self.empty or other.empty
        return Domain(
            allowed=allowed,
            low=low,
            high=high,
            prefixes=prefixes,
            suffixes=suffixes,
            parts=(*self.parts, *other.parts),
            present=present,
            empty=empty,
            never=never
            or (present and empty)
            or allowed == frozenset()
            or not _chained(prefixes, str.startswith)
            or not _chained(suffixes, str.endswith),
        )


def _greater(one: Any, other: Any) -> Any:  # noqa: ANN401 - a bound of any type
    return other if one is None else one if other is None else max(one, other)


def _smaller(one: Any, other: Any) -> Any:  # noqa: ANN401 - a bound of any type
    return other if one is None else one if other is None else min(one, other)


def _common(
    one: frozenset[Value] | None, other: frozenset[Value] | None
) -> frozenset[Value] | None:
    if one is None or other is None:
        return other if one is None else one
    return one & other


def _chained(texts: Sequence[str], fits: Any) -> bool:  # noqa: ANN401 - str.startswith, endswith
    """Whether one text can have all of them: each begins (ends) the longest."""
    longest = max(texts, key=len, default="")
    return all(fits(longest, one) for one in texts)


ANYTHING: Final = Domain()


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """A rule as linting sees it: its triggers and sources, and what must all hold.

    `leaves` are conditions that must hold, `rest` groups that must hold, as written.
    `fields` are all fields that conditions read.
    """

    triggers: frozenset[str]
    sources: frozenset[str]
    leaves: tuple[Leaf, ...]
    rest: frozenset[str]
    fields: frozenset[str]
    zone: Any = None
    domains: Mapping[Place, Domain] = field(default_factory=dict)

    @property
    def is_never(self) -> bool:
        """Whether no event can meet the conditions."""
        return any(one.never for one in self.domains.values())

    @property
    def contradictions(self) -> tuple[str, ...]:
        """The fields on which the conditions contradict each other."""
        return tuple(dict.fromkeys(name for (name, _), one in self.domains.items() if one.never))


def region_of(rule: Rule, schema: Schema, conditions: Conditions) -> Region:
    """Read a rule's conditions; regions that are compared share one `conditions`."""
    leaves: list[Leaf] = []
    rest: list[str] = []
    for part in _musts(rule.when, schema):
        if isinstance(part, Condition):
            leaves.append(_leaf(part, conditions))
        else:
            rest.append(_written(part))
    unique = tuple(dict.fromkeys(leaves))
    region = Region(
        triggers=frozenset(schema.expand(rule.on)),
        sources=frozenset(rule.sources),
        leaves=unique,
        rest=frozenset(rest),
        fields=frozenset(_read(rule.when)),
        zone=schema.zone,
    )
    return replace(region, domains=_domains(unique, schema.zone))


def _leaf(part: Condition, conditions: Conditions) -> Leaf:
    given = part.model_fields_set
    case = part.ignore_case if "ignore_case" in given else None
    value = part.value if "value" in given else NOT_GIVEN
    raw = value.model_dump() if isinstance(value, FieldOperand | FromTo) else value
    return conditions.leaf(part.field, part.op, raw, ignore_case=case)


def _musts(group: Group, schema: Schema) -> Iterator[Condition | Group]:
    """Yield what must all hold: flattened `all`, `none` by the operators' opposites."""
    single = group.kind == "any" and len(group.kids) == 1
    if group.kind == "all" or single:
        for kid in group.kids:
            yield from _musts(kid, schema) if isinstance(kid, Group) else (kid,)
    elif group.kind == "none":
        for kid in group.kids:
            yield _opposite(kid, schema)
    elif group.kind:
        yield group


def _opposite(kid: Condition | Group, schema: Schema) -> Condition | Group:
    operator = schema.operators.get(kid.op) if isinstance(kid, Condition) else None
    if isinstance(kid, Condition) and operator is not None and operator.inverse:
        return kid.model_copy(update={"op": operator.inverse})
    return Group(none=[kid])


def _written(group: Group) -> str:
    return json.dumps(group.model_dump(exclude_unset=True), sort_keys=True, default=str)


def _read(group: Group) -> Iterator[str]:
    for kid in group.kids:
        if isinstance(kid, Group):
            yield from _read(kid)
        else:
            yield kid.field
            if isinstance(kid.value, FieldOperand):
                yield kid.value.name


def _domains(leaves: Iterable[Leaf], zone: Any) -> dict[Place, Domain]:  # noqa: ANN401 - a time zone
    found: dict[Place, Domain] = {}
    by_place: dict[Place, list[Leaf]] = {}
    for leaf in leaves:
        place = (leaf.field.name, leaf.folded)
        found[place] = found.get(place, ANYTHING).joined(narrowed(leaf))
        by_place.setdefault(place, []).append(leaf)
    for place, domain in found.items():
        found[place] = _tried(domain, by_place[place], zone)
    return _with_emptiness(found)


def narrowed(leaf: Leaf) -> Domain:
    """Return what a condition says of the new value: what its access keys promise."""
    operator = leaf.operator
    if isinstance(leaf.operand, OtherField):
        return ANYTHING
    if operator.name == "is_empty":
        return Domain(empty=True)
    if operator.allowed is not None:
        return Domain(allowed=frozenset(operator.allowed(leaf.operand, leaf.field)), present=True)
    keys = operator.keys(leaf.operand, leaf.field.name) if operator.keys else None
    if not keys or any(key.kind is KeyKind.CHANGED for key in keys):
        return ANYTHING
    if all(key.kind is KeyKind.EQUAL for key in keys):
        return Domain(allowed=frozenset(key.value for key in keys), present=True)
    return _single(keys[0].kind, keys[0].value) if len(keys) == 1 else Domain(present=True)


def _single(kind: KeyKind, value: Any) -> Domain:  # noqa: ANN401 - a key's value
    if kind is KeyKind.INTERVAL:
        return Domain(low=value[0], high=value[1], present=True)
    members: Mapping[KeyKind, dict[str, Any]] = {
        KeyKind.LOWER: {"low": value},
        KeyKind.UPPER: {"high": value},
        KeyKind.PREFIX: {"prefixes": (value,)},
        KeyKind.SUFFIX: {"suffixes": (value,)},
        KeyKind.SUBSTRING: {"parts": (value,)},
    }
    return Domain(**members.get(kind, {}), present=True)


def _tried(domain: Domain, leaves: Sequence[Leaf], zone: Any) -> Domain:  # noqa: ANN401 - a time zone
    """Try the few values that are left on each condition itself."""
    left = domain.allowed
    if left is None and domain.low is not None and domain.low == domain.high:
        left = frozenset({domain.low})
    if left is None:
        return domain
    passing = frozenset(
        value for value in left if all(passes(leaf, value, zone) is not False for leaf in leaves)
    )
    allowed = passing if domain.allowed is not None else domain.allowed
    return replace(domain, allowed=allowed, never=domain.never or not passing)


def passes(leaf: Leaf, value: Value, zone: Any) -> bool | None:  # noqa: ANN401 - a time zone
    """Whether a value meets a condition; None where the value alone does not decide."""
    operator = leaf.operator
    alone = not (operator.changes or operator.needs_prior)
    if not alone or operator.operand is Operand.DURATION or isinstance(leaf.operand, OtherField):
        return None
    at = datetime(2000, 1, 1, tzinfo=zone)
    try:
        return operator.compile(leaf.operand, leaf.field)(value, None, at)
    except (TypeError, ValueError):
        return None


def _with_emptiness(found: dict[Place, Domain]) -> dict[Place, Domain]:
    """Let what is known of emptiness hold for both ways of looking at letter case."""
    for (name, folded), domain in list(found.items()):
        other = found.get((name, not folded))
        if other is not None and ((domain.empty and other.present) or other.never):
            found[name, folded] = replace(domain, never=True)
    return found


def overlap(one: Region, other: Region) -> bool:
    """Whether one event may meet both."""
    if not one.triggers & other.triggers or not _sources_meet(one, other):
        return False
    if one.is_never or other.is_never:
        return False
    joined = _domains((*one.leaves, *other.leaves), one.zone)
    return not any(domain.never for domain in joined.values())


def _sources_meet(one: Region, other: Region) -> bool:
    return not one.sources or not other.sources or bool(one.sources & other.sources)


def implies(narrow: Region, wide: Region) -> bool:
    """Whether each event that meets `narrow` meets `wide` too."""
    if not narrow.triggers <= wide.triggers:
        return False
    if wide.sources and not (narrow.sources and narrow.sources <= wide.sources):
        return False
    return wide.rest <= narrow.rest and all(implies_leaf(narrow, leaf) for leaf in wide.leaves)


def implies_leaf(narrow: Region, leaf: Leaf) -> bool:
    """Whether each event that meets the region meets the condition."""
    if leaf in narrow.leaves:
        return True
    domain = narrow.domains.get((leaf.field.name, leaf.folded), ANYTHING)
    other = narrow.domains.get((leaf.field.name, not leaf.folded), ANYTHING)
    if leaf.operator.name == "is_present":
        return domain.present or other.present
    if leaf.operator.name == "is_empty":
        return domain.empty or other.empty
    if domain.empty:
        return passes(leaf, None, narrow.zone) is True
    if domain.allowed is not None:
        return all(passes(leaf, value, narrow.zone) is True for value in domain.allowed)
    return _by_shape(domain, leaf, narrow.zone)


def _by_shape(domain: Domain, leaf: Leaf, zone: Any) -> bool:  # noqa: ANN401 - a time zone
    """Whether bounds, beginnings, ends or parts are enough."""
    name, wanted = leaf.operator.name, leaf.operand
    bounds: tuple[Any, ...] | None = _bounds(domain, name)
    if bounds is not None:
        return None not in bounds and all(passes(leaf, one, zone) is True for one in bounds)
    if not isinstance(wanted, str):
        return False
    return _by_text(domain, name, wanted)


def _bounds(domain: Domain, name: str) -> tuple[Any, ...] | None:
    if name in _LOWER:
        return (domain.low,)
    if name in _UPPER:
        return (domain.high,)
    return (domain.low, domain.high) if name == "between" else None


def _by_text(domain: Domain, name: str, wanted: str) -> bool:
    if name == "starts_with":
        return any(one.startswith(wanted) for one in domain.prefixes)
    if name == "ends_with":
        return any(one.endswith(wanted) for one in domain.suffixes)
    texts = (*domain.prefixes, *domain.suffixes, *domain.parts)
    return name == "contains" and any(wanted in one for one in texts)


def excludes(region: Region, name: str, value: Value) -> bool:
    """Whether a record whose field has this value can't meet the region."""
    for leaf in region.leaves:
        if leaf.field.name == name:
            shown = value.casefold() if leaf.folded and isinstance(value, str) else value
            if passes(leaf, shown, region.zone) is False:
                return True
            if leaf.operator.changes and _goes_elsewhere(leaf, shown):
                return True
    return False


def _goes_elsewhere(leaf: Leaf, value: Value) -> bool:
    domain = narrowed(leaf)
    return domain.allowed is not None and value not in domain.allowed
