"""A hub in parts: doors that accept, workers that work, a database, and a vendor that counts."""

import contextlib
import os
import random
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from bench.faults import plugins
from bench.faults.load import PATH, Load, delivery
from bench.faults.network import may_have_namespaces
from bench.faults.pooler import Pooler
from bench.faults.postgres import Server, free_port
from bench.faults.processes import NotInTime, Process, answered
from bench.faults.vendor import Request, Vendor, vendor
from bench.faults.verdict import Verdict, judge
from hub.testing.rig import SECRET

SQLITE, POSTGRES = "sqlite", "postgres"
HEARTBEAT_S = 2.5
DISPATCH = {
    "HEARTBEAT_S": str(HEARTBEAT_S),
    "HTTP_TIMEOUT_S": "1.2",
    "SWEEP_S": "1",
    "BREAKER_FIRINGS": "1000000",
    "MAX_PENDING": "1000000",
}
_KEY = "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc="
_BLOCKED = '["pagerduty", "salesforce", "remedyforce"]'
_TOLD = {"lane": "{{ %s.lane }}", "seq": "{{ %s.seq }}"}


@dataclass(slots=True, kw_only=True)
class World:
    """What a scenario breaks. `doors` accept (and work, with SQLite), `workers` only work."""

    driver: str
    folder: Path
    vendor: Vendor
    server: Server | None
    plugin: Path
    chance: random.Random
    database: str = ""
    doors: list[Process] = field(default_factory=list)
    workers: list[Process] = field(default_factory=list)
    ports: list[int] = field(default_factory=list)
    loads: list[Load] = field(default_factory=list)
    sent: list[tuple[str, int]] = field(default_factory=list)
    before: int = 0
    made: bool = False
    turn: int = 0
    pooler: Pooler | None = None

    # ---------------------------------------------------------------- processes

    def door(self, *, wait: bool = True, works: bool | None = None, **own: str) -> Process:
        """Start one more process that accepts; with SQLite it works, too, unless told."""
        number, port = len(self.doors), free_port()
        does = self.driver == SQLITE if works is None else works
        more = {"HUB_DISPATCH__WORKS": "true" if does else "false"} | own
        place = self.folder / f"door{number}"
        made = Process(
            arguments=["serve", "--data", str(place), "--port", str(port)],
            log=self.folder / f"door{number}.log",
            environment=self.environment(place, **more),
            ready="is ready at",
        )
        self.doors.append(made)
        self.ports.append(port)
        made.start(wait=wait)
        return made

    def worker(
        self,
        *,
        wait: bool = True,
        prefix: Sequence[str] = (),
        options: Sequence[str] = (),
        **own: str,
    ) -> Process:
        """Start one more process that works, with a data folder of its own."""
        number = len(self.workers)
        place = self.folder / f"worker{number}"
        made = Process(
            arguments=["worker", "--data", str(place), *options],
            log=self.folder / f"worker{number}.log",
            environment=self.environment(place, **own),
            ready="is at work",
            prefix=prefix,
        )
        self.workers.append(made)
        made.start(wait=wait)
        return made

    def have_workers(self, count: int) -> list[Process]:
        """Have exactly so many workers at work; return them."""
        for one in self.workers[count:]:
            one.stop()
        while len(self.workers) < count:
            self.worker(wait=False)
        _revive(self.workers[:count])
        return self.workers[:count]

    def begin(self) -> None:
        """Begin another scenario: what was sent and counted so far is no part of it."""
        self.vendor.late(0)
        self.vendor.well()
        self.loads, self.sent, self.before = [], [], self.vendor.count()

    def environment(self, place: Path, **own: str) -> dict[str, str]:
        """Return the environment of a process with this data folder."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("HUB_")}
        dispatch = {f"HUB_DISPATCH__{name}": value for name, value in DISPATCH.items()}
        path = os.pathsep.join([str(self.plugin), kept.get("PYTHONPATH", "")]).rstrip(os.pathsep)
        own_url = {"HUB_DATABASE__URL": self.url()} if self.server is not None else {}
        return {
            **kept,
            **dispatch,
            **own_url,
            "HUB_DATA_DIR": str(place),
            "HUB_SECRETS__KEY": _KEY,
            "HUB_LOGGING__LEVEL": "warning",
            "HUB_PLUGINS__BLOCKED": _BLOCKED,
            "PYTHONPATH": path,
            **own,
        }

    def url(self, host: str = "127.0.0.1") -> str:
        """Return the URL of the database on PostgreSQL; through the pooler, if there is one."""
        assert self.server is not None
        if self.pooler is not None:
            return f"{self.pooler.url(self.database)}?pooler=true"
        return self.server.url(self.database, host)

    @property
    def processes(self) -> list[Process]:
        """All processes of the hub."""
        return [*self.doors, *self.workers]

    @property
    def urls(self) -> list[str]:
        """The addresses of the doors."""
        return [f"http://127.0.0.1:{port}" for port in self.ports]

    def ready(self) -> None:
        """Wait until the first door answers."""
        answered(f"{self.urls[0]}/readyz")

    # ---------------------------------------------------------------- the API

    def api(self, method: str, path: str, body: object = None, *, door: int = 0) -> Any:
        """Do one request that has to go well. Paths are the tenant's unless they begin with /."""
        answer = self.ask(method, path, body, door=door)
        assert answer.is_success, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    def ask(self, method: str, path: str, body: object = None, *, door: int = 0) -> httpx.Response:
        """Do one request."""
        place = path if path.startswith("/") else f"/tenants/default/{path}"
        token = (self.folder / f"door{door}" / "operator.token").read_text().strip()
        return httpx.request(
            method,
            f"{self.urls[door]}/api/v1{place}",
            json=body,
            headers={"Authorization": f"Bearer {token}", "If-Match": "*"},
            timeout=30,
            trust_env=False,
        )

    def post(self, *events: Mapping[str, Any], key: str = "") -> httpx.Response:
        """Send one delivery."""
        body, headers = delivery(*(dict(one) for one in events), key=key)
        url = f"{self.urls[0]}{PATH}"
        return httpx.post(url, content=body, headers=headers, timeout=20, trust_env=False)

    def set_up(self, host: str = "127.0.0.1") -> None:
        """Add the connector to the vendor and the rules, through the API."""
        settings = {"url": self.vendor.url(host), "webhook_secret": SECRET}
        made = {"type": "load", "name": "load", "settings": settings, "ingress_rate": 10_000}
        self.api("POST", "connectors", made)
        self.rules(_rule("load.item", "load.post_keyed"), _rule("load.case", "load.post_once"))
        self.made = True

    def rules(self, *rules: Mapping[str, Any], name: str = "Faults") -> Any:
        """Add a ruleset that is turned on."""
        made = self.api("POST", "rulesets", {"format": 1, "name": name, "rules": list(rules)})
        path = f"rulesets/{made['id']}"
        self.api("POST", f"{path}/draft:publish", {"note": "faults", "accept_warnings": True})
        self.api("PATCH", path, {"state": "enabled"})
        return made

    # ---------------------------------------------------------------- load and verdict

    def load(self, count: int, **how: Any) -> Load:
        """Return a load on all doors; use it as a context."""
        self.turn += 1
        made = Load(self.urls, str(self.turn), count, **how)
        self.loads.append(made)
        return made

    def until(self, count: int, timeout_s: float = 120) -> None:
        """Wait until so many requests more than at the scenario's start were counted."""
        wait_for(lambda: self.vendor.count() - self.before >= count, f"{count} requests", timeout_s)

    def pending(self) -> int:
        """Return how many events are pending; -1 when nobody can tell."""
        try:
            answer = self.ask("GET", "/inbox")
        except httpx.HTTPError:
            return -1
        return int(answer.json()["pending"]) if answer.is_success else -1

    def busiest(self) -> Process:
        """Return the worker that has the most shards in work."""
        shards = [one for one in self.api("GET", "/inbox")["shards"] if one["pending"]]
        owners = Counter(int(one["owner"].split(":")[1]) for one in shards if one["owner"])
        alive = [one for one in self.workers if one.ended is None]
        return max(alive, key=lambda one: owners[one.pid])

    def settled(self, timeout_s: float = 120, *, pending: int = 0) -> None:
        """Wait until no more than so many events are pending."""
        wait_for(lambda: 0 <= self.pending() <= pending, "an empty inbox", timeout_s, 0.1)

    def requests(self) -> list[Request]:
        """Return what was counted since the scenario's start."""
        return self.vendor.requests()[self.before :]

    def broken(self) -> list[str]:
        """Ask what `hub check inbox` asks; return what is broken."""
        told = self.api("GET", "/inbox/check")["invariants"]
        return [f"{one['name']}: {one['broken']}" for one in told if not one["holds"]]

    def verdict(self, *, timeout_s: float = 120) -> Verdict:
        """Wait for the end, count, and check the inbox."""
        self.settled(timeout_s)
        accepted = [*self.sent, *(one for load in self.loads for one in load.accepted)]
        found = judge(accepted, self.requests())
        found.server_errors = sum(
            count for load in self.loads for status, count in load.answers.items() if status == 500
        ) + sum(load.unmarked for load in self.loads)
        found.lost += sum(load.given_up for load in self.loads)
        found.broken = self.broken()
        return found

    def stop(self) -> None:
        """Stop everything of the hub."""
        for one in self.processes:
            if one.ended is None:
                one.go_on()
                one.terminate()
        for one in self.processes:
            one.stop()


def wait_for(
    what: Callable[[], bool], name: str, timeout_s: float = 60, look_s: float = 0.02
) -> None:
    """Wait until something holds."""
    deadline = time.monotonic() + timeout_s
    while not what():
        if time.monotonic() > deadline:
            raise NotInTime(f"{name} did not come within {timeout_s:.0f} s")
        time.sleep(look_s)


@contextlib.contextmanager
def world(driver: str, server: Server | None, seed: int = 0) -> Iterator[World]:
    """Give a folder, a fresh database and a vendor; processes are for the scenario to start."""
    folder = Path(tempfile.mkdtemp(prefix="hub-faults-"))
    on_server = server if driver == POSTGRES else None
    with vendor("0.0.0.0" if may_have_namespaces() else "127.0.0.1") as running:
        made = World(
            driver=driver,
            folder=folder,
            vendor=running,
            server=on_server,
            database=on_server.database() if on_server is not None else "",
            plugin=plugins.install(folder / "site"),
            chance=random.Random(seed),
        )
        try:
            yield made
        finally:
            made.stop()
    shutil.rmtree(folder, ignore_errors=True)


def at_work(world: World, *, doors: int = 1, workers: int = 2, host: str = "127.0.0.1") -> World:
    """Have a hub at work: with PostgreSQL doors and workers apart, with SQLite one process.

    What runs already is taken; workers that are too many are stopped.
    """
    shared = world.server is not None
    while len(world.doors) < (doors if shared else 1):
        world.door(wait=False)
    _revive(world.doors)
    if not world.made:
        world.set_up(host)
    if shared:
        world.have_workers(workers)
    return world


def _revive(processes: Sequence[Process]) -> None:
    for one in processes:
        if one.ended is not None:
            one.start(wait=False)
    for one in processes:
        one.said(one.ready)


def _rule(about: str, action: str) -> dict[str, Any]:
    told = {name: text % about for name, text in _TOLD.items()}
    return {
        "format": 1,
        "name": f"Each {about}",
        "object": about,
        "on": [f"{about}.created"],
        "then": [{"do": action, "connector": "load", "with": told}],
    }
