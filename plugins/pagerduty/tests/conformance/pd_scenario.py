"""Everything the plugin asks of PagerDuty, once, on the simulator, with each exchange kept."""

import asyncio
import json
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

import httpx
from pd_oracle import Exchange

import hub
from hub_pagerduty.actions import ACTIONS
from hub_pagerduty.actions.alerts import find_change
from hub_pagerduty.client import PagerDutyClient
from hub_pagerduty.connector import PAGERDUTY
from hub_pagerduty.imports import import_cursor
from hub_pagerduty.settings import PagerDutySettings
from hub_pagerduty.subscription import ensure, inspect, ping, remove
from hub_pagerduty.testing import FakePagerDuty, SimulatorApp, settings_for
from hub_pagerduty.vocabulary import INCIDENT

BASE = "https://pagerduty.example.com"
HOOK = "https://hub.example.com/t/demo/connectors/prod-pagerduty/webhook"
OPEN, ACKNOWLEDGED, RESOLVED = "QDEMO000000123", "QDEMO000000122", "QDEMO000000121"
_LOCAL = ("/oauth", "/_sim", "/web/", "/connect", "/install")


class Recorder(httpx.AsyncBaseTransport):
    """Passes requests to the simulator and keeps what went over the wire."""

    def __init__(self, sim: FakePagerDuty) -> None:
        self._inner = httpx.ASGITransport(app=SimulatorApp(sim))
        self.exchanges: list[Exchange] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        answer = await self._inner.handle_async_request(request)
        raw = await answer.aread()
        if not request.url.path.startswith(_LOCAL):
            self.exchanges.append(
                Exchange(
                    method=request.method,
                    path=request.url.path,
                    query=parse_qsl(request.url.query.decode(), keep_blank_values=True),
                    headers=dict(request.headers),
                    body=json.loads(request.content) if request.content else None,
                    status=answer.status_code,
                    answer=_json(raw),
                )
            )
        return answer


def _json(raw: bytes) -> Any:
    try:
        return json.loads(raw) if raw else None
    except ValueError:
        return raw.decode()


async def exchanges() -> tuple[list[Exchange], set[str]]:
    """Play everything; return what went over the wire, and the operations asked."""
    sim = FakePagerDuty()
    sim.dispatcher.client = lambda: httpx.AsyncClient(transport=httpx.MockTransport(_accept))
    recorder = Recorder(sim)
    async with httpx.AsyncClient(transport=recorder) as http:
        settings = {**settings_for(BASE), "escalation_policy_id": "PXXXXXX"}
        client = PagerDutyClient(PagerDutySettings.model_validate(settings), http)
        await _look_around(client)
        await _subscribe(client)
        await _act(client, sim)
        await _poll(client)
    await sim.close()
    return recorder.exchanges, {one["operation"] for one in sim.requests}


def _accept(_: httpx.Request) -> httpx.Response:
    return httpx.Response(202)


async def _look_around(client: PagerDutyClient) -> None:
    for check in PAGERDUTY.checks:
        await check.run(client)
    for source in PAGERDUTY.choices:
        await source.fetch(client, "")
        await source.fetch(client, "a")
    for query in PAGERDUTY.queries:
        given = {"incident": OPEN} if query.name == "log" else {"service": "PDAT001"}
        await query.run(client, query.params.model_validate(given))
    discovery = PAGERDUTY.discovery
    assert discovery is not None
    await discovery.fields(client, INCIDENT)


async def _subscribe(client: PagerDutyClient) -> None:
    await ensure(client, HOOK)
    await ensure(client, HOOK)
    found = await inspect(client, HOOK)
    assert found is not None
    await client.post(f"/webhook_subscriptions/{found.id}/enable")
    body = {"webhook_subscription": {"active": False, "events": ["incident.triggered"]}}
    await client.put(f"/webhook_subscriptions/{found.id}", body)
    await ensure(client, HOOK)
    await ping(client, HOOK)
    await remove(client, HOOK)


async def _act(client: PagerDutyClient, sim: FakePagerDuty) -> None:
    made = await _do(
        client,
        "create_incident",
        title="Whole",
        service="PDAT001",
        body="<p>All",
        urgency="low",
        priority="P2",
        incident_type="major_default",
        conference_number="+1 415-555-0100",
        conference_url="https://meet.example.com",
        custom_fields={"environment": "production", "unknown": "told in the text"},
    )
    await _do(client, "create_incident", title="Whole", service="PDAT001")
    await _do(
        client, "create_incident", key="k2", title="One person", assignee="jane.smith@company.com"
    )
    await _do(
        client,
        "create_incident",
        key="k3",
        title="By event",
        transport="events_v2",
        priority="P1",
        escalation_policy="PDATPOL",
    )
    await _do(
        client,
        "create_incident",
        key="k4",
        title="By older event",
        service="PXXXXXX",
        transport="events_v1",
    )
    assert made.record is not None
    await _change(client, made.record.id, next(iter(sim.world.plays)))
    for action in ("trigger", "acknowledge", "resolve"):
        for transport in ("events_v2", "events_v1"):
            await _do(
                client,
                "send_event",
                action=action,
                summary="Disk full",
                dedup_key="disk",
                transport=transport,
                custom_details={"server": "www15"},
                client_url="https://hub.example.com/1",
                links=[{"href": "https://example.com", "text": "Graph"}],
            )
    await _do(client, "send_change_event", summary="Deployed 1.2")
    await find_change(_call(client, "send_change_event", None, "k" * 33, {"summary": "x"}))


async def _change(client: PagerDutyClient, incident: str, play: str) -> None:
    steps: list[tuple[str, str, dict[str, Any]]] = [
        ("acknowledge_incident", incident, {}),
        ("set_priority", incident, {"priority": "P1"}),
        ("set_urgency", incident, {"urgency": "low"}),
        ("set_title", incident, {"title": "New title"}),
        ("set_description", OPEN, {"description": "New text"}),
        ("set_description", incident, {"description": "As a note"}),
        ("set_conference", incident, {"conference_url": "https://meet.example.com/2"}),
        ("set_custom_fields", incident, {"fields": {"affected_users": 3, "environment": None}}),
        ("set_incident_type", incident, {"incident_type": "incident_default"}),
        ("move_incident", incident, {"service": "PAPI001"}),
        ("add_note", incident, {"content": "Looking", "from_email": "jane.smith@company.com"}),
        ("publish_status_update", incident, {"message": "Soon", "subject": "Outage"}),
        ("reassign_incident", incident, {"users": ["jane.smith@company.com"]}),
        ("reassign_incident", incident, {"escalation_policy": "PDATPOL"}),
        ("escalate_incident", incident, {}),
        ("escalate_incident", incident, {"escalation_policy": "PXXXXXX"}),
        ("snooze_incident", incident, {"duration": "1h"}),
        ("add_responders", incident, {"users": ["PUSER03"], "escalation_policies": ["PDATPOL"]}),
        ("run_workflow", incident, {"workflow": "PWORK01"}),
        ("run_response_play", incident, {"play": play}),
        ("resolve_incident", incident, {"resolution": "Done"}),
        ("reopen_incident", incident, {}),
        ("merge_incident", ACKNOWLEDGED, {"into": OPEN}),
    ]
    for verb, record, given in steps:
        await _do(client, verb, record, **given)
        found = next(one for one in ACTIONS if one.verb == verb).find
        if found:
            await found(_call(client, verb, record, "k" * 33, given))


async def _do(
    client: PagerDutyClient,
    verb: str,
    record: str | None = None,
    *,
    key: str = "k" * 33,
    **given: Any,
) -> hub.ActionResult:
    action = next(one for one in ACTIONS if one.verb == verb)
    return await action.perform(_call(client, verb, record, key, given))


def _call(
    client: PagerDutyClient, verb: str, record: str | None, key: str, given: dict[str, Any]
) -> hub.ActionCall[Any, Any]:
    action = next(one for one in ACTIONS if one.verb == verb)
    event = hub.Event(
        trigger="salesforce.case.created",
        record=hub.Record(source_object="salesforce.case", id="500x"),
        occurred_at=datetime(2025, 8, 23, 15, tzinfo=UTC),
        key="e",
    )
    return hub.ActionCall(
        client=client,
        params=action.params.model_validate(given),
        event=event,
        record=hub.RecordRef(source_object=INCIDENT.name, id=record) if record else None,
        key=key,
        origin="hub/rule/run",
    )


async def _poll(client: PagerDutyClient) -> None:
    poller = PAGERDUTY.pollers[0]
    began = json.dumps({"since": "2020-01-01T00:00:00Z"})
    await poller.fetch(client, began)
    asked = import_cursor(statuses=["triggered"], services=["PDAT001"])
    await poller.fetch(client, asked)
    assert poller.fetch_one is not None
    await poller.fetch_one(client, OPEN)


def played() -> list[Exchange]:
    """Play everything in a loop of its own."""
    return played_with_operations()[0]


def played_with_operations() -> tuple[list[Exchange], set[str]]:
    """Play everything; return it and the operations that were asked."""
    return asyncio.run(exchanges())
