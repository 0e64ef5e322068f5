"""Events sent as a monitoring tool would: alerts and changes."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

import hub
from hub import Action, ActionCall, ActionResult, Repeat
from hub_pagerduty import events_api
from hub_pagerduty.actions.shared import events_key_of
from hub_pagerduty.client import Json, PagerDutyClient
from hub_pagerduty.connector import PAGERDUTY


class _Sent(BaseModel):
    model_config = ConfigDict(defer_build=True, extra="forbid")

    service: str = Field(
        default="",
        title="Service",
        description="Whose integration key is used; the connector's own key otherwise.",
        json_schema_extra={"x-hub": {"source": "services", "resolve": "service"}},
    )
    source: str = Field(
        default="",
        title="Source",
        description="What is affected; the connector's client name otherwise.",
    )
    custom_details: dict[str, Any] = Field(
        default_factory=dict, title="Details", description="Anything that helps, by name."
    )


class SendEvent(_Sent):
    """Parameters of `send_event`."""

    action: Literal["trigger", "acknowledge", "resolve"] = Field(
        default="trigger", title="Kind", description="What happens to the alert."
    )
    summary: str = Field(
        default="",
        title="Summary",
        description="Cut at 1024 characters; a trigger needs one.",
        json_schema_extra={"x-hub": {"widget": "template"}},
    )
    severity: Literal["critical", "error", "warning", "info"] = Field(
        default="error", title="Severity", description="Of the alert; Events API v2 only."
    )
    dedup_key: str = Field(
        default="",
        title="Dedup key",
        description="Ties trigger, acknowledge and resolve together; empty: made by the hub.",
        json_schema_extra={"x-hub": {"widget": "template"}},
    )
    component: str = Field(default="", title="Component", description="Part that is affected.")
    group: str = Field(default="", title="Group", description="What the component belongs to.")
    alert_class: str = Field(default="", title="Class", description="Kind of the alert.")
    client: str = Field(
        default="", title="Client", description='PagerDuty shows "View at" with this name.'
    )
    client_url: str = Field(default="", title="Link to the source", description="Of the client.")
    links: list[dict[str, str]] = Field(
        default_factory=list, title="Links", description='Such as {"href": "…", "text": "…"}.'
    )
    images: list[dict[str, str]] = Field(
        default_factory=list, title="Images", description='Such as {"src": "https://…"}.'
    )
    transport: Literal["auto", "events_v2", "events_v1"] = Field(
        default="auto",
        title="Transport",
        description="auto: the version that the key belongs to.",
        json_schema_extra={"x-hub": {"advanced": True}},
    )


class SendChange(_Sent):
    """Parameters of `send_change_event`."""

    summary: str = Field(
        min_length=1,
        title="Summary",
        description="What was changed.",
        json_schema_extra={"x-hub": {"widget": "template"}},
    )
    links: list[dict[str, str]] = Field(
        default_factory=list, title="Links", description='Such as {"href": "…", "text": "…"}.'
    )


async def send_event(call: ActionCall[PagerDutyClient, SendEvent]) -> ActionResult:
    """Send an alert event."""
    params = call.params
    key, version = _key(call.client, params.service)
    if params.action == "trigger" and not params.summary:
        raise hub.Rejected("A trigger needs a summary.")
    if params.action != "trigger" and not params.dedup_key:
        raise hub.Rejected(f"The event {params.action!r} needs the dedup key of its trigger.")
    if params.transport != "auto":
        version = params.transport.removeprefix("events_")
    dedup_key, payload = params.dedup_key or call.key, _payload(call)
    if version == "v1":
        event = events_api.v1_event(key, params.action, dedup_key, payload)
        sent = await events_api.send_v1(call.client, event)
    else:
        event = events_api.v2_event(key, params.action, dedup_key, payload)
        sent = await events_api.send_v2(call.client, event)
    return ActionResult(summary=f"Sent the event {params.action} with the key {sent}")


async def send_change(call: ActionCall[PagerDutyClient, SendChange]) -> ActionResult:
    """Send a change event, which notifies nobody."""
    params = call.params
    key, _ = _key(call.client, params.service)
    inside = {
        "summary": params.summary,
        "source": params.source or call.client.settings.client_name,
        "timestamp": call.event.occurred_at.isoformat(),
        "custom_details": params.custom_details,
    }
    body: Json = {
        "routing_key": key,
        "payload": {name: value for name, value in inside.items() if value},
    }
    if params.links:
        body["links"] = params.links
    await events_api.send_change(call.client, body)
    return ActionResult(summary="Sent the change event")


def _key(client: PagerDutyClient, service: str) -> tuple[str, str]:
    found = events_key_of(client, service or client.settings.service_id)
    if found is None:
        raise hub.Rejected(f"There is no Events API key for service {service!r}.")
    return found


def _payload(call: ActionCall[PagerDutyClient, SendEvent]) -> Json:
    params, settings = call.params, call.client.settings
    return {
        "summary": params.summary,
        "source": params.source or settings.client_name,
        "severity": params.severity,
        "timestamp": call.event.occurred_at.isoformat(),
        "component": params.component,
        "group": params.group,
        "class": params.alert_class,
        "custom_details": params.custom_details,
        "client": params.client or settings.client_name,
        "client_url": params.client_url or call.event.record.url or "",
        "links": params.links,
        "images": params.images,
        "vendor": settings.vendor_key,
    }


ALERT_ACTIONS: list[Action[Any, Any]] = [
    PAGERDUTY.action(
        "send_event", "Send an alert event", SendEvent, send_event, repeat=Repeat.KEYED
    ),
    PAGERDUTY.action("send_change_event", "Send a change event", SendChange, send_change),
]
