"""Bringing a database's schema to this code's version."""

from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from hub import clock
from hub.db.engine import Database
from hub.deliveries import resharding
from hub.errors import StartRefused

_HERE: Final = Path(__file__).parent


async def migrate(database: Database, target: str = "head") -> None:
    """Upgrade the schema; StartRefused when a newer hub has written it."""
    async with database.engine.connect() as connection:
        await connection.run_sync(_upgrade, target)
        await connection.commit()
    if not database.is_sqlite:
        from hub.dispatch.postgres import install  # noqa: PLC0415 - an extra

        await install(database.engine.url)


async def reshard(database: Database, shards: int) -> int:
    """File the inbox anew for so many shards; return how many lanes wait. Nothing may run."""
    async with database.transaction() as connection:
        return await connection.run_sync(lambda sync: resharding.reshard(sync, shards, clock.now()))


async def downgrade(database: Database, target: str) -> None:
    """Go back to an older version ("base" = none)."""
    async with database.engine.connect() as connection:
        await connection.run_sync(lambda sync: command.downgrade(_config(sync), target))
        await connection.commit()


async def check_version(database: Database) -> None:
    """Raise StartRefused unless the schema is exactly this code's."""
    async with database.engine.connect() as connection:
        await connection.run_sync(_check)


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_HERE))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


def _found(connection: Connection) -> str | None:
    found = MigrationContext.configure(connection).get_current_revision()
    known = {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}
    if found is not None and found not in known:
        raise StartRefused(
            f"The database was written by a newer hub (its schema is {found}). "
            "Start that version of the hub, or restore a backup from before the upgrade."
        )
    return found


def _upgrade(connection: Connection, target: str) -> None:
    _found(connection)
    command.upgrade(_config(connection), target)


def _check(connection: Connection) -> None:
    head = ScriptDirectory.from_config(_config()).get_current_head()
    found = _found(connection)
    if found != head:
        raise StartRefused(
            f"The database's schema is {found or 'empty'}, this hub needs {head}. Run: hub migrate"
        )
