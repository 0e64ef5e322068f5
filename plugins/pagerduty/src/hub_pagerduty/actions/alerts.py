"""Events sent as a monitoring tool would: alerts and changes."""

from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

import hub
from hub import Action, ActionCall, ActionResult, Repeat
from hub_pagerduty import errors, events_api
from hub_pagerduty.actions.shared import events_key_of, own_events_key_of, since_event
from hub_pagerduty.client import Json, PagerDutyClient
from hub_pagerduty.connector import PAGERDUTY
from hub_pagerduty.payloads.values import moment
from hub_pagerduty.text import cut_title

_TOLD: Final = ("summary", "source", "custom_details")


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
    body: Json = {"routing_key": key, "payload": _change(call)}
    if params.links:
        body["links"] = params.links
    await events_api.send_change(call.client, body)
    return ActionResult(summary="Sent the change event")


async def find_change(call: ActionCall[PagerDutyClient, SendChange]) -> ActionResult | None:
    """Look for the change event that an earlier send of the same run made.

    Change events have no key by which PagerDuty would drop a second one, and are taken in a
    while after they were accepted. So what is promised is: at least once, and twice only where
    it is not listed yet, or where the connector's key must not or can not list it.
    """
    if not call.client.has_rest:
        return None
    service = call.params.service or call.client.settings.service_id
    known = service and own_events_key_of(call.client, service)
    path = f"/services/{service}/change_events" if known else "/change_events"
    wanted = _change(call)
    try:
        async for one in call.client.pages(path, "change_events", [since_event(call)]):
            if _same_change(one, wanted):
                return ActionResult(summary="Found the change event, sent before")
    except (errors.Refused, errors.NotThere):
        return None
    return None


def _same_change(one: Json, wanted: Json) -> bool:
    alike = all((one.get(name) or None) == wanted.get(name) for name in _TOLD)
    at = moment(one.get("timestamp"))
    return alike and at is not None and at == moment(wanted["timestamp"])


def _change(call: ActionCall[PagerDutyClient, SendChange]) -> Json:
    inside = {
        "summary": cut_title(call.params.summary),
        "source": call.params.source or call.client.settings.client_name,
        "timestamp": call.event.occurred_at.replace(microsecond=0).isoformat(),
        "custom_details": call.params.custom_details,
    }
    return {name: value for name, value in inside.items() if value}


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
    PAGERDUTY.action(
        "send_change_event",
        "Send a change event",
        SendChange,
        send_change,
        repeat=Repeat.FIND_FIRST,
        find=find_change,
    ),
]
