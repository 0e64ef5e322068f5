"""The driver for any number of processes on one PostgreSQL: PgQueuer carries the wake-ups.

PgQueuer hands out jobs, watches their workers by heartbeats and hands the jobs of dead ones
out again. A job here is only "shard 7, number 42"; what is to be done stands in the inbox.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import AsyncExitStack
from datetime import timedelta
from functools import partial
from typing import Any, Final

import asyncpg
from pgqueuer.adapters.drivers.asyncpg import AsyncpgDriver
from pgqueuer.core.qm import QueueManager
from pgqueuer.domain.errors import FailingListenerError, RetryRequested
from pgqueuer.domain.models import Job
from pgqueuer.ports.driver import Driver
from sqlalchemy import Connection

from hub import clock
from hub.db.bulk import execute, query
from hub.db.engine import Database
from hub.dispatch.embedded import repeat
from hub.dispatch.hearing import Hearing
from hub.dispatch.port import DriverHealth, Wake
from hub.dispatch.queueing import (
    HEARD_S,
    NAMES,
    QUEUE,
    connected,
    listening_if_it_goes,
    open_driver,
    queries_on,
)
from hub.errors import StartRefused

_log = logging.getLogger(__name__)
_ENTRYPOINT: Final = "drain"
_AGAIN: Final = timedelta(seconds=1)
_PATIENCE: Final = timedelta(seconds=10)
_BACKOFF_S: Final = (0.5, 1.0, 2.0, 5.0)
_DEQUEUE: Final = timedelta(seconds=2)
"""How often at least an idle worker looks for jobs of dead ones (30 s by default)."""

_ENQUEUE: Final = QUEUE.build_enqueue_query("raise")
_PROBE: Final = "hub_ch_probe"
_WRONG: Final = (asyncpg.InvalidAuthorizationSpecificationError, asyncpg.InvalidCatalogNameError)
_LIVE: Final = "SELECT payload FROM hub_pgqueuer WHERE entrypoint = 'drain' AND status <> 'failed'"


class PostgresDriver:
    """Wake-ups as PgQueuer jobs, enqueued on the connection of the transaction that needs them.

    `at_once` shards are worked at once by this process; a process that is silent for
    `heartbeat_s` is taken for dead.
    """

    def __init__(
        self, database: Database, *, at_once: int, heartbeat_s: float, now: clock.Clock = clock.now
    ) -> None:
        self._database = database
        self._at_once = max(2, at_once)
        self._heartbeat = timedelta(seconds=heartbeat_s)
        self._now = now
        self._jobs: list[tuple[str, float, Callable[[], Awaitable[None]]]] = []
        self._running: set[tuple[int, int]] = set()
        self._connected = False
        self._detail = "not started"
        self.every("log of the queue", 3600.0, self._purge_log)

    def wake(self, connection: Connection, wakes: Sequence[Wake]) -> None:
        """Wake shards when the connection's transaction commits.

        SQLAlchemy runs this inside its transaction. No job gets a dedupe key: it would cover
        jobs that are just being deleted, and swallow the wake-up of an event filed meanwhile.
        """
        now, count = self._now(), len(wakes)
        delays = [max(timedelta(0), (wake.not_before or now) - now) for wake in wakes]
        payloads = [f"{wake.shard}:{wake.number}".encode() for wake in wakes]
        names, headers = [_ENTRYPOINT] * count, ["{}"] * count
        execute(connection, _ENQUEUE, [0] * count, names, payloads, delays, [None] * count, headers)

    def live(self, connection: Connection) -> set[tuple[int, int]]:
        """Return (shard, number) of all wake-ups that are queued or running."""
        return {_read(bytes(row[0])) for row in query(connection, _LIVE)}

    def crowded(self) -> bool:
        """Whether others may want a shard: always, processes come and go."""
        return True

    def every(self, name: str, seconds: float, job: Callable[[], Awaitable[None]]) -> None:
        """Call an idempotent job again and again, in each process."""
        self._jobs.append((name, seconds, job))

    async def run(
        self, drain: Callable[[Wake], Coroutine[Any, Any, None]], stop: asyncio.Event
    ) -> None:
        """Hand out wake-ups until `stop` is set; after a failure connect anew, ever later."""
        jobs = [asyncio.create_task(repeat(*job, stop)) for job in self._jobs]
        failures = 0
        while not stop.is_set():
            try:
                await self._serve(drain, stop)
                failures = 0
            except Exception as error:  # noqa: BLE001 - whatever it was, it is logged and tried again
                self._connected, self._detail = False, f"{type(error).__name__}: {error}"
                _log.exception("the listener failed, connecting anew")
                wait_s = _BACKOFF_S[min(failures, len(_BACKOFF_S) - 1)]
                failures += 1
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), wait_s)
        self._connected = False
        await asyncio.gather(*jobs)

    async def health(self) -> DriverHealth:
        """Tell how it does."""
        return DriverHealth(
            connected=self._connected, queued=0, running=len(self._running), detail=self._detail
        )

    async def _purge_log(self) -> None:
        """Delete PgQueuer's log lines older than a day; it keeps them for ever."""
        async with connected(self._database) as queries:
            await queries.driver.execute(
                "DELETE FROM hub_pgqueuer_log WHERE created < now() - interval '1 day'"
            )

    async def _serve(
        self, drain: Callable[[Wake], Coroutine[Any, Any, None]], stop: asyncio.Event
    ) -> None:
        async with open_driver(self._database) as (driver, lasts_s):
            manager = QueueManager(queries_on(driver, self._database), channel=NAMES.channel)

            @manager.entrypoint(_ENTRYPOINT, accepts_context=False)
            async def work_shard(job: Job) -> None:
                await self._one(drain, job)

            stopping = asyncio.create_task(_pass_on(stop, manager.shutdown, lasts_s))
            hearing = Hearing(hears=partial(hears, manager), over=manager.shutdown)
            watching = asyncio.create_task(hearing.watch())
            self._connected, self._detail = True, ""
            try:
                await manager.run(
                    dequeue_timeout=min(_DEQUEUE, self._heartbeat / 4),
                    batch_size=1,  # with more, one of two workers was seen to take all shards
                    max_concurrent_tasks=self._at_once,
                    heartbeat_timeout=self._heartbeat,
                )
            finally:
                stopping.cancel()
                watching.cancel()
            if hearing.deaf:
                raise FailingListenerError

    async def _one(self, drain: Callable[[Wake], Coroutine[Any, Any, None]], job: Job) -> None:
        shard, number = _read(job.payload or b"")
        self._running.add((shard, number))
        try:
            await drain(Wake(shard, number))
        except Exception as error:
            _log.exception("drain failed, again in a second", extra={"shard": shard})
            raise RetryRequested(delay=_AGAIN, reason=str(error)) from error
        finally:
            self._running.discard((shard, number))


async def install(database: Database) -> None:
    """Make PgQueuer's tables, or bring them up to its present version; `hub migrate` calls it."""
    async with connected(database) as queries:
        if await queries.schema_is_installed():
            await queries.upgrade()
        else:
            await queries.install()


async def check(database: Database) -> None:
    """StartRefused unless PgQueuer's tables are there, present, and written to the log.

    Where there is a way past a pooler, notifications must come on it.
    """
    async with connected(database) as queries:
        try:
            await QueueManager(queries, channel=NAMES.channel).verify_structure()
        except RuntimeError as error:
            raise StartRefused(
                f"The database lacks the tables of the queue ({error}). Run: hub migrate"
            ) from error
        rows = await queries.driver.fetch(
            "SELECT relname FROM pg_class WHERE relname = $1 AND relpersistence <> 'p'",
            NAMES.queue_table,
        )
        if rows:
            raise StartRefused(
                "The queue's tables are unlogged: a crash of PostgreSQL would empty them. "
                "Run: ALTER TABLE hub_pgqueuer SET LOGGED"
            )
        if database.address.direct is not None:
            await _check_notified(database, queries.driver)


async def _check_notified(database: Database, told: Driver) -> None:
    """StartRefused when what is notified through the pooler does not come on the way past it.

    One that can't be reached is left to be tried again.
    """
    async with AsyncExitStack() as stack:
        try:
            listening = await listening_if_it_goes(database, stack, *_WRONG)
        except _WRONG as error:
            raise StartRefused(
                f"The way past the pooler refuses this hub: {error}. Check direct=… in "
                "HUB_DATABASE__URL."
            ) from error
        if listening is None:
            return
        heard = asyncio.Event()
        await AsyncpgDriver(listening).add_listener(_PROBE, lambda _: heard.set())
        await told.fetch("SELECT pg_notify($1, '')", _PROBE)
        try:
            async with asyncio.timeout(HEARD_S):
                await heard.wait()
        except TimeoutError:
            raise StartRefused(
                "No notification comes on the way past the pooler that HUB_DATABASE__URL names "
                "(direct=…): it leads through a pooler, too, or to another database. Name "
                "PostgreSQL itself, or say pooler=true instead: work is then looked for every "
                "two seconds."
            ) from None


def _read(payload: bytes) -> tuple[int, int]:
    shard, _, number = payload.decode().partition(":")
    return int(shard), int(number)


async def hears(manager: QueueManager, patience: timedelta = _PATIENCE) -> bool:
    """Whether a notification that is sent comes."""
    try:
        await manager.listener_healthy(patience)
    except (FailingListenerError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
        return False
    return True


async def _pass_on(stop: asyncio.Event, shutdown: asyncio.Event, lasts_s: float | None) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(lasts_s):
            await stop.wait()
    shutdown.set()
