"""Tokens, and the two pages that hand out Events keys: Connect and Simple Install."""

import json
from datetime import timedelta
from html import escape
from typing import Final
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from hub_pagerduty.testing.model import Json, Key
from hub_pagerduty.testing.routes import ROUTES
from hub_pagerduty.testing.sim import FakePagerDuty

TOKEN_SECONDS: Final = 86_400


def issue_token(sim: FakePagerDuty, form: Json) -> tuple[int, Json]:
    """Answer a token request by client credentials."""
    if form.get("grant_type") != "client_credentials":
        return 400, {"error": "unsupported_grant_type"}
    client = str(form.get("client_id"))
    if sim.world.apps.get(client) != form.get("client_secret") or not client:
        return 401, {"error": "invalid_client", "error_description": "Client authentication failed"}
    asked = str(form.get("scope") or "").split()
    accounts = [one for one in asked if one.startswith("as_account-")]
    if accounts != [f"as_account-{sim.world.switches.region}.{sim.world.subdomain}"]:
        return 400, {"error": "invalid_scope"}
    known = {one.scope for one in ROUTES if one.scope}
    granted = [one for one in asked if one in known]
    token = f"pdus+_0{sim.world.ids.secret()}"
    sim.world.keys[token] = Key(
        token=token,
        kind="app",
        scopes=frozenset(granted),
        expires=sim.clock.now() + timedelta(seconds=TOKEN_SECONDS),
        bearer=True,
    )
    return 200, {
        "access_token": token,
        "scope": " ".join(granted),
        "token_type": "bearer",
        "expires_in": TOKEN_SECONDS,
    }


def connect_page(sim: FakePagerDuty, query: dict[str, str]) -> str:
    """Return the page where a user chooses a service for a partner."""
    rows = "".join(
        f'<li><a href="/connect/done?{urlencode({**query, "service": one.id})}">'
        f"{escape(one.name)}</a></li>"
        for one in sim.world.services.values()
    )
    cancel = f"/connect/done?{urlencode({**query, 'cancel': '1'})}"
    return f'<h1>Connect</h1><ul>{rows}</ul><a href="{escape(cancel)}">Cancel</a>'


def connect_answer(sim: FakePagerDuty, query: dict[str, str]) -> str:
    """Return where the browser goes with the service key."""
    callback = query.get("callback", "")
    if "cancel" in query:
        return _with(callback, {"error": "cancelled"})
    service = sim.world.services[query["service"]]
    key = _key(sim, service.id, "generic_events_api_inbound_integration")
    given = {"account": sim.world.subdomain, "service_key": key, "service_name": service.name}
    return _with(callback, given)


def install_page(sim: FakePagerDuty, query: dict[str, str]) -> str:
    """Return the page where a user chooses services for an app."""
    boxes = "".join(
        f'<label><input type="checkbox" name="service" value="{one.id}">{escape(one.name)}</label>'
        "<br>"
        for one in sim.world.services.values()
    )
    target = escape(query.get("redirect_url", ""))
    return (
        f'<h1>Install</h1><form action="/install/done"><input type="hidden" name="redirect_url" '
        f'value="{target}">{boxes}<button>Connect</button></form>'
    )


def install_answer(sim: FakePagerDuty, redirect: str, services: list[str]) -> str:
    """Return where the browser goes with the routing keys; without services it was cancelled."""
    if not services:
        return redirect
    keys = [
        {
            "integration_key": _key(sim, one, "events_api_v2_inbound_integration"),
            "name": sim.world.services[one].name,
            "id": one,
            "type": "service",
        }
        for one in services
    ]
    account = {"subdomain": sim.world.subdomain, "name": sim.world.subdomain.capitalize()}
    return _with(redirect, {"config": json.dumps({"integration_keys": keys, "account": account})})


def _key(sim: FakePagerDuty, service: str, kind: str) -> str:
    for one in sim.world.integrations.values():
        if one.service == service and one.type == kind:
            return one.key
    return sim.world.ids.hexadecimal()


def _with(url: str, more: dict[str, str]) -> str:
    parts = urlsplit(url)
    query = urlencode([*parse_qsl(parts.query, keep_blank_values=True), *more.items()])
    return urlunsplit((parts.scheme, parts.netloc, parts.path, query, parts.fragment))
