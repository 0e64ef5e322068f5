"""What a database's error means: it is away, somebody was first, or it is our fault."""

import asyncio
from typing import Final

from sqlalchemy.exc import DBAPIError, IntegrityError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from hub.db.engine import Database
from hub.errors import Overloaded, StartRefused

_AWAY: Final = ("08", "53", "57P", "25P03")
"""SQLSTATE classes: connection, resources, server stops or starts, transaction left too long."""
_TWO_MEET: Final = "40"
_PATIENCE_S: Final = 5.0


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

    StartRefused when waiting would not help: the credentials, or the database's name.
    """
    try:
        async with asyncio.timeout(_PATIENCE_S), database.engine.connect() as connection:
            await connection.exec_driver_sql("SELECT 1")
    except Exception as error:
        if is_away(error):
            return str(getattr(error, "orig", None) or error) or type(error).__name__
        if isinstance(error, DBAPIError):
            raise StartRefused(
                f"The database refuses this hub: {error.orig}. Check HUB_DATABASE__URL."
            ) from error
        raise
    return ""


def _state(error: DBAPIError) -> str:
    return str(getattr(error.orig, "sqlstate", None) or "")
