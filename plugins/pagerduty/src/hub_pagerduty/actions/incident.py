"""Change an incident: status, title, urgency, priority, description, fields."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import hub
from hub import Action, ActionResult, Value
from hub_pagerduty import errors, events_api
from hub_pagerduty.actions.create import conference
from hub_pagerduty.actions.forms import (
    Conference,
    Description,
    Fields,
    IncidentType,
    Priority,
    Resolve,
    Service,
    Title,
    Urgency,
)
from hub_pagerduty.actions.notes import find_note_like, note_once
from hub_pagerduty.actions.shared import (
    BOTH,
    EVENT_RECORD,
    USERS,
    WRITES,
    Acting,
    Call,
    acting,
    change,
    events_key_of,
    incident_id,
    is_goal_reached,
    read,
    reference,
    result,
    shown,
)
from hub_pagerduty.client import Json
from hub_pagerduty.connector import PAGERDUTY
from hub_pagerduty.lookups import priority_named
from hub_pagerduty.text import as_description, cut_note, cut_title
from hub_pagerduty.vocabulary import INCIDENT, custom_key, custom_name


async def acknowledge(call: Call[Acting]) -> ActionResult:
    """Acknowledge a triggered incident; never touch one that is resolved."""
    if incident_id(call).startswith(EVENT_RECORD):
        return await _by_event(call, "acknowledge")
    incident = await read(call.client, incident_id(call))
    if incident.get("status") == "resolved":
        return result(f"Left {shown(incident)} alone: it is resolved", incident, changed=False)
    if incident.get("status") == "acknowledged":
        return result(
            f"{shown(incident).capitalize()} was acknowledged already", incident, changed=False
        )
    return await _move(call, incident, "acknowledged", "Acknowledged")


async def resolve(call: Call[Resolve]) -> ActionResult:
    """Resolve an incident, with the resolution as a note before."""
    if incident_id(call).startswith(EVENT_RECORD):
        return await _by_event(call, "resolve")
    incident = await read(call.client, incident_id(call))
    resolution = call.params.resolution.strip()
    if incident.get("status") == "resolved":
        note = await find_note_like(call, cut_note(resolution)) if resolution else None
        summary = f"{shown(incident).capitalize()} was resolved already"
        return replace(result(summary, incident, changed=False), note=note)
    if not resolution:
        return await _move(call, incident, "resolved", "Resolved")
    note = await note_once(call, resolution)
    moved = await _move(call, incident, "resolved", "Resolved", resolution=resolution)
    return replace(moved, summary=f"{moved.summary} with a note", note=note)


async def reopen(call: Call[Acting]) -> ActionResult:
    """Reopen a resolved incident; where PagerDuty refuses, open a new one like it."""
    incident = await read(call.client, incident_id(call))
    if incident.get("status") != "resolved":
        return result(f"{shown(incident).capitalize()} is open already", incident, changed=False)
    try:
        answer = await change(call, status="triggered")
    except errors.Refused as refused:
        if refused.answer.status != 400:
            raise
        return await _open_again(call, incident)
    return result(f"Reopened {shown(incident)}", answer)


async def set_priority(call: Call[Priority]) -> ActionResult:
    """Set the priority by its name in the account's own list."""
    wanted = call.params.priority
    found = await priority_named(call.client, wanted)
    if found is None:
        raise hub.Rejected(f"The account has no priority {wanted!r}.")
    try:
        incident = await change(call, priority=reference(found.id, "priority"))
    except errors.Refused as refused:
        if refused.answer.code == errors.INVALID_PRIORITY:
            call.client.forget("priorities")
        raise
    return result(f"Set the priority of {shown(incident)} to {found.name}", incident)


async def set_urgency(call: Call[Urgency]) -> ActionResult:
    """Set the urgency."""
    incident = await change(call, urgency=call.params.urgency)
    return result(f"Set the urgency of {shown(incident)} to {call.params.urgency}", incident)


async def set_title(call: Call[Title]) -> ActionResult:
    """Set the title."""
    incident = await change(call, title=cut_title(call.params.title))
    return result(f"Set the title of {shown(incident)}", incident)


async def set_description(call: Call[Description]) -> ActionResult:
    """Set the description where PagerDuty allows it; add a note otherwise."""
    incident = await read(call.client, incident_id(call))
    text = as_description(call.params.description, call.client.settings.description_format)
    entry_id = (incident.get("first_trigger_log_entry") or {}).get("id")
    entry = await call.client.get_one(f"/log_entries/{entry_id}", "log_entry") if entry_id else {}
    kind = (entry.get("channel") or {}).get("type")
    if kind not in {"web_trigger", "mobile"}:
        note = await note_once(call, f"Description: {text}")
        summary = f"Added the new description to {shown(incident)} as a note"
        return ActionResult(summary=summary, note=note)
    body = {"channel": {"type": kind, "details": text}}
    await call.client.put(f"/log_entries/{entry_id}/channel", body, by=await acting(call))
    return result(f"Set the description of {shown(incident)}", incident)


async def set_conference(call: Call[Conference]) -> ActionResult:
    """Set the conference bridge."""
    bridge = conference(call.params.conference_number, call.params.conference_url)
    incident = await change(call, conference_bridge=bridge)
    return result(f"Set the conference bridge of {shown(incident)}", incident)


async def set_custom_fields(call: Call[Fields]) -> ActionResult:
    """Set custom fields, whatever the incident's status."""
    names = {
        custom_name(key.removeprefix("custom_details.")): v for key, v in call.params.fields.items()
    }
    rows = [{"name": name, "value": value} for name, value in names.items()]
    path = f"/incidents/{incident_id(call)}/custom_fields/values"
    await call.client.put(path, {"custom_fields": rows})
    return ActionResult(summary=f"Set custom fields: {', '.join(sorted(names))}")


async def set_incident_type(call: Call[IncidentType]) -> ActionResult:
    """Set the incident type."""
    incident = await change(call, incident_type={"name": call.params.incident_type})
    return result(f"Set the type of {shown(incident)}", incident)


async def move_incident(call: Call[Service]) -> ActionResult:
    """Move the incident to another service."""
    incident = await change(call, service=reference(call.params.service, "service"))
    return result(f"Moved {shown(incident)} to service {call.params.service}", incident)


async def _move(
    call: Call[Any], incident: Json, status: str, done: str, **more: str
) -> ActionResult:
    try:
        answer = await change(call, status=status, **more)
    except errors.Refused as refused:
        if not is_goal_reached(refused):
            raise
        return result(
            f"{shown(incident).capitalize()} was {status} already", incident, changed=False
        )
    return result(f"{done} {shown(incident)}", answer)


async def _open_again(call: Call[Acting], incident: Json) -> ActionResult:
    same = ("title", "service", "urgency", "priority", "escalation_policy")
    copied = {name: _referred(incident[name]) for name in same if incident.get(name)}
    details = f"Opened again: {shown(incident)} was resolved. {incident.get('html_url') or ''}"
    body = {
        "type": "incident",
        "incident_key": call.key,
        "body": {"type": "incident_body", "details": details.strip()},
        **copied,
    }
    new = await call.client.post_one(
        "/incidents", "incident", {"incident": body}, by=await acting(call)
    )
    return result(f"Opened {shown(new)} in place of {shown(incident)}", new)


def _referred(value: Any) -> Any:  # noqa: ANN401 - a field of an answer: text or reference
    if not isinstance(value, dict):
        return value
    return reference(value["id"], str(value["type"]).removesuffix("_reference"))


async def _by_event(call: Call[Any], verb: events_api.Verb) -> ActionResult:
    dedup_key = incident_id(call).removeprefix(EVENT_RECORD)
    found = events_key_of(call.client, "")
    if found is None:
        raise hub.Rejected("There is no Events API key.")
    if found[1] == "v1":
        await events_api.send_v1(call.client, events_api.v1_event(found[0], verb, dedup_key, {}))
    else:
        await events_api.send_v2(call.client, events_api.v2_event(found[0], verb, dedup_key, {}))
    return ActionResult(summary=f"Sent the event: {verb}")


def _custom(params: Fields) -> Mapping[str, Value]:
    return {
        custom_key(name.removeprefix("custom_details.")): tuple(v) if isinstance(v, list) else v
        for name, v in params.fields.items()
    }


def _bridge(params: Conference) -> Mapping[str, Value]:
    return conference(params.conference_number, params.conference_url)


INCIDENT_ACTIONS: list[Action[Any, Any]] = [
    PAGERDUTY.action(
        "acknowledge_incident",
        "Acknowledge Incident",
        Acting,
        acknowledge,
        target=INCIDENT,
        calls=2,
        writes=lambda _: {"status": "acknowledged"},
        scopes=(*BOTH, *USERS),
    ),
    PAGERDUTY.action(
        "resolve_incident",
        "Resolve Incident",
        Resolve,
        resolve,
        target=INCIDENT,
        calls=4,
        writes=lambda _: {"status": "resolved"},
        notes=True,
        scopes=(*BOTH, *USERS),
    ),
    PAGERDUTY.action(
        "reopen_incident",
        "Reopen Incident",
        Acting,
        reopen,
        target=INCIDENT,
        calls=2,
        writes=lambda _: {"status": "triggered"},
        scopes=(*BOTH, *USERS),
    ),
    PAGERDUTY.action(
        "set_priority",
        "Set Incident Priority",
        Priority,
        set_priority,
        target=INCIDENT,
        writes=lambda params: {"priority": params.priority},
        scopes=(*WRITES, *USERS, "priorities.read"),
    ),
    PAGERDUTY.action(
        "set_urgency",
        "Set Incident Urgency",
        Urgency,
        set_urgency,
        target=INCIDENT,
        writes=lambda params: {"urgency": params.urgency},
        scopes=(*WRITES, *USERS),
        abilities=("urgencies",),
    ),
    PAGERDUTY.action(
        "set_title",
        "Set Incident Title",
        Title,
        set_title,
        target=INCIDENT,
        writes=lambda params: {"title": cut_title(params.title)},
        scopes=(*WRITES, *USERS),
    ),
    PAGERDUTY.action(
        "set_description",
        "Set Incident Description",
        Description,
        set_description,
        target=INCIDENT,
        calls=3,
        writes=lambda params: {"description": params.description},
        notes=True,
        scopes=(*BOTH, *USERS),
    ),
    PAGERDUTY.action(
        "set_conference",
        "Set Incident Conference",
        Conference,
        set_conference,
        target=INCIDENT,
        writes=_bridge,
        scopes=(*WRITES, *USERS),
    ),
    PAGERDUTY.action(
        "set_custom_fields",
        "Set custom fields",
        Fields,
        set_custom_fields,
        target=INCIDENT,
        writes=_custom,
        scopes=WRITES,
    ),
    PAGERDUTY.action(
        "set_incident_type",
        "Set incident type",
        IncidentType,
        set_incident_type,
        target=INCIDENT,
        writes=lambda params: {"incident_type": params.incident_type},
        scopes=(*WRITES, *USERS),
    ),
    PAGERDUTY.action(
        "move_incident",
        "Move to another service",
        Service,
        move_incident,
        target=INCIDENT,
        writes=lambda params: {"service": params.service},
        scopes=(*WRITES, *USERS),
    ),
]
