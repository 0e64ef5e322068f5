"""What a database's error means: it is away, somebody was first, or it is our fault."""

import asyncio
from typing import Final

from sqlalchemy.exc import DBAPIError, IntegrityError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.db.engine import Database
from hub.errors import Overloaded, StartRefused

_AWAY: Final = ("08", "53", "57P", "25P03")
"""SQLSTATE classes: connection, resources, server stops or starts, transaction left too long."""
_TWO_MEET: Final = "40"
_PATIENCE_S: Final = 5.0
_REFUSES: Final = "unsupported startup parameter"
_MIXED_UP: Final = {
    "26000": "a prepared statement got lost",
    "42P05": "another's prepared statement is there",
}
"""What happens to statements that a session has prepared when there is none of one's own."""


def is_away(error: BaseException) -> bool:
    """Whether the database could not be reached or gave up: the same may work a moment later."""
    if isinstance(error, OperationalError | InterfaceError | PoolTimeout | Overloaded | OSError):
        return True
    if not isinstance(error, DBAPIError):
        return False
    return error.connection_invalidated or _state(error).startswith(_AWAY)


def in_conflict(error: BaseException) -> bool:
    """Whether another transaction was first: what had to be unique, or of a deadlock."""
    if isinstance(error, IntegrityError):
        return True
    return isinstance(error, DBAPIError) and was_in_the_way(error)


def was_in_the_way(error: DBAPIError) -> bool:
    """Whether the database ended one of two transactions that waited for each other."""
    return _state(error).startswith(_TWO_MEET)


async def why_away(database: Database) -> str:
    """Return why the database can't be asked now; "": it answers.

    StartRefused when waiting would not help: the credentials, the database's name, or a pooler
    that the settings do not tell of.
    """
    try:
        async with asyncio.timeout(_PATIENCE_S):
            await refuse_pooler(database)
    except Exception as error:
        if is_away(error):
            return str(getattr(error, "orig", None) or error) or type(error).__name__
        if isinstance(error, DBAPIError):
            raise StartRefused(
                f"The database refuses this hub: {error.orig}. Check HUB_DATABASE__URL."
            ) from error
        raise
    return ""


async def refuse_pooler(database: Database) -> None:
    """StartRefused when a pooler stands before PostgreSQL and the settings do not say so."""
    try:
        async with database.engine.connect() as connection:
            sign = "" if database.is_sqlite else await _go_between(connection)
    except DBAPIError as error:
        sign = _sign_of(error)
        if database.address.pooled or not sign:
            raise
    if sign and not database.address.pooled:
        raise StartRefused(
            f"There is a pooler between the hub and PostgreSQL ({sign}). Add ?pooler=true to "
            "HUB_DATABASE__URL, or, so that work begins at once, ?direct=HOST:PORT with the way "
            "past it; or name PostgreSQL itself in the URL."
        )


async def _go_between(connection: AsyncConnection) -> str:
    """Return how it shows that somebody answers for the server; "": nobody does."""
    there = (await connection.exec_driver_sql("SELECT pg_backend_pid()")).scalar_one()
    raw = await connection.get_raw_connection()
    told = raw.driver_connection.get_server_pid() if raw.driver_connection is not None else there
    return "" if told == there else "the server's process is not the one that was announced"


def _sign_of(error: DBAPIError) -> str:
    if _REFUSES in str(error.orig):
        return str(error.orig)
    return _MIXED_UP.get(_state(error), "")


def _state(error: DBAPIError) -> str:
    return str(getattr(error.orig, "sqlstate", None) or "")
