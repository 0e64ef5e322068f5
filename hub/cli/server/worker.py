"""`hub worker`: a process that only works, beside those that accept."""

import asyncio
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hub._version import __version__
from hub.cli.server.starting import refusing, settings_of

if TYPE_CHECKING:
    from hub.settings import HubSettings


def attach(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command("worker", epilog="Example: hub worker --data /var/lib/hub")(worker)


def worker(
    *,
    data: Annotated[str, typer.Option(help="Data folder [HUB_DATA_DIR].")] = "",
) -> None:
    """Work events that `hub serve` processes accept; any number, on any hosts (PostgreSQL)."""
    with refusing():
        settings = settings_of(data=data)
        _refuse_sqlite(settings)
        settings.prepare_data_dir()
        asyncio.run(_work(settings))
    typer.echo("The worker has stopped.")


def _refuse_sqlite(settings: "HubSettings") -> None:
    from hub.errors import StartRefused  # noqa: PLC0415 - so that --help is quick

    if settings.embedded:
        raise StartRefused(
            "hub worker needs PostgreSQL: with SQLite, one hub serve does everything. "
            "Set HUB_DATABASE__URL=postgresql+asyncpg://… for hub serve and hub worker."
        )


async def _work(settings: "HubSettings") -> None:
    from hub.app import create_app  # noqa: PLC0415 - the whole hub
    from hub.cli.server.waiting import Opening  # noqa: PLC0415 - so that --help is quick

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    opening = Opening(create_app(settings, works=True, serves=False))
    async with opening.closing():
        if not await opening.at_once():
            await opening.wait(stop.is_set)
        if stop.is_set():
            return
        typer.echo(_ready_line(settings.data_dir))
        await stop.wait()


def _ready_line(data: Path) -> str:
    return f"Integration Hub {__version__} worker is at work (data in {data})"
