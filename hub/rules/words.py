"""Conditions and values in plain words, with labels instead of ids."""

from functools import lru_cache
from typing import Final, NamedTuple

from hub.rules.operands import OtherField
from hub.rules.text import Pattern
from hub.rules.values import Json, json_value, text_of
from hub.sdk.operators import Operator
from hub.sdk.vocabulary import FieldSchema, FieldType

MASK: Final = "•••"
MAX_SHOWN: Final = 500


class _Slots(dict[str, str]):
    def __missing__(self, name: str) -> str:
        return "{" + name + "}"


class Said(NamedTuple):
    """A condition in words: its sentence, its operand as JSON, and what denies it.

    `denied` is what is said of a value, in parts that the value's own words join; `untold` of none.
    """

    text: str
    expected: Json
    denied: tuple[str, ...]
    untold: str


def say(operator: Operator, field: FieldSchema, operand: Json) -> Said:
    """Say a condition: "Amount > 10000"."""
    words = _words(operator, field, operand)
    text = operator.sentence.format_map(words)
    denied, untold = _denied(operator.sentence)
    parts = tuple([part.format_map(words) for part in denied.split("{actual}")])
    missing = untold.format_map(_Slots(words, actual=in_words(None, field)))
    return Said(text, _expected(field, operand), parts, missing)


def denial(said: Said, actual: str | None) -> str:
    """Say why a condition does not hold of a value in words: "Amount 900 is not > 10000"."""
    return said.untold if actual is None else actual.join(said.denied)


def _expected(field: FieldSchema, operand: Json) -> Json:
    if field.secret and operand is not None:
        return MASK
    if isinstance(operand, OtherField):
        return {"$field": operand.field.name}
    if isinstance(operand, tuple):
        return [_plain(one) for one in operand]
    return _plain(operand)


def _plain(value: Json) -> Json:
    return value.pattern if isinstance(value, Pattern) else json_value(value)


@lru_cache(maxsize=256)
def _denied(said: str) -> tuple[str, str]:
    """Turn an operator's sentence round, for a value and for none."""
    rest = said.removeprefix("{field} ")
    untold = f"not so: {said} ({{field}} is {{actual}})"
    if rest[:1] in {">", "≥", "<", "≤"}:
        return f"{{field}} {{actual}} is not {rest}", untold
    if rest.startswith("is ") and not rest.startswith(("is not ", "is none ")):
        return f"{{field}} {{actual}} is not {rest[3:]}", f"{{field}} is empty, not {rest[3:]}"
    return untold, untold


def _words(operator: Operator, field: FieldSchema, operand: Json) -> _Slots:
    slots = _Slots(field=field.label, value=_operand(operator, field, operand))
    if isinstance(operand, tuple) and len(operand) == 2:
        first, second = (in_words(one, field) for one in operand)
        slots |= {"from": first, "to": second, "low": first, "high": second}
    return slots


def _operand(operator: Operator, field: FieldSchema, operand: Json) -> str:
    if isinstance(operand, OtherField):
        return operand.field.label
    if isinstance(operand, Pattern):
        return f"/{operand.pattern}/"
    if isinstance(operand, tuple):
        joint = " and " if operator.operand == "range" else ", "
        return joint.join(in_words(one, field) for one in operand)
    return in_words(operand, field)


def in_words(value: Json, field: FieldSchema) -> str:
    """Show a value of the field: choices by label, texts in quotes, secrets masked."""
    if field.secret:
        return MASK
    if value is None:
        return "empty"
    label = next((one.label for one in field.choices if one.value == value), None)
    if label is not None:
        return label
    text = cut(text_of(value))
    return f'"{text}"' if field.type is FieldType.TEXT else text


def cut(text: str) -> str:
    """Cut a text to what is shown."""
    return text if len(text) <= MAX_SHOWN else text[: MAX_SHOWN - 1] + "…"
