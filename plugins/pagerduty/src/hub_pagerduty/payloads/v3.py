"""Webhooks v3: one event a delivery."""

import hashlib
from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

import hub
from hub import Event, Record, Value
from hub_pagerduty.payloads.incidents import custom_values, incident_record, is_merged
from hub_pagerduty.payloads.values import (
    Json,
    as_object,
    as_objects,
    id_of,
    ids_and_names,
    ids_of,
    moment,
    name_of,
    text,
)
from hub_pagerduty.payloads.ways import joined, told
from hub_pagerduty.vocabulary import (
    MERGED,
    OLDER_NAMES,
    SERVICE,
    TRIGGER_NAMES,
    TRIGGERED,
    UPDATED,
)


class Change(NamedTuple):
    """What a data object says beyond its incident, and the values that were before."""

    values: Mapping[str, Value]
    before: Mapping[str, Value] | None = None
    note: str | None = None


_NOTHING: Final = Change({})


class _Agent(NamedTuple):
    id: str | None
    name: str | None
    type: str | None


def read_event(event: Json, body: bytes) -> list[Event]:
    """Return the event of a v3 envelope; [] for what is about nothing that the hub knows."""
    event_type = text(event.get("event_type"))
    if event_type is None:
        raise hub.InvalidPayload("The event has no type.", pointer="/event/event_type")
    data = as_object(event.get("data"))
    if event.get("resource_type") == "pagey" or event_type.startswith("pagey."):
        return []
    if event_type.startswith("service."):
        return _service_event(event, event_type, data, body)
    return _incident_event(event, event_type, data, body)


def _incident_event(event: Json, event_type: str, data: Json, body: bytes) -> list[Event]:
    incident = _incident_of(data)
    if not id_of(incident):
        return _without_incident(event_type)
    trigger = _trigger(event_type, incident)
    change = _READERS.get(str(data.get("type")), _of_nothing)(data)
    agent = _agent(event)
    values: dict[str, Value] = {
        **change.values,
        "agent": agent.id,
        "agent_name": agent.name,
        "agent_type": agent.type,
        "event_type": OLDER_NAMES.get(trigger),
        "vendor_event": event_type,
    }
    if "note" in change.values:
        values["note_author"] = agent.name
    record = incident_record(incident, **values)
    return [_event(event, trigger, record, body, change, agent)]


def _event(
    event: Json, trigger: str, record: Record, body: bytes, change: Change, agent: _Agent
) -> Event:
    occurred = moment(event.get("occurred_at"))
    if occurred is None:
        raise hub.InvalidPayload("The event has no time.", pointer="/event/occurred_at")
    key = record.values.get("incident_key")
    return Event(
        trigger=trigger,
        record=record,
        occurred_at=occurred,
        key=text(event.get("id")) or hashlib.sha256(body).hexdigest(),
        before={} if trigger == TRIGGERED.name else change.before,
        actor=agent.id,
        actor_name=agent.name,
        origin=key if isinstance(key, str) else None,
        note=change.note,
        told=told(trigger, "v3"),
        joins=joined(trigger, record),
    )


def _without_incident(event_type: str) -> list[Event]:
    if f"pagerduty.{event_type}" in TRIGGER_NAMES:
        raise hub.InvalidPayload(f"{event_type} names no incident.", pointer="/event/data")
    return []


def _incident_of(data: Json) -> Json:
    if data.get("type") == "incident":
        return data
    if "incident" in data:
        return _reference(as_object(data["incident"]))
    roles = as_objects(data.get("incident_role_assignments"))
    return _reference(as_object(roles[0].get("incident"))) if roles else {}


def _reference(incident: Json) -> Json:
    # A reference's summary may be the title or "[#n] title": only what is certain is taken.
    return {key: incident[key] for key in ("id", "html_url") if incident.get(key)}


def _trigger(event_type: str, incident: Json) -> str:
    if event_type == "incident.resolved" and is_merged(incident):
        return MERGED.name
    name = f"pagerduty.{event_type}"
    return name if name in TRIGGER_NAMES else UPDATED.name


def _agent(event: Json) -> _Agent:
    agent = as_object(event.get("agent"))
    kind = text(agent.get("type"))
    return _Agent(
        text(agent.get("id")), name_of(agent), kind.removesuffix("_reference") if kind else None
    )


# ------------------------------------------------------------------ data objects


def _of_nothing(_: Json) -> Change:
    return _NOTHING


def _note(data: Json) -> Change:
    values: dict[str, Value] = {
        "note": text(data.get("content")),
        "note_trimmed": data.get("trimmed") is True,
    }
    return Change(values, {"note": None}, id_of(data))


def _status_update(data: Json) -> Change:
    return Change({"status_update": text(data.get("message"))}, {"status_update": None})


def _responder(data: Json) -> Change:
    who = data.get("user") or data.get("escalation_policy")
    values = {
        "responder": id_of(who),
        "responder_name": name_of(who),
        "responder_message": text(data.get("message")),
    }
    state = text(data.get("state"))
    if state in {"pending", "joined", "declined", "user_cancelled"}:
        values["responder_state"] = state
    return Change(values)


def _conference(data: Json) -> Change:
    numbers = as_objects(data.get("conference_numbers"))
    values = {
        "conference_number": text(numbers[0].get("number")) if numbers else None,
        "conference_url": text(data.get("conference_url")),
    }
    return Change(values)


def _field_values(data: Json) -> Change:
    return Change(
        custom_values(data.get("custom_fields")), custom_values(data.get("changed_custom_fields"))
    )


def _role(data: Json) -> Change:
    assigned = (as_objects(data.get("incident_role_assignments")) or [{}])[0]
    values = {
        "role": id_of(assigned.get("role")),
        "role_name": name_of(assigned.get("role")),
        "role_assignee": id_of(assigned.get("assignee")),
        "role_assignee_name": name_of(assigned.get("assignee")),
    }
    return Change(values, {"role_assignee": id_of(assigned.get("old_assignee"))})


def _task(data: Json) -> Change:
    values: dict[str, Value] = {
        "task": id_of(data),
        "task_name": text(data.get("name")),
        "task_description": text(data.get("description")),
        "task_status": text(data.get("status")),
        "task_assignees": ids_of(as_objects(data.get("assignees"))),
    }
    return Change(values)


def _invocation(data: Json) -> Change:
    values = {
        "automation_action": name_of(data.get("action")),
        "automation_state": text(data.get("state")),
    }
    return Change(values)


def _workflow(data: Json) -> Change:
    workflow = data.get("incident_workflow")
    return Change({"workflow": id_of(workflow), "workflow_name": name_of(workflow)})


_READERS: Final[Mapping[str, Callable[[Json], Change]]] = {
    "incident": _of_nothing,
    "incident_note": _note,
    "incident_status_update": _status_update,
    "incident_responder": _responder,
    "incident_conference_bridge": _conference,
    "incident_field_values": _field_values,
    "incident_role_assignment": _role,
    "incident_task": _task,
    "incident_action_invocation": _invocation,
    "incident_workflow_instance": _workflow,
}


# ---------------------------------------------------------------------- services


def _service_event(event: Json, event_type: str, data: Json, body: bytes) -> list[Event]:
    service = as_object(data.get("service")) if "service" in data else data
    if f"pagerduty.{event_type}" not in TRIGGER_NAMES:
        return []
    if not id_of(service):
        raise hub.InvalidPayload(f"{event_type} names no service.", pointer="/event/data")
    change = _field_values(data) if "custom_fields" in data else Change(_service_values(data))
    record = Record(
        source_object=SERVICE.name,
        id=str(id_of(service)),
        url=text(service.get("html_url")),
        values={**change.values, "vendor_event": event_type},
    )
    if event_type == "service.created":
        change = Change(change.values, {})
    return [_event(event, f"pagerduty.{event_type}", record, body, change, _agent(event))]


def _service_values(service: Json) -> dict[str, Value]:
    values: dict[str, Value] = {
        "name": name_of(service),
        "url": text(service.get("html_url")),
        "alert_creation": text(service.get("alert_creation")),
    }
    if "teams" in service:
        teams = as_objects(service["teams"])
        values["teams"], values["team_names"] = ids_and_names(teams)
    return values
