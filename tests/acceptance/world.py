"""A whole hub and both vendors' simulators in one process, on real ports of localhost."""

import asyncio
import contextlib
import secrets
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import uvicorn

from hub.app import create_app
from hub.sandbox.app import simulated
from hub.sandbox.vendors import PagerDuty, Salesforce
from hub.settings import HubSettings, local_token

TENANT = "acme"
AGENT = "agent@acme.example"
JOHN, JANE, OPS = "PUSER02", "PUSER03", "PUSER01"
PATIENCE_S = 15.0
Json = dict[str, Any]


class NotYet(AssertionError):
    """What a test waits for did not come in time."""


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self):
        yield


@contextlib.asynccontextmanager
async def serving(app: Any, listening: socket.socket) -> AsyncIterator[str]:
    """Serve an ASGI app in this loop until the end of the block; yield its URL."""
    server = _Server(
        uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            ws="none",
            loop="none",
            lifespan="on",
            timeout_graceful_shutdown=1,
        )
    )
    task = asyncio.create_task(server.serve(sockets=[listening]))
    try:
        while not server.started:
            if task.done():
                task.result()
                raise RuntimeError("the server did not start")
            await asyncio.sleep(0.005)
        yield url_of(listening)
    finally:
        server.should_exit = True
        await task


def listen() -> socket.socket:
    return socket.create_server(("127.0.0.1", 0), backlog=256)


def url_of(listening: socket.socket) -> str:
    return f"http://127.0.0.1:{listening.getsockname()[1]}"


@dataclass(slots=True, kw_only=True)
class Vendor:
    """A simulator, its control API, and the settings of a connector that uses it."""

    url: str
    settings: Json
    http: httpx.AsyncClient
    app: Any = None

    async def sim(self, method: str, path: str, body: object = None) -> Any:
        answer = await self.http.request(method, f"{self.url}/_sim/{path}", json=body)
        assert answer.status_code < 300, answer.text
        return answer.json() if answer.content else None

    async def state(self) -> Json:
        found: Json = await self.sim("GET", "state")
        return found

    async def fault(self, effect: str, *, path: str = "", **how: object) -> None:
        """Put a fault in the way of the coming requests."""
        await self.sim("POST", "faults", {"effect": effect, "path": path, **how})

    async def no_faults(self) -> None:
        await self.sim("DELETE", "faults")

    async def requests(self, path: str = "", *, method: str = "") -> list[Json]:
        """Return what the vendor was asked, writes and reads."""
        found = await self.sim("GET", "requests?since=0")
        return [one for one in found if path in one["path"] and method in {"", one["method"]}]


@dataclass(slots=True, kw_only=True)
class World:
    """A tenant of a hub with its token, and its two vendors."""

    app: Any
    url: str
    token: str
    http: httpx.AsyncClient
    paging: Vendor
    crm: Vendor
    pagerduty: PagerDuty
    salesforce: Salesforce
    tenant: str = TENANT
    push_key: str = field(default_factory=lambda: secrets.token_hex(16))

    # ------------------------------------------------------------------ the hub's API

    async def ask(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        token: str = "",
        headers: Mapping[str, str] | None = None,
        **query: object,
    ) -> httpx.Response:
        """Do one request; paths are the tenant's, those with a slash in front the hub's own."""
        base = self.url if path.startswith("/") else f"{self.url}/api/v1/tenants/{self.tenant}/"
        return await self.http.request(
            method,
            f"{base}{path}",
            json=body,
            params={name: str(value) for name, value in query.items()},
            headers={
                "Authorization": f"Bearer {token or self.token}",
                "If-Match": "*",
                **(headers or {}),
            },
        )

    async def api(self, method: str, path: str, body: object = None, **query: object) -> Any:
        """Do one request that has to go well; return what it answers."""
        answer = await self.ask(method, path, body, **query)
        assert answer.is_success, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    async def get(self, path: str, **query: object) -> Any:
        return await self.api("GET", path, **query)

    async def post(self, path: str, body: object = None) -> Any:
        return await self.api("POST", path, body)

    async def items(self, path: str, **query: object) -> list[Json]:
        found: list[Json] = (await self.get(path, limit=100, **query))["items"]
        return found

    # ------------------------------------------------------------------ setting up

    async def connect_pagerduty(self, name: str = "pagerduty", *, webhook: bool = True, **own):
        body = {"type": "pagerduty", "name": name, "settings": self.paging.settings | own}
        made = await self.post("connectors", body)
        if webhook:
            await self.api("PUT", f"connectors/{name}/subscription")
        return made

    async def connect_salesforce(self, name: str = "salesforce", *, push: bool = True, **own):
        settings = self.crm.settings | {"webhook_secret": self.push_key} | own
        made = await self.post(
            "connectors", {"type": "salesforce", "name": name, "settings": settings}
        )
        if push:
            await self.salesforce.install_trigger(made["webhook_url"], self.push_key)
        return made

    async def connect(self) -> None:
        """Add both connectors, with webhook and push."""
        await self.connect_pagerduty()
        await self.connect_salesforce(poll_enabled=False)

    async def rules(self, *rules: Json, name: str = "Test", enable: bool = True) -> Json:
        """Add a ruleset, publish it, and turn it on."""
        made: Json = await self.post("rulesets", {"format": 1, "name": name, "rules": list(rules)})
        path = f"rulesets/{made['id']}"
        await self.post(f"{path}/draft:publish", {"note": "test", "accept_warnings": True})
        if enable:
            await self.api("PATCH", path, {"state": "enabled"})
        return made

    async def template(self, name: str, roles: Json, params: Json | None = None) -> Json:
        """Make a ruleset of a template, publish it, and turn it on."""
        body = {"roles": roles, "params": params or {}, "enable": True}
        made: Json = await self.post(f"ruleset-templates/{name}/instances", body)
        return made

    async def mapped(self, service: str, **row: object) -> Json:
        """Add a row of the service mapping; without a field it is the default row."""
        more = row or {"default": True}
        made: Json = await self.post(
            "service-mappings", {"connector": "pagerduty", "service": service, **more}
        )
        return made

    # ------------------------------------------------------------------ looking

    async def until(self, look: Callable[[], Awaitable[Any]], *, within: float = PATIENCE_S) -> Any:
        """Look again and again until something is found; return it."""
        deadline = time.monotonic() + within
        while True:
            try:
                found = await look()
                why: object = f"found {found!r}"
            except (AssertionError, LookupError, httpx.HTTPError) as error:
                found, why = None, repr(error)
            if found:
                return found
            if time.monotonic() > deadline:
                raise NotYet(f"not within {within:g} s: {why}")
            await asyncio.sleep(0.03)

    async def quiet(self) -> None:
        """Wait until the vendors have sent everything and the hub has worked it."""
        calm = 0
        while calm < 3:
            calm = calm + 1 if await self._is_quiet() else 0
            await asyncio.sleep(0.03)

    async def _is_quiet(self) -> bool:
        await self.paging.sim("POST", "deliveries", {"do": "settle"})
        waiting = (await self.crm.state())["waiting"]
        inbox = await self.api("GET", "/api/v1/inbox")
        held = any(inbox["held"].values())
        return not waiting and (not inbox["pending"] or held)

    async def incidents(self, words: str = "") -> list[Json]:
        """Return the incidents whose title has the words."""
        return [one for one in await self.pagerduty.incidents() if words in one["title"]]

    async def the_incident(self, words: str) -> Json:
        """Wait for the one incident whose title has the words."""

        async def look() -> Json | None:
            found = await self.incidents(words)
            assert len(found) < 2, found
            return found[0] if found else None

        found: Json = await self.until(look)
        return found

    async def cases(self) -> list[Json]:
        found: list[Json] = (await self.crm.state())["records"]["Case"]
        return found

    async def case_with(self, id: str, **fields: object) -> Json:
        """Wait until a case has these values; return it."""

        async def look() -> Json | None:
            case = await self.salesforce.case(id)
            assert {name: case.get(name) for name in fields} == fields
            return case

        found: Json = await self.until(look)
        return found

    async def event(self, trigger: str, record: str, *, state: str = "") -> Json:
        """Wait for the newest event of a trigger and record to be worked; return its trace."""

        async def look() -> Json | None:
            for delivery in await self.items("deliveries", connector=trigger.partition(".")[0]):
                trace = await self.get(f"deliveries/{delivery['id']}/trace")
                for one in trace["events"]:
                    if (one["trigger"], one["record"]) == (trigger, record):
                        assert one["state"] == state if state else one["state"] != "pending"
                        return {**one, "delivery": delivery["id"]}
            return None

        found: Json = await self.until(look)
        return found

    async def held(self, reason: str) -> Json:
        """Wait for a lane that is held for the reason."""

        async def look() -> Json | None:
            found = await self.items("holds")
            return next((one for one in found if one["reason"] == reason), None)

        found: Json = await self.until(look)
        return found

    async def connector_is(self, name: str, state: str) -> Json:
        """Wait until a connector has the state; return it."""

        async def look() -> Json | None:
            found: Json = await self.get(f"connectors/{name}")
            return found if found["state"] == state else None

        found: Json = await self.until(look)
        return found

    async def checks(self, name: str) -> dict[str, Json]:
        """Run a connector's checks; return its lines by name."""
        report = await self.post(f"connectors/{name}/checks")
        return {line["name"]: line for line in report["checks"]}


@contextlib.asynccontextmanager
async def at_work(folder: Path, **settings: Any) -> AsyncIterator[World]:
    """Run a hub, both simulators, and a tenant without anything in it."""
    listening = listen()
    http_settings = {"public_url": url_of(listening), **settings.pop("http", {})}
    hub_settings = HubSettings(data_dir=folder / "data", http=http_settings, **settings)
    hub_settings.prepare_data_dir()
    app = create_app(hub_settings)
    async with contextlib.AsyncExitStack() as stack:
        vendors = {}
        http = await stack.enter_async_context(httpx.AsyncClient(trust_env=False, timeout=30))
        for one in simulated(app.state.catalog.connector_types.values()):
            url = await stack.enter_async_context(serving(one.simulator.app, listen()))
            vendors[one.type] = Vendor(
                app=one.simulator.app,
                url=url,
                settings=dict(one.simulator.settings(url)),
                http=http,
            )
        url = await stack.enter_async_context(serving(app, listening))
        token = local_token(hub_settings.data_dir)
        assert token is not None
        world = World(
            app=app,
            url=url,
            token=token,
            http=http,
            paging=vendors["pagerduty"],
            crm=vendors["salesforce"],
            pagerduty=PagerDuty(url=vendors["pagerduty"].url, http=http),
            salesforce=Salesforce(url=vendors["salesforce"].url, http=http, username=AGENT),
        )
        await world.paging.sim("POST", "switches", {"retry_after": [0.2], "event_delay": 0.05})
        acme = {"slug": TENANT, "name": "Acme", "time_zone": "UTC"}
        added = await world.ask("POST", "/api/v1/tenants", acme)
        assert added.status_code in {201, 409}, added.text  # there already: the folder's second hub
        yield world


# ---------------------------------------------------------------------- rules in few words


def rule(name: str, on: Sequence[str], *then: Json, when: Json | None = None, **more: Any) -> Json:
    """Return a rule on Cases; `more` are further members."""
    plain = {
        "format": 1,
        "name": name,
        "object": "salesforce.case",
        "on": list(on),
        "then": list(then),
        **more,
    }
    return {**plain, "when": when} if when else plain


def act(name: str, *, unless_linked: bool = False, **params: Any) -> Json:
    """Return an action at the vendor of its name."""
    action: Json = {"do": name, "connector": name.partition(".")[0]}
    if unless_linked:
        action["unless_linked"] = True
    return {**action, "with": params} if params else action


def is_(field_name: str, value: Any, op: str = "is") -> Json:
    return {"field": field_name, "op": op, "value": value}


def all_(*conditions: Json) -> Json:
    return {"all": list(conditions)}


def page(service: Any = "PAPI001", **params: Any) -> Json:
    """Return the action that opens an incident for the Case, once."""
    return act(
        "pagerduty.create_incident",
        unless_linked=True,
        service=service,
        title="Case {{ salesforce.case.number }}: {{ salesforce.case.subject }}",
        **params,
    )


CASE_CHANGES = ("salesforce.case.created", "salesforce.case.updated")
CASE_CREATED = ("salesforce.case.created",)
HIGH = all_(is_("salesforce.case.priority", "High"))
