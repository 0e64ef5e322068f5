"""Moving everything from a SQLite file to PostgreSQL, with nothing lost.

The target is filled in one transaction: killed on the way it is as empty as before, and the command
is given again. The file is only read, but for the mark at the end that keeps a hub from going on
with it.
"""

from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

from sqlalchemy import Table, func, insert, select, text
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.db.address import address_of
from hub.db.engine import Database
from hub.dispatch.embedded import FileLock
from hub.errors import StartRefused
from hub.migrations.run import migrate
from hub.migrations.tables import metadata
from hub.migrations.version import MOVED, check_version

_MOST_VALUES: Final = 30_000
_ROWS: Final = 500
Told = Callable[[str, int], None]
"""Called with a table's name and its number of rows, after it was copied."""


async def move(source: Database, target_url: str, told: Told) -> int:
    """Copy a stopped hub's SQLite database; return how many rows it has.

    StartRefused when the hub runs, when the schemas differ, when the target is no PostgreSQL or
    has anything in it, or when a row is missing afterwards.
    """
    _require(source, target_url)
    lock = FileLock.of(source.engine.url)
    lock.acquire()
    target = Database(target_url)
    try:
        await check_version(source)
        await migrate(target)
        copied = await _copied(source, target, told)
        await _mark(source, target_url)
        return copied
    finally:
        await target.close()
        lock.release()


def _require(source: Database, target_url: str) -> None:
    if not source.is_sqlite:
        raise StartRefused("The hub's database is PostgreSQL already: there is nothing to move.")
    if make_url(target_url).get_backend_name() != "postgresql":
        raise StartRefused("Move to PostgreSQL: postgresql+asyncpg://user@host/database")


async def _copied(source: Database, target: Database, told: Told) -> int:
    total = 0
    async with _snapshot(source) as reading, target.engine.begin() as writing:
        await _require_empty(writing)
        for table in metadata.sorted_tables:
            await _copy(reading, writing, table)
            count = await _compared(reading, writing, table)
            await _go_on_counting(reading, writing, table)
            told(table.name, count)
            total += count
    return total


@asynccontextmanager
async def _snapshot(source: Database) -> AsyncIterator[AsyncConnection]:
    async with source.engine.connect() as connection, connection.begin():
        yield connection


async def _require_empty(writing: AsyncConnection) -> None:
    for table in metadata.sorted_tables:
        if await writing.scalar(select(func.count()).select_from(table)):
            raise StartRefused(
                f"The target has rows in {table.name!r} already. "
                "Move to a database that no hub has used."
            )


async def _copy(reading: AsyncConnection, writing: AsyncConnection, table: Table) -> None:
    at_once = max(1, min(_ROWS, _MOST_VALUES // len(table.columns)))
    stream = await reading.stream(select(table).order_by(*table.primary_key.columns))
    async for rows in stream.mappings().partitions(at_once):
        await writing.execute(insert(table), [dict(row) for row in rows])


async def _compared(reading: AsyncConnection, writing: AsyncConnection, table: Table) -> int:
    count = select(func.count()).select_from(table)
    there, here = await reading.scalar(count) or 0, await writing.scalar(count) or 0
    if there != here:
        raise StartRefused(f"{table.name!r} has {there} rows, {here} arrived. Nothing was moved.")
    return here


async def _go_on_counting(reading: AsyncConnection, writing: AsyncConnection, table: Table) -> None:
    """Let new ids begin behind all that were ever given, also behind those of deleted rows."""
    for column in _counted(table):
        given = [await writing.scalar(select(func.max(column))) or 0]
        if await _remembers(reading):
            given.append(await reading.scalar(_LAST, {"name": table.name}) or 0)
        if max(given):
            await writing.execute(
                _BEHIND, {"table": table.name, "column": column.name, "last": max(given)}
            )


_LAST: Final = text("SELECT seq FROM sqlite_sequence WHERE name = :name")
_BEHIND: Final = text(
    "SELECT setval(pg_get_serial_sequence(CAST(:table AS text), CAST(:column AS text)), "
    "CAST(:last AS bigint))"
)


def _counted(table: Table) -> Iterator[Any]:
    column = table.autoincrement_column
    if column is not None:
        yield column


async def _remembers(reading: AsyncConnection) -> bool:
    found = await reading.scalar(
        text("SELECT count(*) FROM sqlite_master WHERE name = 'sqlite_sequence'")
    )
    return bool(found)


async def _mark(source: Database, target_url: str) -> None:
    """Keep a hub from going on with the file."""
    shown = address_of(target_url).url.render_as_string(hide_password=True)
    meta = metadata.tables["hub_meta"]
    value: Mapping[str, Sequence[str] | str] = {"to": shown}
    async with source.transaction() as connection:
        await connection.execute(insert(meta).values(key=MOVED, value=value))
