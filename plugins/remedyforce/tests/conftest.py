"""What the tests of this plugin share: a simulated org with Remedyforce, a client, pushes."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from hub import ActionCall, ActionResult, Event, Record, RecordRef, WebhookRequest
from hub_remedyforce.actions import actions
from hub_remedyforce.connector_type import REMEDYFORCE
from hub_remedyforce.names import CATEGORY_API, HISTORY_API, INCIDENT_API, api
from hub_remedyforce.objects import INCIDENT
from hub_remedyforce.settings import RemedyforceSettings
from hub_remedyforce.testing import Seed, id_of, install, settings_for
from hub_salesforce.kit import SalesforceClient
from hub_salesforce.testing import AGENT, PUSH_KEY, FakeSalesforce

BASE = "http://127.0.0.1"
KEY = "h" + "a" * 32
ACTIONS = {one.verb: one for one in actions()}


@dataclass
class HubEnd:
    """The receiving end of pushes: an ASGI app that verifies and parses like a connector."""

    settings: RemedyforceSettings | None = None
    events: list[Event] = field(default_factory=list)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        headers = {k.decode(): v.decode() for k, v in scope["headers"]}
        query = dict(httpx.QueryParams(scope["query_string"].decode()))
        request = WebhookRequest(headers=headers, body=body, query=query)
        receiver = REMEDYFORCE.receiver
        assert receiver is not None
        if self.settings:
            receiver.verify(self.settings, request)
        self.events += receiver.parse(request)
        kind = [(b"content-type", receiver.answer_type.encode())]
        await send({"type": "http.response.start", "status": 202, "headers": kind})
        await send({"type": "http.response.body", "body": receiver.answer})

    def verbs(self) -> list[str]:
        """Return what the events say happened, by the last word of their triggers."""
        return [event.trigger.rpartition(".")[2] for event in self.events]


@dataclass
class Clock:
    """A clock that stands still unless it is moved."""

    at: datetime = datetime(2026, 11, 20, 9, 15, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.at

    def advance(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def hub_end() -> HubEnd:
    return HubEnd()


@pytest.fixture
def how() -> Seed:
    """Return how the org is set up; tests override it."""
    return Seed()


@pytest.fixture
async def org(clock: Clock, hub_end: HubEnd, how: Seed) -> AsyncIterator[FakeSalesforce]:
    def outgoing() -> httpx.AsyncClient:
        return httpx.AsyncClient(transport=httpx.ASGITransport(app=hub_end))

    org = FakeSalesforce(now=clock, http=outgoing, profile=lambda made: install(made, how))
    yield org
    await org.close()


@pytest.fixture
def settings(org: FakeSalesforce) -> RemedyforceSettings:
    return RemedyforceSettings.model_validate(settings_for(org, BASE))


@pytest.fixture
async def client(
    org: FakeSalesforce, settings: RemedyforceSettings, clock: Clock
) -> AsyncIterator[SalesforceClient]:
    transport = httpx.ASGITransport(app=org)
    async with httpx.AsyncClient(transport=transport, timeout=5) as http:
        yield SalesforceClient(settings, http, now=clock)


@pytest.fixture
def pushing(org: FakeSalesforce, hub_end: HubEnd, settings: RemedyforceSettings) -> None:
    hub_end.settings = settings
    for name in (INCIDENT_API, HISTORY_API):
        org.apex_trigger(name, "http://hub.test/webhook", PUSH_KEY)


@pytest.fixture
def incident(org: FakeSalesforce) -> str:
    """Make an open incident of the category Hardware; return its id."""
    return org.create(
        AGENT,
        INCIDENT_API,
        **{
            api("shortDescription__c"): "Line 3 down",
            api("incidentDescription__c"): "The conveyor of line 3 stands still.",
            api("FKCategory__c"): id_of(org, CATEGORY_API, "Hardware"),
            api("FKImpact__c"): id_of(org, api("Impact__c"), "Medium"),
            api("FKUrgency__c"): id_of(org, api("Urgency__c"), "Low"),
        },
    )


@pytest.fixture
def page() -> Event:
    """An event of the paging side."""
    record = Record(source_object="pagerduty.incident", id="PABC123", values={"title": "Down"})
    return Event(
        trigger="pagerduty.incident.triggered", record=record, occurred_at=Clock().at, key="e1"
    )


@pytest.fixture
def call_of(client: SalesforceClient, page: Event) -> Callable[..., ActionCall[Any, Any]]:
    """Make a run of an action on an incident."""

    def call_of(verb: str, id: str | None = None, **params: Any) -> ActionCall[Any, Any]:
        return ActionCall(
            client=client,
            params=ACTIONS[verb].params.model_validate(params),
            event=page,
            record=RecordRef(source_object=INCIDENT.name, id=id) if id else None,
            key=KEY,
            origin="hub/rule/run",
        )

    return call_of


@pytest.fixture
def run(call_of: Callable[..., ActionCall[Any, Any]]) -> Callable[..., Awaitable[ActionResult]]:
    """Run an action as a rule would: run(verb, incident's id, **params)."""

    async def run(verb: str, id: str | None = None, **params: Any) -> ActionResult:
        return await ACTIONS[verb].perform(call_of(verb, id, **params))

    return run
