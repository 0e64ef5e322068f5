"""Values between Salesforce's JSON and the hub's types."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from hub import FieldType, Value
from hub_salesforce.ids import is_id, to_18

_TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:?\d\d)")
_DATE = re.compile(r"\d{4}-\d\d-\d\d")


def to_value(raw: Any, type: FieldType | None = None) -> Value:  # noqa: ANN401 - any JSON value
    """Return what Salesforce sent as the hub's value; an unknown type is read off the text.

    Empty text is None. A value that does not fit its type stays text: never raises.
    """
    if raw is None or raw == "" or isinstance(raw, Mapping | list):
        return None
    reader = _READERS.get(type) if type else _guess
    try:
        return reader(raw) if reader else _text(raw)
    except (ValueError, ArithmeticError):
        return _text(raw)


def to_json(value: Value, type: FieldType | None = None) -> Any:  # noqa: ANN401 - any JSON value
    """Return the JSON that Salesforce takes for a value; text is turned into the field's type.

    ValueError where the text can't be of that type.
    """
    if value is None or value == "":
        return False if type is FieldType.BOOLEAN else None
    if isinstance(value, str):
        return _WRITERS[type](value) if type in _WRITERS else value
    return _json(value)


def instant(text: str) -> datetime:
    """Return the aware UTC time of a stamp such as 2026-11-20T09:20:44.000+0000."""
    found = datetime.fromisoformat(text)
    return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)


def stamp(moment: datetime) -> str:
    """Return a time as JSON bodies and SOQL take it: 2026-11-20T09:20:44Z."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _json(value: Value) -> Any:  # noqa: ANN401 - any JSON value
    if isinstance(value, tuple):
        return ";".join(value)
    if isinstance(value, datetime):
        return stamp(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return value


def _guess(raw: object) -> Value:
    if isinstance(raw, str):
        if _TIMESTAMP.fullmatch(raw):
            return instant(raw)
        if _DATE.fullmatch(raw):
            return date.fromisoformat(raw)
        return _text(raw)
    return _number(raw)


def _number(raw: object) -> Value:
    if isinstance(raw, float | Decimal):
        number = Decimal(str(raw))
        return int(number) if number == number.to_integral_value() else number
    return raw if isinstance(raw, bool | int) else _text(raw)


def _text(raw: object) -> str:
    return str(raw).replace("\r\n", "\n").strip()


def _boolean(raw: object) -> bool:
    if isinstance(raw, bool):
        return raw
    word = str(raw).strip().lower()
    if word not in {"true", "false", "1", "0", "yes", "no"}:
        raise ValueError(f"{raw!r} is neither true nor false")
    return word in {"true", "1", "yes"}


def _list(raw: object) -> tuple[str, ...]:
    return tuple(part.strip() for part in str(raw).split(";") if part.strip())


def _reference(raw: object) -> str:
    text = _text(raw)
    return to_18(text) if is_id(text) else text


_READERS: Mapping[FieldType, Callable[[Any], Value]] = {
    FieldType.BOOLEAN: _boolean,
    FieldType.INTEGER: lambda raw: int(Decimal(str(raw))),
    FieldType.DECIMAL: lambda raw: Decimal(str(raw)),
    FieldType.DATE: lambda raw: date.fromisoformat(str(raw)[:10]),
    FieldType.TIMESTAMP: lambda raw: instant(str(raw)),
    FieldType.LIST: _list,
    FieldType.ID: _reference,
    FieldType.REFERENCE: _reference,
}


def _decimal_json(text: str) -> int | float:
    try:
        number = Decimal(text)
    except InvalidOperation as error:
        raise ValueError(f"{text!r} is no number") from error
    return int(number) if number == number.to_integral_value() else float(number)


_WRITERS: Mapping[FieldType | None, Callable[[str], Any]] = {
    FieldType.BOOLEAN: _boolean,
    FieldType.INTEGER: int,
    FieldType.DECIMAL: _decimal_json,
    FieldType.DATE: lambda text: date.fromisoformat(text[:10]).isoformat(),
    FieldType.TIMESTAMP: lambda text: stamp(instant(text)),
    FieldType.LIST: lambda text: ";".join(_list(text.replace(",", ";"))),
}
