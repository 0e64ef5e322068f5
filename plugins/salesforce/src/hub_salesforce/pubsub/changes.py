"""Change events taken apart: whom they are about, what changed; pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

OVERFLOW = "GAP_OVERFLOW"
HEADER = "ChangeEventHeader"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One change event. `values` are what it tells, by API name, as the REST API writes them.

    `changed` are the fields of an update; a `gap` tells no values: the record is to be read.
    """

    entity: str
    ids: tuple[str, ...]
    type: str
    at: datetime
    user: str = ""
    origin: str = ""
    key: str = ""
    changed: frozenset[str] = frozenset()
    values: Mapping[str, Any] = field(default_factory=dict)

    @property
    def operation(self) -> str:
        """What happened, gap or not: CREATE, UPDATE, DELETE, UNDELETE or OVERFLOW."""
        return self.type.removeprefix("GAP_")

    @property
    def is_gap(self) -> bool:
        """Whether the event tells only that something happened."""
        return self.type.startswith("GAP_")

    @property
    def lost_track(self) -> bool:
        """Whether more changed than the event says: too much, or records without number."""
        return self.type == OVERFLOW or any(one.endswith("*") for one in self.ids)

    @property
    def saved_at(self) -> str | None:
        """The record's LastModifiedDate after this change, where the event tells it."""
        told = self.values.get("LastModifiedDate")
        return str(told) if told else None


def topic_of(api_name: str) -> str:
    """Return the topic of an object's change events."""
    custom = api_name.endswith("__c")
    return f"/data/{api_name[:-1] if custom else api_name}ChangeEvent"


def change_of(decoded: Mapping[str, Any], schema: Mapping[str, Any]) -> Change:
    """Return the change that a decoded event tells."""
    header = decoded[HEADER]
    nulled = fields_of(header.get("nulledFields") or (), schema)
    changed = fields_of(header.get("changedFields") or (), schema)
    told = {name: raw for name, raw in decoded.items() if name != HEADER and raw is not None}
    return Change(
        entity=str(header["entityName"]),
        ids=tuple(map(str, header.get("recordIds") or ())),
        type=str(header["changeType"]),
        at=datetime.fromtimestamp(int(header["commitTimestamp"]) / 1000, UTC),
        user=str(header.get("commitUser") or ""),
        origin=str(header.get("changeOrigin") or ""),
        key=f"{header.get('transactionKey')}:{header.get('sequenceNumber')}",
        changed=changed,
        values={**dict.fromkeys(nulled), **_flat(told)},
    )


def fields_of(bitmaps: Sequence[str], schema: Mapping[str, Any]) -> frozenset[str]:
    """Return the fields that bitmaps name: `0x…` the event's own, `3-0x…` those of its field 3.

    The lowest bit is the first field of the Avro schema.
    """
    found: set[str] = set()
    for text in bitmaps:
        parent, _, bits = text.rpartition("-")
        fields = schema["fields"]
        if parent:
            fields = _children(fields[int(parent)]["type"])
        number = int(bits, 16)
        found |= {str(one["name"]) for at, one in enumerate(fields) if number >> at & 1}
    return frozenset(found)


def bitmap_of(names: frozenset[str], schema: Mapping[str, Any]) -> str:
    """Return the bitmap that names fields of a schema; the other way round of `fields_of`."""
    places = (at for at, one in enumerate(schema["fields"]) if one["name"] in names)
    return f"0x{sum(1 << at for at in places):X}"


def _children(type: Any) -> Sequence[Mapping[str, Any]]:  # noqa: ANN401 - an Avro type
    options = type if isinstance(type, list) else [type]
    record = next((one for one in options if isinstance(one, Mapping) and "fields" in one), None)
    return record["fields"] if record else ()


def _flat(told: Mapping[str, Any]) -> dict[str, Any]:
    """Return values by API name; a compound one (a contact's name) gives its parts."""
    found: dict[str, Any] = {}
    for name, raw in told.items():
        if isinstance(raw, Mapping):
            found |= {part: _json(one) for part, one in raw.items() if one is not None}
        else:
            found[name] = _json(raw)
    return found


def _json(raw: Any) -> Any:  # noqa: ANN401 - values of Avro and of JSON
    if isinstance(raw, datetime):
        return raw.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000+0000")
    if isinstance(raw, date):
        return raw.isoformat()
    return raw
