"""Create an incident: by REST, or by an event where the service has an Events key."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

from pydantic import Field

import hub
from hub import ActionResult, Record, Repeat, Value
from hub_pagerduty import errors, events_api
from hub_pagerduty.actions.shared import (
    BOTH,
    EVENT_RECORD,
    USERS,
    Acting,
    Call,
    acting,
    events_key_of,
    has_rest,
    own_events_key_of,
    reference,
    result,
    shown,
)
from hub_pagerduty.client import Json, PagerDutyClient
from hub_pagerduty.connector import PAGERDUTY
from hub_pagerduty.lookups import custom_fields, priority_named, user_id
from hub_pagerduty.text import as_description, cut_title
from hub_pagerduty.vocabulary import INCIDENT

_SEVERITY: Final = {"high": "critical", "low": "warning", "": "error"}
_LOOKS: Final = (0.0, 0.5, 1.5, 3.0)
"""Seconds to wait before each look for the incident that an event made."""


class CreateIncident(Acting):
    """Parameters of `create_incident`."""

    service: str = Field(
        default="",
        title="Service",
        description="Where the incident is opened; the connector's default service otherwise.",
        json_schema_extra={"x-hub": {"source": "services", "resolve": "service"}},
    )
    title: str = Field(
        min_length=1,
        title="Title",
        description="Cut at 1024 characters.",
        json_schema_extra={"x-hub": {"widget": "template"}},
    )
    body: str = Field(
        default="",
        title="Description",
        description="What responders read.",
        json_schema_extra={"x-hub": {"widget": "template"}},
    )
    urgency: Literal["", "high", "low"] = Field(
        default="", title="Urgency", description="Empty: by the service's own rule."
    )
    priority: str = Field(
        default="",
        title="Priority",
        description="Name of a priority of the account, such as P1.",
        json_schema_extra={"x-hub": {"source": "priorities"}},
    )
    escalation_policy: str = Field(
        default="",
        title="Escalation policy",
        description="Instead of the service's own.",
        json_schema_extra={"x-hub": {"source": "escalation_policies"}},
    )
    assignee: str = Field(
        default="",
        title="Assignee",
        description="E-mail or id of one user, instead of an escalation policy.",
        json_schema_extra={"x-hub": {"source": "users"}},
    )
    incident_type: str = Field(
        default="",
        title="Incident type",
        description="Name of an incident type of the account.",
        json_schema_extra={"x-hub": {"source": "incident_types", "advanced": True}},
    )
    conference_number: str = Field(
        default="", title="Conference number", description="Such as +1 415-555-1212,,,,1234#."
    )
    conference_url: str = Field(
        default="", title="Conference link", description="A web conference or chat room."
    )
    custom_fields: dict[str, Any] = Field(
        default_factory=dict,
        title="Custom fields",
        description="Values by name; what the account has no field for goes into the description.",
    )
    incident_key: str = Field(
        default="",
        title="Incident key",
        description="Empty: the hub's own, so that a repeat never opens a second incident.",
        json_schema_extra={"x-hub": {"advanced": True}},
    )
    transport: Literal["auto", "rest", "events_v2", "events_v1"] = Field(
        default="auto",
        title="Transport",
        description="auto: an event where the service has an Events key, else REST.",
        json_schema_extra={"x-hub": {"advanced": True}},
    )
    client_url: str = Field(
        default="",
        title="Link to the source",
        description="Shown with events as View at the client's name.",
        json_schema_extra={"x-hub": {"advanced": True}},
    )


async def create_incident(call: Call[CreateIncident]) -> ActionResult:
    """Open an incident; one that is open with the same key is taken as made before."""
    key = _events_key(call)
    if key:
        return await _by_event(call, *key)
    if not has_rest(call.client):
        raise hub.Rejected("This connector has no key that fits the transport.")
    plan = await _plan(call)
    try:
        incident = await call.client.post_one(
            "/incidents", "incident", plan.body, by=await acting(call)
        )
    except errors.NotThere as missing:
        raise errors.Refused(
            missing.answer, f"Service {_service(call)!r} cannot be used ({missing.answer.said})"
        ) from missing
    except errors.Refused as refused:
        if refused.answer.is_duplicate_key:
            return await _adopt(call, refused, plan.custom)
        if refused.answer.code == errors.INVALID_PRIORITY:
            call.client.forget("priorities")
        raise
    remarks = [*plan.remarks, *await _set_custom_fields(call, incident, plan.custom)]
    return result(", ".join([f"Created {shown(incident)}", *remarks]), incident)


async def find_incident(call: Call[CreateIncident]) -> ActionResult | None:
    """Look for the incident that an earlier send of the same run opened."""
    if not has_rest(call.client):
        return None
    found = await _by_key(call)
    return result(f"Found {shown(found)}, created before", found) if found else None


def written(params: CreateIncident) -> Mapping[str, Value]:
    """Return the values that the new incident is going to report."""
    values: dict[str, Value] = {"title": cut_title(params.title)}
    for name in ("service", "urgency", "priority", "escalation_policy"):
        if getattr(params, name):
            values[name] = getattr(params, name)
    return values


class _Plan:
    """A request body, and what had to be left out of it."""

    def __init__(self, body: Json, custom: Json, remarks: Sequence[str]) -> None:
        self.body, self.custom, self.remarks = body, custom, remarks


async def _plan(call: Call[CreateIncident]) -> _Plan:
    params, client = call.params, call.client
    incident: Json = {
        "type": "incident",
        "title": cut_title(params.title),
        "service": reference(_service(call), "service"),
        "incident_key": _key(call),
    }
    if params.urgency:
        incident["urgency"] = params.urgency
    if params.incident_type:
        incident["incident_type"] = {"name": params.incident_type}
    if params.conference_number or params.conference_url:
        incident["conference_bridge"] = conference(params.conference_number, params.conference_url)
    remarks = await _prioritise(client, params.priority, incident)
    await _route(call, incident)
    known, lines = await _known_fields(client, params)
    details = "\n".join(part for part in (params.body, *lines) if part)
    if details:
        text = as_description(details, client.settings.description_format)
        incident["body"] = {"type": "incident_body", "details": text}
    return _Plan({"incident": incident}, known, remarks)


def conference(number: str, url: str) -> Json:
    """Return a conference bridge as requests carry it."""
    bridge = {"conference_number": number, "conference_url": url}
    return {name: value for name, value in bridge.items() if value}


async def _prioritise(client: PagerDutyClient, name: str, incident: Json) -> list[str]:
    if not name:
        return []
    found = await priority_named(client, name)
    if found is None:
        return [f"without priority: the account has no {name!r}"]
    incident["priority"] = reference(found.id, "priority")
    return []


async def _route(call: Call[CreateIncident], incident: Json) -> None:
    params = call.params
    policy = params.escalation_policy or call.client.settings.escalation_policy_id
    if params.assignee:
        user = await user_id(call.client, params.assignee)
        incident["assignments"] = [{"assignee": reference(user, "user")}]
    elif policy:
        incident["escalation_policy"] = reference(policy, "escalation_policy")


async def _known_fields(client: PagerDutyClient, params: CreateIncident) -> tuple[Json, list[str]]:
    wanted = {name.removeprefix("custom_details."): v for name, v in params.custom_fields.items()}
    if not wanted:
        return {}, []
    kind = params.incident_type or "incident_default"
    names = {str(field.get("name")) for field in await custom_fields(client, kind)}
    known = {name: value for name, value in wanted.items() if name in names}
    lines = [f"{name}: {v}" for name, v in wanted.items() if name not in names and v is not None]
    return known, lines


async def _set_custom_fields(
    call: Call[CreateIncident], incident: Json, fields: Mapping[str, Any]
) -> list[str]:
    if not fields:
        return []
    path = f"/incidents/{incident['id']}/custom_fields/values"
    rows = [{"name": name, "value": value} for name, value in fields.items()]
    try:
        await call.client.put(path, {"custom_fields": rows})
    except errors.Refused as refused:
        return [f"custom fields were refused ({refused.answer.said})"]
    return []


async def _adopt(
    call: Call[CreateIncident], refused: errors.Refused, custom: Mapping[str, Any]
) -> ActionResult:
    found = await _by_key(call)
    if found is None:
        raise refused
    await _set_custom_fields(call, found, custom)
    return result(f"Linked {shown(found)}, which exists with this key", found, changed=False)


async def _by_key(call: Call[CreateIncident]) -> Json | None:
    query = [
        ("incident_key", _key(call)),
        ("service_ids[]", _service(call)),
        ("date_range", "all"),
    ]
    found = [one async for one in call.client.pages("/incidents", "incidents", query)]
    is_open = [one for one in found if one.get("status") != "resolved"]
    return next(iter(is_open or found), None)


def _service(call: Call[CreateIncident]) -> str:
    service = call.params.service or call.client.settings.service_id
    if not service:
        raise hub.Rejected("No service is named, and the connector has no default service.")
    return service


def _key(call: Call[CreateIncident]) -> str:
    return (call.params.incident_key or call.key)[: events_api.KEY_LENGTH]


# ------------------------------------------------------------------------ events


def _events_key(call: Call[CreateIncident]) -> tuple[str, str] | None:
    transport, client = call.params.transport, call.client
    service = call.params.service or client.settings.service_id
    if transport == "rest":
        return None
    if transport == "auto" and has_rest(client):
        return own_events_key_of(client, service) if service else None
    found = events_key_of(client, service)
    if found is None:
        raise hub.Rejected("There is no Events API key for this service.")
    version = found[1] if transport == "auto" else transport.removeprefix("events_")
    return found[0], version


async def _by_event(call: Call[CreateIncident], key: str, version: str) -> ActionResult:
    before = await find_incident(call)
    if before:
        return before
    payload = _payload(call)
    if version == "v1":
        await events_api.send_v1(
            call.client, events_api.v1_event(key, "trigger", _key(call), payload)
        )
    else:
        await events_api.send_v2(
            call.client, events_api.v2_event(key, "trigger", _key(call), payload)
        )
    if not has_rest(call.client):
        record = Record(source_object=INCIDENT.name, id=EVENT_RECORD + _key(call))
        return ActionResult(summary="Sent an event to PagerDuty", record=record)
    return await _await_incident(call)


def _payload(call: Call[CreateIncident]) -> Json:
    params, settings = call.params, call.client.settings
    details = {name.removeprefix("custom_details."): v for name, v in params.custom_fields.items()}
    if params.body:
        details["description"] = as_description(params.body, settings.description_format)
    return {
        "summary": params.title,
        "source": settings.client_name,
        "severity": _SEVERITY[params.urgency],
        "custom_details": details,
        "client": settings.client_name,
        "client_url": params.client_url,
        "vendor": settings.vendor_key,
    }


async def _await_incident(call: Call[CreateIncident]) -> ActionResult:
    for pause in _LOOKS:
        await asyncio.sleep(pause)
        found = await _by_key(call)
        if found:
            return await _complete(call, found)
    raise hub.Unavailable(
        "PagerDuty took the event, but no incident has appeared: the integration key may belong "
        "to another service, the service may be disabled, or a rule may have suppressed it."
    )


async def _complete(call: Call[CreateIncident], incident: Json) -> ActionResult:
    """Set what an event cannot carry."""
    fields: Json = {}
    remarks = await _prioritise(call.client, call.params.priority, fields)
    if call.params.escalation_policy:
        fields["escalation_policy"] = reference(call.params.escalation_policy, "escalation_policy")
    if fields:
        body = {"incident": {"type": "incident_reference", **fields}}
        path = f"/incidents/{incident['id']}"
        incident = await call.client.put_one(path, "incident", body, by=await acting(call))
    return result(", ".join([f"Created {shown(incident)} by an event", *remarks]), incident)


CREATE = PAGERDUTY.action(
    "create_incident",
    "Create an incident on a service in PagerDuty",
    CreateIncident,
    create_incident,
    target=INCIDENT,
    creates=True,
    repeat=Repeat.FIND_FIRST,
    calls=2,
    find=find_incident,
    writes=written,
    scopes=(*BOTH, *USERS, "priorities.read", "custom_fields.read"),
)
