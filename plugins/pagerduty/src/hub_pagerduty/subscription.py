"""Webhook subscriptions: find ours, make it, wake it, test it, remove it."""

from collections.abc import AsyncIterator
from typing import Final

import hub
from hub import Subscription, SubscriptionState
from hub_pagerduty.client import Json, PagerDutyClient

PATH: Final = "/webhook_subscriptions"

EVENTS: Final = (
    "incident.acknowledged",
    "incident.action_invocation.created",
    "incident.action_invocation.terminated",
    "incident.action_invocation.updated",
    "incident.annotated",
    "incident.conference_bridge.updated",
    "incident.custom_field_values.updated",
    "incident.delegated",
    "incident.escalated",
    "incident.incident_type.changed",
    "incident.priority_updated",
    "incident.reassigned",
    "incident.reopened",
    "incident.resolved",
    "incident.responder.added",
    "incident.responder.replied",
    "incident.role.assigned",
    "incident.service_updated",
    "incident.status_update_published",
    "incident.task.completed",
    "incident.task.created",
    "incident.task.updated",
    "incident.triggered",
    "incident.unacknowledged",
    "incident.workflow.completed",
    "incident.workflow.started",
    "service.created",
    "service.custom_field_values.updated",
    "service.deleted",
    "service.updated",
)
"""Every event type that PagerDuty publishes."""

_INCIDENTS_ONLY: Final = tuple(one for one in EVENTS if one.startswith("incident."))


async def ensure(client: PagerDutyClient, url: str) -> SubscriptionState:
    """Keep, wake or make the subscription that delivers to this URL."""
    found = await find(client, url)
    if found is None:
        return await _make(client, url)
    if found["delivery_method"].get("temporarily_disabled"):
        await client.post(f"{PATH}/{found['id']}/enable")
    if not found.get("active") or set(found.get("events") or ()) != set(_wanted(client)):
        changed = {"active": True, "events": list(_wanted(client))}
        await client.put(f"{PATH}/{found['id']}", {"webhook_subscription": changed})
    return state_of(await client.get_one(f"{PATH}/{found['id']}", "webhook_subscription"))


async def wake(client: PagerDutyClient, url: str) -> SubscriptionState | None:
    """Enable what PagerDuty disabled after failed deliveries; who switched it off keeps it so."""
    found = await find(client, url)
    if found is None:
        return None
    if not found["delivery_method"].get("temporarily_disabled"):
        return state_of(found)
    await client.post(f"{PATH}/{found['id']}/enable")
    return state_of(await client.get_one(f"{PATH}/{found['id']}", "webhook_subscription"))


async def inspect(client: PagerDutyClient, url: str) -> SubscriptionState | None:
    """Return how the subscription for this URL is; None when there is none."""
    found = await find(client, url)
    return state_of(found) if found else None


async def ping(client: PagerDutyClient, url: str) -> str:
    """Let PagerDuty send a signed test event."""
    found = await find(client, url)
    if found is None:
        raise hub.Gone("PagerDuty has no webhook subscription for this URL.")
    await client.post(f"{PATH}/{found['id']}/ping")
    return "Test event sent"


async def remove(client: PagerDutyClient, url: str) -> None:
    """Remove every subscription that delivers to this URL."""
    async for one in _ours(client, url):
        await client.delete(f"{PATH}/{one['id']}")


async def find(client: PagerDutyClient, url: str) -> Json | None:
    """Return the subscription that delivers to this URL, an active one before others."""
    found = [one async for one in _ours(client, url)]
    return min(found, key=lambda one: not one.get("active"), default=None)


def state_of(found: Json) -> SubscriptionState:
    """Read a subscription."""
    method = found.get("delivery_method") or {}
    disabled = bool(method.get("temporarily_disabled"))
    missing = sorted(set(_INCIDENTS_ONLY) - set(found.get("events") or ()))
    parts = [
        "PagerDuty disabled it for a day after failed deliveries" if disabled else "",
        "" if found.get("active", True) else "Somebody switched it off in PagerDuty",
        f"Not subscribed: {', '.join(missing)}" if missing else "",
    ]
    return SubscriptionState(
        id=str(found["id"]),
        active=bool(found.get("active", True)) and not disabled,
        detail=" ".join(f"{part}." for part in parts if part),
        secret=method.get("secret"),
    )


async def _make(client: PagerDutyClient, url: str) -> SubscriptionState:
    body = {
        "type": "webhook_subscription",
        "delivery_method": {"type": "http_delivery_method", "url": url},
        "description": "Integration Hub",
        "active": True,
        "events": list(_wanted(client)),
        "filter": _filter(client),
    }
    answer = await client.post(PATH, {"webhook_subscription": body})
    made: Json = answer.get("webhook_subscription") or {}
    state = state_of(made) if made.get("id") else None
    if state is None or not state.secret:
        if made.get("id"):  # it would deliver what nobody can verify
            await client.delete(f"{PATH}/{made['id']}")
        raise hub.Rejected("PagerDuty made a subscription without telling its secret.")
    return state


def _wanted(client: PagerDutyClient) -> tuple[str, ...]:
    return _INCIDENTS_ONLY if client.settings.webhook_scope == "team" else EVENTS


def _filter(client: PagerDutyClient) -> Json:
    scope = client.settings.webhook_scope
    if scope == "account":
        return {"type": "account_reference"}
    return {"type": f"{scope}_reference", "id": client.settings.webhook_scope_id}


async def _ours(client: PagerDutyClient, url: str) -> AsyncIterator[Json]:
    async for one in client.pages(PATH, "webhook_subscriptions"):
        if (one.get("delivery_method") or {}).get("url", "").rstrip("/") == url.rstrip("/"):
            yield one


SUBSCRIPTION: Final[Subscription[PagerDutyClient]] = Subscription(
    ensure=ensure, inspect=inspect, ping=ping, remove=remove, wake=wake
)
