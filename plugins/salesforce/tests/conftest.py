"""What the tests of this plugin share: a simulated org, a client, a hub's end for pushes."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from hub import ActionCall, ActionResult, Event, Record, RecordRef, WebhookRequest
from hub_salesforce.case import CASE, OBJECTS
from hub_salesforce.client import SalesforceClient
from hub_salesforce.connector_type import SALESFORCE
from hub_salesforce.inbound.receiver import receiver_of
from hub_salesforce.kit import actions
from hub_salesforce.settings import SalesforceSettings
from hub_salesforce.testing import PUSH_KEY, FakeSalesforce, settings_for
from hub_salesforce.testing.seed import Credentials, credentials

BASE = "http://127.0.0.1"
KEY = "h" + "a" * 32
ACTIONS = {one.verb: one for one in actions(SALESFORCE, CASE)}


@dataclass
class HubEnd:
    """The receiving end of pushes: an ASGI app that verifies and parses like a connector."""

    settings: SalesforceSettings | None = None
    status: int = 202
    events: list[Event] = field(default_factory=list)
    requests: list[WebhookRequest] = field(default_factory=list)

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
        self.requests.append(request)
        receiver = receiver_of(OBJECTS)
        if self.settings:
            receiver.verify(self.settings, request)
        self.events += receiver.parse(request)
        kind = [(b"content-type", receiver.answer_type.encode())]
        start = {"type": "http.response.start", "status": self.status, "headers": kind}
        await send(start)
        await send({"type": "http.response.body", "body": receiver.answer})


@dataclass
class Clock:
    """A clock that stands still unless it is moved."""

    at: datetime = datetime(2026, 11, 20, 9, 15, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.at

    def advance(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


@pytest.fixture(scope="session")
def known() -> Credentials:
    return credentials()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def hub_end() -> HubEnd:
    return HubEnd()


@pytest.fixture
async def org(known: Credentials, clock: Clock, hub_end: HubEnd) -> AsyncIterator[FakeSalesforce]:
    def outgoing() -> httpx.AsyncClient:
        return httpx.AsyncClient(transport=httpx.ASGITransport(app=hub_end))

    org = FakeSalesforce(now=clock, known=known, http=outgoing)
    yield org
    await org.close()


@pytest.fixture
def settings(org: FakeSalesforce) -> SalesforceSettings:
    return SalesforceSettings.model_validate(settings_for(org, BASE))


@pytest.fixture
async def http(org: FakeSalesforce) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=org), timeout=5) as http:
        yield http


@pytest.fixture
def client(settings: SalesforceSettings, http: httpx.AsyncClient, clock: Clock) -> SalesforceClient:
    return SalesforceClient(settings, http, now=clock)


@pytest.fixture
def pushing(org: FakeSalesforce, hub_end: HubEnd, settings: SalesforceSettings) -> None:
    hub_end.settings = settings
    for name in ("Case", "CaseComment"):
        org.apex_trigger(name, "http://hub.test/webhook", PUSH_KEY)


@pytest.fixture
def incident() -> Event:
    """An event of the paging side."""
    record = Record(source_object="pagerduty.incident", id="PABC123", values={"title": "Down"})
    return Event(
        trigger="pagerduty.incident.triggered",
        record=record,
        occurred_at=Clock().at,
        key="e1",
    )


@pytest.fixture
def call_of(client: SalesforceClient, incident: Event) -> Callable[..., ActionCall[Any, Any]]:
    """Make a run of an action on a record."""

    def call_of(
        verb: str,
        record_id: str | None = None,
        *,
        event: Event = incident,
        key: str = KEY,
        source_object: str = CASE.name,
        **params: Any,
    ) -> ActionCall[Any, Any]:
        record = RecordRef(source_object=source_object, id=record_id) if record_id else None
        return ActionCall(
            client=client,
            params=ACTIONS[verb].params.model_validate(params),
            event=event,
            record=record,
            key=key,
            origin="hub/rule/run",
        )

    return call_of


@pytest.fixture
def run(call_of: Callable[..., ActionCall[Any, Any]]) -> Callable[..., Awaitable[ActionResult]]:
    """Run an action as a rule would: run(verb, record id, **params)."""

    async def run(verb: str, record_id: str | None = None, **params: Any) -> ActionResult:
        return await ACTIONS[verb].perform(call_of(verb, record_id, **params))

    return run
