"""Values: how they are read, compared and shown, by field type."""

import re
import unicodedata
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, Final, TypeAlias

from hub.sdk.vocabulary import FieldSchema, FieldType, Value

Json: TypeAlias = Any
"""A value as JSON brings it, or as an operator takes it: of any type, looked at before use."""
MAX_TEXT: Final = 65_536
MAX_ITEMS: Final = 1_000
TEXTUAL: Final = frozenset({FieldType.TEXT, FieldType.ID, FieldType.REFERENCE, FieldType.CHOICE})
NUMERIC: Final = frozenset({FieldType.INTEGER, FieldType.DECIMAL})
TEMPORAL: Final = frozenset({FieldType.DATE, FieldType.TIMESTAMP})
_DIGITS: Final = 64
_MAGNITUDE: Final = 30
_DURATION = re.compile(
    r"P(?:(?P<weeks>\d{1,6})W)?(?:(?P<days>\d{1,9})D)?"
    r"(?:T(?:(?P<hours>\d{1,8})H)?(?:(?P<minutes>\d{1,8})M)?(?:(?P<seconds>\d{1,10}(?:\.\d{1,6})?)S)?)?",
    re.ASCII,
)
_SHORT = re.compile(r"(\d{1,10})\s*([smhdw])", re.ASCII)
_UNITS: Final = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


class NotOfType(ValueError):
    """The value can not be read as a value of the field's type; the message says why."""


def coerce(raw: object, type: FieldType) -> Value:
    """Read a vendor's or an author's value as one of the type; NotOfType when it is none.

    Missing, None, "" and the empty list are None. Text is NFC and cut at 64 KiB.
    """
    if raw is None or (isinstance(raw, (str, tuple, list)) and not raw):
        return None
    return _READERS[type](raw)


def _text(raw: Json) -> Value:
    if isinstance(raw, str):
        return clean(raw)
    if isinstance(raw, bool):
        return "true" if raw else "false"
    if isinstance(raw, (int, float, Decimal, date, datetime, timedelta)):
        return text_of(raw if not isinstance(raw, float) else _decimal(raw))
    raise NotOfType(f"not a text: {shown(raw)}")


def clean(text: str) -> str:
    """Give the text as it is compared: NFC, well formed, at most 64 KiB."""
    if not text.isascii():
        text = text.encode("utf-8", "replace").decode("utf-8")
        text = unicodedata.normalize("NFC", text[:MAX_TEXT])
    return text[:MAX_TEXT]


def _boolean(raw: Json) -> Value:
    if isinstance(raw, bool):
        return raw
    word = raw.strip().lower() if isinstance(raw, str) else raw
    if word in ("true", 1):
        return True
    if word in ("false", 0):
        return False
    raise NotOfType(f"not true or false: {shown(raw)}")


def _decimal(raw: Json) -> Decimal:
    fault = f"not a number: {shown(raw)}"
    if isinstance(raw, bool) or not isinstance(raw, (str, int, float, Decimal)):
        raise NotOfType(fault)
    written = raw if isinstance(raw, (int, Decimal)) else str(raw).strip()
    if isinstance(written, str) and (len(written) > _DIGITS or "_" in written):
        raise NotOfType(fault)
    try:
        number = Decimal(written)
    except (InvalidOperation, ValueError) as error:
        raise NotOfType(fault) from error
    if not number.is_finite() or number.adjusted() > _MAGNITUDE:
        raise NotOfType(fault)
    return number


def _integer(raw: Json) -> Value:
    if type(raw) is int and -(10**18) < raw < 10**18:
        return raw
    number = _decimal(raw)
    if number != number.to_integral_value():
        raise NotOfType(f"not a whole number: {shown(raw)}")
    return int(number)


def _duration(raw: Json) -> Value:
    if isinstance(raw, timedelta):
        return raw
    try:
        if isinstance(raw, str):
            return _written_duration(raw.strip())
        return timedelta(seconds=float(_decimal(raw)))
    except (OverflowError, NotOfType) as error:
        raise NotOfType(f"not a duration: {shown(raw)}") from error


def _written_duration(text: str) -> timedelta:
    if text.startswith("-P"):
        return -_written_duration(text[1:])
    short = _SHORT.fullmatch(text)
    if short:
        return timedelta(**{_UNITS[short[2]]: int(short[1])})
    long = _DURATION.fullmatch(text)
    if long and not text.endswith(("P", "T")):
        return timedelta(**{unit: float(n) for unit, n in long.groupdict().items() if n})
    raise NotOfType("not a duration")


def _date(raw: Json) -> Value:
    if isinstance(raw, datetime):
        return raw.date()
    if isinstance(raw, date):
        return raw
    try:
        if isinstance(raw, str):
            text = raw.strip()
            return (
                date.fromisoformat(text) if len(text) <= 10 else datetime.fromisoformat(text).date()
            )
    except ValueError:
        pass
    raise NotOfType(f"not a date: {shown(raw)}")


def _timestamp(raw: Json) -> Value:
    try:
        if isinstance(raw, str):
            raw = datetime.fromisoformat(raw.strip())
        if isinstance(raw, datetime):
            return (raw if raw.tzinfo else raw.replace(tzinfo=UTC)).astimezone(UTC)
        if isinstance(raw, date):
            return datetime.combine(raw, time(), UTC)
    except (ValueError, OverflowError):
        pass
    raise NotOfType(f"not a time: {shown(raw)}")


def _list(raw: Json) -> Value:
    items = sorted(raw, key=str) if isinstance(raw, (set, frozenset)) else raw
    if not isinstance(items, (list, tuple)):
        items = [items]
    read = tuple(str(text) for one in items[:MAX_ITEMS] if (text := coerce(one, FieldType.TEXT)))
    return read or None


_READERS: Final[Mapping[FieldType, Callable[[Any], Value]]] = {
    FieldType.TEXT: _text,
    FieldType.ID: _text,
    FieldType.REFERENCE: _text,
    FieldType.CHOICE: _text,
    FieldType.BOOLEAN: _boolean,
    FieldType.INTEGER: _integer,
    FieldType.DECIMAL: _decimal,
    FieldType.DURATION: _duration,
    FieldType.DATE: _date,
    FieldType.TIMESTAMP: _timestamp,
    FieldType.LIST: _list,
}


def fold(value: Value) -> Value:
    """Take the letter case out of texts and lists of texts."""
    if isinstance(value, str):
        return value.casefold()
    if isinstance(value, tuple):
        return tuple(one.casefold() for one in value)
    return value


def folds_by_default(field: FieldSchema) -> bool:
    """Tell whether comparisons of the field ignore letter case unless told otherwise."""
    if field.type is FieldType.LIST:
        return not field.choices and field.choice_source is None
    return field.type is FieldType.TEXT


def same(one: Value, other: Value) -> bool:
    """Tell whether a field that went from one to the other has not changed."""
    if isinstance(one, tuple) and isinstance(other, tuple):
        return set(one) == set(other)
    if isinstance(one, datetime) and isinstance(other, datetime):
        if not (one.microsecond and other.microsecond):
            return one.replace(microsecond=0) == other.replace(microsecond=0)
        return one == other
    return one == other


def text_of(value: Value) -> str:
    """Write a value as templates do: null is "", times are RFC 3339, lists are joined."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return ", ".join(value)
    return _plain(value)


def _plain(value: int | Decimal | date | datetime | timedelta) -> str:
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, datetime):
        return _rfc3339(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, timedelta):
        return iso_duration(value)
    return str(value)


def _rfc3339(value: datetime) -> str:
    text = value.isoformat()
    return text.removesuffix("+00:00") + "Z" if text.endswith("+00:00") else text


def iso_duration(value: timedelta) -> str:
    """Write a duration: PT15M, P3D, P1DT2H."""
    sign = "-" if value < timedelta(0) else ""
    value = abs(value)
    hours, rest = divmod(value.seconds, 3600)
    minutes, seconds = divmod(rest, 60)
    second = Decimal(seconds) + Decimal(value.microseconds) / 1_000_000
    clock = "".join(
        f"{part:f}{unit}" if unit == "S" else f"{part}{unit}"
        for part, unit in ((hours, "H"), (minutes, "M"), (second.normalize(), "S"))
        if part
    )
    day = f"{value.days}D" if value.days else ""
    return f"{sign}P{day}{'T' + clock if clock else ''}" if day or clock else "PT0S"


def json_value(value: Value) -> Json:
    """Give a value as JSON can carry it; `coerce` reads it back by the field's type."""
    if value is None or isinstance(value, (str, bool, int)):
        return value
    if isinstance(value, tuple):
        return list(value)
    if isinstance(value, Decimal):
        return _json_number(value)
    return text_of(value)


def _json_number(value: Decimal) -> int | float | str:
    if value == value.to_integral_value():
        return int(value)
    near = float(value)
    return near if Decimal(repr(near)) == value else text_of(value)


def shown(raw: object, limit: int = 60) -> str:
    """Quote a value for a message, cut to a readable length."""
    text = raw if isinstance(raw, str) else str(raw)
    text = text[: limit - 1] + "…" if len(text) > limit else text
    return f"'{text}'"
