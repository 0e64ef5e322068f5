"""Which schema a database has and which one this code needs, known without Alembic.

Alembic and what it brings cost a start 0.2 s and 10 MiB; a hub whose database is up to date
never loads them.
"""

from pathlib import Path
from typing import Final

from sqlalchemy import Connection, inspect, text

from hub.db.engine import Database
from hub.errors import StartRefused

KNOWN: Final = tuple(
    sorted(
        file.name.partition("_")[0]
        for file in (Path(__file__).parent / "versions").glob("[0-9]*.py")
    )
)
HEAD: Final = KNOWN[-1]
MOVED: Final = "moved"
"""The row of `hub_meta` that says where everything of this database went."""


async def check_version(database: Database) -> None:
    """Raise StartRefused unless the schema is exactly this code's."""
    async with database.engine.connect() as connection:
        await connection.run_sync(_check)


async def is_current(database: Database) -> bool:
    """Whether the schema is this code's; StartRefused when a newer hub has written it."""
    async with database.engine.connect() as connection:
        return await connection.run_sync(found) == HEAD


def found(connection: Connection) -> str | None:
    """Return the database's version (None = empty); StartRefused when it is unknown here."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    number = connection.scalar(text("SELECT version_num FROM alembic_version"))
    if number is not None and number not in KNOWN:
        raise StartRefused(
            f"The database was written by a newer hub (its schema is {number}). "
            "Start that version of the hub, or restore a backup from before the upgrade."
        )
    return None if number is None else str(number)


def _check(connection: Connection) -> None:
    number = found(connection)
    if number != HEAD:
        raise StartRefused(
            f"The database's schema is {number or 'empty'}, this hub needs {HEAD}. Run: hub migrate"
        )
    if connection.scalar(text("SELECT 1 FROM hub_meta WHERE key = :key"), {"key": MOVED}):
        raise StartRefused(
            "This database was moved to PostgreSQL by `hub db move`. "
            "Set HUB_DATABASE__URL to the new one."
        )
