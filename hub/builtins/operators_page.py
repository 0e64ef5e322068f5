"""The reference page of the operators, written from the operators themselves."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from hub.builtins.operators import OPERATORS
from hub.sdk.operators import Operand, Operator
from hub.sdk.vocabulary import Choice, FieldSchema, FieldType, Value

_NOW: Final = datetime(2024, 5, 14, 12, tzinfo=UTC)
_SAMPLES: Final[dict[FieldType, Value]] = {
    FieldType.INTEGER: 1,
    FieldType.DECIMAL: Decimal(1),
    FieldType.BOOLEAN: True,
    FieldType.DATE: date(2024, 5, 14),
    FieldType.TIMESTAMP: _NOW,
    FieldType.DURATION: timedelta(hours=1),
}
_WRITTEN: Final = {
    Operand.NONE: "none",
    Operand.VALUE: "a value, or `{$field: …}`",
    Operand.VALUES: "a list of values",
    Operand.RANGE: "two values",
    Operand.DURATION: "a duration: `15m`, `P3D`",
    Operand.FROM_TO: "`{from: …, to: …}`",
    Operand.PATTERN: "a pattern (RE2)",
}
_HEAD: Final = """\
# Operators

What conditions can compare with. This page is written from the operators themselves; those of
plugins, whose names have a dot, are in the [catalog](catalog.md).

*Empty* says whether the condition holds of an empty field (missing, `null` and `""` are the same).
*Opposite* is exact, empty values included. *Found by* says which of an event's values lead to the
rule; a rule whose conditions are all found by nothing is tested for every event of its triggers. ✓
means that what was found needs no test.

| operator | label | types | value | empty | opposite | found by |
|---|---|---|---|---|---|---|
"""
_FOOT: Final = """
A value of `null` stands for "empty" where an operator looks at changes (`changed_to`,
`changed_from`, `changed_from_to`, `was`). Letter case is ignored for text and lists of text, and
told apart for ids, references and choices; `ignore_case` says otherwise. Days (`2024-05-14`) are
days of the tenant's time zone. How changes, times and failures are treated is told in
[Rules](../explanation/rules.md).
"""


def operators_page() -> str:
    """Write `docs/reference/operators.md`."""
    return _HEAD + "".join(map(_row, OPERATORS)) + _FOOT


def _row(operator: Operator) -> str:
    cells = (
        f"`{operator.name}`",
        operator.label,
        _types(operator),
        _WRITTEN[operator.operand],
        _of_empty(operator),
        f"`{operator.inverse}`" if operator.inverse else "none",
        _found_by(operator),
    )
    return "| " + " | ".join(cells) + " |\n"


def _types(operator: Operator) -> str:
    absent = [one.value for one in FieldType if one not in operator.types]
    if not absent:
        return "all"
    if len(absent) <= 2:
        return f"all but {' and '.join(absent)}"
    return ", ".join(one.value for one in FieldType if one in operator.types)


def _field(operator: Operator) -> FieldSchema:
    kind = next(one for one in FieldType if one in operator.types)
    choices = (Choice(value="a", label="A"), Choice(value="b", label="B"))
    return FieldSchema(
        source_object="an.object",
        key="field",
        label="Field",
        type=kind,
        choices=choices if kind is FieldType.CHOICE else (),
    )


class _AnyPattern:
    """Stands for a compiled pattern."""

    def search(self, text: str) -> bool:
        return bool(text)


def _sample(operator: Operator, field: FieldSchema) -> Any:  # noqa: ANN401  of any type
    one = _SAMPLES.get(field.type, "a")
    return {
        Operand.NONE: None,
        Operand.VALUE: one,
        Operand.VALUES: (one,),
        Operand.RANGE: (one, one),
        Operand.DURATION: timedelta(hours=1),
        Operand.FROM_TO: (one, one),
        Operand.PATTERN: _AnyPattern(),
    }[operator.operand]


def _of_empty(operator: Operator) -> str:
    if operator.changes or operator.needs_prior:
        return "by its change" if operator.changes else "by its past"
    field = _field(operator)
    return "yes" if operator.compile(_sample(operator, field), field)(None, None, _NOW) else "no"


def _found_by(operator: Operator) -> str:
    if operator.allowed is not None:
        return "equal ✓, a key for each"
    field = _field(operator)
    keys = operator.keys(_sample(operator, field), field.name) if operator.keys else ()
    kinds = tuple(dict.fromkeys(key.kind for key in keys or ()))
    each = ", a key for each" if operator.operand is Operand.VALUES and len(kinds) == 1 else ""
    said = ", ".join(f"{kind.value}{' ✓' if kind in operator.exact else ''}" for kind in kinds)
    return (
        said + (each if operator.name != "has_all_of" else ", the longest") if said else "nothing"
    )


if __name__ == "__main__":
    import sys

    sys.stdout.write(operators_page())
