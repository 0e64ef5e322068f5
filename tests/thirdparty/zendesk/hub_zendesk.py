"""Zendesk tickets: read them from webhooks, open them from rules."""

import base64
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from pydantic import AwareDatetime, BaseModel, Field, SecretStr, ValidationError

import hub
from hub import hookimpl

if TYPE_CHECKING:
    import httpx


class Settings(BaseModel):
    subdomain: str = Field(title="Subdomain", description="acme, if yours is acme.zendesk.com")
    email: str = Field(title="E-mail", description="The user that the hub acts as")
    api_token: SecretStr = Field(title="API token", description="Admin Center, Zendesk API")
    webhook_secret: SecretStr = Field(title="Webhook secret", description="On the webhook's page")


class Client:
    def __init__(self, settings: Settings, http: "httpx.AsyncClient") -> None:
        self._root = f"https://{settings.subdomain}.zendesk.com/api/v2"
        self._auth = (f"{settings.email}/token", settings.api_token.get_secret_value())
        self._http = http

    async def call(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        answer = await self._http.request(method, self._root + path, json=body, auth=self._auth)
        found: dict[str, Any] = hub.json_of(answer)  # 401, 403, 404, 429, 5xx: ConnectorError
        return found


class Ticket(BaseModel):
    id: int
    subject: str
    status: Literal["new", "open", "pending", "solved"]


class Change(BaseModel):
    previous: str | None = None


class Notice(BaseModel):
    id: str
    time: AwareDatetime
    detail: Ticket
    event: Change


class Envelope(BaseModel):
    type: str


VERBS = {"ticket.created": "created", "ticket.status_changed": "status_changed"}


def verify(settings: Settings, request: hub.WebhookRequest) -> None:
    stamp = request.headers.get("x-zendesk-webhook-signature-timestamp", "")
    sent = request.headers.get("x-zendesk-webhook-signature", "")
    secret = settings.webhook_secret.get_secret_value().encode()
    wanted = base64.b64encode(hmac.digest(secret, stamp.encode() + request.body, hashlib.sha256))
    if not hmac.compare_digest(wanted, sent.encode()):
        raise hub.InvalidSignature


def parse(request: hub.WebhookRequest) -> Sequence[hub.Event]:
    try:
        verb = VERBS.get(Envelope.model_validate_json(request.body).type)
        if verb is None:
            return []  # genuine, but nothing for us
        notice = Notice.model_validate_json(request.body)
    except ValidationError as error:
        fault = error.errors()[0]
        pointer = "".join(f"/{part}" for part in fault["loc"])
        raise hub.InvalidPayload(fault["msg"], pointer=pointer) from error
    return [
        hub.Event(
            trigger=TICKET.trigger(verb, "").name,
            key=notice.id,
            occurred_at=notice.time,
            record=read(notice.detail),
            before={} if verb == "created" else {"status": notice.event.previous},
        )
    ]


def read(ticket: Ticket) -> hub.Record:
    values = {"subject": ticket.subject, "status": ticket.status}
    return hub.Record(
        source_object=TICKET.name, id=str(ticket.id), human_id=f"#{ticket.id}", values=values
    )


async def signed_in(client: Client) -> str:
    me = await client.call("GET", "/users/me.json")
    return f"Signed in as {me['user']['email']}"


class CreateTicket(BaseModel):
    subject: str = Field(title="Subject", description="What the ticket is about")
    comment: str = Field(title="Comment", description="The ticket's first comment")


async def create_ticket(call: hub.ActionCall[Client, CreateTicket]) -> hub.ActionResult:
    comment = {"body": call.params.comment}
    ticket = {"subject": call.params.subject, "comment": comment, "external_id": call.key}
    made = await call.client.call("POST", "/tickets.json", {"ticket": ticket})
    return created(made["ticket"])


async def find_ticket(call: hub.ActionCall[Client, CreateTicket]) -> hub.ActionResult | None:
    found = await call.client.call("GET", f"/tickets.json?external_id={call.key}")
    return created(found["tickets"][0]) if found["tickets"] else None


def created(row: Mapping[str, Any]) -> hub.ActionResult:
    record = read(Ticket.model_validate(row))
    return hub.ActionResult(summary=f"Created ticket {record.human_id}", record=record)


ZENDESK = hub.ConnectorType(
    name="zendesk",
    label="Zendesk",
    settings=Settings,
    connect=Client,
    checks=(
        hub.Check(
            name="credentials",
            label="Credentials",
            run=signed_in,
            fix="Make a new API token and put it into the settings.",
        ),
    ),
    receiver=hub.WebhookReceiver(
        verify=verify,
        parse=parse,
        delivery_key=lambda request: request.headers.get("x-zendesk-webhook-invocation-id", ""),
    ),
)
TICKET = ZENDESK.source_object("ticket", "Zendesk ticket")


@hookimpl
def hub_register_connector_types() -> list[hub.ConnectorType[Any, Any]]:
    return [ZENDESK]


@hookimpl
def hub_register_source_objects() -> list[hub.SourceObject]:
    return [TICKET]


@hookimpl
def hub_register_fields() -> list[hub.FieldSchema]:
    return [
        TICKET.field("subject", "Subject", writable=True, required=True),
        TICKET.field("status", "Status", choices=("new", "open", "pending", "solved")),
    ]


@hookimpl
def hub_register_triggers() -> list[hub.Trigger]:
    return [
        TICKET.trigger("created", "Ticket created"),
        TICKET.trigger("status_changed", "Ticket status changed"),
    ]


@hookimpl
def hub_register_actions() -> list[hub.Action[Any, Any]]:
    return [
        ZENDESK.action(
            "create_ticket",
            "Create ticket",
            CreateTicket,
            create_ticket,
            target=TICKET,
            creates=True,
            repeat=hub.Repeat.FIND_FIRST,
            find=find_ticket,
        )
    ]
