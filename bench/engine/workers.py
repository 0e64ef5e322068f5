"""Processes of the engine's benchmarks: `python -m bench.engine.workers '{"role": …}'`.

work: the engine drains a shared database · client: the hub's own HTTP client alone ·
aiohttp, httpx: those alone · whole: webhooks in, effects out, on a port. Each prints
"ready" (whole: its port), begins at the word "go" on standard input and ends with it.
"""

import asyncio
import contextlib
import json
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import aiohttp
import httpx
import uvicorn
import uvloop
from starlette.applications import Starlette

from hub.cli.server.starting import sweep_seldom
from hub.connectors.transport import CONNECTIONS, HttpOptions, make_http
from hub.deliveries.ingress import Door
from hub.settings import HubSettings
from hub.testing.rig import Rig, posting, running_rig

AT_ONCE = 64
DISPATCH = {"http_timeout_s": 10, "heartbeat_s": 30, "breaker_firings": 10**9}


class Running(NamedTuple):
    """A process that waits for its word."""

    process: subprocess.Popen
    said: str

    def go(self) -> None:
        """Let it begin."""
        self.process.stdin.write("go\n")
        self.process.stdin.flush()


@contextlib.contextmanager
def running(**told: Any) -> Iterator[Running]:
    """Start a process and wait until it is ready."""
    command = [sys.executable, "-m", "bench.engine.workers", json.dumps(told)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        line = process.stdout.readline().strip()
        if not line:
            raise SystemExit(f"the process {told['role']} did not start")
        try:
            yield Running(process, line)
        finally:
            process.stdin.close()
            process.wait()


@asynccontextmanager
async def engine(told: dict[str, Any]) -> AsyncIterator[Rig]:
    """Open the database; the engine is not started."""
    async with running_rig(
        told["url"],
        told["sink"],
        rules=[posting()],
        dispatch=DISPATCH | told.get("dispatch", {}),
        started=False,
    ) as rig:
        yield rig


async def work(told: dict[str, Any], words: asyncio.StreamReader) -> None:
    """Drain the database until standard input ends."""
    async with engine(told) as rig:
        say("ready")
        await words.readline()
        await rig.engine.start()
        await words.read()
        await rig.engine.stop()


async def whole(told: dict[str, Any], words: asyncio.StreamReader) -> None:
    """Accept on a port and work, in one process."""
    async with engine(told) as rig:
        await rig.engine.start()
        app = Starlette()
        app.state.engine, app.state.clients = rig.engine, rig.clients
        app.state.database, app.state.settings = rig.database, HubSettings()
        listening = socket.socket()
        listening.bind(("127.0.0.1", 0))
        config = uvicorn.Config(Door(app, HubSettings()), log_level="error", lifespan="off")
        server = uvicorn.Server(config)
        serving = asyncio.create_task(server.serve(sockets=[listening]))
        say(str(listening.getsockname()[1]))
        await words.read()
        server.should_exit = True
        await serving
        await rig.engine.stop()


async def send(told: dict[str, Any], words: asyncio.StreamReader) -> None:
    """Send all requests with one client, so many at a time."""
    numbers = iter(range(told["count"]))
    async with sender(told["role"], f"{told['sink']}/post") as one:
        say("ready")
        await words.readline()

        async def call() -> None:
            for number in numbers:
                key = f"k{number:032d}"
                said = {"key": key, "lane": f"l{number % 300}", "seq": number // 300, "text": ""}
                await one(said)

        await asyncio.gather(*(call() for _ in range(told.get("at_once", AT_ONCE))))
        await words.read()


@asynccontextmanager
async def sender(role: str, url: str) -> AsyncIterator[Any]:
    """Return a function that posts one body with the named client."""
    if role == "aiohttp":
        connector = aiohttp.TCPConnector(limit=AT_ONCE)
        async with aiohttp.ClientSession(connector=connector) as session:

            async def post(said: dict[str, Any]) -> None:
                async with session.post(url, json=said) as answer:
                    await answer.read()

            yield post
        return
    limits = httpx.Limits(max_connections=CONNECTIONS, max_keepalive_connections=CONNECTIONS)
    client = (
        make_http(HttpOptions())
        if role == "client"
        else httpx.AsyncClient(limits=limits, timeout=60)
    )
    async with client:

        async def post_json(said: dict[str, Any]) -> None:
            (await client.post(url, json=said)).raise_for_status()

        yield post_json


def say(line: str) -> None:
    """Tell the process that started this one; what is there by now stays, as after a start."""
    sweep_seldom()
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


async def main(told: dict[str, Any]) -> None:
    """Play the role that was told."""
    words = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(words), sys.stdin)
    roles = {"work": work, "whole": whole}
    await roles.get(told["role"], send)(told, words)


if __name__ == "__main__":
    uvloop.run(main(json.loads(sys.argv[1])))
