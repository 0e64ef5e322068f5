"""`hub db`: moving the hub's database."""

import asyncio
from typing import Annotated

import typer

from hub.cli.server.starting import refusing, settings_of


def attach(app: typer.Typer) -> None:
    """Add the commands to the program."""
    group = typer.Typer(rich_markup_mode=None, help="The hub's database, on the server.")
    group.command(
        "move", epilog="Example: hub db move --to postgresql+asyncpg://hub@db.example.com/hub"
    )(move)
    group.callback()(_group)
    app.add_typer(group, name="db", epilog="Example: hub db move --to URL")


def _group() -> None:
    """Make a group of one command, so that it keeps its name."""


def move(
    *,
    to: Annotated[str, typer.Option(help="URL of an empty PostgreSQL database.")],
    data: Annotated[str, typer.Option(help="Data folder [HUB_DATA_DIR].")] = "",
) -> None:
    """Move everything from the SQLite file to PostgreSQL; stop the hub first.

    Killed on the way it left nothing behind: give it again. The file stays as it was, and a hub
    that is started with it says where everything went.
    """
    from hub.db.engine import Database  # noqa: PLC0415 - so that --help is quick
    from hub.migrations.moving import move as moving  # noqa: PLC0415 - so that --help is quick

    async def moved() -> int:
        database = Database(settings.database_url)
        try:
            return await moving(database, to, told)
        finally:
            await database.close()

    def told(table: str, rows: int) -> None:
        if rows:
            typer.echo(f"  {table}: {rows}")

    with refusing():
        settings = settings_of(data=data)
        count = asyncio.run(moved())
    typer.echo(f"✓ {count} rows moved, none is missing.")
    typer.echo(
        "Next: set HUB_DATABASE__URL to the new database; keep the data folder and its keys."
    )
