"""A simulated account, a client that speaks to it, and a hub that keeps what it receives."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

import httpx
import pytest
from pydantic import BaseModel

import hub
from hub_pagerduty.actions import ACTIONS
from hub_pagerduty.client import PagerDutyClient
from hub_pagerduty.settings import PagerDutySettings
from hub_pagerduty.subscription import ensure
from hub_pagerduty.testing import FakePagerDuty, SimulatorApp, settings_for
from hub_pagerduty.webhooks import parse, verify

NOW = datetime(2025, 8, 23, 15, tzinfo=UTC)
BASE = "https://pagerduty.test"


class Receiver:
    """Takes webhooks like the hub would: verified, read, kept."""

    def __init__(self) -> None:
        self.settings = PagerDutySettings(api_key="unused", webhook_secret=None)
        self.requests: list[hub.WebhookRequest] = []
        self.events: list[hub.Event] = []
        self.answer = 202

    def trust(self, *secrets: str | None) -> None:
        given = " ".join(one for one in secrets if one)
        self.settings = PagerDutySettings(api_key="unused", webhook_secret=given)

    def legacy(self, token: str) -> None:
        more = {"webhook_legacy": True, "webhook_token": token}
        secret = self.settings.webhook_secret
        self.settings = PagerDutySettings.model_validate(
            {"api_key": "unused", "webhook_secret": secret, **more}
        )

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
        headers = {name.decode().lower(): value.decode() for name, value in scope["headers"]}
        query = dict(parse_qsl(scope["query_string"].decode()))
        request = hub.WebhookRequest(headers=headers, body=body, query=query)
        status = self.answer
        if status < 300:
            try:
                verify(self.settings, request)
                self.requests.append(request)
                self.events += parse(request)
            except hub.InvalidSignature:
                status = 403
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    def triggers(self) -> list[str]:
        return [event.trigger.removeprefix("pagerduty.") for event in self.events]


@pytest.fixture
async def sim(receiver: Receiver) -> AsyncIterator[FakePagerDuty]:
    fake = FakePagerDuty(fixed=NOW)
    fake.dispatcher.client = lambda: httpx.AsyncClient(
        transport=httpx.ASGITransport(app=receiver), base_url="https://hub.test"
    )
    yield fake
    await fake.close()


@pytest.fixture
def receiver() -> Receiver:
    return Receiver()


@pytest.fixture
async def http(sim: FakePagerDuty) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app=SimulatorApp(sim))
    async with httpx.AsyncClient(transport=transport, base_url=BASE) as client:
        yield client


@pytest.fixture
def settings() -> PagerDutySettings:
    return PagerDutySettings.model_validate(settings_for(BASE))


@pytest.fixture
def client(settings: PagerDutySettings, http: httpx.AsyncClient) -> PagerDutyClient:
    return PagerDutyClient(settings, http)


Do = Callable[..., Awaitable[hub.ActionResult]]


@pytest.fixture
def do(client: PagerDutyClient) -> Do:
    """Run an action: do("add_note", incident id, content="…")."""
    return doing(client)


def doing(client: PagerDutyClient) -> Do:
    async def run(
        verb: str,
        record: str | None = None,
        *,
        key: str = "h" + "a" * 32,
        actor: str = "",
        **given: Any,
    ) -> hub.ActionResult:
        action = action_named(verb)
        return await action.perform(call_of(action, client, record, key, actor, given))

    return run


def action_named(verb: str) -> hub.Action[Any, Any]:
    return next(one for one in ACTIONS if one.verb == verb)


def call_of(
    action: hub.Action[Any, Any],
    client: PagerDutyClient,
    record: str | None,
    key: str,
    actor: str,
    given: dict[str, Any],
) -> hub.ActionCall[PagerDutyClient, BaseModel]:
    case = hub.Record(source_object="salesforce.case", id="500x", url="https://sf.test/500x")
    return hub.ActionCall(
        client=client,
        params=action.params.model_validate(given),
        event=hub.Event(
            trigger="salesforce.case.created",
            record=case,
            occurred_at=NOW,
            key="e1",
            actor=actor or None,
        ),
        record=hub.RecordRef(source_object="pagerduty.incident", id=record) if record else None,
        key=key,
        origin="hub/rule/run",
    )


@pytest.fixture
async def subscribed(client: PagerDutyClient, receiver: Receiver) -> hub.SubscriptionState:
    """Webhooks reach the receiver."""
    state = await ensure(client, "https://hub.test/webhook")
    receiver.trust(state.secret)
    return state


@pytest.fixture
def do_with():
    """Run actions with another client: do_with(client)("add_note", …)."""
    return doing


@pytest.fixture
def call_for():
    """Make a call of an action: call_for("add_note", client, incident id, content="…")."""

    def make(verb, client, record=None, *, key="h" + "a" * 32, actor="", **given):
        return call_of(action_named(verb), client, record, key, actor, given)

    return make
