"""Making the demo's tenant, through the hub's API, as anybody would."""

import asyncio
import secrets
from collections.abc import Callable, Mapping
from importlib.resources import files
from typing import Any

import httpx
import yaml

from hub.sandbox.hub_api import Hub
from hub.sandbox.processes import Running
from hub.sandbox.story import CASE_TYPE, World
from hub.sandbox.vendors import PagerDuty, Salesforce

TENANT = "demo"
SERVICE = "PAPI001"
DEFAULT_SERVICE = "PGEN001"
AGENT = "agent@acme.example"
RULESETS = ("case_to_pagerduty.yaml", "pagerduty_to_case.yaml")

_POLL_S = 60
_OFTEN_S = 30
_POLLING_BEGINS_S = 8.0
"""A poller starts at now: what happened before its first poll, no later one looks for."""

Say = Callable[[str], None]


class SetUpFailed(Exception):
    """The demo could not be set up; the message says what is missing."""


async def set_up(
    running: Running, http: httpx.AsyncClient, say: Say, *, often: bool = False
) -> World:
    """Make tenant, connectors, mapping, rulesets and webhooks; say each; return the world.

    With `often`, what got lost is looked for as often as the hub allows.
    """
    stands = await _stands(running.sandbox_url, http)
    operator = Hub(url=running.hub_url, token=running.operator_token, tenant=TENANT, http=http)
    await operator.post("/tenants", {"slug": TENANT, "name": "Demo", "time_zone": "UTC"})
    say(f"✓ Tenant {TENANT} added")
    pushing = secrets.token_hex(16)
    every = _OFTEN_S if often else _POLL_S
    await _connector(operator, "pagerduty", stands["pagerduty"]["settings"], every, say)
    own = {"webhook_secret": pushing} | ({"poll_safety_lag_seconds": 0} if often else {})
    await _connector(operator, "salesforce", stands["salesforce"]["settings"] | own, every, say)
    await _mappings(operator, say)
    for name in RULESETS:
        await _ruleset(operator, name, say)
    salesforce = Salesforce(url=stands["salesforce"]["url"], http=http, username=AGENT)
    await _webhooks(operator, salesforce, pushing, say)
    pagerduty = PagerDuty(url=stands["pagerduty"]["url"], http=http)
    if often:
        await pagerduty.repeat_after(1.0)
        await asyncio.sleep(_POLLING_BEGINS_S)
    return World(
        hub=operator,
        pagerduty=pagerduty,
        salesforce=salesforce,
        service=SERVICE,
    )


def ruleset(name: str) -> dict[str, Any]:
    """Return one of the demo's rulesets."""
    text = files("hub.sandbox").joinpath("rulesets", name).read_text(encoding="utf-8")
    found: dict[str, Any] = yaml.safe_load(text)
    return found


async def _stands(url: str, http: httpx.AsyncClient) -> Mapping[str, dict[str, Any]]:
    answer = await http.get(f"{url}/simulators.json")
    answer.raise_for_status()
    found = {one["type"]: one for one in answer.json()["simulators"]}
    missing = {"pagerduty", "salesforce"} - set(found)
    if missing:
        raise SetUpFailed(
            f"No simulator of {', '.join(sorted(missing))}: is its plugin installed and well? "
            "See: hub plugins list"
        )
    return found


async def _connector(
    hub: Hub, type: str, settings: Mapping[str, Any], every: int, say: Say
) -> None:
    body = {"type": type, "name": type, "settings": dict(settings), "poll_every_s": every}
    await hub.post("connectors", body)
    say(f"✓ Connector {type} added")
    if type == "pagerduty":  # its test asks about the webhook
        await hub.call("PUT", f"connectors/{type}/subscription")
    failed = []
    async for line in hub.lines(f"connectors/{type}/checks"):
        if "name" not in line:
            continue
        if line["ok"]:
            said = line["text"].endswith("ms)") or not line["took_ms"]
            say(f"  ✓ {line['text']}" + ("" if said else f" ({line['took_ms']} ms)"))
        else:
            failed.append(line["name"])
            say(f"  ✗ {line['label']}: {line['text']}")
    if failed:
        raise SetUpFailed(f"The checks {', '.join(failed)} of connector {type} failed.")


async def _mappings(hub: Hub, say: Say) -> None:
    offered = await hub.get("connectors/pagerduty/choices/services")
    names = {one["value"]: one["label"] for one in offered["items"]}
    typed = {"object": "salesforce.case", "field": "type", "value": CASE_TYPE, "service": SERVICE}
    for what, row in (
        (f"cases of type {CASE_TYPE}", typed),
        ("all others", {"service": DEFAULT_SERVICE, "default": True}),
    ):
        service = str(row["service"])
        named = {"connector": "pagerduty", "service_name": names.get(service, ""), **row}
        await hub.post("service-mappings", named)
        say(f"✓ Service mapping: {what} → {names.get(service, service)} ({service})")


async def _ruleset(hub: Hub, name: str, say: Say) -> None:
    given = ruleset(name)
    made = await hub.post("rulesets", given)
    path = f"rulesets/{made['id']}"
    await hub.post(f"{path}/draft:publish", {"note": "The demo", "accept_warnings": True})
    await hub.call("PATCH", path, body={"state": "enabled"})
    say(f'✓ Ruleset "{given["name"]}" enabled ({len(given["rules"])} rules)')


async def _webhooks(hub: Hub, salesforce: Salesforce, secret: str, say: Say) -> None:
    made = await hub.call("PUT", "connectors/pagerduty/subscription")
    say(f"✓ PagerDuty sends its webhooks to {made['url']}")
    connector = await hub.get("connectors/salesforce")
    await salesforce.install_trigger(connector["webhook_url"], secret)
    say(f"✓ Salesforce's Apex trigger pushes to {connector['webhook_url']}")
