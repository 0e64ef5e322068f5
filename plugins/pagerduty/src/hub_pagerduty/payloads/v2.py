"""Webhooks V1 and V2, which extensions send: several messages a delivery, unsigned."""

import hashlib
import json
from collections.abc import Mapping
from typing import Final

import hub
from hub import Event, Value
from hub_pagerduty.payloads.incidents import incident_record, is_merged
from hub_pagerduty.payloads.values import Json, as_object, as_objects, id_of, moment, name_of, text
from hub_pagerduty.payloads.ways import joined, told
from hub_pagerduty.vocabulary import (
    ACKNOWLEDGED,
    ANNOTATED,
    CUSTOM,
    DELEGATED,
    ESCALATED,
    MERGED,
    OLDER_NAMES,
    REASSIGNED,
    RESOLVED,
    TRIGGERED,
    UNACKNOWLEDGED,
    UPDATED,
)

_TRIGGERS: Final = {
    "incident.trigger": TRIGGERED.name,
    "incident.acknowledge": ACKNOWLEDGED.name,
    "incident.unacknowledge": UNACKNOWLEDGED.name,
    "incident.resolve": RESOLVED.name,
    "incident.assign": REASSIGNED.name,
    "incident.escalate": ESCALATED.name,
    "incident.delegate": DELEGATED.name,
    "incident.annotate": ANNOTATED.name,
    "incident.custom": CUSTOM.name,
}


def read_messages(messages: object) -> list[Event]:
    """Return the events of a V1 or V2 delivery, in its order."""
    if not isinstance(messages, list):
        raise hub.InvalidPayload("The messages are no list.", pointer="/messages")
    return [
        event
        for number, message in enumerate(messages)
        for event in _read_message(as_object(message), f"/messages/{number}")
    ]


def _read_message(message: Json, pointer: str) -> list[Event]:
    kind = text(message.get("event")) or text(message.get("type"))
    if kind is None:
        raise hub.InvalidPayload("The message has no type.", pointer=pointer)
    if not kind.startswith("incident."):
        return []
    entry = (as_objects(message.get("log_entries")) or [{}])[0]
    incident = as_object(message.get("incident"))
    if not incident:
        incident = _renamed(as_object(as_object(message.get("data")).get("incident")))
    if not id_of(incident):
        raise hub.InvalidPayload("The message names no incident.", pointer=f"{pointer}/incident")
    occurred = moment(message.get("created_on")) or moment(entry.get("created_at"))
    if occurred is None:
        raise hub.InvalidPayload("The message has no time.", pointer=f"{pointer}/created_on")
    trigger = _trigger(kind, incident)
    agent = _agent(incident, entry)
    record = incident_record(incident, **_values(kind, trigger, incident, entry))
    note = trigger == ANNOTATED.name
    return [
        Event(
            trigger=trigger,
            record=record,
            occurred_at=occurred,
            key=text(message.get("id")) or _digest(message),
            before={} if trigger == TRIGGERED.name else {"note": None} if note else None,
            actor=id_of(agent),
            actor_name=name_of(agent),
            origin=text(incident.get("incident_key")),
            told=told(trigger, "v2" if message.get("event") else "v1"),
            joins=joined(trigger, record),
        )
    ]


def _trigger(kind: str, incident: Json) -> str:
    if kind == "incident.resolve" and is_merged(incident):
        return MERGED.name
    return _TRIGGERS.get(kind, UPDATED.name)


def _values(kind: str, trigger: str, incident: Json, entry: Json) -> dict[str, Value]:
    agent, channel = _agent(incident, entry), as_object(entry.get("channel"))
    agent_type = text(agent.get("type"))
    values: dict[str, Value] = {
        "event_type": OLDER_NAMES.get(trigger),
        "vendor_event": kind,
        "agent": id_of(agent),
        "agent_name": name_of(agent),
        "agent_type": agent_type.removesuffix("_reference") if agent_type else None,
    }
    alerts = as_objects(incident.get("alerts"))
    if alerts:
        values["alert_key"] = text(alerts[0].get("alert_key"))
    if trigger == TRIGGERED.name and text(channel.get("details")):
        values["description"] = text(channel.get("details"))
    if trigger == ANNOTATED.name:
        values["note"] = text(channel.get("content")) or text(channel.get("summary"))
        values["note_author"] = name_of(agent)
    if trigger == CUSTOM.name:
        values["custom_action"] = text(channel.get("summary")) or text(entry.get("summary"))
    return values


def _agent(incident: Json, entry: Json) -> Json:
    return as_object(entry.get("agent")) or as_object(incident.get("last_status_change_by"))


def _renamed(incident: Json) -> Json:
    """Give a V1 incident the names that everything newer has."""
    if not incident:
        return {}
    people = [as_object(one.get("object")) for one in as_objects(incident.get("assigned_to"))]
    renamed: dict[str, object] = {
        **incident,
        "title": as_object(incident.get("trigger_summary_data")).get("subject"),
        "created_at": incident.get("created_on"),
        "assignees": people,
    }
    return {key: value for key, value in renamed.items() if key != "title" or value is not None}


def _digest(message: Mapping[str, object]) -> str:
    return hashlib.sha256(json.dumps(message, sort_keys=True).encode()).hexdigest()
