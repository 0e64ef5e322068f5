"""The filters that every template can use (`map` and `unmap` belong to the rules)."""

import html
import json
import re
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Final
from urllib.parse import quote
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from hub.sdk.hookspecs import hookimpl
from hub.sdk.templates import Filter
from hub.sdk.vocabulary import Value

_TAG: Final = re.compile(r"<[^<>]*>")
_NAMED: Final = {"date": "%Y-%m-%d", "time": "%H:%M", "datetime": "%Y-%m-%d %H:%M"}
_DIRECTIVE: Final = re.compile(r"%(.)", re.DOTALL)
_DIRECTIVES: Final = frozenset("YmdHMSz%")
_ESCAPES: Final[dict[str, Callable[[str], str]]] = {
    "html": html.escape,
    "text": lambda text: html.unescape(_TAG.sub("", text)),
    "url": lambda text: quote(text, safe=""),
}


def default(value: Value, other: str | float | bool | None) -> Value:  # noqa: FBT001
    """Give the other value when there is none."""
    if value is not None:
        return value
    return Decimal(str(other)) if isinstance(other, float) else other


def upper(value: Value) -> Value:
    """Write in capitals."""
    return None if value is None else _text(value).upper()


def lower(value: Value) -> Value:
    """Write in small letters."""
    return None if value is None else _text(value).lower()


def trim(value: Value) -> Value:
    """Take off white space at both ends."""
    return None if value is None else _text(value).strip()


def truncate(value: Value, length: int, mark: str = "…") -> Value:
    """Cut to at most `length` characters, the mark included."""
    if length < 0:
        raise ValueError(f"truncate: {length} is less than 0")
    if value is None or len(_text(value)) <= length:
        return value
    return (_text(value)[: max(0, length - len(mark))] + mark)[:length]


def join(value: Value, separator: str = ", ") -> Value:
    """Write a list as text."""
    return separator.join(value) if isinstance(value, tuple) else value


def write_date(value: Value, layout: str, zone: str = "UTC") -> Value:
    """Write a date or time: iso, date, time, datetime, or %Y %m %d %H %M %S %z."""
    layout, there = _NAMED.get(layout, layout), _zone(zone)
    if not set(_DIRECTIVE.findall(layout)) <= _DIRECTIVES:
        raise ValueError("date: only %Y %m %d %H %M %S %z can be used")
    if value is None:
        return None
    moment = _moment(value, there)
    if layout == "iso":
        return moment.isoformat()
    return _DIRECTIVE.sub(lambda found: _part(moment, found[1]), layout)


def as_json(value: Value) -> Value:
    """Write compact JSON."""
    listed = list(value) if isinstance(value, tuple) else value
    plain = listed if isinstance(listed, (str, bool, int, list)) or listed is None else _text(value)
    if isinstance(value, Decimal):
        return format(value, "f")
    return json.dumps(plain, ensure_ascii=False, separators=(",", ":"))


def escape(value: Value, target: str) -> Value:
    """Make text safe for HTML or a URL, or strip its tags ("text")."""
    if target not in _ESCAPES:
        raise ValueError(f"escape: '{target}' is none of html, text, url")
    return None if value is None else _ESCAPES[target](_text(value))


def _part(moment: date, directive: str) -> str:
    if directive == "%":
        return "%"
    if directive == "Y":
        return f"{moment.year:04}"
    return moment.strftime("%" + directive)


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f"date: no time zone '{name}'") from error


def _moment(value: Value, zone: ZoneInfo) -> date:
    if isinstance(value, str):
        value = datetime.fromisoformat(value)
    if isinstance(value, datetime):
        aware = value if value.tzinfo else value.replace(tzinfo=UTC)
        return aware.astimezone(zone)
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day, tzinfo=zone)
    raise ValueError("date: neither a date nor a time")


def _text(value: Value) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return ", ".join(value)
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    return _duration(value) if isinstance(value, timedelta) else str(value)


def _duration(value: timedelta) -> str:
    return f"PT{int(value.total_seconds())}S"


FILTERS: Final = (
    Filter(name="default", label="Or else", apply=default),
    Filter(name="upper", label="Capitals", apply=upper),
    Filter(name="lower", label="Small letters", apply=lower),
    Filter(name="trim", label="Without white space around", apply=trim),
    Filter(name="truncate", label="At most so many characters", apply=truncate),
    Filter(name="join", label="List as text", apply=join),
    Filter(name="date", label="Date and time", apply=write_date),
    Filter(name="json", label="JSON", apply=as_json),
    Filter(name="escape", label="Safe for HTML, a URL, or plain text", apply=escape),
)


@hookimpl
def hub_register_filters() -> Sequence[Filter]:
    """Declare the filters that every template can use."""
    return FILTERS
