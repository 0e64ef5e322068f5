"""The REST API's webhook subscriptions and extensions."""

from typing import Final

from hub_pagerduty.testing.lifecycle import Refusal
from hub_pagerduty.testing.messages import V1_SCHEMA, V2_SCHEMA
from hub_pagerduty.testing.model import Extension, Json, Subscription
from hub_pagerduty.testing.routes import Answer, Asked, matching, page, route

PER_SCOPE: Final = 10
_REDACTED: Final = "-- redacted --"
_SCOPES: Final = {"account_reference", "service_reference", "team_reference"}
_READ, _WRITE = "webhook_subscriptions.read", "webhook_subscriptions.write"


def _is_disabled(asked: Asked, it: Subscription | Extension) -> bool:
    return bool(it.disabled_until and it.disabled_until > asked.sim.clock.now())


def _shown(asked: Asked, it: Subscription, secret: str | None = None) -> Json:
    return {
        "id": it.id,
        "type": "webhook_subscription",
        "active": it.active,
        "delivery_method": {
            "id": it.delivery_method,
            "type": "http_delivery_method",
            "url": it.url,
            "secret": secret,
            "temporarily_disabled": _is_disabled(asked, it),
            "custom_headers": [{"name": one["name"], "value": _REDACTED} for one in it.headers],
        },
        "description": it.description,
        "events": it.events,
        "filter": it.filter,
        "oauth_client": None,
    }


def _found(asked: Asked) -> Subscription:
    found = asked.sim.world.subscriptions.get(asked.params["id"])
    if found is None:
        raise Refusal(404, 2100, "Not Found")
    return found


@route("GET", "/webhook_subscriptions", scope=_READ)
def list_subscriptions(asked: Asked) -> Answer:
    """List subscriptions."""
    kind, wanted = asked.first("filter_type"), asked.first("filter_id")
    rows = [
        _shown(asked, one)
        for one in asked.sim.world.subscriptions.values()
        if (not kind or one.filter["type"] == f"{kind}_reference")
        and (not wanted or one.filter.get("id") == wanted)
    ]
    return page(asked, "webhook_subscriptions", rows)


@route("POST", "/webhook_subscriptions", scope=_WRITE)
def create_subscription(asked: Asked) -> Answer:
    """Make a subscription; its secret is shown here and never again."""
    given, world = asked.content("webhook_subscription"), asked.sim.world
    method, chosen = given.get("delivery_method") or {}, given.get("filter") or {}
    events = given.get("events") or []
    if not events or len(set(events)) != len(events) or "pagey.ping" in events:
        raise Refusal(400, 2001, "Invalid Input Provided", "events are invalid")
    if not method.get("url") or chosen.get("type") not in _SCOPES:
        raise Refusal(400, 2001, "Invalid Input Provided", "delivery_method or filter is invalid")
    if sum(one.filter == chosen for one in world.subscriptions.values()) >= PER_SCOPE:
        text = (
            "Failed to create webhook. Webhook subscription limit exceeded for the selected scope."
        )
        raise Refusal(400, 2019, text)
    it = Subscription(
        id=world.ids.short(),
        url=str(method["url"]),
        events=list(events),
        filter=chosen,
        secrets=[world.ids.secret()],
        description=str(given.get("description") or ""),
        headers=list(method.get("custom_headers") or []),
        delivery_method=world.ids.short(),
    )
    world.subscriptions[it.id] = it
    status = world.switches.subscription_status
    return status, {"webhook_subscription": _shown(asked, it, it.secrets[0])}


@route("GET", "/webhook_subscriptions/{id}", scope=_READ)
def get_subscription(asked: Asked) -> Answer:
    """Show a subscription, without its secret."""
    return 200, {"webhook_subscription": _shown(asked, _found(asked))}


@route("PUT", "/webhook_subscriptions/{id}", scope=_WRITE)
def update_subscription(asked: Asked) -> Answer:
    """Change a subscription, but never where it delivers."""
    it, given = _found(asked), asked.content("webhook_subscription")
    if "delivery_method" in given:
        asked.violations.append("delivery_method cannot be changed")
    it.description = str(given.get("description") or it.description)
    it.events = list(given.get("events") or it.events)
    it.filter = given.get("filter") or it.filter
    it.active = bool(given.get("active", it.active))
    return 200, {"webhook_subscription": _shown(asked, it)}


@route("DELETE", "/webhook_subscriptions/{id}", scope=_WRITE)
def delete_subscription(asked: Asked) -> Answer:
    """Remove a subscription."""
    del asked.sim.world.subscriptions[_found(asked).id]
    return 204, None


@route("POST", "/webhook_subscriptions/{id}/enable", scope=_WRITE)
def enable_subscription(asked: Asked) -> Answer:
    """End a temporary disablement."""
    it = _found(asked)
    it.disabled_until, it.drops = None, 0
    return 200, {"webhook_subscription": _shown(asked, it)}


@route("POST", "/webhook_subscriptions/{id}/ping", scope=_WRITE)
def ping_subscription(asked: Asked) -> Answer:
    """Send a test event."""
    asked.sim.ping(_found(asked), asked.actor)
    return 202, None


# ------------------------------------------------------------------------ extensions


def _extension(asked: Asked, it: Extension) -> Json:
    show = asked.sim.show
    return {
        "id": it.id,
        "type": "extension",
        "summary": it.name,
        "self": f"{show.origin}/extensions/{it.id}",
        "html_url": "",
        "name": it.name,
        "endpoint_url": it.url,
        "extension_objects": show.refs("service", it.services),
        "extension_schema": {
            "id": it.schema,
            "type": "extension_schema_reference",
            "summary": "Generic V2 Webhook",
            "self": f"{show.origin}/extension_schemas/{it.schema}",
            "html_url": None,
        },
        "config": {"headers": it.headers},
        "temporarily_disabled": _is_disabled(asked, it),
    }


def _found_extension(asked: Asked) -> Extension:
    found = asked.sim.world.extensions.get(asked.params["id"])
    if found is None:
        raise Refusal(404, 2100, "Not Found")
    return found


@route("GET", "/extensions", scope="extensions.read")
def list_extensions(asked: Asked) -> Answer:
    """List extensions."""
    rows = [_extension(asked, one) for one in asked.sim.world.extensions.values()]
    rows = matching(rows, asked.first("query"), "name")
    return page(asked, "extensions", rows)


@route("POST", "/extensions", scope="extensions.write")
def create_extension(asked: Asked) -> Answer:
    """Make an extension."""
    given, world = asked.content("extension"), asked.sim.world
    it = Extension(
        id=world.ids.short(),
        name=str(given.get("name")),
        url=str(given.get("endpoint_url")),
        services=[str(one.get("id")) for one in given.get("extension_objects") or []],
        schema=str((given.get("extension_schema") or {}).get("id") or V2_SCHEMA),
        headers=list((given.get("config") or {}).get("headers") or []),
    )
    world.extensions[it.id] = it
    return 201, {"extension": _extension(asked, it)}


@route("GET", "/extensions/{id}", scope="extensions.read")
def get_extension(asked: Asked) -> Answer:
    """Show an extension."""
    return 200, {"extension": _extension(asked, _found_extension(asked))}


@route("PUT", "/extensions/{id}", scope="extensions.write")
def update_extension(asked: Asked) -> Answer:
    """Change an extension."""
    it, given = _found_extension(asked), asked.content("extension")
    it.url = str(given.get("endpoint_url") or it.url)
    it.name = str(given.get("name") or it.name)
    return 200, {"extension": _extension(asked, it)}


@route("DELETE", "/extensions/{id}", scope="extensions.write")
def delete_extension(asked: Asked) -> Answer:
    """Remove an extension."""
    del asked.sim.world.extensions[_found_extension(asked).id]
    return 204, None


@route("POST", "/extensions/{id}/enable", scope="extensions.write")
def enable_extension(asked: Asked) -> Answer:
    """End a temporary disablement."""
    it = _found_extension(asked)
    it.disabled_until, it.drops = None, 0
    return 200, {"extension": _extension(asked, it)}


@route("GET", "/extension_schemas", scope="extension_schemas.read")
def list_schemas(asked: Asked) -> Answer:
    """List kinds of extension."""
    rows = [
        {
            "id": schema,
            "type": "extension_schema",
            "summary": label,
            "self": f"{asked.sim.show.origin}/extension_schemas/{schema}",
            "html_url": None,
            "key": label.lower().replace(" ", "_"),
            "label": label,
            "description": label,
            "guide_url": None,
            "icon_url": "https://example.com/icon.png",
            "logo_url": "https://example.com/logo.png",
            "send_types": ["trigger", "acknowledge", "resolve", "assign", "escalate", "delegate"],
            "url": None,
        }
        for schema, label in ((V2_SCHEMA, "Generic V2 Webhook"), (V1_SCHEMA, "Generic Webhook"))
    ]
    return page(asked, "extension_schemas", rows)
