"""Every SOQL statement that the plugin builds, as the simulated org received it."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx

import hub
from hub import ActionCall, Event, Record, RecordRef
from hub_remedyforce.actions import actions
from hub_remedyforce.category import RESOLVER, category_for, service_for
from hub_remedyforce.connector_type import REMEDYFORCE
from hub_remedyforce.names import CATEGORY_API, INCIDENT_API
from hub_remedyforce.objects import INCIDENT
from hub_remedyforce.settings import RemedyforceSettings
from hub_remedyforce.testing import id_of, install, settings_for
from hub_salesforce.kit import SalesforceClient
from hub_salesforce.testing import FakeSalesforce

GIVEN: dict[str, dict[str, Any]] = {
    "create_record": {
        "object": INCIDENT.name,
        "fields": {"short_description": 'it\'s down \\ "now"\n', "category": "Hardware"},
    },
    "set_field": {"field": "remedyforce.incident.status", "value": "it's 100% \\ unknown"},
    "update_record": {"fields": {"status": "ASSIGNED", "staff": "Agent One", "impact": "High"}},
    "add_note": {"body": "a"},
    "assign_owner": {"owner": "Service Desk"},
    "close_incident": {},
    "reopen_incident": {},
}


async def statements() -> list[str]:
    """Let the plugin do all that it can do, and return the queries it sent."""
    org = FakeSalesforce(profile=install)
    settings = RemedyforceSettings.model_validate(settings_for(org, "http://127.0.0.1"))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=org)) as http:
        client = SalesforceClient(settings, http)
        await _looks(org, client)
        for action in actions():
            if action.verb in GIVEN:
                await _act(client, action, next(iter(org.world.records[INCIDENT_API])))
    return sorted(set(_sent(org)))


async def _looks(org: FakeSalesforce, client: SalesforceClient) -> None:
    for source in REMEDYFORCE.choices:
        await source.fetch(client, "it's 100%")
    for check in REMEDYFORCE.checks:
        await check.run(client)
    poller = REMEDYFORCE.pollers[0]
    start = await poller.fetch(client, None)
    org.world.advance(120)
    await client.get("/limits")
    await poller.fetch(client, start.cursor)
    category = id_of(org, CATEGORY_API, "Database")
    record = Record(source_object=RESOLVER.source_object, id="a", values={"category": category})
    await service_for(client, record)
    await category_for(client, "PDAT001")


async def _act(client: SalesforceClient, action: Any, incident: str) -> None:
    event = Event(
        trigger="pagerduty.incident.triggered",
        record=Record(source_object="pagerduty.incident", id="PABC123"),
        occurred_at=datetime(2026, 11, 20, tzinfo=UTC),
        key="e",
    )
    call = ActionCall(
        client=client,
        params=action.params.model_validate(GIVEN[action.verb]),
        event=event,
        record=RecordRef(source_object=INCIDENT.name, id=incident),
        key="h" + "a" * 32,
        origin="o",
    )
    try:
        await action.perform(call)
    except hub.Rejected:
        return  # a name that is not there: its queries were sent
    if action.find:
        await action.find(call)


def _sent(org: FakeSalesforce) -> Iterable[str]:
    for row in org.log.rows:
        yield from _query_of(row.path)
        if isinstance(row.body, dict):
            for part in row.body.get("compositeRequest") or ():
                yield from _query_of(part["url"])


def _query_of(path: str) -> Iterable[str]:
    parts = urlsplit(path)
    if parts.path.endswith("/query"):
        yield from parse_qs(parts.query).get("q", [])
