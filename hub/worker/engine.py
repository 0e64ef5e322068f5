"""The delivery engine of a process: intake, driver, drains, sweeper, polling, housekeeping."""

import asyncio
import logging
import uuid
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any, Final

from hub.catalog.catalog import Catalog
from hub.clock import Clock
from hub.clock import now as present
from hub.connectors.clients import Clients
from hub.connectors.limits import Limits
from hub.connectors.repository import Transaction
from hub.db.commits import Connection, is_away
from hub.db.engine import Database
from hub.deliveries import settling
from hub.deliveries.counts import delivery_counts
from hub.dispatch import startup
from hub.dispatch.embedded import EmbeddedDriver, FileLock
from hub.dispatch.restart import restart
from hub.dispatch.shards import monotonic
from hub.dispatch.timekeeping import Time
from hub.metrics.counters import Counters
from hub.settings import HubSettings
from hub.spans import NoSpans, Spans
from hub.worker.assembly import Given, assemble
from hub.worker.parts import Plans, Resolver, nothing_happens

_log = logging.getLogger(__name__)
_GRACE_S: Final = 5.0
Job = Callable[[], Awaitable[None]]


class Engine:
    """Accepts and works deliveries in this process.

    `intake` takes deliveries from the moment `start` returned. After `stop` nothing is
    running any more: events in work were finished, the rest goes on elsewhere or later.
    With `works` False the process only accepts (PostgreSQL; others work).
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
        clock: Clock = present,
        *,
        works: bool = True,
        role: str = "",
        counters: Counters | None = None,
        passing: Callable[[str], None] = nothing_happens,
        observe: Callable[[str, Mapping[str, Any]], None] = lambda _hook, _facts: None,
        spans: Spans | None = None,
    ) -> None:
        self.database, self.settings, self._works = database, settings, works
        self.time = Time(clock)
        self._assembly = assemble(
            Given(
                database=database,
                settings=settings,
                catalog=catalog,
                clients=clients,
                limits=limits,
                plans=plans,
                resolver=resolver,
                clock=self.clock,
                counters=counters or Counters(),
                passing=passing,
                observe=observe,
                role=role or ("hub" if works else "api"),
                spans=spans or NoSpans(),
            )
        )
        made = self._assembly
        self.parts, self.store, self.driver, self.inbox = (
            made.parts,
            made.store,
            made.driver,
            made.inbox,
        )
        self.intake, self.linker, self.reopening = made.intake, made.linker, made.reopening
        self.timing, self.polling, self.housekeeping = made.timing, made.polling, made.housekeeping
        self.watching, self.importing = made.watching, made.importing
        self.reconciling = made.reconciling
        self.counters = made.given.counters
        self._lock = FileLock.of(database.engine.url)
        self._tasks: list[asyncio.Task[None]] = []
        clients.states.when_usable(self._usable)
        clients.health_parts.append(delivery_counts(clients.clock))

    def clock(self) -> datetime:
        """Return the present time: on PostgreSQL the database's, the same for all processes."""
        return self.time.now()

    @property
    def driver_name(self) -> str:
        """Which driver hands out wake-ups."""
        return "embedded" if isinstance(self.driver, EmbeddedDriver) else "postgres"

    def take(self) -> None:
        """Take a database that belongs to one process; StartRefused when another has it."""
        self._lock.acquire()

    def give_back(self) -> None:
        """Let another process have the database, when this one does not start after all."""
        self._lock.release()

    async def start(self) -> None:
        """Take the database, schedule what a former process left, begin to work.

        StartRefused says what stands in the way.
        """
        self.take()
        for committer in (*self._assembly.committers, self.parts.reads):
            committer.start()
        await self._check()
        if isinstance(self.driver, EmbeddedDriver):
            self.driver.attach()
            await self.store.write(
                lambda connection: restart(connection, self.driver, self.inbox, self.clock())
            )
            await self.importing.resume()
            await self.reconciling.resume()
        await self.intake.measure()
        if self._works:
            self._add_jobs()
            drain = self._assembly.drains.drain
            self._tasks.append(asyncio.create_task(self.driver.run(drain, self._assembly.stop)))
        self._tasks.append(asyncio.create_task(self._measure()))

    async def stop(self) -> None:
        """End: no new events are begun, those in work are finished, what waits is written.

        It takes no longer than a vendor may take and a few seconds: where the database is away,
        what is in work is left to others, or to the next start.
        """
        self._assembly.stop.set()
        ending = asyncio.create_task(self._end())
        patience = self.settings.dispatch.http_timeout_s + _GRACE_S
        try:
            # not wait_for: what hangs with the database may not end when it is cancelled, either
            await asyncio.wait({ending}, timeout=patience)
            if not ending.cancel():
                await ending
            else:
                _log.warning("stopped with work left: the database hangs")
        except Exception as error:
            if not is_away(error):
                raise
            _log.warning("stopped with work left, which others or the next start do: %s", error)
        finally:
            self._lock.release()

    async def _end(self) -> None:
        await self.polling.stop()
        await self.watching.stop()
        await self.importing.stop()
        await self.reconciling.stop()
        results = await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.housekeeping.stop()
        for committer in (*self._assembly.committers, self.parts.reads):
            await committer.stop()
        await self.store.close()
        for result in results:
            if isinstance(result, Exception):
                raise result

    async def sweep(self) -> None:
        """Wake what was forgotten."""
        sweeper = self._assembly.sweeper
        found = await self.store.write(lambda connection: sweeper.sweep(connection, self.clock()))
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

    async def settle(self) -> None:
        """Tell observers of deliveries whose events have all been worked."""
        ended, self.parts.ended = self.parts.ended, set()
        if not ended:
            return
        found = await self.store.read(
            lambda connection: settling.settled(connection, ended, self.clock())
        )
        for delivery in found:
            self.parts.settled("hub_delivery_settled", {"delivery": delivery})

    def _add_jobs(self) -> None:
        every, housekeeping = self.driver.every, self.housekeeping
        every("sweep", self.settings.dispatch.sweep_s, self.sweep)
        every("resume", 1.0, self.resume)
        every("poll", 1.0, self.polling.tick)
        every("watch", 1.0, self.watching.tick)
        every("rules", 5.0, self.parts.care.tick)
        every("imports", 0.5, self.importing.tick)
        every("reconcile", 0.5, self.reconciling.tick)
        every("schedules", 60.0, self.reconciling.each_minute)
        every("timers", 1.0, self.timing.tick)
        every("settle", 1.0, self.settle)
        every("breakers", 1.0, housekeeping.each_second)
        every("presence", 5.0, housekeeping.each_few_seconds)
        every("figures", 60.0, housekeeping.each_minute)
        every("put off", 30.0, self.parts.putting_off.tick)

    async def _check(self) -> None:
        shards = self.settings.dispatch.shards
        await self.store.write(lambda connection: startup.check_shards(connection, shards))
        if self.database.is_sqlite:
            return
        from hub.dispatch import postgres  # noqa: PLC0415 - an extra

        await postgres.check(self.database)
        for warning in await self.store.read(startup.weak_settings):
            _log.warning(warning)
        await self._read_clock()

    async def _read_clock(self) -> None:
        if self.database.is_sqlite:
            return
        began = monotonic()
        there = await self.store.read(startup.database_time)
        self.time.was(there, began, monotonic())

    async def _measure(self) -> None:
        loop, seconds = asyncio.get_running_loop(), 0
        while not self._assembly.stop.is_set():
            began = loop.time()
            try:
                async with asyncio.timeout(1.0):
                    await self._assembly.stop.wait()
            except TimeoutError:
                lag = loop.time() - began - 1.0
                self.counters.set("hub_loop_lag_seconds", max(0.0, lag))
                self.counters.set("hub_lanes_in_work", self.parts.slots.in_use)
                seconds += 1
                await self._look(seconds)

    async def _look(self, seconds: int) -> None:
        try:
            await self.intake.measure()
            if seconds % 10 == 0:
                await self._read_clock()
        except Exception as error:
            if not is_away(error):
                raise
            _log.warning("the database is away", exc_info=error)

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
