"""Serving ASGI apps until a signal says stop."""

import asyncio
import contextlib
import errno
import signal
import socket
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from typing import Any

import uvicorn

from hub.cli.server.waiting import Opening
from hub.errors import StartRefused

GRACE_S = 10


def listen(host: str, port: int) -> socket.socket:
    """Bind the port (0 = a free one); StartRefused when that can't be."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        raise StartRefused(_refusal(host, port, error)) from error


def address(listening: socket.socket, host: str) -> str:
    """Return the URL of a bound socket."""
    port = listening.getsockname()[1]
    name = f"[{host}]" if ":" in host else host
    return f"http://{name}:{port}"


def server(app: Any, on_ready: Callable[[], None], **options: Any) -> "Server":  # noqa: ANN401 - an ASGI app, uvicorn's options
    """Return a quiet uvicorn that calls `on_ready` when it answers."""
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=GRACE_S,
        **options,
    )
    return Server(config, on_ready)


def run_all(servers: Mapping[socket.socket, "Server"], opening: Opening | None = None) -> None:
    """Serve until SIGTERM or SIGINT; with `opening`, ready when that is open."""
    listed: Sequence[Server] = tuple(servers.values())

    async def serve() -> None:
        if opening is None:
            await asyncio.gather(*_served(servers))
            return
        async with opening.closing():
            await _serve_opened(servers, opening)

    try:
        with (
            _stopping(listed),
            asyncio.Runner(loop_factory=listed[0].config.get_loop_factory()) as runner,
        ):
            runner.run(serve())
    finally:
        if opening is not None:
            opening.ended()


def _served(servers: Mapping[socket.socket, "Server"]) -> list[Coroutine[Any, Any, None]]:
    return [one.serve(sockets=[at]) for at, one in servers.items()]


async def _serve_opened(servers: Mapping[socket.socket, "Server"], opening: Opening) -> None:
    """Serve an app that is open, or refuse until it is; what fails to open ends the servers."""
    listed = tuple(servers.values())
    if await opening.at_once():
        await asyncio.gather(*_served(servers))
        return
    for one in listed:
        one.waits = True
    serving = asyncio.gather(*_served(servers))
    try:
        await opening.wait(lambda: any(one.should_exit for one in listed))
        for one in listed:
            one.go_ready()
    except BaseException:
        for one in listed:
            one.should_exit = True
        raise
    finally:
        await serving


class Server(uvicorn.Server):
    """A uvicorn that tells when it is ready and leaves signals to `run_all`."""

    def __init__(self, config: uvicorn.Config, on_ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_ready = on_ready
        self.waits = False

    def go_ready(self) -> None:
        """Say that it is ready, after a time in which it was not."""
        self.waits = False
        if not self.should_exit:
            self._on_ready()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to accept, then say so."""
        await super().startup(sockets=sockets)
        if self.started and not self.waits:
            self._on_ready()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals alone."""
        yield


@contextlib.contextmanager
def _stopping(servers: Sequence[Server]) -> Iterator[None]:
    def stop(number: int, _frame: object) -> None:
        for one in servers:
            one.force_exit = one.should_exit and number == signal.SIGINT
            one.should_exit = True

    wanted = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.signal(number, stop) for number in wanted}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _refusal(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return (
            f"Port {port} on {host} is taken by another program. Stop that program, or name "
            "another port with --port or HUB_HTTP__PORT (0 = a free one)."
        )
    if error.errno in (errno.EACCES, errno.EPERM):
        return f"Port {port} may not be opened by this user. Name one above 1023 with --port."
    return f"{host}:{port} can't be listened to ({error.strerror}). Check --host and --port."
