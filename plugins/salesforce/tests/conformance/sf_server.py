"""The simulated org on a real port, and the plugin's own client on it."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import uvicorn

from hub_salesforce.testing import FakeSalesforce


@dataclass(frozen=True, kw_only=True)
class Served:
    """A simulated org and where it is served."""

    org: FakeSalesforce
    url: str


@contextmanager
def served() -> Iterator[Served]:
    """Serve a fresh org on a free port of this machine."""
    org = FakeSalesforce()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    config = uvicorn.Config(org, host="127.0.0.1", port=port, log_level="error", lifespan="off")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=lambda: asyncio.run(server.serve()), daemon=True)
    thread.start()
    while not server.started:
        thread.join(0.02)
    try:
        yield Served(org=org, url=f"http://127.0.0.1:{port}")
    finally:
        server.should_exit = True
        thread.join(10)
