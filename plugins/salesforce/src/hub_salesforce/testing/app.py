"""The simulated org as an ASGI application."""

import asyncio
import gzip
import json
import re
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime, timedelta
from email.utils import format_datetime
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

import httpx
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from hub import clock
from hub_salesforce.testing import approval, composite, sign_in
from hub_salesforce.testing.answers import Refused, Reply, not_found, refused
from hub_salesforce.testing.faults import Fault, Faults
from hub_salesforce.testing.log import RequestLog
from hub_salesforce.testing.outgoing import ApexTrigger, OutboundMessage, Outgoing, Pump
from hub_salesforce.testing.rest import Call, respond
from hub_salesforce.testing.saving import Saver, Transaction, save
from hub_salesforce.testing.seed import Credentials, acme, credentials
from hub_salesforce.testing.world import SessionRow, World

if TYPE_CHECKING:
    from hub_salesforce.testing.pubsub import EventBus, PubSub

LONGEST_URI = 16_384
_OLDEST, _NEWEST = 31.0, 67.0
_OLD = timedelta(minutes=2)
Told = Callable[[Request], Awaitable[Response]]


class FakeSalesforce:
    """One simulated org behind one address; `world` is its state.

    `profile` builds what a product on the platform adds: objects, rules, records. With `fresh`
    new records have ids that no earlier run had, as a hub that keeps its data knows those; and
    what the org begins with is older than any connector that is added now.
    """

    def __init__(
        self,
        *,
        now: clock.Clock = clock.now,
        sandbox: bool = False,
        http: Callable[[], httpx.AsyncClient] = httpx.AsyncClient,
        known: Credentials | None = None,
        profile: Callable[["FakeSalesforce"], None] | None = None,
        fresh: bool = False,
    ) -> None:
        self.credentials = known or credentials()
        self._now, self._sandbox, self._http = now, sandbox, http
        self._profile = profile
        self._fresh = fresh
        self.control: Told | None = None
        self._pubsub: PubSub | None = None
        self.reset()

    def reset(self) -> None:
        """Begin anew: the seeded org, no faults, no installed triggers; the keys stay."""
        begun = self._before if self._fresh else self._now
        self.world: World = acme(self.credentials, now=begun, sandbox=self._sandbox)
        self.faults = Faults()
        self.log = RequestLog()
        self.outgoing = Outgoing(self.world, self.faults, self._http)
        self.pump = Pump(outgoing=self.outgoing)
        self.kill_every = 0
        self._bus: EventBus | None = None
        if self._profile:
            self._profile(self)
        if self._fresh:
            self.world.use_clock(self._now)
            self.world.numbers_begin += secrets.randbelow(62**7)

    def _before(self) -> datetime:
        return self._now() - _OLD

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; part of ASGI."""
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
            return
        request = Request(scope, receive)
        self.outgoing.instance_url = self.instance_url(request)
        if self.control and scope["path"].startswith(("/_sim", "/lightning/")):
            await (await self.control(request))(scope, receive, send)
            return
        await self._serve(request, send)
        self.outgoing.start()
        self.pump.ensure()

    def apex_trigger(self, object: str, url: str, secret: str, **how: Any) -> ApexTrigger:  # noqa: ANN401
        """Install a trigger that pushes to `url`."""
        trigger = ApexTrigger(object=object, url=url, secret=secret, **how)
        self.outgoing.triggers.append(trigger)
        return trigger

    def outbound_message(self, object: str, url: str, **how: Any) -> OutboundMessage:  # noqa: ANN401
        """Install an Outbound Message to `url`."""
        message = OutboundMessage(object=object, url=url, **how)
        self.outgoing.messages.append(message)
        return message

    def act(self, username: str, act: Callable[[Transaction], Any], *, context: str = "ui") -> Any:  # noqa: ANN401 - what `act` gives
        """Save as somebody: the same save path as the REST API's."""
        user = self.world.users[username.lower()]
        return save(Saver(world=self.world, user=user, context=context), act)

    def create(self, username: str, object: str, context: str = "ui", **fields: Any) -> str:  # noqa: ANN401
        """Create a record as somebody."""
        return str(self.act(username, lambda t: t.create(object, fields), context=context))

    def update(
        self,
        username: str,
        object: str,
        id: str,
        context: str = "ui",
        **fields: Any,  # noqa: ANN401
    ) -> None:
        """Change a record as somebody."""
        self.act(username, lambda t: t.update(object, id, fields), context=context)

    def record(self, object: str, id: str) -> dict[str, Any]:
        """Return a record as it is stored."""
        return self.world.records[object][id]

    @property
    def bus(self) -> "EventBus":
        """The org's event bus; its objects are to be selected first. Needs the extra pubsub."""
        from hub_salesforce.testing.pubsub import EventBus  # noqa: PLC0415 - needs the extra

        if self._bus is None:
            self._bus = EventBus(world=self.world)
        return self._bus

    async def serve_pubsub(self, port: int = 0) -> str:
        """Serve the Pub/Sub API on a port of its own, and return its address."""
        from hub_salesforce.testing.pubsub import PubSub  # noqa: PLC0415 - needs the extra

        if self._pubsub is None:
            self._pubsub = PubSub(org=self)
            await self._pubsub.start(port)
        return self._pubsub.url

    async def settled(self) -> None:
        """Wait until all pushes and due messages have been sent."""
        await self.outgoing.settled()

    async def close(self) -> None:
        """Stop sending."""
        self.pump.stop()
        await self.outgoing.close()
        if self._pubsub is not None:
            await self._pubsub.stop()
            self._pubsub = None

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                await send({"type": "lifespan.startup.complete"})
            else:
                await self.close()
                await send({"type": "lifespan.shutdown.complete"})
                return

    async def _serve(self, request: Request, send: Send) -> None:
        body = await _body(request)
        path = request.scope["path"]
        fault = self.faults.take(request.method, path)
        if fault and await self._struck(fault, request, body, send):
            return
        if fault and fault.effect == "slow":
            await asyncio.sleep(fault.seconds)
        reply, actor = self._answer(request, body)
        self.log.add(request, body, reply.status, actor, self.world)
        if fault and fault.effect in {"timeout_after", "reset_after", "truncated"}:
            await _cut(fault, reply, send)
            return
        await self._deliver(reply, request, send)

    async def _struck(self, fault: Fault, request: Request, body: bytes, send: Send) -> bool:
        """Let a fault answer instead of the org; False if the org answers all the same."""
        if fault.reply is not None:
            self.log.add(request, body, fault.reply.status, "", self.world)
            await self._deliver(fault.reply, request, send)
            return True
        if fault.effect in {"timeout_before", "reset_before"}:
            self.log.add(request, body, 0, "", self.world)
            await _cut(fault, Reply(), send)
            return True
        return False

    def _answer(self, request: Request, body: bytes) -> tuple[Reply, str]:
        path = request.scope["path"]
        try:
            if path.startswith(("/services/oauth2/", "/services/Soap/")):
                return self._signing_in(request, path, body), ""
            if path.rstrip("/") == "/services/data":
                return Reply(body=_versions(self.world)), ""
            session = self._session(request)
            return self._called(request, path, body, session), session.user.username
        except Refused as no:
            return no.reply, ""

    def _signing_in(self, request: Request, path: str, body: bytes) -> Reply:
        form = dict(parse_qsl(body.decode(errors="replace"), keep_blank_values=True))
        asked = sign_in.Asked(
            world=self.world,
            role=self._role(request),
            instance_url=self.instance_url(request),
            form=form,
            headers=dict(request.headers),
        )
        if path == "/services/oauth2/token":
            return sign_in.token(asked)
        if path == "/services/oauth2/authorize":
            return approval.authorize(replace(asked, form={**request.query_params, **form}))
        if path == "/services/oauth2/userinfo":
            return sign_in.userinfo(self.world, self._session(request).user)
        if path == "/services/oauth2/introspect":
            return sign_in.introspect(self.world, form.get("token", ""))
        if path == "/services/oauth2/revoke":
            return sign_in.revoke(self.world, form.get("token", ""))
        version = re.fullmatch(r"/services/Soap/u/(\d+\.\d)/?.*", path)
        if version is None:
            raise not_found()
        return sign_in.soap_login(asked, version[1], body.decode(errors="replace"))

    def _session(self, request: Request) -> SessionRow:
        header = request.headers.get("authorization", "")
        kind, _, token = header.partition(" ")
        if header and (kind.lower() not in {"bearer", "oauth"} or not token):
            error = {"message": "INVALID_AUTH_HEADER", "errorCode": "INVALID_AUTH_HEADER"}
            raise Refused(401, error)
        found = self.world.sessions.get(token.strip())
        now = self.world.now()
        if self.kill_every and found and len(self.log.rows) % self.kill_every == 0:
            self.world.expire_sessions()
            found = None
        if found is None or now - found.used_at > self.world.idle:
            raise refused("INVALID_SESSION_ID", "Session expired or invalid", status=401)
        if self.world.switches.not_valid_for_api:
            words = "This session is not valid for use with the API"
            raise refused("INVALID_SESSION_ID", words, status=401)
        found.used_at = now
        return found

    def _called(self, request: Request, path: str, body: bytes, session: SessionRow) -> Reply:
        self._refuse_by_state(session)
        if len(str(request.url)) > LONGEST_URI:
            page = "<h1>Bad Message 414</h1><pre>reason: URI Too Long</pre>"
            return Reply(status=414, body=page, type="text/html")
        self.world.calls.append(self.world.now())
        if path.startswith("/services/apexrest/"):
            return self._apex_rest(request, path, body)
        version = re.match(r"/services/data/v(\d+\.\d)(/|$)", path)
        if version is None:
            raise not_found()
        if float(version[1]) < _OLDEST:
            raise refused("GONE", "The requested resource is no longer available", status=410)
        if float(version[1]) > _NEWEST:
            raise not_found()
        return respond(
            Call(
                resources=composite.ROUTES,
                world=self.world,
                user=session.user,
                method=request.method,
                path=path,
                query=dict(request.query_params),
                headers=dict(request.headers),
                body=_json(request, body),
            )
        )

    def _refuse_by_state(self, session: SessionRow) -> None:
        world = self.world
        if not world.switches.api:
            words = "The REST API is not enabled for this Organization."
            raise refused("API_DISABLED_FOR_ORG", words, status=403)
        if not session.user.api_enabled:
            words = "API is disabled for this User"
            raise refused("API_CURRENTLY_DISABLED", words, status=403)
        if session.user.password_expired:
            words = "The users password has expired, you must call SetPassword before attempting any other API operations"  # noqa: E501 - Salesforce's message
            raise refused("INVALID_OPERATION_WITH_EXPIRED_PASSWORD", words, status=403)
        if world.calls_today >= world.daily_limit:
            raise refused("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.", status=403)

    def _apex_rest(self, request: Request, path: str, body: bytes) -> Reply:
        name = path.removeprefix("/services/apexrest/").strip("/")
        for pattern, answered in self.world.apex_classes.items():
            if fnmatchcase(name, pattern):
                return Reply(body=answered(request.method, name, json.loads(body or b"null")))
        received = self.world.apex_rest.get(name)
        if received is None:
            words = f"Could not find a match for URL /{name}"
            raise Refused(404, {"errorCode": "NOT_FOUND", "message": words})
        if request.method == "POST":
            received.append(json.loads(body or b"null"))
        return Reply(body={"status": "ok"})

    def instance_url(self, request: Request) -> str:
        """Return the address to call: the org's own where a named host was asked, else this one."""
        if self._role(request) == "merged":
            return f"{request.url.scheme}://{request.headers.get('host', request.url.netloc)}"
        return f"https://{self.world.my_domain}"

    def _role(self, request: Request) -> str:
        host = request.headers.get("x-sim-host") or request.headers.get("host", "")
        host = host.partition(":")[0].lower()
        if host in {"login.salesforce.com", "test.salesforce.com"}:
            return "login"
        return "domain" if host == self.world.my_domain else "merged"

    async def _deliver(self, reply: Reply, request: Request, send: Send) -> None:
        world = self.world
        used = max(0, world.calls_today - world.usage_lag)
        headers = {
            "Date": format_datetime(world.now(), usegmt=True),
            "Sforce-Limit-Info": f"api-usage={used}/{world.daily_limit}",
            **reply.headers,
        }
        if reply.status == 401:
            headers["WWW-Authenticate"] = "Token"
        response = Response(
            _content(reply), reply.status, headers, None if reply.body is None else reply.type
        )
        await response(request.scope, request.receive, send)


def _versions(world: World) -> list[dict[str, str]]:
    return [
        {"label": f"Release {v}", "url": f"/services/data/v{v}", "version": v}
        for v in world.versions
    ]


def _content(reply: Reply) -> bytes:
    if reply.body is None:
        return b""
    if isinstance(reply.body, str):
        return reply.body.encode()
    return json.dumps(reply.body).encode()


async def _body(request: Request) -> bytes:
    body = await request.body()
    return gzip.decompress(body) if request.headers.get("content-encoding") == "gzip" else body


def _json(request: Request, body: bytes) -> Any:  # noqa: ANN401 - any JSON body
    if not body:
        return None
    if "json" not in request.headers.get("content-type", ""):
        raise refused("UNSUPPORTED_MEDIA_TYPE", "Content type not supported", status=415)
    try:
        return json.loads(body)
    except ValueError as error:
        words = f"Unexpected character at [line:1, column:1]: {error}"
        raise refused("JSON_PARSER_ERROR", words) from error


async def _cut(fault: Fault, reply: Reply, send: Send) -> None:
    """Send no answer, or half of one."""
    if fault.effect.startswith("timeout"):
        await asyncio.sleep(fault.seconds)
    whole = _content(reply) or b'{"id":"500"}'
    half = whole[: len(whole) // 2] if fault.effect == "truncated" else b""
    length = len(half) if fault.effect == "truncated" else 1_000_000
    headers = [(b"content-type", reply.type.encode()), (b"content-length", str(length).encode())]
    status = reply.status if reply.status != 204 else 200
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": half, "more_body": False})
    if fault.effect != "truncated":
        raise ConnectionResetError("the simulated connection was cut")
