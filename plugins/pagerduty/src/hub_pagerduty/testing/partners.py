"""The two pages that hand Events keys to partners: Connect, and the Simple Install Flow."""

import json
from collections.abc import Sequence
from html import escape
from typing import Final

from hub_pagerduty.testing.model import Integration, Json, Service
from hub_pagerduty.testing.sim import FakePagerDuty
from hub_pagerduty.testing.tokens import is_web_address, with_query

VENDOR: Final = "demo-vendor"
APP_ID: Final = "PAPPDEMO"
_REFUSED: Final = "<h1>{title}</h1><p>{text}</p>"


def connect_page(sim: FakePagerDuty, query: dict[str, str], who: str) -> tuple[int, str]:
    """Return the page on which a person makes or chooses a service for a partner."""
    wrong = _wrong_connect(query)
    if wrong:
        return 400, _REFUSED.format(title="Connect", text=escape(wrong))
    services = "".join(
        f'<option value="{escape(one.id)}">{escape(one.name)}</option>'
        for one in sim.world.services.values()
    )
    existing = f'<select name="service">{services}</select> <button>Use this service</button>'
    new = '<input name="name" placeholder="Name of the service"> <button>Make it</button>'
    forms = [_form("/connect/done", query, one) for one in (existing, new)]
    cancel = _form(
        "/connect/done", query, '<button name="cancel" value="1">Cancel connecting</button>'
    )
    signed_in = f"<p>Signed in as {escape(sim.world.users[who].name)}</p>"
    return 200, (
        f"<h1>Connect with PagerDuty</h1>{signed_in}<h2>Use an existing service</h2>{forms[0]}"
        f"<h2>Create a new service</h2>{forms[1]}{cancel}"
    )


def connect_answer(sim: FakePagerDuty, query: dict[str, str]) -> str | None:
    """Return where the browser goes with the service key; None for a bad request."""
    if _wrong_connect(query):
        return None
    callback = query["callback"]
    if "cancel" in query:
        return with_query(callback, {"error": "cancelled"})
    service = sim.world.services.get(query.get("service", "")) or _made(sim, query.get("name", ""))
    if service is None:
        return None
    given = _integration(sim, service, "generic_events_api_inbound_integration")
    return with_query(
        callback,
        {
            "account": sim.world.subdomain,
            "service_key": given.key,
            "service_name": service.name,
        },
    )


def install_page(sim: FakePagerDuty, query: dict[str, str]) -> tuple[int, str]:
    """Return the page on which a person chooses services for an app."""
    wrong = _wrong_install(query)
    if wrong:
        return 400, _REFUSED.format(title="Install", text=escape(wrong))
    boxes = "".join(
        f'<label><input type="checkbox" name="service" value="{escape(one.id)}">'
        f"{escape(one.name)}</label><br>"
        for one in sim.world.services.values()
    )
    form = _form("/install/done", query, f"{boxes}<button>Connect</button>")
    cancel = _form("/install/done", query, "<button>Cancel</button>")
    return 200, f"<h1>Install the integration</h1>{form}{cancel}"


def install_answer(
    sim: FakePagerDuty, query: dict[str, str], services: Sequence[str]
) -> str | None:
    """Return where the browser goes with the routing keys; without services it was cancelled."""
    if _wrong_install(query):
        return None
    chosen = [sim.world.services[one] for one in services if one in sim.world.services]
    if not chosen:
        return query["redirect_url"]
    config = {
        "integration_keys": [*(_routing_key(sim, one) for one in chosen), *_rule_set(sim)],
        "account": {"subdomain": sim.world.subdomain, "name": sim.world.subdomain.capitalize()},
    }
    return with_query(query["redirect_url"], {"config": json.dumps(config)})


def _routing_key(sim: FakePagerDuty, service: Service) -> Json:
    given = _integration(sim, service, "events_api_v2_inbound_integration")
    name = "Name" if sim.world.switches.capital_name else "name"
    return {
        "integration_key": given.key,
        name: service.name,
        "id": service.id,
        "type": "service",
    }


def _rule_set(sim: FakePagerDuty) -> list[Json]:
    if not sim.world.switches.rule_set_keys:
        return []
    key = f"R{sim.world.ids.hexadecimal()[1:]}"
    return [{"integration_key": key, "name": "Rules", "id": "", "type": "global_event_rules"}]


def _made(sim: FakePagerDuty, name: str) -> Service | None:
    if not name.strip():
        return None
    made = Service(
        id=sim.world.ids.short(),
        name=name.strip(),
        policy=next(iter(sim.world.policies)),
        created_at=sim.clock.now(),
    )
    sim.world.services[made.id] = made
    sim.emit_service("service.created", made, None)
    return made


def _integration(sim: FakePagerDuty, service: Service, kind: str) -> Integration:
    for one in sim.world.integrations.values():
        if one.service == service.id and one.type == kind:
            return one
    made = Integration(
        id=sim.world.ids.short(),
        service=service.id,
        name="Integration Hub",
        type=kind,
        key=sim.world.ids.hexadecimal(),
    )
    sim.world.integrations[made.key] = made
    return made


def _wrong_connect(query: dict[str, str]) -> str:
    if query.get("vendor") != VENDOR:
        return "The vendor is not known."
    return "" if is_web_address(query.get("callback", "")) else "The callback is no address."


def _wrong_install(query: dict[str, str]) -> str:
    if query.get("app_id") != APP_ID:
        return "The app is not known."
    if query.get("version") != "2":
        return "Only version 2 of the flow is offered."
    return (
        "" if is_web_address(query.get("redirect_url", "")) else "The redirect_url is no address."
    )


def _form(action: str, kept: dict[str, str], inside: str) -> str:
    hidden = "".join(
        f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">'
        for name, value in kept.items()
    )
    return f'<form action="{action}">{hidden}{inside}</form>'
