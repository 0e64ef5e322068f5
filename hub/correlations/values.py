"""Values as they are stored, and when two of them are the same; pure."""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from hashlib import blake2b
from typing import Any, Final

import orjson

from hub.sdk.events import Event, Record, RecordRef
from hub.sdk.vocabulary import Value

_TAG: Final = "$"
_LARGEST: Final = 2**63 - 1
_OPTIONS: Final = orjson.OPT_PASSTHROUGH_DATETIME


def pack(values: object) -> str:
    """Return values as JSON text; times, numbers and durations keep their type."""
    try:
        return orjson.dumps(values, default=_tagged, option=_OPTIONS).decode()
    except TypeError:  # a number beyond 64 bits, half a character, a key that is no text
        return _ENCODER.encode(_within_64_bits(values))


def unpack(text: Any) -> Any:  # noqa: ANN401 - JSON, by its text or already read
    """Read packed values; lists come back as tuples."""
    return _frozen(_read(text) if isinstance(text, str | bytes) else text)


def _read(text: str | bytes) -> Any:  # noqa: ANN401 - JSON
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:  # half a character, which `pack` lets through, too
        return json.loads(text)


def pack_event(event: Event) -> str:
    """Return the event as JSON text."""
    record = event.record
    return pack(
        {
            "trigger": event.trigger,
            "object": record.source_object,
            "id": record.id,
            "url": record.url,
            "human_id": record.human_id,
            "values": record.values,
            "at": event.occurred_at,
            "key": event.key,
            "before": event.before,
            "actor": event.actor,
            "actor_name": event.actor_name,
            **({"actor_email": event.actor_email} if event.actor_email else {}),
            "origin": event.origin,
            "note": event.note,
            **({"joins": [event.joins.source_object, event.joins.id]} if event.joins else {}),
        }
    )


def unpack_event(text: Any) -> Event:  # noqa: ANN401 - JSON, by its text or already read
    """Read a packed event."""
    body = unpack(text)
    joins = body.get("joins")
    return Event(
        trigger=body["trigger"],
        record=Record(
            source_object=body["object"],
            id=body["id"],
            url=body["url"],
            human_id=body["human_id"],
            values=body["values"],
        ),
        occurred_at=body["at"],
        key=body["key"],
        before=body["before"],
        actor=body["actor"],
        actor_name=body["actor_name"],
        actor_email=body.get("actor_email"),
        origin=body["origin"],
        note=body["note"],
        joins=RecordRef(source_object=joins[0], id=joins[1]) if joins else None,
    )


def same(one: Value, other: Value) -> bool:
    """Whether a vendor would call these the same: null is "", line ends and order don't count."""
    return one == other or plain(one) == plain(other)


def digest(value: Value) -> bytes:
    """Return the fingerprint of a value: equal for values that are the same."""
    return blake2b(plain(value).encode("utf-8", "surrogatepass"), digest_size=16).digest()


def plain(value: Value) -> str:
    """Return a value as vendors compare it."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value.replace("\r\n", "\n").replace("\r", "\n").strip()
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple | list):
        return "\x1f".join(sorted(plain(one) for one in value))
    return _plain_scalar(value)


def _plain_scalar(value: int | Decimal | date | timedelta) -> str:
    if isinstance(value, datetime):
        moment = value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
        return moment.replace(microsecond=0).isoformat()
    if isinstance(value, int | Decimal):
        return format(Decimal(value).normalize(), "f")
    return str(value)


def merged(known: Mapping[str, Value], told: Mapping[str, Value]) -> dict[str, Value]:
    """Return what is known of a record after it was told anew."""
    return {**known, **told}


def _tagged(value: object) -> Any:  # noqa: ANN401 - what JSON can carry
    if isinstance(value, datetime):
        return {_TAG: "t", "v": value.isoformat()}
    if isinstance(value, date):
        return {_TAG: "d", "v": value.isoformat()}
    if isinstance(value, Decimal):
        return {_TAG: "n", "v": str(value)}
    if isinstance(value, timedelta):
        return {_TAG: "s", "v": value.total_seconds()}
    if isinstance(value, Mapping):
        return dict(value)
    return str(value)


def _within_64_bits(value: Any) -> Any:  # noqa: ANN401 - values
    """Return values with the larger whole numbers as Decimal, which keeps all digits."""
    if isinstance(value, Mapping):
        return {key: _within_64_bits(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_within_64_bits(one) for one in value]
    if isinstance(value, int) and not -_LARGEST <= value <= _LARGEST:
        return Decimal(value)
    return value


def _frozen(found: Any) -> Any:  # noqa: ANN401 - JSON
    if isinstance(found, dict):
        if _TAG in found:
            return _untagged(found)
        return {key: _frozen(value) for key, value in found.items()}
    return tuple(_frozen(one) for one in found) if isinstance(found, list) else found


def _untagged(found: dict[str, Any]) -> Any:  # noqa: ANN401 - the value that was tagged
    read = _READERS.get(found[_TAG])
    return read(found["v"]) if read is not None else found


_READERS: Final[dict[str, Callable[[Any], Value]]] = {
    "t": datetime.fromisoformat,
    "d": date.fromisoformat,
    "n": Decimal,
    "s": lambda seconds: timedelta(seconds=seconds),
}
_ENCODER: Final = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, default=_tagged)
