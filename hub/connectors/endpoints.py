"""The connectors' part of the API."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import Annotated, Any, TypeAlias

from fastapi import APIRouter, Depends, Header, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse, StreamingResponse

from hub.connectors import asking, redirects, shown
from hub.connectors.checks import Checker, Line
from hub.connectors.clients import Clients, OpenConnector
from hub.connectors.fields import FieldBook
from hub.connectors.handshakes import Handshaking
from hub.connectors.schemas import (
    CheckReport,
    ChoiceList,
    ConnectorIn,
    ConnectorOut,
    ConnectorPatch,
    FieldList,
    HandshakeOut,
    HealthOut,
    ObjectAdopted,
    ObjectList,
    ObjectOut,
    PingOut,
    SubscriptionOut,
    TestEventIn,
)
from hub.connectors.service import ConnectorsService
from hub.connectors.webhooks import Webhooks
from hub.errors import NotFound, VendorAway, VendorRefused
from hub.http.actor import Actor, Anyone, ConnectorsRead, ConnectorsWrite, OperationsRead, who_asks
from hub.http.deps import TheSettings
from hub.http.etags import IfMatch, set_etag
from hub.http.paging import Page, PageQuery

router = APIRouter(tags=["connectors"])
_LIST = "/api/v1/tenants/{tenant}/connectors"
_ONE = _LIST + "/{name}"
_WEB = "/t/{tenant}/connectors/{name}"
NDJSON = "application/x-ndjson"


def the_clients(request: Request) -> Clients:
    """Return the process's open connectors."""
    clients: Clients = request.app.state.clients
    return clients


TheClients = Annotated[Clients, Depends(the_clients)]


class Desk:
    """What an endpoint needs to work on connectors for its actor."""

    def __init__(self, clients: TheClients, settings: TheSettings) -> None:
        self.clients = clients
        self.settings = settings

    def service(self, actor: Actor) -> ConnectorsService:
        """Return the actor's service."""
        return ConnectorsService(self.clients, actor, self.settings.public_url)

    async def open(self, actor: Actor, name: str) -> OpenConnector:
        """Return the actor's connector, open."""
        return await self.clients.by_name(actor.slug, name)

    async def ready(self, actor: Actor, name: str) -> OpenConnector:
        """Return the actor's connector; ConnectorBroken when it can't be used."""
        connector = await self.open(actor, name)
        _ = connector.working_type
        return connector

    def webhook_url(self, actor: Actor, name: str) -> str:
        """Return where the vendor sends webhooks."""
        return f"{self.settings.public_url}/t/{actor.slug}/connectors/{name}/webhook"

    async def webhooks(self, actor: Actor, name: str) -> Webhooks:
        """Return the connector's subscription."""
        return Webhooks(
            connector=await self.ready(actor, name),
            service=self.service(actor),
            url=self.webhook_url(actor, name),
        )

    def handshaking(self, connector: OpenConnector) -> Handshaking:
        """Return the connector's set-up by redirect."""
        call_back = (
            f"{self.settings.public_url}/t/{connector.tenant}/connectors/{connector.name}/handshake"
        )
        return Handshaking(clients=self.clients, connector=connector, call_back=call_back)


TheDesk = Annotated[Desk, Depends(Desk)]
AttachServices: TypeAlias = Callable[[Actor, str, Mapping[str, str]], Awaitable[Sequence[str]]]
"""Maps a connector's services (id -> name) that keys came for; says what was done."""


@router.get(_LIST, operation_id="list_connectors")
async def list_connectors(
    actor: ConnectorsRead, desk: TheDesk, page: PageQuery
) -> Page[ConnectorOut]:
    """List the tenant's connectors by name."""
    service = desk.service(actor)
    found, following = await service.page(page.cursor, page.limit)
    return Page(items=[shown.connector(service, one) for one in found], next=following)


@router.post(_LIST, operation_id="create_connector", status_code=201)
async def create_connector(
    actor: ConnectorsWrite, desk: TheDesk, asked: ConnectorIn, response: Response
) -> ConnectorOut:
    """Add a connector. Its settings are checked, the vendor is not asked: run its checks then."""
    service = desk.service(actor)
    made = await service.create(asked)
    set_etag(response, made.row.row_version)
    out = shown.connector(service, made)
    return out.model_copy(update={"from_document": service.rest_of(asked)})


@router.get(_ONE, operation_id="get_connector")
async def get_connector(
    actor: ConnectorsRead, desk: TheDesk, name: str, response: Response
) -> ConnectorOut:
    """Show a connector; of its secrets only that they are set."""
    service = desk.service(actor)
    found = await service.get(name)
    set_etag(response, found.row.row_version)
    return shown.connector(service, found)


@router.patch(_ONE, operation_id="update_connector")
async def update_connector(
    actor: ConnectorsWrite,
    desk: TheDesk,
    name: str,
    asked: ConnectorPatch,
    response: Response,
    if_match: IfMatch = None,
) -> ConnectorOut:
    """Change a connector; what is not named stays."""
    service = desk.service(actor)
    changed = await service.update(name, asked, if_match)
    set_etag(response, changed.row.row_version)
    return shown.connector(service, changed)


@router.delete(_ONE, operation_id="delete_connector", status_code=204)
async def delete_connector(
    actor: ConnectorsWrite, desk: TheDesk, name: str, if_match: IfMatch = None
) -> None:
    """Delete a connector with its secrets. The vendor's subscription is not removed."""
    await desk.service(actor).delete(name, if_match)


@router.post(
    f"{_ONE}/checks",
    operation_id="run_checks",
    response_model=CheckReport,
    responses={200: {"content": {NDJSON: {"schema": {"type": "string"}}}}},
)
async def run_checks(
    actor: ConnectorsWrite, desk: TheDesk, name: str, accept: Annotated[str, Header()] = ""
) -> Any:  # noqa: ANN401 - a report, or its lines as they come
    """Test a connector. With `Accept: application/x-ndjson` each line comes as its check ends."""
    await desk.clients.reopen(actor.slug, name)
    connector = await desk.open(actor, name)
    url = desk.webhook_url(actor, name) if connector.type and connector.type.receiver else None
    checker = Checker(desk.clients, connector, url)
    if NDJSON in accept:
        return StreamingResponse(_streamed(checker), media_type=NDJSON)
    lines = [line async for line in checker.run()]
    after = await desk.open(actor, name)
    return shown.report(lines, after.state)


async def _streamed(checker: Checker) -> AsyncIterator[bytes]:
    async for line in checker.run():
        yield _json_line(line)


def _json_line(line: Line) -> bytes:
    return json.dumps(shown.check(line).model_dump(mode="json")).encode() + b"\n"


@router.get(f"{_ONE}/checks", operation_id="list_checks")
async def list_checks(actor: ConnectorsRead, desk: TheDesk, name: str) -> CheckReport:
    """Show how the checks ended last."""
    service = desk.service(actor)
    seen = await service.get(name)
    return shown.kept_report(seen.row, await service.checks(seen.row.id), desk.clients.catalog)


@router.get(f"{_ONE}/health", operation_id="get_connector_health")
async def get_connector_health(actor: OperationsRead, desk: TheDesk, name: str) -> HealthOut:
    """Show how a connector is doing, without asking the vendor."""
    service = desk.service(actor)
    seen = await service.get(name)
    return await asking.health(desk.clients, service, seen, await desk.open(actor, name))


@router.get(f"{_ONE}/choices/{{source}}", operation_id="list_choices")
async def list_choices(
    actor: ConnectorsRead,
    desk: TheDesk,
    name: str,
    source: str,
    search: Annotated[str, Query(max_length=200)] = "",
) -> ChoiceList:
    """List what the vendor offers at the moment: services, users, priorities …."""
    return await asking.choices(await desk.ready(actor, name), source, search)


@router.post(f"{_ONE}/queries/{{query}}", operation_id="run_query")
async def run_query(
    actor: ConnectorsRead, desk: TheDesk, name: str, query: str, params: dict[str, Any]
) -> dict[str, Any]:
    """Ask the vendor a question that the plugin offers."""
    return await asking.query(await desk.ready(actor, name), query, params)


@router.get(f"{_ONE}/fields", operation_id="list_fields")
async def list_fields(
    actor: ConnectorsRead,
    desk: TheDesk,
    name: str,
    object: Annotated[str, Query(max_length=200, description="`salesforce.case`")],
    refresh: Annotated[bool, Query(description="Ask the vendor now.")] = False,  # noqa: FBT002 - a query parameter
) -> FieldList:
    """List the fields that this account's records have: declared ones, then those found."""
    connector = await desk.open(actor, name)
    found, at = await FieldBook(desk.clients).fields(connector, object, refresh=refresh)
    return shown.fields(object, found, at)


@router.get(f"{_ONE}/objects", operation_id="list_objects")
async def list_objects(
    actor: ConnectorsRead,
    desk: TheDesk,
    name: str,
    search: Annotated[str, Query(max_length=200)] = "",
) -> ObjectList:
    """List the vendor's kinds of records: declared, adopted, and those that can be adopted."""
    connector = await desk.open(actor, name)
    found = await FieldBook(desk.clients).objects(connector, search)
    return ObjectList(items=[shown.object_(one, row, desk.clients.catalog) for one, row in found])


@router.put(f"{_ONE}/objects/{{object}}", operation_id="adopt_object")
async def adopt_object(
    actor: ConnectorsWrite, desk: TheDesk, name: str, object: str, asked: ObjectAdopted
) -> ObjectOut:
    """Adopt one of the vendor's objects: rules can use it from now on."""
    connector = await desk.ready(actor, name)
    return await asking.adopt(desk.clients, actor, connector, object, asked)


@router.delete(f"{_ONE}/objects/{{object}}", operation_id="drop_object", status_code=204)
async def drop_object(actor: ConnectorsWrite, desk: TheDesk, name: str, object: str) -> None:
    """Give up an adopted object."""
    await asking.drop(desk.clients, actor, await desk.open(actor, name), object)


@router.get(f"{_ONE}/subscription", operation_id="get_subscription")
async def get_subscription(actor: ConnectorsRead, desk: TheDesk, name: str) -> SubscriptionOut:
    """Show the subscription by which the vendor sends webhooks, as the vendor has it."""
    webhooks = await desk.webhooks(actor, name)
    return shown.subscription(await webhooks.inspect(), webhooks.url)


@router.put(f"{_ONE}/subscription", operation_id="ensure_subscription")
async def ensure_subscription(actor: ConnectorsWrite, desk: TheDesk, name: str) -> SubscriptionOut:
    """Make the subscription at the vendor, or keep the existing one; store its secret."""
    webhooks = await desk.webhooks(actor, name)
    return shown.subscription(await webhooks.ensure(), webhooks.url)


@router.post(f"{_ONE}/subscription/ping", operation_id="ping_subscription")
async def ping_subscription(actor: ConnectorsWrite, desk: TheDesk, name: str) -> PingOut:
    """Have the vendor send a test event."""
    return PingOut(text=await (await desk.webhooks(actor, name)).ping())


@router.post(f"{_ONE}/test-event", operation_id="send_test_event")
async def send_test_event(
    actor: ConnectorsWrite, desk: TheDesk, name: str, asked: TestEventIn
) -> PingOut:
    """Have the vendor show a test event: it may notify people there."""
    connector = await desk.ready(actor, name)
    return PingOut(text=await asking.send_test(connector, asked.service))


@router.delete(f"{_ONE}/subscription", operation_id="remove_subscription", status_code=204)
async def remove_subscription(actor: ConnectorsWrite, desk: TheDesk, name: str) -> None:
    """Remove the subscription at the vendor."""
    await (await desk.webhooks(actor, name)).remove()


@router.post(f"{_ONE}/handshake", operation_id="begin_handshake")
async def begin_handshake(actor: ConnectorsWrite, desk: TheDesk, name: str) -> HandshakeOut:
    """Begin a set-up by redirect: go on at the URL that is answered."""
    connector = await desk.ready(actor, name)
    return HandshakeOut(url=await desk.handshaking(connector).start(actor.session))


@router.get(
    f"{_WEB}/connect",
    operation_id="go_to_vendor",
    response_class=RedirectResponse,
    status_code=302,
)
async def go_to_vendor(actor: ConnectorsWrite, desk: TheDesk, name: str) -> str:
    """Begin a set-up by redirect in the browser that asks, and send it to the vendor."""
    connector = await desk.ready(actor, name)
    return await desk.handshaking(connector).start(actor.session)


@router.get(
    f"{_WEB}/connect/button",
    operation_id="show_connect_button",
    response_class=HTMLResponse,
)
async def show_connect_button(actor: ConnectorsWrite, desk: TheDesk, name: str) -> str:
    """Show the button that begins a set-up by redirect, or why it cannot begin."""
    connector = await desk.ready(actor, name)
    return redirects.button_page(connector, await desk.handshaking(connector).refusal())


@router.get(
    "/t/{tenant}/connectors/{name}/handshake",
    operation_id="finish_handshake",
    response_class=HTMLResponse,
)
async def finish_handshake(
    _: Anyone,
    request: Request,
    desk: TheDesk,
    tenant: str,
    name: str,
    state: Annotated[str, Query(max_length=200)] = "",
) -> HTMLResponse:
    """Take the vendor's answer to a set-up by redirect; the state says who began it."""
    try:
        connector = await desk.clients.by_name(tenant, name)
    except NotFound:
        connector = None
    if connector is None or not state:
        raise NotFound("There is no set-up to finish here.")
    actor = Actor(name="vendor", tenant_id=connector.tenant_id, tenant=tenant)
    try:
        services = await desk.handshaking(connector).finish(
            dict(request.query_params), desk.service(actor), await _session_of(request)
        )
    except (VendorRefused, VendorAway) as error:
        status = 200 if redirects.is_cancelled(error) else error.status
        return HTMLResponse(redirects.refused_page(error), status)
    if not services:
        return HTMLResponse(redirects.connected_page(connector, ()))
    attach: AttachServices = request.app.state.attach_services
    lines = await attach(actor, name, services)
    return HTMLResponse(redirects.connected_page(connector, lines))


async def _session_of(request: Request) -> bytes:
    if "cookie" not in request.headers:
        return b""
    return (await who_asks(request)).session
