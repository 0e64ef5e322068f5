"""Which mapping wins: pure, over rows.

Outbound: rows by value, then rows for the whole object, the default row, the settings' own
default service. Inbound: the rows of the service, each for its field.
"""

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from dataclasses import field as member
from difflib import get_close_matches
from typing import Any, Final, Literal, TypeAlias

from hub.rules.values import text_of
from hub.sdk.events import Record
from hub.sdk.vocabulary import Value

Direction: TypeAlias = Literal["outbound", "inbound"]
_SHOWN_MISSES: Final = 5
_SERVICE_KEYS: Final = ("service_id", "service")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A service mapping as resolving sees it."""

    id: str
    name: str
    service_id: str
    service_name: str = ""
    source_object: str | None = None
    field: str | None = None
    value: str | None = None
    outbound: bool = True
    inbound: bool = False
    is_default: bool = False
    extra: Mapping[str, Any] = member(default_factory=dict)
    position: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolution:
    """What was found, and how.

    `by` names what answered: resolver, row, default (row), connector (its own default) or
    none. `fields` are the values that an inbound record gets, by field key. `nearest` is the
    nearest mapped value where the record's own one is not mapped.
    """

    service_id: str | None = None
    service_name: str = ""
    by: Literal["resolver", "row", "default", "connector", "none"] = "none"
    row_id: str | None = None
    row_name: str | None = None
    fields: Mapping[str, Value] = member(default_factory=dict)
    nearest: str | None = None
    steps: tuple[str, ...] = ()

    @property
    def value(self) -> Value:
        """What `{"$service": …}` stands for: the service, or the first mapped field's value."""
        return self.service_id if not self.fields else next(iter(self.fields.values()))

    @property
    def fell_back(self) -> bool:
        """Whether no row or resolver named the service: worth reporting, never silent."""
        return self.by in {"default", "connector", "none"}


def folded(text: str) -> str:
    """Return text as mapped values are compared: without letter case and outer space."""
    return unicodedata.normalize("NFC", text.strip()).casefold()


def outbound_of(
    rows: Sequence[Row], record: Record, *, own_default: str | None = None
) -> Resolution:
    """Find a record's service: rows by value, rows by object, the default row, the settings'."""
    mine = [
        row
        for row in sorted(rows, key=lambda row: row.position)
        if row.outbound and not row.is_default and row.source_object == record.source_object
    ]
    by_value = [row for row in mine if row.field is not None]
    steps: list[str] = []
    for row in by_value:
        if _says(record.values.get(row.field or ""), row.value or ""):
            return _by_row(row, (*steps, _hit(row)))
    steps.extend(_misses(by_value, record))
    for row in mine:
        if row.field is None:
            return _by_row(row, (*steps, _hit(row)))
    return _fallback(rows, by_value, record, (own_default, tuple(steps)))


def inbound_of(rows: Sequence[Row], service_id: str, source_object: str | None) -> Resolution:
    """Find the values that a service gives to a new record of `source_object`.

    Several rows may set different fields; of two that set one field the earlier row wins.
    """
    mine = [
        row
        for row in sorted(rows, key=lambda row: row.position)
        if row.inbound and row.service_id == service_id and row.source_object is not None
        if source_object in {None, row.source_object}
    ]
    if mine:
        of_one = [row for row in mine if row.source_object == mine[0].source_object]
        steps = tuple(f"row '{row.name}': service {_service(row)} → {_set(row)}" for row in of_one)
        fields: dict[str, Value] = {}
        for row in of_one:
            fields = _fields(row) | fields
        return replace(_by_row(mine[0], steps), by="row", service_id=service_id, fields=fields)
    wanted = f" for {source_object}" if source_object else ""
    return Resolution(
        service_id=service_id, steps=(f"no inbound row{wanted} with service {service_id}",)
    )


def service_of(record: Record) -> str | None:
    """Return the service id that a paging vendor's record names."""
    for key in _SERVICE_KEYS:
        said = record.values.get(key)
        if said is not None:
            return text_of(said)
    return None


def _says(actual: Value, wanted: str) -> bool:
    if actual is None:
        return False
    texts = actual if isinstance(actual, tuple) else (text_of(actual),)
    return folded(wanted) in {folded(text) for text in texts}


def _by_row(row: Row, steps: tuple[str, ...]) -> Resolution:
    return Resolution(
        service_id=row.service_id,
        service_name=row.service_name,
        by="default" if row.is_default else "row",
        row_id=row.id,
        row_name=row.name,
        steps=steps,
    )


def _fields(row: Row) -> dict[str, Value]:
    given: dict[str, Value] = {} if row.field is None else {row.field: row.value}
    more = {key: value for key, value in row.extra.items() if isinstance(value, str | int | bool)}
    return given | more


def _service(row: Row) -> str:
    return f"{row.service_name} ({row.service_id})" if row.service_name else row.service_id


def _set(row: Row) -> str:
    named = ", ".join(f"{key} = {text_of(value)}" for key, value in _fields(row).items())
    return named or "no field"


def _hit(row: Row) -> str:
    if row.field is None:
        return f"row '{row.name}': any {row.source_object} → {_service(row)}"
    return f"row '{row.name}': {row.field} is '{row.value}' → {_service(row)}"


def _misses(rows: Sequence[Row], record: Record) -> list[str]:
    """Say in few lines why no row matched: one line a field, not one a row."""
    fields = dict.fromkeys(row.field or "" for row in rows)
    lines = []
    for one in list(fields)[:_SHOWN_MISSES]:
        wanted = [row.value or "" for row in rows if row.field == one]
        actual = record.values.get(one)
        said = "is empty" if actual is None else f"is '{text_of(actual)}'"
        shown = ", ".join(f"'{value}'" for value in wanted[:_SHOWN_MISSES])
        more = f" and {len(wanted) - _SHOWN_MISSES} more" if len(wanted) > _SHOWN_MISSES else ""
        lines.append(f"no row: {one} {said}, mapped are {shown}{more}")
    return lines or [f"no row for {record.source_object}"]


def _fallback(
    rows: Sequence[Row],
    by_value: Sequence[Row],
    record: Record,
    known: tuple[str | None, tuple[str, ...]],
) -> Resolution:
    own_default, steps = known
    nearest = _nearest(by_value, record)
    hint = f"; nearest mapped value is '{nearest}'" if nearest else ""
    for row in rows:
        if row.is_default:
            found = _by_row(row, (*steps, f"default row → {_service(row)}{hint}"))
            return replace(found, nearest=nearest)
    if own_default:
        step = f"the connector's own default service → {own_default}{hint}"
        return Resolution(
            service_id=own_default, by="connector", nearest=nearest, steps=(*steps, step)
        )
    return Resolution(nearest=nearest, steps=(*steps, f"no default row{hint}"))


def _nearest(rows: Sequence[Row], record: Record) -> str | None:
    for row in rows:
        actual = record.values.get(row.field or "")
        if actual is None:
            continue
        known = {folded(one.value or ""): one.value for one in rows if one.field == row.field}
        close = get_close_matches(folded(text_of(actual)), list(known), 1, 0.5)
        if close:
            return known[close[0]]
    return None
