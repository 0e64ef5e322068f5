"""Where vendors' webhooks come in: as little as possible between the socket and the COMMIT."""

import asyncio
import logging
import time
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import parse_qsl

from sqlalchemy import select
from starlette.requests import ClientDisconnect
from starlette.routing import Route
from starlette.types import Message, Receive, Scope, Send

from hub import ids, logs
from hub.connectors.clients import Clients, OpenConnector
from hub.connectors.networks import admits
from hub.db.commits import is_away
from hub.db.engine import Database
from hub.db.tenancy import Tenant
from hub.deliveries.patience import Patience
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
_LONGEST_PATH: Final = 512
"""No tenant and no connector has so long a name."""
_PATIENCE_S: Final = 4.0
"""Vendors wait 5 to 10 s for an answer; what is not stored by then is refused with 503."""


class Behind(NamedTuple):
    """What is behind the ingress."""

    clients: Clients
    intake: "Intake"
    database: Database
    most: int


class Said(NamedTuple):
    """An answer: less than Starlette's, which costs as much as verifying a signature."""

    status: int
    headers: Pairs
    body: bytes


class Ingress:
    """An ASGI endpoint: POST /t/{tenant}/connectors/{name}/webhook.

    Without a tenant in the path it is the hub's default one. Needs `app.state` to have
    `engine, clients, database, settings`.
    """

    def __init__(self) -> None:
        self._default: tuple[float, str] | None = None
        self._patience = Patience(_PATIENCE_S)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Accept one delivery and answer."""
        params = scope["path_params"]
        place = (params.get("tenant") or "", params["name"])
        try:
            said = await self.accept(scope, receive, _behind(scope["app"].state), place)
        except Exception as error:
            refused = _refusal(error, _request_id(scope))
            if refused is None:
                raise
            said = refused
        await _send(said, send)

    async def accept(
        self, scope: Scope, receive: Receive, behind: "Behind", place: tuple[str, str]
    ) -> Said:
        """Accept one delivery for (tenant, connector); return what to answer.

        Raises a HubError, or what the database does when it is away: `refusal` is the answer.
        """
        connector = behind.clients.at_hand(*place)
        if connector is None or not connector.enabled_webhook:
            async with asyncio.timeout(_PATIENCE_S):
                connector = await self._connector(place, behind.clients, behind.database)
        if connector.allowed_ips:
            _admit(scope, connector, behind.intake)
        request = await _request(scope, receive, behind.most)
        # What is stored later than patience lasts, is a repeat when it comes again.
        accepted = await behind.intake.accept(connector, request, self._patience)
        receiver = connector.type.receiver if connector.type is not None else None
        if receiver is not None and receiver.answer:
            return _said(200, _content_type(receiver.answer_type), receiver.answer)
        body = b'{"delivery": "%b"}' % ids.shown("dlv", accepted.delivery_id).encode()
        return _said(202, b"application/json", body)

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
        self._behind: Behind | None = None
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
        for name, length in scope["headers"]:
            if name == b"content-length":
                return bool(
                    length.isdigit() and int(length) <= self._most and not scope["query_string"]
                )
        return False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Accept one delivery and answer."""
        place = place_of(scope["path"])
        assert place is not None  # noqa: S101 - `takes` said so
        began, request = time.perf_counter(), ids.new_text()
        scope.setdefault("state", {})["request_id"] = request
        token = logs.request_id.set(request)
        try:
            said = await self._said(scope, receive, place, request)
            await _send(said, send)
            log_answer(scope, said.status, time.perf_counter() - began)
        finally:
            logs.request_id.reset(token)

    async def _said(
        self, scope: Scope, receive: Receive, place: tuple[str, str], request: str
    ) -> Said:
        named = (b"x-request-id", request.encode())
        if self._behind is None:
            self._behind = _behind(self._app.state)
        try:
            said = await self._ingress.accept(scope, receive, self._behind, place)
        except Exception as error:  # noqa: BLE001 - logged, and answered with a problem
            said = _refusal(error, request) or _failure(request)
            names = {name for name, _ in said.headers}
            more = [one for one in self._headers if one[0] not in names]
            return said._replace(headers=[*said.headers, *more, named])
        return Said(said.status, [*said.headers, *self._headers, named], said.body)


def place_of(path: str) -> tuple[str, str] | None:
    """Return the (tenant, connector) of a webhook's address; tenant "" is the default one."""
    return _place_of(path) if len(path) <= _LONGEST_PATH else None


@lru_cache(maxsize=1024)
def _place_of(path: str) -> tuple[str, str] | None:
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


def _behind(state: Any) -> Behind:  # noqa: ANN401 - Starlette's State
    most = state.settings.http.max_body_bytes
    return Behind(state.clients, state.engine.intake, state.database, most)


async def _send(said: Said, send: Send) -> None:
    await send({"type": "http.response.start", "status": said.status, "headers": said.headers})
    await send({"type": "http.response.body", "body": said.body})


def _said(status: int, kind: bytes, body: bytes) -> Said:
    return Said(status, [(b"content-length", b"%d" % len(body)), (b"content-type", kind)], body)


@lru_cache(maxsize=64)
def _content_type(answer_type: str) -> bytes:
    if answer_type.startswith("text/") and "charset=" not in answer_type.lower():
        answer_type += "; charset=utf-8"
    return answer_type.encode("latin-1")


def _refusal(error: Exception, request: str) -> Said | None:
    """Return what to answer to an error that may well happen; None for all others."""
    if isinstance(error, HubError):
        return _problem(_told(error), request)
    if not is_away(error):
        return None
    _log.error("the database is away", exc_info=error)
    return _problem(Overloaded("The delivery could not be stored now.", retry_after=5), request)


def _failure(request: str) -> Said:
    _log.exception("request failed")
    return _problem(HubError(), request)


def _problem(error: HubError, request: str) -> Said:
    answer = problem_answer(error, request)
    return Said(answer.status_code, answer.raw_headers, bytes(answer.body))


def _admit(scope: Scope, connector: OpenConnector, intake: "Intake") -> None:
    address = (scope.get("client") or ("",))[0]
    if admits(connector.allowed_ips, address):
        return
    text = f"The address {address} may not send to this connector."
    intake.refused(connector, "address", text)
    _log.warning("delivery refused", extra={"connector": connector.name, "address": address})
    raise NotAllowed(text)


async def _request(scope: Scope, receive: Receive, most: int) -> WebhookRequest:
    headers = {name.decode("latin-1").lower(): v.decode("latin-1") for name, v in scope["headers"]}
    length = headers.get("content-length", "")
    if length.isascii() and length.isdigit() and int(length) > most:
        raise TooLarge(f"The body has {length} bytes; the limit is {most}.")
    message = await receive()
    body: bytes = message.get("body", b"")
    if message["type"] != "http.request" or message.get("more_body") or len(body) > most:
        body = await _body(message, receive, most)
    query = scope.get("query_string", b"").decode("latin-1")
    return WebhookRequest(
        headers=headers,
        body=body,
        query=dict(parse_qsl(query, keep_blank_values=True)) if query else {},
    )


async def _body(message: Message, receive: Receive, most: int) -> bytes:
    """Return the body that begins with this message."""
    chunks, size = [], 0
    while True:
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        chunk: bytes = message.get("body", b"")
        size += len(chunk)
        if size > most:
            raise TooLarge(f"The body is larger than {most} bytes.")
        chunks.append(chunk)
        if not message.get("more_body", False):
            return b"".join(chunks)
        message = await receive()


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
