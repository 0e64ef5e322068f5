"""Recorded deliveries: what a vendor sent, and the events it means.

A payload file is JSON: `note` (where it is from), `headers`, `query` and `settings` where
they matter, `body` as raw text (signatures are over bytes) and the expected `events`. A
vendor that signs with a shared secret instead of the body says `"signed": "secret"`.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from hub.sdk.connector_types import WebhookRequest
from hub.sdk.events import Event, Record
from hub.sdk.vocabulary import Value


class PayloadFile(BaseModel):
    """The form of a payload file."""

    model_config = ConfigDict(extra="forbid")

    note: str = Field(min_length=1)
    body: str
    headers: dict[str, str] = {}
    query: dict[str, str] = {}
    settings: dict[str, Any] = {}
    signed: Literal["body", "secret"] = "body"
    events: list[dict[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Payload:
    """A recorded delivery; `settings` go over those of the contract."""

    name: str
    request: WebhookRequest
    events: Sequence[Mapping[str, Any]]
    settings: Mapping[str, Any] = field(default_factory=dict)
    signs_body: bool = True


class UnreadablePayload(AssertionError):
    """A payload file does not have the form that the kit reads."""


def load_payloads(folder: Path) -> tuple[Payload, ...]:
    """Read all payload files of a folder, by name; none when there is no such folder."""
    return tuple(_load(file) for file in sorted(folder.glob("*.json")))


def _load(file: Path) -> Payload:
    try:
        found = PayloadFile.model_validate_json(file.read_bytes())
    except ValidationError as error:
        raise UnreadablePayload(f"{file.name}: {error}") from error
    return Payload(
        name=file.stem,
        request=WebhookRequest(
            headers={name.lower(): value for name, value in found.headers.items()},
            body=found.body.encode(),
            query=found.query,
        ),
        events=found.events,
        settings=found.settings,
        signs_body=found.signed == "body",
    )


def write_payload(file: Path, payload: PayloadFile) -> None:
    """Write a payload file in the form that `load_payloads` reads."""
    shown = payload.model_dump(exclude_defaults=True) | {"events": payload.events}
    file.write_text(json.dumps(shown, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def event_json(event: Event) -> dict[str, Any]:
    """Return an event as payload files write it: members that are empty are left out."""
    shown: dict[str, Any] = {
        "trigger": event.trigger,
        "record": _record_json(event.record),
        "occurred_at": value_json(event.occurred_at),
        "key": event.key,
    }
    if event.before is not None:
        shown["before"] = _values_json(event.before)
    for name in ("actor", "actor_name", "origin", "note"):
        if getattr(event, name) is not None:
            shown[name] = getattr(event, name)
    return shown


def _record_json(record: Record) -> dict[str, Any]:
    shown: dict[str, Any] = {"source_object": record.source_object, "id": record.id}
    for name in ("url", "human_id"):
        if getattr(record, name) is not None:
            shown[name] = getattr(record, name)
    return shown | {"values": _values_json(record.values)}


def _values_json(values: Mapping[str, Value]) -> dict[str, Any]:
    return {key: value_json(value) for key, value in values.items()}


def value_json(value: Value) -> Any:  # noqa: ANN401 - JSON
    """Return a value as JSON: times in ISO form, durations in seconds, decimals as text."""
    if isinstance(value, datetime):
        zoned = value if value.tzinfo is None else value.astimezone(UTC)
        return zoned.isoformat().replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, Decimal):
        return str(value)
    return list(value) if isinstance(value, tuple) else value


def normal(expected: Mapping[str, Any]) -> dict[str, Any]:
    """Return an expected event with what is optional in a file left out or filled in."""
    record = dict(expected.get("record", {}))
    record.setdefault("values", {})
    kept = {name: value for name, value in expected.items() if value is not None}
    return kept | {
        "record": {name: value for name, value in record.items() if value is not None},
        "occurred_at": _normal_time(str(expected.get("occurred_at", ""))),
    }


def _normal_time(text: str) -> str:
    try:
        return str(value_json(datetime.fromisoformat(text)))
    except ValueError:
        return text
