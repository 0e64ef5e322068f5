"""`hub worker`: a process that only works, beside those that accept."""

import asyncio
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hub._version import __version__
from hub.cli.server.starting import refusing, settings_of, unswept

if TYPE_CHECKING:
    from fastapi import FastAPI

    from hub.cli.server.waiting import Opening
    from hub.settings import HubSettings


def attach(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command("worker", epilog="Example: hub worker --data /var/lib/hub")(worker)


def worker(
    *,
    data: Annotated[str, typer.Option(help="Data folder [HUB_DATA_DIR].")] = "",
    host: Annotated[str, typer.Option(help="Address of --port [HUB_HTTP__HOST].")] = "",
    port: Annotated[
        int | None,
        typer.Option(help="Answer /healthz, /readyz and /metrics there; 0 = a free one."),
    ] = None,
) -> None:
    """Work events that `hub serve` processes accept; any number, on any hosts (PostgreSQL)."""
    with refusing():
        settings = settings_of(data=data, host=host, port=port)
        _refuse_sqlite(settings)
        settings.prepare_data_dir()
        if port is None:
            _work_only(settings)
        else:
            _work_and_tell(settings)
    typer.echo("The worker has stopped.")


def _refuse_sqlite(settings: "HubSettings") -> None:
    from hub.errors import StartRefused  # noqa: PLC0415 - so that --help is quick

    if settings.embedded:
        raise StartRefused(
            "hub worker needs PostgreSQL: with SQLite, one hub serve does everything. "
            "Set HUB_DATABASE__URL=postgresql+asyncpg://… for hub serve and hub worker."
        )


def _created(settings: "HubSettings") -> "FastAPI":
    with unswept():
        from hub.app import create_app  # noqa: PLC0415 - the whole hub

        return create_app(settings, works=True, serves=False)


def _work_only(settings: "HubSettings") -> None:
    from uvicorn import Config  # noqa: PLC0415 - so that --help is quick

    from hub.cli.server.waiting import Opening  # noqa: PLC0415 - so that --help is quick

    opening = Opening(_created(settings))
    try:
        with asyncio.Runner(loop_factory=Config("").get_loop_factory()) as runner:
            runner.run(_work(opening, settings.data_dir))
    finally:
        opening.ended()


async def _work(opening: "Opening", data: Path) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    async with opening.closing():
        if not await opening.at_once():
            await opening.wait(stop.is_set)
        if stop.is_set():
            return
        typer.echo(_ready_line(data))
        await stop.wait()


def _work_and_tell(settings: "HubSettings") -> None:
    from hub.cli.server.serving import address, listen, run_all, server  # noqa: PLC0415 - lazy
    from hub.cli.server.waiting import Opening  # noqa: PLC0415 - so that --help is quick
    from hub.http.gate import Gate  # noqa: PLC0415 - so that --help is quick

    listening = listen(settings.http.host, settings.http.port)
    app = _created(settings)
    gate = Gate(_vitals_of(app))
    told = f"{_ready_line(settings.data_dir)}, metrics at {address(listening, settings.http.host)}"
    answering = server(gate, lambda: typer.echo(told), lifespan="off")
    run_all({listening: answering}, Opening(app, gate))


def _vitals_of(app: "FastAPI") -> "FastAPI":
    """Return an app that only tells how this process does: health and metrics."""
    from fastapi import FastAPI  # noqa: PLC0415 - so that --help is quick

    from hub.http import health  # noqa: PLC0415 - so that --help is quick
    from hub.http.problems import add_problem_handlers  # noqa: PLC0415 - so that --help is quick
    from hub.metrics import endpoints as metrics  # noqa: PLC0415 - so that --help is quick

    vitals = FastAPI(title="Integration Hub", version=__version__, openapi_url=None)
    vitals.state = app.state
    vitals.include_router(health.router)
    vitals.include_router(metrics.router)
    add_problem_handlers(vitals)
    return vitals


def _ready_line(data: Path) -> str:
    return f"Integration Hub {__version__} worker is at work (data in {data})"
