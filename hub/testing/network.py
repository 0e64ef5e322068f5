"""No connection leaves while a plugin is tested."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class ConnectionOpened(AssertionError):
    """The plugin opened a connection of its own, past the client that it was handed."""


@contextmanager
def refused_network() -> Iterator[None]:
    """Refuse new connections, except to unix sockets (the event loop's own)."""
    connect, connect_ex = socket.socket.connect, socket.socket.connect_ex

    def refuse(self: socket.socket, address: Any) -> Any:  # noqa: ANN401 - socket's signature
        if self.family == socket.AF_UNIX:
            return connect(self, address)
        raise ConnectionOpened(f"A connection to {address!r} was opened.")

    socket.socket.connect = refuse  # type: ignore[method-assign,assignment]  # put back below
    socket.socket.connect_ex = refuse  # type: ignore[method-assign,assignment]  # put back below
    try:
        yield
    finally:
        socket.socket.connect = connect  # type: ignore[method-assign]  # as it was
        socket.socket.connect_ex = connect_ex  # type: ignore[method-assign]  # as it was
