"""Where vendors' webhooks come in: as little as possible between the socket and the COMMIT."""

import asyncio
import json
import logging
import time
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl

from sqlalchemy import select
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from hub import ids
from hub.connectors.clients import Clients, OpenConnector
from hub.connectors.networks import admits
from hub.db.commits import is_away
from hub.db.engine import Database
from hub.db.tenancy import Tenant
from hub.errors import (
    HubError,
    InvalidDeliverySignature,
    NotAllowed,
    NotFound,
    Overloaded,
    TooLarge,
)
from hub.http.problems import problem_answer
from hub.sdk.connector_types import WebhookRequest

if TYPE_CHECKING:
    from hub.deliveries.intake import Intake

_log = logging.getLogger(__name__)
_DEFAULT_KEPT_S: Final = 5.0
_PATIENCE_S: Final = 4.0
"""Vendors wait 5 to 10 s for an answer; what is not stored by then is refused with 503."""


class Ingress:
    """An ASGI endpoint: POST /t/{tenant}/connectors/{name}/webhook.

    Without a tenant in the path it is the hub's default one. Needs `app.state` to have
    `engine, clients, database, settings`.
    """

    def __init__(self) -> None:
        self._default: tuple[float, str] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Accept one delivery and answer."""
        answer: Response
        try:
            answer = await self._accept(scope, receive)
        except HubError as error:
            answer = problem_answer(_told(error), _request_id(scope))
        except Exception as error:
            if not is_away(error):
                raise
            _log.exception("the database is away")
            away = Overloaded("The delivery could not be stored now.", retry_after=5)
            answer = problem_answer(away, _request_id(scope))
        await answer(scope, receive, send)

    async def _accept(self, scope: Scope, receive: Receive) -> Response:
        state = scope["app"].state
        intake: Intake = state.engine.intake
        async with asyncio.timeout(_PATIENCE_S):
            connector = await self._connector(scope, state.clients, state.database)
        request = await _request(scope, receive, state.settings.http.max_body_bytes)
        async with asyncio.timeout(_PATIENCE_S):  # what is stored later all the same, is a repeat
            accepted = await intake.accept(connector, request)
        receiver = connector.type.receiver if connector.type is not None else None
        if receiver is not None and receiver.answer:
            return Response(receiver.answer, 200, media_type=receiver.answer_type)
        body = {"delivery": ids.shown("dlv", accepted.delivery_id)}
        return Response(json.dumps(body), 202, media_type="application/json")

    async def _connector(self, scope: Scope, clients: Clients, database: Database) -> OpenConnector:
        params = scope["path_params"]
        tenant = params.get("tenant") or await self._default_tenant(database)
        connector = await clients.by_name(tenant, params["name"])
        if not connector.enabled_webhook:
            raise NotFound(f"The connector {connector.name!r} takes no webhooks.")
        if connector.allowed_ips:
            _admit(scope, connector)
        return connector

    async def _default_tenant(self, database: Database) -> str:
        if self._default is not None and time.monotonic() - self._default[0] < _DEFAULT_KEPT_S:
            return self._default[1]
        async with database.reading() as session:
            slug = await session.scalar(select(Tenant.slug).where(Tenant.is_default))
        if slug is None:
            raise NotFound("There is no default tenant; name one: /t/{tenant}/connectors/….")
        self._default = (time.monotonic(), slug)
        return slug


def routes() -> list[Route]:
    """Return the ingress's routes."""
    ingress = Ingress()
    paths = ("/t/{tenant}/connectors/{name}/webhook", "/connectors/{name}/webhook")
    return [Route(path, ingress, methods=["POST"]) for path in paths]


def _admit(scope: Scope, connector: OpenConnector) -> None:
    address = (scope.get("client") or ("",))[0]
    if admits(connector.allowed_ips, address):
        return
    scope["app"].state.engine.counters.add("hub_deliveries_refused_total", reason="address")
    _log.warning("delivery refused", extra={"connector": connector.name, "address": address})
    raise NotAllowed(f"The address {address} may not send to this connector.")


async def _request(scope: Scope, receive: Receive, most: int) -> WebhookRequest:
    headers = {
        name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]
    }
    length = headers.get("content-length", "")
    if length.isascii() and length.isdigit() and int(length) > most:
        raise TooLarge(f"The body has {length} bytes; the limit is {most}.")
    query = scope.get("query_string", b"").decode("latin-1")
    return WebhookRequest(
        headers=headers,
        body=await _body(Request(scope, receive), most),
        query=dict(parse_qsl(query, keep_blank_values=True)) if query else {},
    )


async def _body(request: Request, most: int) -> bytes:
    chunks, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > most:
            raise TooLarge(f"The body is larger than {most} bytes.")
        chunks.append(chunk)
    return chunks[0] if len(chunks) == 1 else b"".join(chunks)


def _told(error: HubError) -> HubError:
    """Return the error with a hint how to sign, for people who try it by hand."""
    if not isinstance(error, InvalidDeliverySignature):
        return error
    hint = "To try it by hand, send a signed one: hub connector webhook --help."
    return InvalidDeliverySignature(f"{error.detail} {hint}")


def _request_id(scope: Scope) -> str:
    return str(scope.get("state", {}).get("request_id") or ids.new_id())
