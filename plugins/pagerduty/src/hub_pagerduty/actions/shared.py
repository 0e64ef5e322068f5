"""What the actions have in common: the incident, the acting person, a change."""

from datetime import UTC
from typing import Any, Final, TypeVar

from pydantic import BaseModel, ConfigDict, Field

import hub
from hub import ActionCall, ActionResult
from hub_pagerduty import errors
from hub_pagerduty.client import Json, PagerDutyClient
from hub_pagerduty.payloads.incidents import incident_record
from hub_pagerduty.settings import events_keys

EVENT_RECORD = "event:"
"""Records of connectors without a REST key are known by this and their dedup key."""


class Acting(BaseModel):
    """Parameters of every action that PagerDuty credits to a person."""

    model_config = ConfigDict(defer_build=True, extra="forbid")

    from_email: str = Field(
        default="",
        title="Acting person",
        description="E-mail of the PagerDuty user to act as; the connector's own user otherwise.",
        json_schema_extra={"x-hub": {"advanced": True}},
    )


READS: Final = ("incidents.read",)
WRITES: Final = ("incidents.write",)
BOTH: Final = (*READS, *WRITES)
USERS: Final = ("users.read",)
"""Scopes of an app token; finding the acting person among the users takes `USERS`."""

P = TypeVar("P", bound=Acting)
Call = ActionCall[PagerDutyClient, P]


def incident_id(call: Call[Any]) -> str:
    """Return the id of the incident to act on."""
    if call.record is None:
        raise hub.Rejected("There is no PagerDuty incident to act on.")
    return call.record.id


async def acting(call: Call[Any]) -> str | None:
    """Return the e-mail to act as: the parameter's, else the event's person, where a user."""
    event = call.event
    actor = event.actor_email or event.actor or ""
    wanted: str = call.params.from_email or (actor if "@" in actor else "")
    return await call.client.acting_as(wanted or None)


async def read(client: PagerDutyClient, incident: str) -> Json:
    """Return the incident as it is now."""
    return await client.get_one(f"/incidents/{incident}", "incident")


async def change(call: Call[Any], **fields: object) -> Json:
    """Set fields of the incident; return it as PagerDuty answered."""
    body = {"incident": {"type": "incident_reference", **fields}}
    path = f"/incidents/{incident_id(call)}"
    return await call.client.put_one(path, "incident", body, by=await acting(call))


def result(summary: str, incident: Json, *, changed: bool = True) -> ActionResult:
    """Say what was done, with the incident as PagerDuty answered it."""
    record = incident_record(incident) if incident.get("id") else None
    return ActionResult(summary=summary, record=record, changed=changed)


def shown(incident: Json) -> str:
    """Return what people call the incident."""
    number = incident.get("incident_number")
    return f"incident #{number}" if number else f"incident {incident.get('id', '')}".rstrip()


def is_goal_reached(refused: errors.Refused) -> bool:
    """Say whether PagerDuty refused because it was so already."""
    reached = {errors.ALREADY_ACKNOWLEDGED, errors.ALREADY_RESOLVED}
    return refused.answer.code in reached


def reference(id: str, kind: str) -> Json:
    """Return a reference as requests carry it."""
    return {"id": id, "type": f"{kind}_reference"}


def has_rest(client: PagerDutyClient) -> bool:
    """Say whether the connector has a key for the REST API."""
    return client.has_rest


def since_event(call: ActionCall[PagerDutyClient, Any]) -> tuple[str, str]:
    """Return the query for what happened since the event, to the second, as PagerDuty takes it."""
    return "since", call.event.occurred_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def events_key_of(client: PagerDutyClient, service: str) -> tuple[str, str] | None:
    """Return the Events key for a service, else the default one, and its version."""
    return own_events_key_of(client, service) or own_events_key_of(client, "")


def own_events_key_of(client: PagerDutyClient, service: str) -> tuple[str, str] | None:
    """Return the Events key that was given for this very service, and its version."""
    found = events_keys(client.settings).get(service)
    return (found.key.get_secret_value(), found.version) if found else None
