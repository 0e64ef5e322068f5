"""The driver for any number of processes on one PostgreSQL: PgQueuer carries the wake-ups.

PgQueuer hands out jobs, watches their workers by heartbeats and hands the jobs of dead ones
out again. A job here is only "shard 7, number 42"; what is to be done stands in the inbox.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from typing import Any, Final

import asyncpg
from pgqueuer.adapters.drivers.asyncpg import AsyncpgDriver, AsyncpgPoolDriver
from pgqueuer.adapters.persistence.qb import (
    QueryBuilderEnvironment,
    QueryQueueBuilder,
    QuerySchedulerBuilder,
)
from pgqueuer.adapters.persistence.queries import Queries
from pgqueuer.core.qm import QueueManager
from pgqueuer.domain.errors import FailingListenerError, RetryRequested
from pgqueuer.domain.models import Job
from pgqueuer.domain.settings import DBSettings, Durability
from pgqueuer.domain.types import Channel
from pgqueuer.ports.driver import Driver
from sqlalchemy import URL, Connection

from hub import clock
from hub.db import pooled
from hub.db.bulk import execute, query
from hub.db.engine import Database
from hub.dispatch.embedded import repeat
from hub.dispatch.hearing import Hearing
from hub.dispatch.port import DriverHealth, Wake
from hub.errors import StartRefused

_log = logging.getLogger(__name__)
_ENTRYPOINT: Final = "drain"
_AGAIN: Final = timedelta(seconds=1)
_BACKOFF_S: Final = (0.5, 1.0, 2.0, 5.0)
_DEQUEUE: Final = timedelta(seconds=2)
"""How often at least an idle worker looks for jobs of dead ones (30 s by default)."""

# Every name is given: PgQueuer would read them from the environment, some under bare names.
NAMES: Final = DBSettings(
    prefix="hub_",
    db_schema=None,
    channel=Channel("hub_ch_pgqueuer"),
    function="hub_fn_pgqueuer_changed",
    statistics_table="hub_pgqueuer_statistics",
    queue_status_type="hub_pgqueuer_status",
    queue_table="hub_pgqueuer",
    queue_table_log="hub_pgqueuer_log",
    trigger="hub_tg_pgqueuer_changed",
    schedules_table="hub_pgqueuer_schedules",
    durability=Durability.durable,
    widen_id=True,
)
_QUEUE: Final = QueryQueueBuilder(settings=NAMES)
_ENQUEUE: Final = _QUEUE.build_enqueue_query("raise")
_PROBE: Final = "hub_ch_probe"
_HEARD_S: Final = 5.0
_NO_WAY_PAST: Final = "the way past the pooler is lost, looking for work every two seconds"
_WRONG: Final = (asyncpg.InvalidAuthorizationSpecificationError, asyncpg.InvalidCatalogNameError)
_WITHOUT_S: Final = 30.0
"""After this the way past a pooler is tried again."""
_ONE_UPGRADES: Final = "SELECT pg_advisory_xact_lock(hashtext('hub_pgqueuer'))"
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

    async def _serve(
        self, drain: Callable[[Wake], Coroutine[Any, Any, None]], stop: asyncio.Event
    ) -> None:
        async with _driver(self._database) as (driver, lasts_s):
            manager = QueueManager(_queries(driver, self._database), channel=NAMES.channel)

            @manager.entrypoint(_ENTRYPOINT, accepts_context=False)
            async def work_shard(job: Job) -> None:
                await self._one(drain, job)

            stopping = asyncio.create_task(_pass_on(stop, manager.shutdown, lasts_s))
            hearing = Hearing(manager)
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


class PooledDriver(AsyncpgPoolDriver):
    """PgQueuer's statements through a pooler in transaction mode, each in a transaction.

    Notifications come past the pooler, on `listening`. Without it they are not sent at all:
    this process tells itself what it would have heard of itself.
    """

    def __init__(self, pool: Any, listening: Any = None) -> None:  # noqa: ANN401 - asyncpg's own
        super().__init__(pool)
        self._statements = pool
        self._listening = AsyncpgDriver(listening) if listening is not None else None
        self._callbacks: list[Callable[[str | bytes | bytearray], None]] = []

    async def fetch(self, query: str, *args: object) -> list[dict[str, object]]:
        """Run it and return its rows."""
        async with self._statements.acquire() as connection, connection.transaction():
            return [dict(row) for row in await connection.fetch(query, *args)]

    async def execute(self, query: str, *args: object) -> str:
        """Run it; several statements, without arguments, are one transaction already."""
        if not args:
            return await super().execute(query)
        async with self._statements.acquire() as connection, connection.transaction():
            return str(await connection.execute(query, *args))

    async def notify(self, channel: str, payload: str) -> None:
        """Tell all who listen; where nobody can, only this process."""
        if self._listening is not None:
            await super().notify(channel, payload)
        for callback in self._callbacks:
            callback(payload)

    async def add_listener(
        self, channel: str, callback: Callable[[str | bytes | bytearray], None]
    ) -> None:
        """Have it called with each notification's payload."""
        if self._listening is not None:
            await self._listening.add_listener(channel, callback)
        else:
            self._callbacks.append(callback)


@asynccontextmanager
async def _driver(database: Database) -> AsyncIterator[tuple[AsyncpgPoolDriver, float | None]]:
    """Open the connections that hand out work; tell for how long they are good, None: always.

    Where the way past a pooler is lost, work is looked for meanwhile.
    """
    dsn = dsn_of(database.address.url)
    async with AsyncExitStack() as stack:
        pool = asyncpg.create_pool(dsn, min_size=2, max_size=6, **_session(database))
        opened = await stack.enter_async_context(pool)
        if not database.address.pooled:
            yield AsyncpgPoolDriver(opened), None
        elif database.address.direct is None:
            yield PooledDriver(opened), None
        else:
            listening = await _listening_if_it_goes(database, stack)
            yield PooledDriver(opened, listening), _WITHOUT_S if listening is None else None


async def _listening_if_it_goes(
    database: Database, stack: AsyncExitStack, *fatal: type[Exception]
) -> Any:  # noqa: ANN401 - asyncpg's own
    try:
        return await stack.enter_async_context(_listening(database))
    except fatal:
        raise
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        _log.warning("%s: %s", _NO_WAY_PAST, str(error) or type(error).__name__)
        return None


async def install(database: Database) -> None:
    """Make PgQueuer's tables, or bring them up to its present version; `hub migrate` calls it."""
    async with _connected(database) as queries:
        if await queries.schema_is_installed():
            await queries.upgrade()
        else:
            await queries.install()


async def check(database: Database) -> None:
    """StartRefused unless PgQueuer's tables are there, present, and written to the log.

    Where there is a way past a pooler, notifications must come on it.
    """
    async with _connected(database) as queries:
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
            listening = await _listening_if_it_goes(database, stack, *_WRONG)
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
            async with asyncio.timeout(_HEARD_S):
                await heard.wait()
        except TimeoutError:
            raise StartRefused(
                "No notification comes on the way past the pooler that HUB_DATABASE__URL names "
                "(direct=…): it leads through a pooler, too, or to another database. Name "
                "PostgreSQL itself, or say pooler=true instead: work is then looked for every "
                "two seconds."
            ) from None


async def purge_log(database: Database) -> None:
    """Delete PgQueuer's log lines older than a day; it keeps them for ever."""
    async with _connected(database) as queries:
        await queries.driver.execute(
            "DELETE FROM hub_pgqueuer_log WHERE created < now() - interval '1 day'"
        )


def dsn_of(url: URL) -> str:
    """Return the URL as asyncpg reads it."""
    return url.set(drivername="postgresql").render_as_string(hide_password=False)


@asynccontextmanager
async def _connected(database: Database) -> AsyncIterator[Queries]:
    connection = await asyncpg.connect(dsn_of(database.address.url), **_session(database))
    try:
        yield _queries(AsyncpgDriver(connection), database)
    finally:
        await connection.close()


@asynccontextmanager
async def _listening(database: Database) -> AsyncIterator[Any]:
    """Open a connection past the pooler."""
    assert database.address.direct is not None  # noqa: S101 - who calls looked
    connection = await asyncpg.connect(dsn_of(database.address.direct), timeout=_HEARD_S)
    try:
        yield connection
    finally:
        await connection.close(timeout=_HEARD_S)


def _session(database: Database) -> dict[str, Any]:
    clean = {"connection_class": pooled.CleanConnection}
    return pooled.options() if database.address.pooled else clean


class _Queries(Queries):
    """PgQueuer's own, but that an upgrade's lock is of a transaction, not of a session.

    Behind a pooler another session would be asked to give it up, and it would stay for ever.
    """

    def __init__(self, driver: AsyncpgDriver | AsyncpgPoolDriver, database: Database) -> None:
        super().__init__(
            driver,
            qbe=QueryBuilderEnvironment(settings=NAMES),
            qbq=_QUEUE,
            qbs=QuerySchedulerBuilder(settings=NAMES),
        )
        self._database = database

    @asynccontextmanager
    async def schema_lock(self) -> AsyncIterator[None]:
        """Let one process after the other change the queue's tables."""
        async with self._database.transaction() as connection:
            await connection.exec_driver_sql(_ONE_UPGRADES)
            yield


def _queries(driver: AsyncpgDriver | AsyncpgPoolDriver, database: Database) -> Queries:
    return _Queries(driver, database)


def _read(payload: bytes) -> tuple[int, int]:
    shard, _, number = payload.decode().partition(":")
    return int(shard), int(number)


async def _pass_on(stop: asyncio.Event, shutdown: asyncio.Event, lasts_s: float | None) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(lasts_s):
            await stop.wait()
    shutdown.set()
