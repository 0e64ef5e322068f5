"""A time as an id: rows of the busy tables are asked for by age without an index on their time.

Ids grow with time, so the primary key is halved until the moment is found: some thirty looks at
it, in one statement. Hosts' clocks differ and rows wait for their commit, so an answer leaves a
slack, and who asks keeps the condition on the time itself.
"""

from datetime import datetime, timedelta
from typing import Final, NamedTuple

from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import AsyncSession

from hub.db.bulk import query

SLACK: Final = timedelta(minutes=15)
"""By so much the time of a row may be later than that of one with a higher id."""
_NONE: Final = 0
_ALL: Final = 2**62
_MIDDLE: Final = (
    "(SELECT t.{time} FROM {table} t WHERE t.id >= (low + high) / 2 ORDER BY t.id LIMIT 1) < ?"
)
_FIRST: Final = f"""
WITH RECURSIVE halves(low, high) AS (
  SELECT min(id), max(id) + 1 FROM {{table}}
  UNION ALL
  SELECT CASE WHEN {_MIDDLE} THEN (low + high) / 2 + 1 ELSE low END,
    CASE WHEN {_MIDDLE} THEN high ELSE (low + high) / 2 END
  FROM halves WHERE low < high
)
SELECT low FROM halves WHERE low = high"""  # noqa: S608 - our own names


class Timed(NamedTuple):
    """A table whose ids grow with a time of its rows."""

    table: str
    time: str


DELIVERIES: Final = Timed("deliveries", "received_at")
EVENTS: Final = Timed("events", "created_at")
RUNS: Final = Timed("runs", "created_at")
ATTEMPTS: Final = Timed("attempts", "at")
ACTIVITY: Final = Timed("activity", "at")


def since_id(connection: Connection, timed: Timed, moment: datetime) -> int:
    """Return an id below which no row is of the moment or later."""
    first = _first(connection, timed, _moved(moment, -SLACK))
    return _NONE if first is None else first


def until_id(connection: Connection, timed: Timed, moment: datetime) -> int:
    """Return an id from which on no row is earlier than the moment."""
    first = _first(connection, timed, _moved(moment, SLACK))
    return _ALL if first is None else first


async def ids_between(
    session: AsyncSession, timed: Timed, since: datetime | None, until: datetime | None
) -> tuple[int, int]:
    """Return the first id that may be of the time, and the first that can't be any more."""

    def found(connection: Connection) -> tuple[int, int]:
        return (
            since_id(connection, timed, since) if since is not None else _NONE,
            until_id(connection, timed, until) if until is not None else _ALL,
        )

    return await session.run_sync(lambda sync: found(sync.connection()))


def _first(connection: Connection, timed: Timed, moment: datetime) -> int | None:
    sql = _FIRST.format(table=timed.table, time=timed.time)
    rows = query(connection, sql, moment, moment)
    return int(rows[0][0]) if rows else None


def _moved(moment: datetime, by: timedelta) -> datetime:
    try:
        return moment + by
    except OverflowError:  # the first or the last moment that can be told
        return moment
