"""Forward an event to an Apex REST class in the org."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from pydantic import Field

import hub
from hub import Action, ActionCall, ActionResult, ConnectorType, Event, Value
from hub_salesforce.client import SalesforceClient
from hub_salesforce.forms import Form


class ForwardEvent(Form):
    """Where to forward the event."""

    path: str = Field(
        default="",
        title="Apex REST path",
        description="Empty for the connector's Salesforce RestResource URL.",
        json_schema_extra={"x-hub": {"advanced": True}},
    )


def actions(connector_type: ConnectorType[Any, Any]) -> list[Action[Any, Any]]:
    """Return forward_event."""
    return [
        connector_type.action(
            "forward_event",
            "Forward the event to Apex REST",
            ForwardEvent,
            forward,
        )
    ]


async def forward(call: ActionCall[SalesforceClient, ForwardEvent]) -> ActionResult:
    """POST the event to the Apex REST class, in the shape of PagerDuty's V2 webhooks."""
    path = (call.params.path or call.client.settings.rest_resource_url).strip("/")
    path = path.removeprefix("services/apexrest/").strip("/")
    if not path or "://" in path or ".." in path:
        raise hub.Rejected("set the Salesforce RestResource URL of the connector: a path, no host")
    body = message_of(call.event, call.key)
    try:
        await call.client.send("POST", f"/services/apexrest/{path}", body=body)
    except hub.Gone as error:
        raise hub.Rejected(f"{error} - there is no Apex REST class at {path}") from error
    return ActionResult(summary=f"Forwarded to {path}")


def message_of(event: Event, key: str) -> dict[str, Any]:
    """Return an event as PagerDuty's V2 webhooks have it: {"messages": [{event, incident, …}]}."""
    verb = event.trigger.rpartition(".")[2]
    names = {"triggered": "trigger", "acknowledged": "acknowledge", "resolved": "resolve"}
    values = {name: _json(value) for name, value in event.record.values.items()}
    message = {
        "id": key,
        "event": f"incident.{names.get(verb, verb)}",
        "created_on": event.occurred_at.isoformat(),
        "incident": {**values, "id": event.record.id, "html_url": event.record.url},
    }
    return {"messages": [message]}


def _json(value: Value) -> str | int | float | bool | list[str] | None:
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, Decimal):
        return float(value)
    return list(value) if isinstance(value, tuple) else value
