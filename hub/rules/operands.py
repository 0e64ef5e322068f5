"""Operands: what a condition compares with, read by the operator's kind of operand."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any, Final

from hub.rules.nearest import listed, nearest
from hub.rules.schema import Schema, takes_field, takes_null
from hub.rules.text import Pattern, PatternRefused
from hub.rules.values import NUMERIC, TEMPORAL, TEXTUAL, Json, NotOfType, coerce, fold, shown
from hub.sdk.operators import Operand, Operator
from hub.sdk.vocabulary import FieldSchema, FieldType, Value

MAX_OPERAND_TEXT: Final = 2_000
MAX_VALUES: Final = 1_000
NOT_GIVEN: Final = object()


@dataclass(frozen=True, slots=True)
class OtherField:
    """An operand that is another field's value."""

    field: FieldSchema


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with an operand; `at` is the pointer below the operand."""

    code: str
    message: str
    at: str = ""


class OperandFaults(ValueError):
    """The operand can not be used: all its faults."""

    def __init__(self, *faults: Fault) -> None:
        super().__init__("; ".join(fault.message for fault in faults))
        self.faults = faults


def read_operand(
    operator: Operator, field: FieldSchema, raw: Json, schema: Schema, *, ignore_case: bool
) -> Json:
    """Give the operand as the operator's `compile` takes it, folded where case is ignored.

    `raw` is NOT_GIVEN when the condition has no value. OperandFaults lists what is wrong.
    """
    if operator.operand is Operand.NONE:
        if raw is not NOT_GIVEN:
            raise OperandFaults(Fault("value.superfluous", f"'{operator.label}' takes no value."))
        return None
    if raw is NOT_GIVEN or (raw is None and not takes_null(operator)):
        raise OperandFaults(Fault("value.missing", f"'{operator.label}' needs a value."))
    if isinstance(raw, Mapping) and "$field" in raw:
        return _other_field(operator, field, raw["$field"], schema)
    if operator.operand is Operand.PATTERN:
        return _pattern(field, raw, ignore_case=ignore_case)
    operand = _KINDS[operator.operand](operator, field, raw)
    return _folded(operand) if ignore_case else operand


def _folded(operand: Json) -> Json:
    if isinstance(operand, tuple):
        return tuple(fold(one) for one in operand)
    return fold(operand)


def _other_field(operator: Operator, field: FieldSchema, name: Json, schema: Schema) -> OtherField:
    other = schema.fields.get(name) if isinstance(name, str) else None
    if other is None:
        raise OperandFaults(Fault("field.unknown", f"No field {shown(name)}.", "/$field"))
    if not takes_field(operator) or not comparable(field, other):
        kinds = f"{field.label} ({field.type}) and {other.label} ({other.type})"
        raise OperandFaults(Fault("field.compare", f"{kinds} can not be compared.", "/$field"))
    return OtherField(other)


def comparable(field: FieldSchema, other: FieldSchema) -> bool:
    """Tell whether values of the two fields can be compared."""
    if field.type is FieldType.LIST:
        return other.type in TEXTUAL
    alike = (TEXTUAL, NUMERIC, TEMPORAL)
    return field.type is other.type or any({field.type, other.type} <= kind for kind in alike)


def _pattern(field: FieldSchema, raw: Json, *, ignore_case: bool) -> Pattern:
    if not isinstance(raw, str) or not raw:
        raise OperandFaults(Fault("value.type", f"{field.label}: {shown(raw)} is not a pattern."))
    try:
        return Pattern(raw, ignore_case=ignore_case)
    except PatternRefused as error:
        raise OperandFaults(Fault(error.code, str(error))) from error


def _value(operator: Operator, field: FieldSchema, raw: Json) -> Value:
    return None if raw is None else _one(operator, field, raw, "")


def _values(operator: Operator, field: FieldSchema, raw: Json) -> tuple[Value, ...]:
    if not isinstance(raw, (list, tuple)) or not raw:
        raise OperandFaults(Fault("value.type", f"'{operator.label}' needs a list of values."))
    if len(raw) > MAX_VALUES:
        raise OperandFaults(Fault("limit.values", f"At most {MAX_VALUES:,} values."))
    read: dict[Value, None] = {}
    faults: list[Fault] = []
    for index, one in enumerate(raw):
        try:
            read[_one(operator, field, one, f"/{index}")] = None
        except OperandFaults as found:
            faults.extend(found.faults)
    if faults:
        raise OperandFaults(*faults)
    return tuple(read)


def _range(operator: Operator, field: FieldSchema, raw: Json) -> tuple[Value, Value]:
    if not isinstance(raw, (list, tuple)) or len(raw) != 2:
        raise OperandFaults(Fault("value.type", f"'{operator.label}' needs two values."))
    low, high = (_one(operator, field, one, f"/{index}") for index, one in enumerate(raw))
    if _moment(low) > _moment(high):
        text = f"{operator.label}: {raw[0]} is greater than {raw[1]}."
        raise OperandFaults(Fault("value.range", text))
    return low, high


def _moment(value: Json) -> Json:
    if isinstance(value, date) and not isinstance(value, datetime):
        return datetime.combine(value, time()).timestamp()
    return value.timestamp() if isinstance(value, datetime) else value


def _from_to(operator: Operator, field: FieldSchema, raw: Json) -> tuple[Value, Value]:
    if not isinstance(raw, Mapping) or raw.keys() != {"from", "to"}:
        text = f"'{operator.label}' needs 'from' and 'to'."
        raise OperandFaults(Fault("value.type", text))
    before, after = (
        None if raw[side] in (None, "") else _one(operator, field, raw[side], f"/{side}")
        for side in ("from", "to")
    )
    return before, after


def _duration(_: Operator, field: FieldSchema, raw: Json) -> Value:
    return _coerced(field, raw, FieldType.DURATION, "")


def _one(operator: Operator, field: FieldSchema, raw: Json, at: str) -> Value:
    kind = FieldType.TEXT if field.type is FieldType.LIST else field.type
    if isinstance(raw, str) and len(raw) > MAX_OPERAND_TEXT:
        raise OperandFaults(Fault("limit.text", f"At most {MAX_OPERAND_TEXT:,} characters.", at))
    if raw == "" and kind in TEXTUAL:
        raise OperandFaults(Fault("value.empty", f"{operator.label}: the text is empty.", at))
    if kind is FieldType.TIMESTAMP and _is_day(raw) and not takes_null(operator):
        kind = FieldType.DATE
    read = _coerced(field, raw, kind, at)
    _among_choices(field, read, at)
    return read


def _is_day(raw: Json) -> bool:
    return isinstance(raw, str) and len(raw.strip()) == len("2000-01-01")


def _coerced(field: FieldSchema, raw: Json, kind: FieldType, at: str) -> Value:
    what = f"not a {kind}"
    try:
        read = None if _misread(raw, kind) else coerce(raw, kind)
    except NotOfType as error:
        read, what = None, str(error).partition(":")[0]
    if read is None:
        text = f"{field.label}: {shown(raw)} is {what}."
        raise OperandFaults(Fault("value.type", text, at))
    return read


def _misread(raw: Json, kind: FieldType) -> bool:
    """Refuse what a careless author wrote and coercion would forgive a vendor."""
    if isinstance(raw, bool):
        return kind is not FieldType.BOOLEAN
    if isinstance(raw, (Mapping, list, tuple)):
        return True
    return kind is FieldType.DURATION and not isinstance(raw, str)


def _among_choices(field: FieldSchema, value: Value, at: str) -> None:
    if field.choices and all(choice.value != value for choice in field.choices):
        values = [choice.value for choice in field.choices]
        near = nearest(str(value), values) or _called(field, value)
        meant = f" Did you mean {shown(near)}?" if near else ""
        text = f"{field.label} has no choice {shown(value)}.{meant} Choices: {listed(values)}"
        raise OperandFaults(Fault("value.choice", text, at))


def _called(field: FieldSchema, value: Value) -> str | None:
    """Return the choice that people see under this name."""
    by_label = {choice.label: choice.value for choice in field.choices}
    return by_label.get(nearest(str(value), by_label) or "")


_KINDS: Final[Mapping[Operand, Callable[[Operator, FieldSchema, Any], Any]]] = {
    Operand.VALUE: _value,
    Operand.VALUES: _values,
    Operand.RANGE: _range,
    Operand.DURATION: _duration,
    Operand.FROM_TO: _from_to,
}
