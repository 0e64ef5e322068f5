"""The simulator's ASGI app: one origin serves all of PagerDuty's hosts."""

import asyncio
import json
import time
from typing import Any, Final
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.types import Receive, Scope, Send

from hub_pagerduty.testing import (
    pages,
    partners,
    rest_account,
    rest_changes,
    rest_incidents,
    rest_parts,
    rest_webhooks,
    rest_workflows,
    tokens,
)
from hub_pagerduty.testing.control import control, masked
from hub_pagerduty.testing.events import CHANGE, V1, V2, EventsApi
from hub_pagerduty.testing.faults import Fault
from hub_pagerduty.testing.lifecycle import Refusal
from hub_pagerduty.testing.model import Json, Key
from hub_pagerduty.testing.routes import Asked
from hub_pagerduty.testing.sim import FakePagerDuty, elapsed, error

OPERATIONS: Final = (
    rest_account,
    rest_changes,
    rest_incidents,
    rest_parts,
    rest_webhooks,
    rest_workflows,
)
"""Importing these registers the operations of the REST API."""

ACCEPT: Final = "application/vnd.pagerduty+json;version=2"
_UNAUTHENTICATED: Final = error(401, 2006, "Authentication failed")
_LIMITED: Final = error(429, 2020, "Rate Limit Exceeded")
_PROXY: Final = "<html><body><h1>502 Bad Gateway</h1></body></html>"


class SimulatorApp:
    """Serves one simulated account over ASGI."""

    def __init__(self, sim: FakePagerDuty) -> None:
        self.sim = sim
        self._events = EventsApi(sim)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request, or the server's start and stop."""
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
            return
        request = Request(scope, receive)
        self.sim.show.origin = str(request.base_url).rstrip("/")
        self.sim.clock.pump()
        self.sim.dispatcher.kick()
        answer = await self._answer(request)
        if answer is None:
            await _cut(send)
            return
        await answer(scope, receive, send)

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                await send({"type": "lifespan.startup.complete"})
            else:
                await self.sim.close()
                await send({"type": "lifespan.shutdown.complete"})
                return

    async def _answer(self, request: Request) -> Response | None:
        path = request.url.path
        if path in {"/", "/web", "/_sim"} or path.startswith(("/_sim/", "/web/")):
            return await self._local(request, path)
        if path in _HANDED_OUT:
            return self._handed_out(request, path)
        return await self._vendor(request, path)

    # -------------------------------------------------------------- the vendor's APIs

    async def _vendor(self, request: Request, path: str) -> Response | None:
        began, raw = time.monotonic(), await request.body()
        key = self.sim.key_of(request.headers.get("authorization", ""))
        token = key.token if key else ""
        fault = self.sim.faults.meeting(
            request.method, path, token, request.headers.get("x-sim-fault", "")
        )
        if fault and fault.effect in _BEFORE:
            return await self._faulty(request, fault, raw)
        answer, parts = self._served(request, path, raw, key, fault)
        row = {
            "method": request.method,
            "path": path,
            "query": request.url.query,
            "status": answer.status_code,
            "body": masked(_json(raw)),
            "took_ms": elapsed(began),
            "headers": {
                name: value for name, value in request.headers.items() if name != "authorization"
            },
            **parts,
        }
        self.sim.record(**row)
        return await _changed(answer, fault) if fault else answer

    def _served(
        self, request: Request, path: str, raw: bytes, key: Key | None, fault: Fault | None
    ) -> tuple[Response, Json]:
        if path in {V2, V1, CHANGE}:
            return self._event(path, raw, fault)
        if path == "/oauth/token":
            form = dict(parse_qsl(raw.decode(errors="replace")))
            issued, token = tokens.issue_token(self.sim, form)
            return JSONResponse(token, issued), {"operation": "POST /oauth/token", "body": None}
        if key is None:
            return JSONResponse(_UNAUTHENTICATED, 401), {"actor": None, "operation": ""}
        headers = self.sim.limited(key)
        if headers is None:
            return self._too_many(key), {"actor": key.user or key.kind, "operation": ""}
        asked = Asked(
            sim=self.sim,
            method=request.method,
            path=path,
            query=parse_qsl(request.url.query, keep_blank_values=True),
            body=_object(raw),
            key=key,
        )
        if request.headers.get("accept") != ACCEPT:
            asked.violations.append("Accept header missing")
        status, body, operation = self.sim.answer(asked, request.headers.get("from", ""))
        answer = _answered(status, body, headers)
        actor = self.sim.world.users[asked.actor.id].email if asked.actor else key.kind
        return answer, {
            "actor": actor,
            "operation": operation,
            "violations": asked.violations,
            "answer": body,
        }

    def _event(self, path: str, raw: bytes, fault: Fault | None) -> tuple[Response, Json]:
        body = _object(raw)
        if fault and fault.effect == "dropped":
            self.sim.events.append({**body, "outcome": "dropped: fault"})
            key = body.get("dedup_key")
            said = {"status": "success", "message": "Event processed", "dedup_key": key}
            return JSONResponse(said, 202), {"operation": f"POST {path}"}
        status, answer = self._events.answer(path, body, len(raw))
        parts = {"operation": f"POST {path}", "actor": "event", "answer": answer}
        if isinstance(answer, str):
            return Response(answer, status, media_type="text/plain"), parts
        return JSONResponse(answer, status), parts

    def _too_many(self, key: Key) -> Response:
        headers = self.sim.rate_headers(0, self.sim.wait_of(key))
        if not self.sim.world.switches.rate_body:
            return Response(status_code=429, headers=headers)
        return JSONResponse(_LIMITED, 429, headers)

    async def _faulty(self, request: Request, fault: Fault, raw: bytes) -> Response | None:
        self.sim.record(
            method=request.method,
            path=request.url.path,
            query=request.url.query,
            status=fault.status if fault.effect == "status" else 0,
            body=masked(_json(raw)),
            fault=fault.effect,
            operation="",
        )
        if fault.effect == "timeout_before":
            await asyncio.sleep(fault.seconds)
            return None
        if fault.effect == "cut_before":
            return None
        if fault.effect == "html":
            return HTMLResponse(_PROXY, 502)
        if fault.effect == "rate_limited":
            return JSONResponse(_LIMITED, 429, self.sim.rate_headers(0, int(fault.seconds)))
        if fault.effect == "rate_limited_bare":
            return Response(status_code=429)
        return _stated(fault)

    # ------------------------------------------------------------------- local pages

    async def _local(self, request: Request, path: str) -> Response:
        sim, who = self.sim, pages.person_of(self.sim, request.cookies.get("as"))
        if path in {"/", "/_sim", "/_sim/", "/web", "/web/incidents"} and request.method == "GET":
            return HTMLResponse(pages.home(sim, who))
        if path.startswith("/_sim/"):
            since = request.query_params.get("since", "0")
            status, body = await control(
                sim,
                request.method,
                path.removeprefix("/_sim/"),
                _object(await request.body()),
                int(since) if since.isdigit() else 0,
            )
            return Response(status_code=status) if body is None else JSONResponse(body, status)
        return await self._web(request, path, who)

    async def _web(self, request: Request, path: str, who: str) -> Response:
        form = dict(parse_qsl((await request.body()).decode(), keep_blank_values=True))
        if path == "/web/sign-in":
            answer = RedirectResponse(request.headers.get("referer") or "/web/incidents", 303)
            answer.set_cookie("as", form.get("user", who), samesite="lax", httponly=True)
            return answer
        if path == "/web/incidents":
            made = pages.trigger(self.sim, who, form)
            return RedirectResponse(f"/web/incidents/{made.id}", 303)
        it = self.sim.world.incidents.get(path.removeprefix("/web/incidents/"))
        if it is None:
            return HTMLResponse("<h1>Not found</h1>", 404)
        if request.method == "GET":
            return HTMLResponse(pages.incident_page(self.sim, it, who))
        try:
            pages.act(self.sim, it, who, form)
        except Refusal as refusal:
            return HTMLResponse(pages.incident_page(self.sim, it, who, refusal.message), 400)
        return RedirectResponse(path, 303)

    def _handed_out(self, request: Request, path: str) -> Response:
        sim, query = self.sim, dict(request.query_params)
        who = pages.person_of(sim, request.cookies.get("as"))
        if path == "/connect":
            return _page(*partners.connect_page(sim, query, who))
        if path == "/install/integration":
            return _page(*partners.install_page(sim, query))
        if path == "/oauth/authorize":
            return _page(*tokens.consent_page(sim, query, who))
        if path == "/oauth/consent":
            return _redirected(tokens.consented(sim, query, who))
        if path == "/connect/done":
            return _redirected(partners.connect_answer(sim, query))
        services = request.query_params.getlist("service")
        return _redirected(partners.install_answer(sim, query, services))


_HANDED_OUT: Final = {
    "/connect",
    "/connect/done",
    "/install/integration",
    "/install/done",
    "/oauth/authorize",
    "/oauth/consent",
}
_BEFORE: Final = {
    "status",
    "timeout_before",
    "cut_before",
    "html",
    "rate_limited",
    "rate_limited_bare",
}


async def _changed(answer: Response, fault: Fault) -> Response | None:
    """Spoil an answer after the request has done its work."""
    if fault.effect in {"slow", "timeout_after"}:
        await asyncio.sleep(fault.seconds)
        return answer if fault.effect == "slow" else None
    if fault.effect == "cut_after":
        return None
    if fault.effect == "empty":
        return Response(status_code=200)
    if fault.effect == "wrong_type":
        return HTMLResponse("<html>Welcome</html>", 200)
    if fault.effect == "truncated":
        half = bytes(answer.body)[: len(answer.body) // 2]
        return Response(half, answer.status_code, media_type="application/json")
    return answer


def _stated(fault: Fault) -> Response:
    body = fault.body
    if body is None:
        body = error(fault.status, 2000, "Something went wrong")
    if isinstance(body, str):
        return Response(body, fault.status, fault.headers, "text/plain")
    return JSONResponse(body, fault.status, fault.headers)


def _answered(status: int, body: Json | None, headers: dict[str, str]) -> Response:
    if body is None:
        return Response(status_code=status, headers=headers)
    return JSONResponse(body, status, headers)


async def _cut(send: Send) -> None:
    """Begin an answer and break off: the server closes the connection then."""
    import httpx  # noqa: PLC0415 - its error is what a client in the same process gets

    start: dict[str, Any] = {
        "type": "http.response.start",
        "status": 200,
        "headers": [(b"content-length", b"1000")],
    }
    await send(start)
    await send({"type": "http.response.body", "body": b"{", "more_body": True})
    raise httpx.ReadError("The simulator has cut the connection.")


def _page(status: int, body: str) -> Response:
    return HTMLResponse(body, status)


def _redirected(url: str | None) -> Response:
    return _page(400, "<h1>Bad request</h1>") if url is None else RedirectResponse(url, 302)


def _json(raw: bytes) -> Any:  # noqa: ANN401 - any JSON
    try:
        return json.loads(raw) if raw else None
    except ValueError:
        return raw.decode(errors="replace")[:500]


def _object(raw: bytes) -> Json:
    found = _json(raw)
    return found if isinstance(found, dict) else {}
