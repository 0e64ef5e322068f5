"""How conditions compare."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple, TypeAlias

from hub.sdk.vocabulary import FieldSchema, FieldType, Value

Test: TypeAlias = Callable[[Value, Value, datetime], bool]
"""(actual, prior, the event's time) -> met"""


class KeyKind(StrEnum):
    """The ways in which an event's value can point at the rules that want it."""

    EQUAL = "equal"
    MEMBER = "member"
    PREFIX = "prefix"
    SUFFIX = "suffix"
    SUBSTRING = "substring"
    INTERVAL = "interval"
    LOWER = "lower"
    UPPER = "upper"
    CHANGED = "changed"
    PRESENT = "present"
    REGEX = "regex"


class AccessKey(NamedTuple):
    """A way to find a condition from an event: this field's value hits `value` by `kind`."""

    kind: KeyKind
    field: str
    value: Any = None


class Operand(StrEnum):
    """What a condition's `value` looks like."""

    NONE = "none"
    VALUE = "value"
    VALUES = "values"
    RANGE = "range"
    DURATION = "duration"
    FROM_TO = "from_to"
    PATTERN = "pattern"
    """A regular expression (RE2), handed over compiled, letter case included: `.search(text)`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Operator:
    """How a condition compares.

    `sentence` shows it in words: "{field} changed to {value}". `compile` is called once a
    rule with the coerced operand; a ValueError is shown at the condition. The test it
    returns is pure and never raises for any value of `types`, None included. With
    `needs_prior` it is false, with a reason, while no prior value is known.
    `keys(operand, field name)` promises: true implies that one of these keys is hit.
    `exact` are the kinds whose hit proves the condition (with LOWER and UPPER: that of a
    value beyond the bound). `inverse` is the exact opposite,
    null included. Letter case is the matcher's business: an operator gets folded values.
    With `changes` the hub asks the test only while the field has changed. `allowed(operand,
    field)` is for operators that are true of a few values only: it lists all of them.
    """

    name: str
    label: str
    sentence: str
    types: frozenset[FieldType]
    compile: Callable[[Any, FieldSchema], Test]
    operand: Operand = Operand.VALUE
    needs_prior: bool = False
    keys: Callable[[Any, str], Sequence[AccessKey] | None] | None = None
    exact: frozenset[KeyKind] = frozenset()
    inverse: str | None = None
    changes: bool = False
    allowed: Callable[[Any, FieldSchema], Sequence[Value]] | None = None
