"""`hub migrate`: bring the database to this version's schema."""

import asyncio
from typing import Annotated

import typer

from hub.cli.server.starting import refusing, settings_of


def attach(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command("migrate", epilog="Example: hub migrate --data /var/lib/hub")(migrate)


def migrate(
    *,
    data: Annotated[str, typer.Option(help="Data folder [HUB_DATA_DIR].")] = "",
    reshard: Annotated[
        int, typer.Option(help="File the inbox for so many shards; stop all processes first.")
    ] = 0,
) -> None:
    """Bring the database to this version's schema (`hub serve` on SQLite does so by itself)."""
    from hub.db.engine import Database  # noqa: PLC0415 - so that --help is quick
    from hub.dispatch.embedded import FileLock  # noqa: PLC0415 - so that --help is quick
    from hub.migrations import run  # noqa: PLC0415 - so that --help is quick

    async def upgrade() -> None:
        database = Database(settings.database_url)
        lock = FileLock.of(database.engine.url)
        lock.acquire()
        try:
            await run.migrate(database)
            if reshard:
                await run.reshard(database, reshard)
        finally:
            await database.close()
            lock.release()

    with refusing():
        settings = settings_of(data=data)
        settings.prepare_data_dir()
        asyncio.run(upgrade())
    typer.echo("✓ The database has this version's schema.")
    if reshard:
        typer.echo(f"✓ The inbox has {reshard} shards. Set HUB_DISPATCH__SHARDS={reshard}.")
