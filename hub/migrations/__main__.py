"""Write the next version from what the models say: `make migration MESSAGE="what changes"`.

Compares the models with a database that has all versions so far, on SQLite in a temporary
folder. Read the file afterwards; the tests compare it with the models on both databases.
"""

import asyncio
import sys
import tempfile
from pathlib import Path

from alembic import command
from sqlalchemy import Connection

from hub.db.engine import Database
from hub.migrations import run, version
from hub.migrations.tables import metadata


def main(message: str) -> None:
    """Write `versions/NNNN_message.py`."""
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(_write(Path(folder), message))


async def _write(folder: Path, message: str) -> None:
    database = Database(f"sqlite+aiosqlite:///{folder / 'hub.db'}")
    try:
        await run.migrate(database)
        async with database.engine.connect() as connection:
            await connection.run_sync(_compare, message)
    finally:
        await database.close()


def _compare(connection: Connection, message: str) -> None:
    config = run.configured(connection)
    config.attributes["metadata"] = metadata
    number = f"{int(version.HEAD) + 1:04}"
    command.revision(config, message=message, autogenerate=True, rev_id=number)


if __name__ == "__main__":
    main(" ".join(sys.argv[1:]) or "change")
