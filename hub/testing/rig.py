"""A delivery engine for tests and benchmarks: real database, real HTTP, rules given in place."""

import asyncio
import json
import time
import uuid
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hub import builtins, clock
from hub.catalog.catalog import Catalog
from hub.catalog.plugins import load_plugins
from hub.connectors.clients import Clients, OpenConnector
from hub.connectors.models import Connector
from hub.crypto import Key, MasterKeys
from hub.db.engine import Database
from hub.db.tenancy import Tenant
from hub.mappings.resolve import Resolver
from hub.rules import Plan, Ruleset, Schema, compile_plan
from hub.sdk.connector_types import WebhookRequest
from hub.settings import DispatchSettings, HubSettings
from hub.testing.workload import SIGNATURE, LoadPlugin, sign
from hub.worker.engine import Engine
from hub.worker.parts import nothing_happens

SECRET = "load-webhook-secret"  # noqa: S105 - a test's
_KEYS = MasterKeys(current=Key(b"\x07" * 32))


class FixedPlans:
    """The same compiled rules for every tenant."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan

    async def plan_for(self, tenant_id: uuid.UUID) -> Plan:
        """Return the plan."""
        del tenant_id
        return self.plan


@dataclass(slots=True, kw_only=True)
class Rig:
    """A running engine with one tenant and connectors of the type `load`."""

    database: Database
    engine: Engine
    clients: Clients
    catalog: Catalog
    plans: FixedPlans
    tenant_id: uuid.UUID
    slug: str

    async def connector(self, name: str = "load") -> OpenConnector:
        """Return a connector by name."""
        return await self.clients.by_name(self.slug, name)

    async def send(self, *events: Mapping[str, Any], to: str = "load", key: str = "") -> int:
        """Deliver events by the intake; return the delivery's number."""
        accepted = await self.engine.intake.accept(
            await self.connector(to), request_of(events, key=key)
        )
        return accepted.delivery_id

    def use(self, *rules: Mapping[str, Any]) -> None:
        """Use these rules from now on."""
        self.plans.plan = plan_of(self.catalog, rules)

    async def settled(self, timeout_s: float = 20.0, *, pending: int = 0) -> None:
        """Wait until no more than `pending` events are left."""
        deadline = time.monotonic() + timeout_s
        while (left := await self.pending()) > pending:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{left} events are still pending")
            await asyncio.sleep(0.01)

    async def pending(self) -> int:
        """Return how many events are pending."""
        return int((await self.rows("SELECT count(*) FROM events WHERE state = 'pending'"))[0][0])

    async def rows(self, sql: str) -> list[Any]:
        """Return the rows of a statement."""
        return await self.engine.store.read(
            lambda connection: list(connection.exec_driver_sql(sql).fetchall())
        )


@asynccontextmanager
async def running_rig(  # noqa: PLR0913 - a test's knobs
    url: str,
    sink: str,
    *,
    dispatch: Mapping[str, Any] | None = None,
    rules: Sequence[Mapping[str, Any]] = (),
    connectors: Sequence[str] = ("load",),
    now: clock.Clock = clock.now,
    passing: Callable[[str], None] = nothing_happens,
    keys: MasterKeys = _KEYS,
    started: bool = True,
    works: bool = True,
    plugin: LoadPlugin | None = None,
) -> AsyncIterator[Rig]:
    """Open a database whose tables exist, add what is missing, run an engine on it."""
    settings = HubSettings(
        data_dir=Path(),
        dispatch=DispatchSettings(
            **{"heartbeat_s": 4, "http_timeout_s": 2, "breaker_firings": 1_000_000}
            | dict(dispatch or {})
        ),
    )
    catalog = load_catalog(plugin)
    database = Database(url)
    clients = Clients(database, catalog, settings, keys=keys)
    slug, tenant_id = "load", await prepare(database, clients, sink, connectors)
    plans = FixedPlans(plan_of(catalog, rules))
    engine = Engine(
        database,
        settings,
        catalog,
        clients,
        clients.limits,
        plans,
        Resolver(database, catalog, clients),
        now,
        passing=passing,
        works=works,
    )
    rig = Rig(
        database=database,
        engine=engine,
        clients=clients,
        catalog=catalog,
        plans=plans,
        tenant_id=tenant_id,
        slug=slug,
    )
    try:
        if started:
            await engine.start()
        yield rig
    finally:
        await (engine.stop() if started else engine.store.close())
        await clients.close()
        await database.close()


def load_catalog(plugin: LoadPlugin | None = None) -> Catalog:
    """Return the catalog of the built-ins and the plugin `load`."""
    loaded = load_plugins([*builtins.modules(), ("load", plugin or LoadPlugin())], entry_points=())
    return loaded.catalog


async def prepare(
    database: Database, clients: Clients, sink: str, connectors: Sequence[str]
) -> uuid.UUID:
    """Add the tenant `load` and its connectors where they are missing."""
    async with database.writing() as session:
        from sqlalchemy import select  # noqa: PLC0415 - not needed by those who only import

        found = (await session.scalars(select(Tenant).where(Tenant.slug == "load"))).first()
        if found is not None:
            return found.id
        tenant = Tenant(slug="load", name="Load")
        session.add(tenant)
        await session.flush()
        for name in connectors:
            row = Connector(
                tenant_id=tenant.id,
                name=name,
                type="load",
                settings={"url": sink},
                ingress_rate=1_000_000,
            )
            session.add(row)
            await session.flush()
            store = clients.store(session, tenant.id)
            await store.put(row.id, "webhook_secret", SECRET, by="test", backends={})
        return tenant.id


def plan_of(catalog: Catalog, rules: Sequence[Mapping[str, Any]]) -> Plan:
    """Compile rules, written in short, for the connectors of a rig."""
    schema = Schema(
        fields=catalog.fields.values(),
        triggers=catalog.triggers.values(),
        operators=catalog.operators.values(),
        actions=catalog.actions.values(),
        filters=catalog.filters.values(),
        objects=catalog.objects.values(),
        connectors=dict.fromkeys(("load", "other", "third"), "load"),
    )
    ruleset = Ruleset.model_validate(
        {
            "format": 1,
            "id": str(uuid.UUID(int=1)),
            "name": "Test",
            "state": "enabled",
            "rules": [_whole(number, one) for number, one in enumerate(rules, 1)],
        }
    )
    return compile_plan([ruleset], schema, 1)


def request_of(events: Sequence[Mapping[str, Any]], *, key: str = "") -> WebhookRequest:
    """Return the signed delivery of some events."""
    body = json.dumps({"events": list(events)}).encode()
    return signed(body, key=key)


def signed(body: bytes, *, key: str = "") -> WebhookRequest:
    """Return a signed delivery with this body."""
    headers = {SIGNATURE: sign(SECRET, body), "content-type": "application/json"}
    if key:
        headers["x-load-delivery"] = key
    return WebhookRequest(headers=headers, body=body)


def posting(action: str = "load.post_keyed", **more: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """Return the rule of the workload: each item that is created is posted once."""
    written = {"lane": "{{ load.item.lane }}", "seq": "{{ load.item.seq }}"}
    return {
        "object": "load.item",
        "on": ["load.item.created"],
        "then": [{"do": action, "connector": "load", "with": written}],
    } | more


def item(lane: str, seq: int, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """Return the event of a new item in a lane: all events of a lane are of one record."""
    return {
        "kind": "created",
        "id": lane,
        "key": f"{lane}/{seq}",
        "values": {"lane": lane, "seq": seq},
    } | more


def _whole(number: int, rule: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "format": 1,
        "id": str(uuid.UUID(int=number)),
        "name": rule.get("name", f"Rule {number}"),
        "enabled": True,
        "position": number * 10,
    } | dict(rule)
