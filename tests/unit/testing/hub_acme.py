"""A plugin with one of everything, in good order: faults are planted into copies of it."""

import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel, Field, SecretStr

import hub
from hub import hookimpl

WEEK = datetime(2025, 3, 1, 9, 30, tzinfo=UTC)
STATUSES = ("new", "open", "solved")


class Settings(BaseModel):
    url: str = Field(default="http://acme.test", title="URL", description="Where Acme answers")
    token: SecretStr = Field(title="Token", description="The API token")
    webhook_secret: SecretStr = Field(title="Webhook secret", description="Signs deliveries")


class Client:
    def __init__(self, settings: Settings, http: Any) -> None:
        self.url, self.http = settings.url, http
        self.headers = {"authorization": f"Bearer {settings.token.get_secret_value()}"}

    async def call(self, method: str, path: str, body: object = None) -> Any:
        answer = await self.http.request(
            method, f"{self.url}{path}", json=body, headers=self.headers
        )
        return hub.json_of(answer)


def verify(settings: Settings, request: hub.WebhookRequest) -> None:
    secret = settings.webhook_secret.get_secret_value().encode()
    wanted = hmac.new(secret, request.body, hashlib.sha256).hexdigest()
    if not hmac.compare_digest(wanted.encode(), request.headers.get("x-signature", "").encode()):
        raise hub.InvalidSignature


class Row(BaseModel):
    id: str = Field(min_length=1)
    status: str = Field(pattern="new|open|solved")
    size: int


class Notice(BaseModel):
    key: str = Field(min_length=1)
    verb: str
    row: Row


def parse(request: hub.WebhookRequest) -> Sequence[hub.Event]:
    try:
        notice = Notice.model_validate_json(request.body)
    except ValueError as error:
        raise hub.InvalidPayload("not a notice") from error
    if notice.verb not in {"created", "updated"}:
        return []
    return [event(notice.verb, notice.key, notice.row.model_dump())]


def event(verb: str, key: str, row: Mapping[str, Any]) -> hub.Event:
    return hub.Event(trigger=f"acme.ticket.{verb}", record=record(row), occurred_at=WEEK, key=key)


def record(row: Mapping[str, Any]) -> hub.Record:
    values = {"status": row["status"], "size": row["size"]}
    return hub.Record(source_object="acme.ticket", id=str(row["id"]), values=values)


async def signed_in(client: Client) -> str:
    me = await client.call("GET", "/me")
    return f"Signed in as {me['name']}"


async def statuses(client: Client, search: str) -> Sequence[hub.Choice]:
    found = await client.call("GET", "/statuses")
    return [hub.Choice(value=one, label=one.title()) for one in found if search in one]


async def fetch(client: Client, cursor: str | None) -> hub.Batch:
    if cursor is None:
        return hub.Batch(events=[], cursor="0")
    rows = await client.call("GET", f"/tickets?after={cursor}")
    last = rows[-1]["id"] if rows else cursor
    return hub.Batch(events=[event("updated", row["id"], row) for row in rows], cursor=last)


async def fetch_one(client: Client, id: str) -> hub.Event:
    return event("updated", id, await client.call("GET", f"/tickets/{id}"))


class Create(BaseModel):
    status: str = Field(default="new", title="Status", description="The first status")


class Note(BaseModel):
    text: str = Field(title="Text", description="What to note")


class SetStatus(BaseModel):
    status: str = Field(title="Status", description="The new status", examples=["open"])


async def create(call: hub.ActionCall[Client, Create]) -> hub.ActionResult:
    row = await call.client.call("PUT", f"/tickets/by-key/{call.key}", call.params.model_dump())
    return hub.ActionResult(summary="Created", record=record(row))


async def add_note(call: hub.ActionCall[Client, Note]) -> hub.ActionResult:
    await call.client.call("GET", "/me")
    body = {"text": call.params.text, "key": call.key}
    made = await call.client.call("POST", f"/tickets/{call.record.id}/notes", body)
    return hub.ActionResult(summary="Noted", note=made["id"])


async def find_note(call: hub.ActionCall[Client, Note]) -> hub.ActionResult | None:
    for note in await call.client.call("GET", f"/tickets/{call.record.id}/notes"):
        if note["key"] == call.key:
            return hub.ActionResult(summary="Noted", note=note["id"])
    return None


async def set_status(call: hub.ActionCall[Client, SetStatus]) -> hub.ActionResult:
    row = await call.client.call("PATCH", f"/tickets/{call.record.id}", call.params.model_dump())
    return hub.ActionResult(summary="Set", record=record(row))


def status_written(params: SetStatus) -> Mapping[str, hub.Value]:
    return {"status": params.status}


def simulator() -> hub.Simulator:
    from tests.unit.testing.acme_simulator import app  # noqa: PLC0415 - only where simulated

    settings = {"token": "simulated-token", "webhook_secret": "simulated-secret"}
    return hub.Simulator(app=app(), settings=lambda url: {"url": url, **settings})


class TwoWay(BaseModel):
    notes: bool = Field(default=True, title="Notes", description="Copy notes too")


def two_way(params: TwoWay, connectors: Mapping[str, str]) -> Sequence[dict[str, Any]]:
    return [
        {
            "format": 1,
            "key": "open",
            "name": "Open what is new",
            "object": "acme.ticket",
            "on": ["acme.ticket.created"],
            "when": {"all": [{"field": "acme.ticket.status", "op": "is", "value": "new"}]},
            "then": [
                {
                    "do": "acme.set_status",
                    "connector": connectors["itsm"],
                    "with": {"status": "open"},
                }
            ],
        }
    ]


ACME = hub.ConnectorType(
    name="acme",
    label="Acme",
    settings=Settings,
    connect=Client,
    checks=(hub.Check(name="signed_in", label="Signed in", run=signed_in),),
    choices=(hub.ChoiceSource(name="statuses", fetch=statuses),),
    pollers=(hub.Poller(source_object="acme.ticket", fetch=fetch, fetch_one=fetch_one),),
    receiver=hub.WebhookReceiver(
        verify=verify, parse=parse, delivery_key=lambda one: one.headers.get("x-delivery", "")
    ),
    simulator=simulator,
)
TICKET = ACME.source_object("ticket", "Acme ticket")
FIELDS = (
    TICKET.field("status", "Status", choices=STATUSES, writable=True),
    TICKET.field("size", "Size", hub.FieldType.INTEGER),
)
TRIGGERS = (TICKET.trigger("created", "Ticket created"), TICKET.trigger("updated", "Changed"))
CREATE = ACME.action(
    "create", "Create", Create, create, target=TICKET, creates=True, repeat=hub.Repeat.KEYED
)
ADD_NOTE = ACME.action(
    "add_note",
    "Add note",
    Note,
    add_note,
    target=TICKET,
    repeat=hub.Repeat.FIND_FIRST,
    find=find_note,
)
SET_STATUS = ACME.action(
    "set_status", "Set status", SetStatus, set_status, target=TICKET, writes=status_written
)
TEMPLATE = hub.RulesetTemplate(
    name="acme.two_way",
    version=1,
    label="Two ways",
    description="Both ways.",
    roles={"itsm": "acme"},
    params=TwoWay,
    build=two_way,
)


@hookimpl
def hub_register_connector_types() -> Any:
    return [ACME]


@hookimpl
def hub_register_source_objects() -> Any:
    return [TICKET]


@hookimpl
def hub_register_fields() -> Any:
    return FIELDS


@hookimpl
def hub_register_triggers() -> Any:
    return TRIGGERS


@hookimpl
def hub_register_actions() -> Any:
    return [CREATE, ADD_NOTE, SET_STATUS]


@hookimpl
def hub_register_ruleset_templates() -> Any:
    return [TEMPLATE]


def signed(body: object, secret: str = "s3cret-value") -> dict[str, Any]:
    """Return the headers and body of a delivery as a payload file has them."""
    text = json.dumps(body)
    sign = hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()
    return {"headers": {"X-Signature": sign}, "body": text}
