"""What the kit asks of receivers; each check returns the faults it found."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from pydantic import BaseModel, SecretStr

from hub.sdk.connector_types import ConnectorType, WebhookReceiver, WebhookRequest
from hub.sdk.errors import InvalidPayload, InvalidSignature
from hub.sdk.events import Event
from hub.sdk.vocabulary import FieldType, Value
from hub.testing.payloads import Payload, event_json, normal
from hub.testing.subject import Subject

FLIPS = 8


def receiver_of(subject: Subject) -> tuple[ConnectorType[Any, Any], WebhookReceiver[Any]]:
    """Return the connector type that receives, and its receiver."""
    declared = subject.receiving
    if declared is None or declared.receiver is None:
        raise LookupError("The plugin has no receiver.")
    return declared, declared.receiver


def payload_faults(subject: Subject, payload: Payload) -> list[str]:
    """Find differences between what a payload means and what the plugin reads in it."""
    declared, receiver = receiver_of(subject)
    try:
        receiver.verify(subject.read_settings(declared, payload.settings), payload.request)
        events = receiver.parse(payload.request)
    except (InvalidSignature, InvalidPayload) as error:
        return [f"{payload.name}: {type(error).__name__}: {error}"]
    wanted = [normal(one) for one in payload.events]
    found = [event_json(one) for one in events]
    if wanted == found:
        return []
    return [f"{payload.name}: expected {_shown(wanted)}\nfound {_shown(found)}"]


def _shown(events: list[dict[str, Any]]) -> str:
    return json.dumps(events, indent=2, ensure_ascii=False, sort_keys=True, default=repr)


def event_faults(subject: Subject, payload: Payload) -> list[str]:
    """Find events that name what isn't declared, and values of another type."""
    return [
        f"{payload.name}: {fault}"
        for event in subject.parsed(payload)
        for fault in (*_identity(subject, event), *_values(subject, event))
    ]


def _identity(subject: Subject, event: Event) -> Iterator[str]:
    if event.trigger not in {one.name for one in subject.declared.triggers}:
        yield f"the trigger {event.trigger!r} is not declared"
    if not event.trigger.startswith(f"{event.record.source_object}."):
        yield f"{event.trigger!r} is no trigger of {event.record.source_object!r}"
    if not event.record.id or not isinstance(event.record.id, str):
        yield f"the record's id must be text, found {event.record.id!r}"
    if not event.key:
        yield "the event has no key"
    if event.occurred_at.tzinfo is None:
        yield f"occurred_at has no time zone: {event.occurred_at.isoformat()}"


def _values(subject: Subject, event: Event) -> Iterator[str]:
    fields = {one.key: one for one in subject.catalog.fields_of(event.record.source_object)}
    discovers = any(one.discovery for one in subject.connector_types.values())
    for part, values in (("values", event.record.values), ("before", event.before or {})):
        for key, value in values.items():
            field = fields.get(key)
            if field is None:
                if not discovers:
                    yield f"{part}[{key!r}]: {event.record.source_object} has no such field"
            elif fault := value_fault(value, field.type):
                yield f"{part}[{key!r}]: {fault}"
            elif field.choices and not _chosen(value, {one.value for one in field.choices}):
                yield f"{part}[{key!r}]: {value!r} is none of the choices of {field.name}"


def _chosen(value: Value, choices: set[str]) -> bool:
    if value is None:
        return True
    return choices.issuperset(value) if isinstance(value, tuple) else value in choices


_TEXTS = {FieldType.TEXT, FieldType.ID, FieldType.REFERENCE, FieldType.CHOICE}
_FITS: Mapping[FieldType, Callable[[Any], bool]] = {
    **dict.fromkeys(_TEXTS, lambda value: isinstance(value, str)),
    FieldType.INTEGER: lambda value: isinstance(value, int) and not isinstance(value, bool),
    FieldType.DECIMAL: lambda value: (
        isinstance(value, Decimal | int) and not isinstance(value, bool)
    ),
    FieldType.BOOLEAN: lambda value: isinstance(value, bool),
    FieldType.DATE: lambda value: isinstance(value, date) and not isinstance(value, datetime),
    FieldType.TIMESTAMP: lambda value: isinstance(value, datetime) and value.tzinfo is not None,
    FieldType.DURATION: lambda value: isinstance(value, timedelta),
    FieldType.LIST: lambda value: (
        isinstance(value, tuple) and all(isinstance(one, str) for one in value)
    ),
}


def value_fault(value: Value, type: FieldType) -> str | None:
    """Say why a value is not of a field's type; None (empty) always is."""
    if value is None or _FITS[type](value):
        return None
    return f"{value!r} is no {type.value}"


def unseen_faults(subject: Subject) -> list[str]:
    """Find declared triggers and fields that no payload has, and exemptions without need."""
    events = [event for payload in subject.payloads for event in subject.parsed(payload)]
    seen = {event.trigger for event in events} | {
        f"{event.record.source_object}.{key}"
        for event in events
        for key in (*event.record.values, *(event.before or ()))
    }
    declared = {one.name for one in subject.declared.triggers}
    declared |= {one.name for one in subject.declared.fields}
    missing = sorted(declared - seen - set(subject.unseen))
    needless = sorted(set(subject.unseen) & seen | set(subject.unseen) - declared)
    return [
        *(f"{name!r} is seen in no payload" for name in missing),
        *(f"`unseen` names {name!r}, which is seen or not declared" for name in needless),
        *(
            f"`unseen` gives no reason for {name!r}"
            for name, why in subject.unseen.items()
            if not why
        ),
    ]


def signature_faults(subject: Subject, payload: Payload) -> list[str]:
    """Find changes to a genuine request that the plugin still accepts as genuine."""
    declared, receiver = receiver_of(subject)
    settings = subject.read_settings(declared, payload.settings)
    return [
        f"{payload.name}: accepted with {what}"
        for what, forged in _forgeries(payload)
        if _accepted(receiver, settings, forged)
    ] + [
        f"{payload.name}: accepted with {what}"
        for what, other in _other_secrets(settings)
        if _accepted(receiver, other, payload.request)
    ]


def _accepted(receiver: WebhookReceiver[Any], settings: BaseModel, request: WebhookRequest) -> bool:
    try:
        receiver.verify(settings, request)
    except InvalidSignature:
        return False
    return True


def _forgeries(payload: Payload) -> Iterator[tuple[str, WebhookRequest]]:
    request = payload.request
    yield "neither headers nor query", replace(request, headers={}, query={})
    if not payload.signs_body:
        return
    size = len(request.body)
    for place in sorted({size * step // FLIPS for step in range(FLIPS)} | {size - 1}):
        if 0 <= place < size:
            changed = bytearray(request.body)
            changed[place] ^= 1
            yield f"byte {place} changed", replace(request, body=bytes(changed))
    yield "a byte more", replace(request, body=request.body + b" ")
    yield "no body", replace(request, body=b"")


def _other_secrets(settings: BaseModel) -> Iterator[tuple[str, BaseModel]]:
    """Yield the settings with all secrets replaced: nobody's signature fits them."""
    changed = {
        name: SecretStr("another-secret-altogether")
        for name, value in dict(settings).items()
        if isinstance(value, SecretStr)
    }
    if changed:
        yield "other secrets", settings.model_copy(update=changed)


def key_faults(subject: Subject) -> list[str]:
    """Find deliveries whose key changes with each look, or is another delivery's."""
    _, receiver = receiver_of(subject)
    found, owners = [], dict[str, str]()
    for payload in subject.payloads:
        key = receiver.delivery_key(payload.request)
        if key != receiver.delivery_key(replace(payload.request)):
            found.append(f"{payload.name}: its delivery_key changes with each look")
        if key and key in owners:
            found.append(f"{payload.name}: has the delivery_key of {owners[key]}")
        owners[key] = payload.name
    return found


def garbage_fault(receiver: WebhookReceiver[Any], request: WebhookRequest) -> str | None:
    """Say how parsing a request failed other than by InvalidPayload."""
    try:
        events = receiver.parse(request)
    except InvalidPayload:
        return None
    except Exception as error:  # noqa: BLE001 - that is the fault looked for
        return f"parse raised {type(error).__name__}: {error}"
    strange = {type(one).__name__ for one in events} - {Event.__name__}
    return f"parse returned {', '.join(sorted(strange))}" if strange else None


def unverified_fault(
    receiver: WebhookReceiver[Any], settings: BaseModel, request: WebhookRequest
) -> str | None:
    """Say how verifying a request failed other than by InvalidSignature."""
    try:
        receiver.verify(settings, request)
        receiver.delivery_key(request)
    except InvalidSignature:
        return None
    except Exception as error:  # noqa: BLE001 - that is the fault looked for
        return f"verify or delivery_key raised {type(error).__name__}: {error}"
    return None
