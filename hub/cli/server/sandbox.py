"""`hub sandbox`: the vendors' stand-ins, served together."""

from typing import TYPE_CHECKING, Annotated

import typer

from hub.cli.server.starting import refusing, settings_of

if TYPE_CHECKING:
    import socket

    from hub.sandbox.app import Simulated, Stand

DEFAULT_PORT = 8500


def attach(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command("sandbox", epilog="Example: hub sandbox --port 8500")(sandbox)


def sandbox(
    *,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(help="Port of the page; simulators take the next ones. 0 = free ones.")
    ] = DEFAULT_PORT,
) -> None:
    """Serve every installed plugin's simulator, each on its own port, and a page about them."""
    with refusing():
        _serve(host, port)


def _serve(host: str, port: int) -> None:
    from hub.cli.server.serving import Server, address, listen, run_all, server  # noqa: PLC0415 - lazy
    from hub.sandbox.app import Stand, index  # noqa: PLC0415 - so that --help is quick

    found = _simulated()
    page = listen(host, port)
    stands: list[Stand] = []
    ready = _Countdown(len(found) + 1, address(page, host), stands)
    servers: dict[socket.socket, Server] = {page: server(index(stands), ready)}
    for number, one in enumerate(found, start=1):
        listening = listen(host, port + number if port else 0)
        stands.append(one.at(address(listening, host)))
        servers[listening] = server(one.simulator.app, ready)
    run_all(servers)
    typer.echo("The sandbox has stopped.")


def _simulated() -> "list[Simulated]":
    from hub.catalog.plugins import load_plugins  # noqa: PLC0415 - so that --help is quick
    from hub.sandbox.app import simulated  # noqa: PLC0415 - so that --help is quick

    blocked = settings_of().plugins.blocked
    return simulated(load_plugins((), blocked).catalog.connector_types.values())


class _Countdown:
    """Prints the addresses once every server answers."""

    def __init__(self, servers: int, url: str, stands: "list[Stand]") -> None:
        self._left = servers
        self._url = url
        self._stands = stands

    def __call__(self) -> None:
        self._left -= 1
        if self._left:
            return
        typer.echo(f"The sandbox is ready at {self._url}")
        for one in self._stands:
            typer.echo(f"  {one.label}: {one.url}/_sim/")
