"""The delivery engine of a process: intake, driver, drains, sweeper, polling, housekeeping."""

import asyncio
import os
import socket
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from hub import clock, ids
from hub.catalog.catalog import Catalog
from hub.connectors.clients import Clients
from hub.connectors.limits import Limits
from hub.connectors.repository import Transaction
from hub.correlations.linking import Linker
from hub.db.commits import Connection, GroupCommit, open_store
from hub.db.engine import Database
from hub.deliveries.filing import Filer
from hub.deliveries.intake import Intake
from hub.deliveries.reopening import Reopening
from hub.deliveries.repository import EventInbox
from hub.deliveries.steps import StepWriter
from hub.dispatch.embedded import EmbeddedDriver, FileLock
from hub.dispatch.port import Driver
from hub.dispatch.restart import restart
from hub.dispatch.sweeper import Sweeper
from hub.metrics.counters import Counters
from hub.settings import HubSettings
from hub.worker.breakers import Breakers
from hub.worker.connectors import Connectors
from hub.worker.drain import Drains
from hub.worker.loading import Loader
from hub.worker.parts import Parts, Plans, Resolver, nothing_happens
from hub.worker.slots import Slots

_PENDING_EMBEDDED = 20_000
_PENDING_POSTGRES = 1_000_000
_BUDGET_FACTOR = 6


class Engine:
    """Accepts and works deliveries in this process.

    `intake` takes deliveries from the moment `start` returned. After `stop` nothing is
    running any more: events in work were finished, the rest goes on elsewhere or later.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - what the composition root hands over
        self,
        database: Database,
        settings: HubSettings,
        catalog: Catalog,
        clients: Clients,
        limits: Limits,
        plans: Plans,
        resolver: Resolver,
        clock: clock.Clock = clock.now,
        *,
        works: bool = True,
        counters: Counters | None = None,
        passing: Callable[[str], None] = nothing_happens,
        observe: Callable[[str, Mapping[str, Any]], None] = lambda _hook, _facts: None,
    ) -> None:
        self.database = database
        self.settings = settings
        self.counters = counters or Counters()
        self.clock = clock
        self.owner = f"{socket.gethostname()}:{os.getpid()}:{ids.new_id().hex[-6:]}"
        self._works = works
        self.store = open_store(database)
        self.driver = self._make_driver()
        self.inbox = EventInbox(self.driver)
        shards = settings.dispatch.shards
        self.linker = Linker(driver=self.driver, inbox=self.inbox, shards=shards)
        self.commits: GroupCommit[Any, Any] = GroupCommit(
            self.store.write, maximum=settings.dispatch.commit_max
        )
        accepting = self.commits
        if not database.is_sqlite:
            accepting = GroupCommit(self.store.write, maximum=settings.dispatch.commit_max)
        self._committers = (
            [self.commits] if accepting is self.commits else [self.commits, accepting]
        )
        self.reads: GroupCommit[Any, Any] = GroupCommit(self.store.read, writers=2)
        self.parts = Parts(
            database=database,
            store=self.store,
            settings=settings.dispatch,
            catalog=catalog,
            clients=clients,
            connectors=Connectors(clients),
            limits=limits,
            plans=plans,
            resolver=resolver,
            counters=self.counters,
            driver=self.driver,
            inbox=self.inbox,
            writer=StepWriter(self.inbox, self.linker),
            commits=self.commits,
            reads=self.reads,
            slots=Slots(settings.dispatch.lanes),
            breakers=Breakers(
                firings=settings.dispatch.breaker_firings,
                budget=settings.dispatch.breaker_firings * _BUDGET_FACTOR,
            ),
            owner=self.owner,
            now=clock,
            passing=passing,
            settled=observe,
        )
        self.reopening = Reopening(self.inbox, clock)
        self._stop = asyncio.Event()
        self.drains = Drains(self.parts, self._stop, Loader(self.inbox))
        self.intake = Intake(
            commits=accepting,
            store=self.store,
            filer=Filer(self.driver, shards),
            counters=self.counters,
            max_pending=settings.dispatch.max_pending
            or (_PENDING_EMBEDDED if database.is_sqlite else _PENDING_POSTGRES),
            now=clock,
            filed=self.drains.filed,
        )
        self.sweeper = Sweeper(self.driver, self.inbox)
        self._lock = self._file_lock()
        self._tasks: list[asyncio.Task[None]] = []
        clients.states.when_usable(self._usable)

    @property
    def driver_name(self) -> str:
        """Which driver hands out wake-ups."""
        return "embedded" if isinstance(self.driver, EmbeddedDriver) else "postgres"

    async def start(self) -> None:
        """Take the database, schedule what a former process left, begin to work."""
        if self._lock is not None:
            self._lock.acquire()
        for committer in self._committers:
            committer.start()
        self.reads.start()
        if isinstance(self.driver, EmbeddedDriver):
            self.driver.attach()
            await self.store.write(
                lambda connection: restart(connection, self.driver, self.inbox, self.clock())
            )
        else:
            from hub.dispatch import postgres  # noqa: PLC0415 - an extra

            await postgres.check(self.database.engine.url)
        await self.intake.measure()
        if self._works:
            self.driver.every("sweep", self.settings.dispatch.sweep_s, self.sweep)
            self.driver.every("resume", 1.0, self.resume)
            self._tasks.append(asyncio.create_task(self.driver.run(self.drains.drain, self._stop)))
        self._tasks.append(asyncio.create_task(self._measure()))

    async def stop(self) -> None:
        """End: no new events are begun, those in work are finished, what waits is written."""
        self._stop.set()
        for result in await asyncio.gather(*self._tasks, return_exceptions=True):
            if isinstance(result, Exception):
                raise result
        for committer in [*self._committers, self.reads]:
            await committer.stop()
        await self.store.close()
        if self._lock is not None:
            self._lock.release()

    async def sweep(self) -> None:
        """Wake what was forgotten."""
        found = await self.store.write(
            lambda connection: self.sweeper.sweep(connection, self.clock())
        )
        for reason, count in found.items():
            self.counters.add("hub_sweeper_rewakes_total", count, reason=reason)

    async def resume(self) -> None:
        """Let go on what waits for connectors that can be used by now; probe parked ones."""
        idle = await self.store.write(
            lambda connection: self.inbox.resume(connection, self.clock())
        )
        for tenant_id, connector_id in idle:
            async with self.database.transaction() as transaction:
                await self.parts.clients.states.unpark(transaction, tenant_id, connector_id)
            self.parts.connectors.changed(connector_id)

    async def _measure(self) -> None:
        while not self._stop.is_set():
            began = asyncio.get_running_loop().time()
            try:
                async with asyncio.timeout(1.0):
                    await self._stop.wait()
            except TimeoutError:
                lag = asyncio.get_running_loop().time() - began - 1.0
                self.counters.set("hub_loop_lag_seconds", max(0.0, lag))
                self.counters.set("hub_lanes_in_work", self.parts.slots.in_use)
                await self.intake.measure()

    async def _usable(
        self, transaction: Transaction, tenant_id: uuid.UUID, connector_id: uuid.UUID
    ) -> None:
        """Let go on what waited for a connector, in the transaction that makes it usable."""
        del tenant_id  # lanes are found by the connector

        def release(sync: Any) -> int:  # noqa: ANN401 - a session's or a connection's sync side
            connection: Connection = sync if isinstance(sync, Connection) else sync.connection()
            return self.inbox.connector_usable(connection, connector_id, self.clock())

        await transaction.run_sync(release)
        self.parts.connectors.changed(connector_id)

    def _make_driver(self) -> Driver:
        dispatch = self.settings.dispatch
        at_once = dispatch.shards_per_worker or dispatch.shards
        if self.database.is_sqlite:
            return EmbeddedDriver(at_once=at_once, now=self.clock)
        from hub.dispatch.postgres import PostgresDriver  # noqa: PLC0415 - an extra

        return PostgresDriver(
            self.database.engine.url,
            at_once=at_once,
            heartbeat_s=dispatch.heartbeat_s,
            now=self.clock,
        )

    def _file_lock(self) -> FileLock | None:
        file = self.database.engine.url.database
        if not self.database.is_sqlite or not file or file == ":memory:":
            return None
        return FileLock(Path(file))
