"""`hub serve`: API, worker and scheduler in one process."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hub._version import __version__
from hub.cli.server.migrating import migrating
from hub.cli.server.starting import refusing, settings_of, unswept

if TYPE_CHECKING:
    from hub.settings import HubSettings


def attach(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command("serve", epilog="Example: hub serve --data /var/lib/hub --port 8400")(serve)


def serve(
    *,
    data: Annotated[str, typer.Option(help="Data folder [HUB_DATA_DIR].")] = "",
    host: Annotated[str, typer.Option(help="Address to listen on [HUB_HTTP__HOST].")] = "",
    port: Annotated[int | None, typer.Option(help="Port; 0 = a free one [HUB_HTTP__PORT].")] = None,
    public_url: Annotated[
        str, typer.Option(help="How vendors reach this hub [HUB_HTTP__PUBLIC_URL].")
    ] = "",
) -> None:
    """Run the hub: API, worker and scheduler in one process."""
    with refusing():
        settings = settings_of(data=data, host=host, port=port, public_url=public_url)
        _refuse_idle_sqlite(settings)
        settings.prepare_data_dir()
        _serve(settings)


def _refuse_idle_sqlite(settings: "HubSettings") -> None:
    from hub.errors import StartRefused  # noqa: PLC0415 - so that --help is quick

    if settings.embedded and not settings.dispatch.works:
        raise StartRefused(
            "HUB_DISPATCH__WORKS=false needs PostgreSQL and hub worker processes: "
            "with SQLite, one hub serve does everything."
        )


def _serve(settings: "HubSettings") -> None:
    from hub.cli.server.serving import address, listen, run_all, server  # noqa: PLC0415 - lazy

    listening = listen(settings.http.host, settings.http.port)
    settings = _with_port(settings, listening.getsockname()[1])
    with migrating(settings), unswept():
        from hub.app import create_app  # noqa: PLC0415 - the whole hub; after the port is ours

        app = create_app(settings)
    from hub.cli.server.waiting import Opening  # noqa: PLC0415 - so that --help is quick
    from hub.http.gate import Gate  # noqa: PLC0415 - so that --help is quick

    gate = Gate(app)
    url = address(listening, settings.http.host)
    file = settings.data_dir / "serve.url"

    def ready() -> None:
        file.write_text(f"{url}\n")
        for line in _ready_lines(app, settings, url):
            typer.echo(line)

    options = {
        "proxy_headers": True,
        "forwarded_allow_ips": settings.http.trusted_proxies,
        "lifespan": "off",
    }
    with _forgetting(file, url):
        run_all({listening: server(gate, ready, **options)}, Opening(app, gate))
    typer.echo("The hub has stopped.")


def _with_port(settings: "HubSettings", port: int) -> "HubSettings":
    """Put the port that was found into the settings, as webhook addresses are made of it."""
    http = settings.http.model_copy(update={"port": port})
    return settings.model_copy(update={"http": http})


@contextlib.contextmanager
def _forgetting(file: Path, url: str) -> Iterator[None]:
    """Remove at the end the address that commands on this machine look for, if it is ours."""
    try:
        yield
    finally:
        with contextlib.suppress(FileNotFoundError):
            if file.read_text().strip() == url:
                file.unlink()


def _ready_lines(app: Any, settings: "HubSettings", url: str) -> Iterator[str]:  # noqa: ANN401 - FastAPI, imported late
    mode = "embedded" if settings.embedded else "scaled out"
    yield f"Integration Hub {__version__} is ready at {url} ({mode}, data in {settings.data_dir})"
    yield f"  API docs: {url}/docs"
    reports = app.state.plugins
    names = [one.name for one in reports if one.state == "loaded" and not one.builtin]
    yield f"  Plugins: {', '.join(names) or 'none'}"
    for one in reports:
        if one.state == "quarantined":
            yield f"  ! Plugin {one.name} is quarantined: {one.reason}"
