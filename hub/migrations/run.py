"""Bringing a database's schema to this code's version."""

from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection

from hub import clock
from hub.db.away import refuse_pooler
from hub.db.engine import Database
from hub.migrations import version

_HERE: Final = Path(__file__).parent


async def migrate(database: Database, target: str = "head") -> None:
    """Upgrade the schema; StartRefused when a newer hub has written it, or by `refuse_pooler`."""
    await refuse_pooler(database)
    async with database.engine.connect() as connection:
        await connection.run_sync(_upgrade, target)
        await connection.commit()
    if not database.is_sqlite:
        from hub.dispatch.postgres import install  # noqa: PLC0415 - an extra

        await install(database)


async def reshard(database: Database, shards: int) -> int:
    """File the inbox anew for so many shards; return how many lanes wait. Nothing may run."""
    from hub.deliveries import resharding  # noqa: PLC0415 - the inbox's models, which migrating never needs

    async with database.transaction() as connection:
        return await connection.run_sync(lambda sync: resharding.reshard(sync, shards, clock.now()))


async def downgrade(database: Database, target: str) -> None:
    """Go back to an older version ("base" = none)."""
    async with database.engine.connect() as connection:
        await connection.run_sync(lambda sync: command.downgrade(configured(sync), target))
        await connection.commit()


def configured(connection: Connection | None = None) -> Config:
    """Return Alembic's configuration for this connection."""
    config = Config()
    config.set_main_option("script_location", str(_HERE))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


def _upgrade(connection: Connection, target: str) -> None:
    version.found(connection)
    command.upgrade(configured(connection), target)
