"""The control API of the simulated org, for tests, demos and people, under /_sim."""

import dataclasses
import json
import re
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from hub_salesforce import pubsub
from hub_salesforce.testing import page
from hub_salesforce.testing.answers import Refused

if TYPE_CHECKING:
    from hub_salesforce.testing.app import FakeSalesforce

_RECORD_PAGE = re.compile(r"/lightning/r/Case/([A-Za-z0-9]+)/view")
Answer = Callable[["FakeSalesforce", Request, Any], Response]


def control(org: "FakeSalesforce") -> Callable[[Request], Awaitable[Response]]:
    """Return what answers requests below /_sim."""

    async def answer(request: Request) -> Response:
        path = request.scope["path"].rstrip("/") or "/_sim"
        opened = _RECORD_PAGE.fullmatch(path)
        if opened:
            return RedirectResponse(f"/_sim/?case={opened[1]}")
        if (request.method, path) == ("POST", "/_sim/pubsub"):
            return await _serve_pubsub(org, await _given(request))
        found = _ROUTES.get((request.method, path))
        if found is None:
            return JSONResponse({"error": f"no {request.method} {path}"}, status_code=404)
        try:
            given = await _given(request)
            reply = found(org, request, given)
        except (KeyError, TypeError, ValueError) as error:
            return JSONResponse({"error": f"{type(error).__name__}: {error}"}, status_code=400)
        except Refused as no:
            return JSONResponse(no.errors, status_code=no.status)
        org.outgoing.start()
        org.pump.ensure()
        return reply

    return answer


async def _serve_pubsub(org: "FakeSalesforce", given: Any) -> Response:  # noqa: ANN401
    """Select objects for change events and serve the Pub/Sub API; answers with its address."""
    if absent := pubsub.missing():
        words = f"{', '.join(absent)} missing: {pubsub.HOW}"
        return JSONResponse({"error": words}, status_code=501)
    org.bus.select(*given.get("objects", ("Case",)))
    return JSONResponse({"pubsub_url": await org.serve_pubsub()}, status_code=201)


def _page(org: "FakeSalesforce", request: Request, _given: Any) -> Response:  # noqa: ANN401
    return HTMLResponse(page.whole(org, request.query_params.get("case", "")))


def _save_case(org: "FakeSalesforce", _request: Request, given: Any) -> Response:  # noqa: ANN401
    saved = page.save_case(org, given)
    return RedirectResponse(f"/_sim/?case={saved}", status_code=303)


def _save_comment(org: "FakeSalesforce", _request: Request, given: Any) -> Response:  # noqa: ANN401
    saved = page.save_comment(org, given)
    return RedirectResponse(f"/_sim/?case={saved}", status_code=303)


def _state(org: "FakeSalesforce", _request: Request, _given: Any) -> Response:  # noqa: ANN401
    world = org.world
    records = {
        name: [_plain(row) for row in rows.values() if not row["IsDeleted"]]
        for name, rows in world.records.items()
    }
    people = [
        {"username": u.username, "id": u.id, "name": u.name, "active": u.active}
        for u in world.users.values()
    ]
    messages = [{"object": m.object, "url": m.url.partition("?")[0]} for m in org.outgoing.messages]
    return JSONResponse(
        {
            "org": {"id": world.id, "name": world.name, "sandbox": world.sandbox},
            "now": world.now().isoformat(),
            "users": people,
            "records": records,
            "calls_today": world.calls_today,
            "daily_limit": world.daily_limit,
            "triggers": [{"object": t.object, "url": t.url} for t in org.outgoing.triggers],
            "outbound_messages": messages,
            "waiting": len(org.outgoing.queue),
        }
    )


def _requests(org: "FakeSalesforce", request: Request, _given: Any) -> Response:  # noqa: ANN401
    since = int(request.query_params.get("since", "0"))
    return JSONResponse([dataclasses.asdict(one) for one in org.log.since(since)])


def _deliveries(org: "FakeSalesforce", _request: Request, _given: Any) -> Response:  # noqa: ANN401
    return JSONResponse([dataclasses.asdict(one) for one in org.outgoing.deliveries])


def _add_fault(org: "FakeSalesforce", _request: Request, given: Any) -> Response:  # noqa: ANN401
    org.faults.add(**given)
    return JSONResponse({"planted": len(org.faults.planted)}, status_code=201)


def _clear_faults(org: "FakeSalesforce", _request: Request, _given: Any) -> Response:  # noqa: ANN401
    org.faults.clear()
    return Response(status_code=204)


def _reset(org: "FakeSalesforce", _request: Request, _given: Any) -> Response:  # noqa: ANN401
    org.pump.stop()
    org.reset()
    return Response(status_code=204)


def _apex_trigger(org: "FakeSalesforce", _request: Request, given: Any) -> Response:  # noqa: ANN401
    how: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in given.items()}
    name = org.world.definition(str(how.pop("object")))["name"]
    org.outgoing.triggers = [
        one for one in org.outgoing.triggers if (one.object, one.url) != (name, how["url"])
    ]
    org.apex_trigger(name, how.pop("url"), how.pop("secret"), **how)
    return JSONResponse({"object": name, "installed": True}, status_code=201)


def _outbound_message(org: "FakeSalesforce", _request: Request, given: Any) -> Response:  # noqa: ANN401
    name = org.world.definition(str(given["object"]))["name"]
    fields = tuple(given.get("fields") or ("Id", "Status", "Priority", "Subject", "SystemModstamp"))
    org.outbound_message(name, str(given["url"]), fields=fields)
    return JSONResponse({"object": name, "installed": True}, status_code=201)


def _open_session(org: "FakeSalesforce", request: Request, given: Any) -> Response:  # noqa: ANN401
    user = org.world.users[str(given["username"]).lower()]
    session = org.world.open_session(user, "person")
    body = {"access_token": session.token, "instance_url": org.instance_url(request)}
    return JSONResponse({**body, "user_id": user.id}, status_code=201)


def _expire(org: "FakeSalesforce", _request: Request, given: Any) -> Response:  # noqa: ANN401
    org.kill_every = int((given or {}).get("every", 0))
    org.world.expire_sessions()
    return Response(status_code=204)


def _advance(org: "FakeSalesforce", _request: Request, given: Any) -> Response:  # noqa: ANN401
    org.world.advance(float(given["advance"]))
    return JSONResponse({"now": org.world.now().isoformat()})


def _limits(org: "FakeSalesforce", _request: Request, given: Any) -> Response:  # noqa: ANN401
    org.world.daily_limit = int(given.get("daily", org.world.daily_limit))
    if "used" in given:
        org.world.calls = [org.world.now()] * int(given["used"])
    return JSONResponse({"used": org.world.calls_today, "daily": org.world.daily_limit})


def _switch(org: "FakeSalesforce", _request: Request, given: Any) -> Response:  # noqa: ANN401
    for name, value in given.items():
        if not hasattr(org.world.switches, name):
            raise KeyError(name)
        setattr(org.world.switches, name, value)
    return JSONResponse(dataclasses.asdict(org.world.switches))


def _hide(org: "FakeSalesforce", _request: Request, given: Any) -> Response:  # noqa: ANN401
    user = org.world.users[str(given["username"]).lower()]
    user.hidden.add((str(given["object"]), str(given["field"])))
    org.world.modified[str(given["object"])] = org.world.now().replace(microsecond=0)
    return Response(status_code=204)


_ROUTES: dict[tuple[str, str], Answer] = {
    ("GET", "/_sim"): _page,
    ("POST", "/_sim/cases"): _save_case,
    ("POST", "/_sim/comments"): _save_comment,
    ("GET", "/_sim/state"): _state,
    ("GET", "/_sim/requests"): _requests,
    ("GET", "/_sim/deliveries"): _deliveries,
    ("POST", "/_sim/faults"): _add_fault,
    ("DELETE", "/_sim/faults"): _clear_faults,
    ("POST", "/_sim/reset"): _reset,
    ("POST", "/_sim/apex-triggers"): _apex_trigger,
    ("POST", "/_sim/outbound-messages"): _outbound_message,
    ("POST", "/_sim/sessions"): _open_session,
    ("POST", "/_sim/expire-sessions"): _expire,
    ("POST", "/_sim/clock"): _advance,
    ("POST", "/_sim/limits"): _limits,
    ("POST", "/_sim/switches"): _switch,
    ("POST", "/_sim/hidden-fields"): _hide,
}


async def _given(request: Request) -> Any:  # noqa: ANN401 - JSON, or a form
    body = await request.body()
    if not body:
        return {}
    if "json" in request.headers.get("content-type", "json"):
        return json.loads(body)
    return dict(parse_qsl(body.decode(), keep_blank_values=True))


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if value is not None}
