"""What a plugin author writes, as the type checker sees it. Checked, never run."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, assert_type

from pydantic import BaseModel, SecretStr

import hub
from hub import hookimpl

if TYPE_CHECKING:
    import httpx


class Settings(BaseModel):
    """Settings."""

    token: SecretStr


class Client:
    """A client."""

    def __init__(self, settings: Settings, http: "httpx.AsyncClient") -> None:
        self.settings = settings
        self.http = http

    async def whoami(self) -> str:
        """Ask."""
        answer = await self.http.get("/me")
        return str(hub.json_of(answer)["name"])


class Comment(BaseModel):
    """Parameters."""

    text: str


class OnCall(BaseModel):
    """Parameters of a query."""

    service: str


async def signed_in(client: Client) -> str:
    """Check."""
    return await client.whoami()


async def comment(call: hub.ActionCall[Client, Comment]) -> hub.ActionResult:
    """Act: client and parameters have their own types."""
    assert_type(call.client, Client)
    assert_type(call.params.text, str)
    assert_type(call.record, hub.RecordRef | None)
    assert_type(call.event.before, Mapping[str, hub.Value] | None)
    return hub.ActionResult(summary="Commented", note="n1")


async def find(call: hub.ActionCall[Client, Comment]) -> hub.ActionResult | None:
    """Find."""
    return None if call.key else hub.ActionResult(summary="Commented")


def writes(params: Comment) -> Mapping[str, hub.Value]:
    """Say what is written."""
    return {"comment": params.text}


def verify(settings: Settings, request: hub.WebhookRequest) -> None:
    """Verify."""
    assert_type(request.body, bytes)
    if settings.token.get_secret_value() not in request.headers.values():
        raise hub.InvalidSignature


def parse(request: hub.WebhookRequest) -> Sequence[hub.Event]:
    """Parse."""
    if not request.body:
        raise hub.InvalidPayload("empty", pointer="")
    record = hub.Record(source_object=TICKET.name, id="1", values={"size": 3, "tags": ("a", "b")})
    moment = datetime(2025, 3, 1, tzinfo=UTC)
    return [hub.Event(trigger=CREATED.name, record=record, occurred_at=moment, key="1", before={})]


async def statuses(client: Client, search: str) -> Sequence[hub.Choice]:
    """List."""
    return [hub.Choice(value=search, label=await client.whoami())]


async def fetch(client: Client, cursor: str | None) -> hub.Batch:
    """Poll."""
    return hub.Batch(events=[], cursor=cursor or await client.whoami())


async def on_call(client: Client, params: OnCall) -> Mapping[str, Any]:
    """Query."""
    return {"service": params.service, "name": await client.whoami()}


async def outbound(client: Client, record: hub.Record) -> str | None:
    """Resolve."""
    return record.id if await client.whoami() else None


def quota(headers: Mapping[str, str]) -> hub.Quota | None:
    """Read the limit."""
    return hub.Quota(remaining=int(headers["x-left"])) if "x-left" in headers else None


def is_vip(operand: Any, field: hub.FieldSchema) -> hub.Test:
    """Compile an operator."""
    wanted = str(operand or field.label)

    def test(actual: hub.Value, prior: hub.Value, at: datetime) -> bool:
        return actual == wanted and prior is None and at.year > 0

    return test


ACME = hub.ConnectorType(
    name="acme",
    label="Acme",
    settings=Settings,
    connect=Client,
    checks=(hub.Check(name="signed_in", label="Signed in", run=signed_in),),
    pollers=(hub.Poller(source_object="acme.ticket", fetch=fetch),),
    choices=(hub.ChoiceSource(name="statuses", fetch=statuses),),
    queries=(hub.Query(name="on_call", label="On call", params=OnCall, run=on_call),),
    receiver=hub.WebhookReceiver(verify=verify, parse=parse),
    quota=quota,
    limited_by="token",
)
assert_type(ACME, hub.ConnectorType[Settings, Client])
TICKET = ACME.source_object("ticket", "Ticket")
CREATED = TICKET.trigger("created", "Ticket created")
COMMENT = ACME.action(
    "comment", "Comment", Comment, comment, target=TICKET,
    repeat=hub.Repeat.FIND_FIRST, find=find, writes=writes,
)  # fmt: skip
assert_type(COMMENT, hub.Action[Client, Comment])
assert_type(TICKET.field("status", "Status", choices=("new", "old")), hub.FieldSchema)
assert_type(COMMENT.name, str)


class OtherParams(BaseModel):
    """Parameters of another action."""

    number: int


ACME.action("wrong", "Wrong", OtherParams, comment)  # type: ignore[arg-type]  # its parameters are another action's
hub.Record(source_object="acme.ticket", id="1", values={"at": object()})  # type: ignore[dict-item]  # no Value
hub.Event("acme.ticket.created")  # type: ignore[call-arg]  # members are given by name
hub.InvalidPayload("x", place="/a")  # type: ignore[call-arg]  # it is called pointer


@hookimpl
def hub_register_connector_types() -> Sequence[hub.ConnectorType[Any, Any]]:
    """Give the connector type."""
    return [ACME]


@hookimpl
def hub_register_operators() -> Sequence[hub.Operator]:
    """Give the operator."""
    text = frozenset({hub.FieldType.TEXT})
    return [
        hub.Operator(
            name="acme.is_vip", label="is a VIP", sentence="{field} is a VIP", types=text,
            compile=is_vip, operand=hub.Operand.NONE,
        )
    ]  # fmt: skip


@hookimpl
def hub_register_service_resolvers() -> Sequence[hub.ServiceResolver[Any]]:
    """Give the resolver."""
    return [hub.ServiceResolver(name="acme.own", source_object=TICKET.name, outbound=outbound)]


@hookimpl
def hub_run_settled(run: hub.RunSettled) -> None:
    """Observe."""
    assert_type(run.took, float)
