"""Every SOQL statement that the plugin builds, as the simulated org received it."""

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx

from hub import ActionCall, Event, Record, RecordRef
from hub_salesforce.case import CASE, OBJECTS
from hub_salesforce.client import SalesforceClient
from hub_salesforce.connector_type import SALESFORCE
from hub_salesforce.kit import actions
from hub_salesforce.pubsub import capture
from hub_salesforce.pubsub.changes import Change
from hub_salesforce.settings import SalesforceSettings
from hub_salesforce.testing import AGENT, FakeSalesforce, settings_for

ACCEPTED = (
    "SELECT Id FROM Case",
    "SELECT count() FROM Case WHERE IsClosed = false",
    "SELECT Id, Owner.Name, (SELECT Id FROM CaseComments) FROM Case c WHERE c.Subject LIKE 'a%'",
    "SELECT Id FROM Case WHERE Status IN ('New', 'Working') AND (NOT Priority = 'Low')",
    "SELECT Id FROM Case WHERE (Status = 'New' OR Status = 'Working') AND IsClosed = false",
    "SELECT Id FROM Case WHERE CreatedDate = LAST_N_DAYS:7 ORDER BY CreatedDate DESC NULLS LAST",
    "SELECT Id FROM Case WHERE CreatedDate >= 2026-11-20T09:00:00Z LIMIT 5 OFFSET 10",
    "SELECT FIELDS(STANDARD) FROM Case LIMIT 200",
)
REFUSED = (
    "SELECT Id FROM Case;",
    "SELECT Id FORM Case",
    "SELECT Id FROM Case WHERE Status = 'a' AND Type = 'b' OR Reason = 'c'",
    "SELECT Id FROM Case WHERE Status = 'a' AND NOT Type = 'b'",
    "SELECT Id FROM Case WHERE Id IN ()",
    "SELECT FROM Case",
)
"""What the simulator takes, and what both it and the parser refuse."""


async def statements() -> list[str]:
    """Let the plugin do all that it can do, and return the queries it sent."""
    org = FakeSalesforce()
    settings = SalesforceSettings.model_validate(settings_for(org, "http://127.0.0.1"))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=org)) as http:
        client = SalesforceClient(settings, http)
        await _everything(org, client)
    return sorted(set(_sent(org)))


async def _everything(org: FakeSalesforce, client: SalesforceClient) -> None:
    settings = client.settings
    settings.objects.append("Account")
    for source in SALESFORCE.choices:
        await source.fetch(client, "it's 100%")
    for check in SALESFORCE.checks:
        await check.run(client)
    poller = SALESFORCE.pollers[0]
    start = await poller.fetch(client, None)
    org.world.advance(120)
    await client.get("/limits")
    case = org.create(AGENT, "Case", Subject="a")
    org.world.advance(120)
    await client.get("/limits")
    window = json.loads(start.cursor)
    paged = {**window, "end": "2100-01-01T00:00:00Z", "after": {"Case": [window["start"], case]}}
    await poller.fetch(client, start.cursor)
    await poller.fetch(client, json.dumps(paged))
    if poller.fetch_one:
        await poller.fetch_one(client, case)
    told = [Change(entity="Case", ids=(case,), type="UPDATE", at=org.world.now())]
    await capture.rows_of(client, OBJECTS, "Case", told)
    for key in (True, False):
        if not key:
            org.world.remove_field("Case", "PagerDuty_Hub_Key__c")
            client.forget("Case")
        await _actions(client, case)


async def _actions(client: SalesforceClient, case: str) -> None:
    given: dict[str, dict[str, Any]] = {
        "create_record": {
            "object": "salesforce.case",
            "fields": {"subject": 'it\'s down \\ "now"\n', "Priority": "High"},
        },
        "add_comment": {"body": "a"},
        "post_to_feed": {"body": "a"},
        "assign_owner": {"owner": "Support Queue"},
        "close_case": {},
    }
    event = Event(
        trigger="pagerduty.incident.triggered",
        record=Record(source_object="pagerduty.incident", id="PABC123"),
        occurred_at=datetime(2026, 11, 20, tzinfo=UTC),
        key="e",
    )
    for action in actions(SALESFORCE, CASE):
        if action.verb in given:
            call = ActionCall(
                client=client,
                params=action.params.model_validate(given[action.verb]),
                event=event,
                record=RecordRef(source_object=CASE.name, id=case),
                key="h" + "a" * 32,
                origin="o",
            )
            await action.perform(call)
            if action.find:
                await action.find(call)


def _sent(org: FakeSalesforce) -> Iterable[str]:
    for row in org.log.rows:
        yield from _query_of(row.path)
        if isinstance(row.body, dict):
            for part in row.body.get("compositeRequest") or row.body.get("batchRequests") or ():
                yield from _query_of(part["url"])


def _query_of(path: str) -> Iterable[str]:
    split = urlsplit(path)
    if split.path.rstrip("/").endswith(("/query", "/queryAll")):
        yield from parse_qs(split.query).get("q", ())
