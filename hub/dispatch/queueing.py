"""The connections and statements of PgQueuer, also through a pooler and past it."""

import logging
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, Final

import asyncpg
from pgqueuer.adapters.drivers.asyncpg import AsyncpgDriver, AsyncpgPoolDriver
from pgqueuer.adapters.persistence.qb import (
    QueryBuilderEnvironment,
    QueryQueueBuilder,
    QuerySchedulerBuilder,
)
from pgqueuer.adapters.persistence.queries import Queries
from pgqueuer.domain.settings import DBSettings, Durability
from pgqueuer.domain.types import Channel
from sqlalchemy import URL

from hub.db import pooled
from hub.db.engine import Database

_log = logging.getLogger(__name__)
HEARD_S: Final = 5.0
"""How long a notification may take."""
_NO_WAY_PAST: Final = "the way past the pooler is lost, looking for work every two seconds"
_WITHOUT_S: Final = 30.0
"""After this the way past a pooler is tried again."""
_ONE_UPGRADES: Final = "SELECT pg_advisory_xact_lock(hashtext('hub_pgqueuer'))"

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
QUEUE: Final = QueryQueueBuilder(settings=NAMES)


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
async def open_driver(database: Database) -> AsyncIterator[tuple[AsyncpgPoolDriver, float | None]]:
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
            listening = await listening_if_it_goes(database, stack)
            yield PooledDriver(opened, listening), _WITHOUT_S if listening is None else None


async def listening_if_it_goes(
    database: Database, stack: AsyncExitStack, *fatal: type[Exception]
) -> Any:  # noqa: ANN401 - asyncpg's own
    """Return a connection past the pooler; None, after a warning, when it can't be had now."""
    try:
        return await stack.enter_async_context(_listening(database))
    except fatal:
        raise
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        _log.warning("%s: %s", _NO_WAY_PAST, str(error) or type(error).__name__)
        return None


def dsn_of(url: URL) -> str:
    """Return the URL as asyncpg reads it."""
    return url.set(drivername="postgresql").render_as_string(hide_password=False)


@asynccontextmanager
async def connected(database: Database) -> AsyncIterator[Queries]:
    """Open one connection for PgQueuer's statements."""
    connection = await asyncpg.connect(dsn_of(database.address.url), **_session(database))
    try:
        yield queries_on(AsyncpgDriver(connection), database)
    finally:
        await connection.close()


@asynccontextmanager
async def _listening(database: Database) -> AsyncIterator[Any]:
    """Open a connection past the pooler."""
    assert database.address.direct is not None  # noqa: S101 - who calls looked
    connection = await asyncpg.connect(dsn_of(database.address.direct), timeout=HEARD_S)
    try:
        yield connection
    finally:
        await connection.close(timeout=HEARD_S)


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
            qbq=QUEUE,
            qbs=QuerySchedulerBuilder(settings=NAMES),
        )
        self._database = database

    @asynccontextmanager
    async def schema_lock(self) -> AsyncIterator[None]:
        """Let one process after the other change the queue's tables."""
        async with self._database.transaction() as connection:
            await connection.exec_driver_sql(_ONE_UPGRADES)
            yield


def queries_on(driver: AsyncpgDriver | AsyncpgPoolDriver, database: Database) -> Queries:
    """Return PgQueuer's statements on these connections."""
    return _Queries(driver, database)
