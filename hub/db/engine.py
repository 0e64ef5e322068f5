"""One database: its engine, read and write sessions, and what SQLite must be told."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import Connection, event
from sqlalchemy.ext.asyncio import (
    AsyncConnection,
    AsyncEngine,
    AsyncSession,
    async_sessionmaker,
    create_async_engine,
)

from hub.db.address import Address, address_of

PRAGMAS = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    "PRAGMA busy_timeout=30000",
    "PRAGMA foreign_keys=ON",
    "PRAGMA temp_store=MEMORY",
    "PRAGMA cache_size=-32000",
    "PRAGMA wal_autocheckpoint=8000",
)


_CONNECT_S = 5.0
_STEPPING_POOL = 6
_IDLE_MS = "60000"
_HANGS_MS = "3000"
"""How long a step's transaction may stand still: it holds rows that others wait for."""
_BY_KEY = {"enable_seqscan": "off", "jit": "off"}
"""Steps find a few rows by their keys: a plan that reads a table from end to end, made while the
table was small, is not to be kept."""
_SERVER = {
    "tcp_keepalives_idle": "10",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "3",
    "tcp_user_timeout": "20000",
}
"""So that PostgreSQL lets go of what a host held that was cut off or died."""


class Database:
    """The hub's database.

    `reading()` gives a session for queries, `writing()` one whose transaction takes
    SQLite's write lock at its begin, commits at the end and rolls back on an exception.
    The URL may say that it leads to a pooler: see `hub.db.address`.
    """

    def __init__(self, url: str, *, pool_size: int = 10) -> None:
        self.address = address_of(url)
        self.engine = make_engine(self.address, pool_size=pool_size)
        self._stepping: AsyncEngine | None = None
        self.dialect = self.engine.dialect.name
        self._writer = self.engine.execution_options(immediate=True)
        self._read = async_sessionmaker(self.engine, expire_on_commit=False)
        self._write = async_sessionmaker(self._writer, expire_on_commit=False)

    @property
    def is_sqlite(self) -> bool:
        """Whether one process owns it."""
        return self.dialect == "sqlite"

    @property
    def stepping(self) -> AsyncEngine:
        """The engine for short transactions that await nothing but the database.

        On PostgreSQL one that stands still (its process is paused, its host cut off) is rolled
        back by the server after a few seconds, so that others get its rows. Its connections are
        not asked whether they live before each use, which costs three round trips: who uses
        them tries a second time when one was lost.
        """
        if self._stepping is None:
            self._stepping = (
                self.engine
                if self.is_sqlite
                else make_engine(
                    self.address, pool_size=_STEPPING_POOL, asks_first=False, steps=True
                )
            )
        return self._stepping

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncSession]:
        """Open a session for queries."""
        async with self._read() as session:
            yield session

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncSession]:
        """Open a session whose changes are committed together at the end."""
        async with self._write() as session, session.begin():
            yield session

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncConnection]:
        """Open a Core connection in a write transaction (inbox, ledger, shards)."""
        async with self._writer.begin() as connection:
            yield connection

    async def close(self) -> None:
        """Close all connections; those of a server that hangs are left after a few seconds."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_CONNECT_S):
                await self.engine.dispose()
                if self._stepping is not None:
                    await self._stepping.dispose()


def make_engine(
    address: Address, *, pool_size: int, asks_first: bool = True, steps: bool = False
) -> AsyncEngine:
    """Return an engine for SQLite (aiosqlite) or PostgreSQL (asyncpg, with session settings).

    With `asks_first` a pooled connection is asked whether it lives before it is used. On
    PostgreSQL a transaction that stands still is rolled back by the server, of `steps` soon.
    """
    if address.url.get_backend_name() == "sqlite":
        engine = create_async_engine(address.url, pool_size=pool_size, max_overflow=0)
        event.listen(engine.sync_engine, "connect", _prepare_sqlite)
        event.listen(engine.sync_engine, "begin", _begin_sqlite)
        return engine
    return create_async_engine(
        address.url,
        pool_size=pool_size,
        max_overflow=5,
        pool_pre_ping=asks_first,
        pool_recycle=1800,
        connect_args={"timeout": _CONNECT_S, **_session(steps=steps, pooled=address.pooled)},
    )


def _session(*, steps: bool, pooled: bool) -> dict[str, Any]:
    """Return how asyncpg opens a session: its settings, or that there is none behind a pooler."""
    idle_ms = _HANGS_MS if steps else _IDLE_MS
    if pooled:
        from hub.db.pooled import options  # noqa: PLC0415 - an extra

        return {**options(idle_ms), "prepared_statement_cache_size": 0}
    settings = _SERVER | {"idle_in_transaction_session_timeout": idle_ms}
    if steps:
        settings |= _BY_KEY
    return {"server_settings": settings}


def _prepare_sqlite(connection: Any, _: object) -> None:  # noqa: ANN401 - the driver's own class
    connection.isolation_level = None  # SQLAlchemy's events begin transactions, not the driver
    cursor = connection.cursor()
    for pragma in PRAGMAS:
        cursor.execute(pragma)
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    immediate = connection.get_execution_options().get("immediate", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")
