"""Where vendors' webhooks come in: as little as possible between the socket and the COMMIT."""

import asyncio
import logging
import time
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl

from sqlalchemy import select
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from hub import ids, logs
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
from hub.http.middleware import log_answer, standing_headers
from hub.http.problems import problem_answer
from hub.sdk.connector_types import WebhookRequest

if TYPE_CHECKING:
    from starlette.applications import Starlette

    from hub.deliveries.intake import Intake
    from hub.settings import HubSettings

Pairs = list[tuple[bytes, bytes]]

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
        params = scope["path_params"]
        place = (params.get("tenant") or "", params["name"])
        answer = await self.answer(scope, receive, scope["app"].state, place)
        await answer(scope, receive, send)

    async def answer(
        self,
        scope: Scope,
        receive: Receive,
        state: Any,  # noqa: ANN401 - Starlette's State
        place: tuple[str, str],
    ) -> Response:
        """Accept one delivery for (tenant, connector); return what to answer."""
        try:
            return await self._accept(scope, receive, state, place)
        except HubError as error:
            return problem_answer(_told(error), _request_id(scope))
        except Exception as error:
            if not is_away(error):
                raise
            _log.exception("the database is away")
            away = Overloaded("The delivery could not be stored now.", retry_after=5)
            return problem_answer(away, _request_id(scope))

    async def _accept(
        self,
        scope: Scope,
        receive: Receive,
        state: Any,  # noqa: ANN401 - Starlette's State
        place: tuple[str, str],
    ) -> Response:
        intake: Intake = state.engine.intake
        connector = state.clients.at_hand(*place)
        if connector is None or not connector.enabled_webhook:
            async with asyncio.timeout(_PATIENCE_S):
                connector = await self._connector(place, state.clients, state.database)
        if connector.allowed_ips:
            _admit(scope, connector, intake)
        request = await _request(scope, receive, state.settings.http.max_body_bytes)
        async with asyncio.timeout(_PATIENCE_S):  # what is stored later all the same, is a repeat
            accepted = await intake.accept(connector, request)
        receiver = connector.type.receiver if connector.type is not None else None
        if receiver is not None and receiver.answer:
            return Response(receiver.answer, 200, media_type=receiver.answer_type)
        body = f'{{"delivery": "{ids.shown("dlv", accepted.delivery_id)}"}}'
        return Response(body, 202, media_type="application/json")

    async def _connector(
        self, place: tuple[str, str], clients: Clients, database: Database
    ) -> OpenConnector:
        tenant, name = place
        connector = await clients.by_name(tenant or await self._default_tenant(database), name)
        if not connector.enabled_webhook:
            raise NotFound(f"The connector {connector.name!r} takes no webhooks.")
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


class Door:
    """The short way to the ingress, past what only the API's requests need.

    `takes` says whether a request may go it: a POST to a webhook's address with a body of a
    length that is allowed. All others go the long way, which ends at the same `Ingress`.
    """

    def __init__(self, app: "Starlette", settings: "HubSettings") -> None:
        self._app = app
        self._ingress = Ingress()
        self._most = settings.http.max_body_bytes
        self._https_only = settings.http.require_https
        known = standing_headers("/t/", hsts=settings.public_url.startswith("https://"))
        self._headers: Pairs = [(k.lower().encode(), v.encode()) for k, v in known.items()]

    def takes(self, scope: Scope) -> bool:
        """Whether the request is a delivery that may go the short way."""
        if scope["type"] != "http" or scope["method"] != "POST" or not place_of(scope["path"]):
            return False
        if self._https_only and scope["scheme"] != "https":
            return False
        length = next((one for name, one in scope["headers"] if name == b"content-length"), b"")
        return length.isdigit() and int(length) <= self._most and not scope["query_string"]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Accept one delivery and answer."""
        place = place_of(scope["path"])
        assert place is not None  # noqa: S101 - `takes` said so
        began, request = time.perf_counter(), str(ids.new_id())
        scope.setdefault("state", {})["request_id"] = request
        with logs.context(request=request):
            try:
                answer = await self._ingress.answer(scope, receive, self._app.state, place)
            except Exception:  # noqa: BLE001 - logged, and answered with a problem
                _log.exception("request failed")
                answer = problem_answer(HubError(), request)
            await self._send(answer, request, send)
            log_answer(scope, answer.status_code, time.perf_counter() - began)

    async def _send(self, answer: Response, request: str, send: Send) -> None:
        said = answer.raw_headers
        names = {name for name, _ in said}
        more = [one for one in self._headers if one[0] not in names]
        headers = [*said, *more, (b"x-request-id", request.encode())]
        await send(
            {"type": "http.response.start", "status": answer.status_code, "headers": headers}
        )
        await send({"type": "http.response.body", "body": answer.body})


def place_of(path: str) -> tuple[str, str] | None:
    """Return the (tenant, connector) of a webhook's address; tenant "" is the default one."""
    match path.split("/"):
        case ["", "t", tenant, "connectors", name, "webhook"] if tenant and name:
            place = (tenant, name)
        case ["", "connectors", name, "webhook"] if name:
            place = ("", name)
        case _:
            return None
    return None if "\x00" in path else place


def routes() -> list[Route]:
    """Return the ingress's routes."""
    ingress = Ingress()
    paths = ("/t/{tenant}/connectors/{name}/webhook", "/connectors/{name}/webhook")
    return [Route(path, ingress, methods=["POST"]) for path in paths]


def _admit(scope: Scope, connector: OpenConnector, intake: "Intake") -> None:
    address = (scope.get("client") or ("",))[0]
    if admits(connector.allowed_ips, address):
        return
    text = f"The address {address} may not send to this connector."
    intake.refused(connector, "address", text)
    _log.warning("delivery refused", extra={"connector": connector.name, "address": address})
    raise NotAllowed(text)


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
        body=await _body(receive, most),
        query=dict(parse_qsl(query, keep_blank_values=True)) if query else {},
    )


async def _body(receive: Receive, most: int) -> bytes:
    chunks, size = [], 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        chunk: bytes = message.get("body", b"")
        size += len(chunk)
        if size > most:
            raise TooLarge(f"The body is larger than {most} bytes.")
        chunks.append(chunk)
        if not message.get("more_body", False):
            return chunks[0] if len(chunks) == 1 else b"".join(chunks)


def _told(error: HubError) -> HubError:
    """Return the error with a hint how to sign, for people who try it by hand."""
    if not isinstance(error, InvalidDeliverySignature):
        return error
    hint = (
        "The vendor sends a signed one: hub connector webhook NAME --test. To sign one by hand "
        "see docs/how-to/use-the-api.md, Send what a vendor would send."
    )
    return InvalidDeliverySignature(f"{error.detail} {hint}")


def _request_id(scope: Scope) -> str:
    return str(scope.get("state", {}).get("request_id") or ids.new_id())
