"""A vendor made up for tests, and the connector type that speaks to it over real HTTP."""

import hashlib
import hmac
import json
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import httpx
from aiohttp import web
from aiohttp.test_utils import TestServer
from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

from hub import (
    Cancelled,
    Check,
    Choice,
    ChoiceSource,
    ConnectorType,
    Event,
    FieldSchema,
    FieldType,
    Handshake,
    InvalidPayload,
    InvalidSignature,
    Query,
    Quota,
    Record,
    Rejected,
    SchemaDiscovery,
    SourceObject,
    Subscription,
    SubscriptionState,
    WebhookReceiver,
    WebhookRequest,
    raise_for_answer,
)
from hub.catalog.catalog import Catalog
from hub.catalog.plugins import load_plugins
from hub.sdk.hookspecs import hookimpl


class ToySettings(BaseModel):
    """What a toy account needs."""

    model_config = ConfigDict(extra="forbid")

    base_url: str = Field(title="Base URL", description="Where the toy's API is.")
    api_key: SecretStr = Field(title="API key")
    webhook_secret: SecretStr | None = Field(default=None, title="Webhook secret")
    service_id: str = Field(
        default="S1", title="Service", json_schema_extra={"choices": "services"}
    )
    retries: int = Field(default=2, ge=1, le=5)

    @field_validator("api_key")
    @classmethod
    def _no_white_space(cls, value: SecretStr) -> SecretStr:
        if re.search(r"\s", value.get_secret_value()):
            raise ValueError("an API key has no white space")
        return value


class ToyClient:
    def __init__(self, settings: ToySettings, http: httpx.AsyncClient) -> None:
        self.settings = settings
        self._http = http

    async def ask(self, method: str, path: str, **body: Any) -> Any:
        answer = await self._http.request(
            method,
            f"{self.settings.base_url}{path}",
            headers={"Authorization": f"Token {self.settings.api_key.get_secret_value()}"},
            json=body or None,
        )
        raise_for_answer(answer)
        return answer.json() if answer.content else None


class OnCallParams(BaseModel):
    """Whose turn is asked for."""

    service: str = Field(min_length=1)


async def _check_api(client: ToyClient) -> str:
    me = await client.ask("GET", "/me")
    return f"Connected to Toy API as {me['name']}"


async def _check_service(client: ToyClient) -> str:
    found = await client.ask("GET", f"/services/{client.settings.service_id}")
    return f"Service {found['id']} accessible"


async def _services(client: ToyClient, search: str) -> Sequence[Choice]:
    found = await client.ask("GET", "/services")
    return [
        Choice(value=one["id"], label=one["name"])
        for one in found
        if search.lower() in one["name"].lower()
    ]


async def _on_call(client: ToyClient, params: OnCallParams) -> Mapping[str, Any]:
    found = await client.ask("GET", f"/services/{params.service}")
    return {"service": found["id"], "person": found["on_call"]}


async def _objects(client: ToyClient, search: str) -> Sequence[SourceObject]:
    return [
        SourceObject(name="toy.Asset__c", label="Asset", vendor_name="Asset__c"),
        SourceObject(name="toy.Order__c", label="Order", vendor_name="Order__c"),
    ]


async def _fields(client: ToyClient, source_object: SourceObject) -> Sequence[FieldSchema]:
    found = await client.ask("GET", "/fields")
    return [
        FieldSchema(
            source_object=source_object.name,
            key=one["name"],
            label=one["label"],
            type=FieldType(one["type"]),
            vendor_name=one["name"],
        )
        for one in found
    ]


def _verify(settings: ToySettings, request: WebhookRequest) -> None:
    if settings.webhook_secret is None:
        raise InvalidSignature("No webhook secret is set.")
    key = settings.webhook_secret.get_secret_value().encode()
    expected = hmac.new(key, request.body, hashlib.sha256).hexdigest()
    if not hmac.compare_digest(expected, request.headers.get("x-toy-signature", "")):
        raise InvalidSignature("x-toy-signature does not fit the body.")


def _parse(request: WebhookRequest) -> Sequence[Event]:
    try:
        told = json.loads(request.body)
        record = Record(source_object="toy.ticket", id=told["id"], values=told.get("values", {}))
        return [
            Event(
                trigger=f"toy.ticket.{told['verb']}",
                record=record,
                occurred_at=datetime.fromisoformat(told["at"]).astimezone(UTC),
                key=told["key"],
            )
        ]
    except (ValueError, KeyError, TypeError) as error:
        raise InvalidPayload(str(error)) from error


async def _ensure(client: ToyClient, url: str) -> SubscriptionState:
    made = await client.ask("POST", "/subscriptions", url=url)
    return SubscriptionState(id=made["id"], active=True, secret=made.get("secret"))


async def _inspect(client: ToyClient, url: str) -> SubscriptionState | None:
    found = await client.ask("GET", "/subscriptions")
    mine = next((one for one in found if one["url"] == url), None)
    return mine and SubscriptionState(id=mine["id"], active=mine["active"])


async def _ping(client: ToyClient, url: str) -> str:
    await client.ask("POST", "/subscriptions/ping", url=url)
    return "Ping sent"


async def _remove(client: ToyClient, url: str) -> None:
    await client.ask("DELETE", f"/subscriptions?url={url}")


def _start(settings: ToySettings, call_back: str) -> str:
    return f"{settings.base_url}/authorize?redirect_uri={call_back}"


async def _complete(
    http: httpx.AsyncClient, settings: ToySettings, query: Mapping[str, str]
) -> ToySettings:
    if query.get("error") == "cancelled":
        raise Cancelled
    if "code" not in query:
        raise Rejected(query.get("error", "no code"))
    answer = await http.post(f"{settings.base_url}/token", data={"code": query["code"]})
    raise_for_answer(answer)
    return settings.model_copy(update={"api_key": SecretStr(answer.json()["access_token"])})


def _quota(headers: Mapping[str, str]) -> Quota | None:
    if "ratelimit-remaining" not in headers:
        return None
    return Quota(
        limit=int(headers["ratelimit-limit"]),
        remaining=int(headers["ratelimit-remaining"]),
        resets_in=float(headers["ratelimit-reset"]),
    )


TOY: ConnectorType[ToySettings, ToyClient] = ConnectorType(
    name="toy",
    label="Toy",
    settings=ToySettings,
    connect=ToyClient,
    checks=(
        Check(name="api", label="API", run=_check_api, fix="Make a new key; set api_key."),
        Check(name="service", label="Service", run=_check_service, fix="Set service_id."),
    ),
    choices=(ChoiceSource(name="services", fetch=_services),),
    queries=(Query(name="on_call", label="Who is on call", params=OnCallParams, run=_on_call),),
    receiver=WebhookReceiver(verify=_verify, parse=_parse),
    subscription=Subscription(ensure=_ensure, inspect=_inspect, ping=_ping, remove=_remove),
    discovery=SchemaDiscovery(objects=_objects, fields=_fields),
    handshake=Handshake(start=_start, complete=_complete),
    requests_per_minute=600,
    quota=_quota,
    limited_by="api_key",
)
TICKET = TOY.source_object("ticket", "Ticket", vendor_name="Ticket")
FIELDS = (
    TICKET.field("title", "Title", writable=True, required=True, vendor_name="Title"),
    TICKET.field("urgency", "Urgency", choices=("high", "low"), vendor_name="Urgency"),
)


class ToyPlugin:
    """The plugin, as an object with hooks."""

    @hookimpl
    def hub_register_connector_types(self):
        return [TOY]

    @hookimpl
    def hub_register_source_objects(self):
        return [TICKET]

    @hookimpl
    def hub_register_fields(self):
        return list(FIELDS)

    @hookimpl
    def hub_register_triggers(self):
        return [TICKET.trigger("created", "Ticket created")]


def toy_catalog(*more: tuple[str, object]) -> Catalog:
    loaded = load_plugins([("toy", ToyPlugin()), *more], entry_points=[])
    assert not [one.reason for one in loaded.reports if one.reason]
    return loaded.catalog


class ToyVendor:
    """The vendor's side: keeps keys, services and subscriptions; fails on demand."""

    def __init__(self) -> None:
        self.keys = {"good-key-0000a1f3"}
        self.services = {
            "S1": {"id": "S1", "name": "Shop", "on_call": "Robin"},
            "S2": {"id": "S2", "name": "Billing", "on_call": "Kim"},
        }
        self.fields = [
            {"name": "Title", "label": "Title", "type": "text"},
            {"name": "Region__c", "label": "Region", "type": "choice"},
        ]
        self.subscriptions: list[dict[str, Any]] = []
        self.requests: list[tuple[str, str]] = []
        self.headers: dict[str, str] = {}
        self.fault: tuple[int, str] | None = None
        self.url = ""

    @asynccontextmanager
    async def serving(self) -> AsyncIterator["ToyVendor"]:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._answer)
        server = TestServer(app, host="127.0.0.1")
        await server.start_server()
        self.url = str(server.make_url("")).rstrip("/")
        try:
            yield self
        finally:
            await server.close()

    async def _answer(self, request: web.Request) -> web.Response:
        self.requests.append((request.method, request.path))
        if self.fault is not None:
            status, text = self.fault
            return web.Response(status=status, text=text)
        if request.path == "/token":
            form = await request.post()
            self.keys.add(f"token-for-{form['code']}")
            return web.json_response({"access_token": f"token-for-{form['code']}"})
        if request.headers.get("Authorization", "").removeprefix("Token ") not in self.keys:
            return web.json_response({"error": "wrong key"}, status=401)
        status, body = await self._act(request)
        return web.json_response(body, status=status, headers=self.headers)

    async def _act(self, request: web.Request) -> tuple[int, Any]:  # noqa: PLR0911 - one a call
        match request.method, request.path.split("/")[1:]:
            case "GET", ["me"]:
                return 200, {"name": "acme"}
            case "GET", ["services"]:
                return 200, list(self.services.values())
            case "GET", ["services", one]:
                found = self.services.get(one)
                return (200, found) if found else (404, {"error": f"no service {one}"})
            case "GET", ["fields"]:
                return 200, self.fields
            case "GET", ["subscriptions"]:
                return 200, self.subscriptions
            case "POST", ["subscriptions"]:
                return 200, self._subscribe((await request.json())["url"])
            case "DELETE", ["subscriptions"]:
                self.subscriptions.clear()
        return 200, {}

    def _subscribe(self, url: str) -> dict[str, Any]:
        found = next((one for one in self.subscriptions if one["url"] == url), None)
        if found:
            return {"id": found["id"]}
        made = {"id": f"W{len(self.subscriptions) + 1}", "url": url, "active": True}
        self.subscriptions.append(made)
        return {**made, "secret": "whsec-0000-1111-2222"}
