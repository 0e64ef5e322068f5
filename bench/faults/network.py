"""Hosts of their own, to be cut off: network namespaces where that is allowed, else a relay.

A namespace has two links to this machine: one to the database, one to the vendor. Cutting a link
drops packets in silence, as a network does. The relay stands between a process and the database,
and stops passing bytes on without closing a connection.
"""

import asyncio
import contextlib
import os
import subprocess
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

_NET: Final = 20 + os.getpid() % 200
DATABASE: Final = f"10.{_NET}.0.1"
VENDOR: Final = f"10.{_NET}.0.2"


def may_have_namespaces() -> bool:
    """Whether this user may make network namespaces."""
    if os.geteuid() != 0:
        return False
    name = f"hubf{os.getpid()}t"
    try:
        _ip("netns", "add", name)
        _ip("netns", "del", name)
    except (OSError, subprocess.CalledProcessError):
        return False
    return True


@contextlib.contextmanager
def addresses() -> Iterator[None]:
    """Give this machine the addresses under which hosts reach database and vendor."""
    for one in (DATABASE, VENDOR):
        _ip("addr", "replace", f"{one}/32", "dev", "lo")  # a killed run left them
    try:
        yield
    finally:
        for one in (DATABASE, VENDOR):
            _ip("addr", "del", f"{one}/32", "dev", "lo")


@dataclass(frozen=True, slots=True)
class Host:
    """A host: `prefix` runs a command on it."""

    number: int

    @property
    def name(self) -> str:
        """Its namespace."""
        return f"hubf{os.getpid()}n{self.number}"

    @property
    def prefix(self) -> Sequence[str]:
        """What runs a command on it."""
        return ("ip", "netns", "exec", self.name)

    def cut(self, *, vendor: bool) -> None:
        """Cut it off from the database; with `vendor`, from everything."""
        for link in self._links(vendor=vendor):
            _ip("link", "set", link, "down")

    def heal(self) -> None:
        """Connect it again."""
        for link in self._links(vendor=True):
            _ip("link", "set", link, "up")

    def make(self) -> None:
        """Make its namespace and its two links."""
        _ip("netns", "add", self.name)
        _ip("-n", self.name, "link", "set", "lo", "up")
        links = self._links(vendor=True)
        for index, (link, target) in enumerate(zip(links, (DATABASE, VENDOR), strict=True)):
            subnet = f"10.{_NET}.{10 + self.number * 2 + index}"
            inner = f"i{index}"
            _ip("link", "add", link, "type", "veth", "peer", "name", inner, "netns", self.name)
            _ip("addr", "add", f"{subnet}.1/30", "dev", link)
            _ip("link", "set", link, "up")
            _ip("-n", self.name, "addr", "add", f"{subnet}.2/30", "dev", inner)
            _ip("-n", self.name, "link", "set", inner, "up")
            _ip("-n", self.name, "route", "add", f"{target}/32", "via", f"{subnet}.1")

    def remove(self) -> None:
        """Remove it; its links go with it."""
        _ip("netns", "del", self.name)

    def _links(self, *, vendor: bool) -> list[str]:
        names = [
            f"hf{os.getpid() % 100_000}a{self.number}",
            f"hf{os.getpid() % 100_000}b{self.number}",
        ]
        return names if vendor else names[:1]


@contextlib.contextmanager
def hosts(count: int) -> Iterator[list[Host]]:
    """Make hosts."""
    made: list[Host] = []
    try:
        for number in range(count):
            host = Host(number)
            host.make()
            made.append(host)
        yield made
    finally:
        for host in made:
            host.remove()


@dataclass(slots=True)
class Relay(threading.Thread):
    """Passes bytes on between its port and a server, until it is cut."""

    target: int
    port: int = 0
    _passing: asyncio.Event = field(default_factory=asyncio.Event)
    _listening: threading.Event = field(default_factory=threading.Event)
    _loop: asyncio.AbstractEventLoop | None = None

    __hash__ = threading.Thread.__hash__

    def __post_init__(self) -> None:
        threading.Thread.__init__(self, daemon=True)

    def run(self) -> None:
        """Serve until the program ends or `close` is called."""
        with contextlib.suppress(RuntimeError):
            asyncio.run(self._serve())

    def open(self) -> None:
        """Begin to listen."""
        self.start()
        self._listening.wait(10)

    def cut(self) -> None:
        """Pass nothing on from now on; connections stay."""
        self._call(self._passing.clear)

    def heal(self) -> None:
        """Pass bytes on again."""
        self._call(self._passing.set)

    def close(self) -> None:
        """End it, and its connections."""
        self._call(lambda: self._loop and self._loop.stop())

    def _call(self, what) -> None:
        assert self._loop is not None
        self._loop.call_soon_threadsafe(what)

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._passing.set()
        server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        self._listening.set()
        await server.serve_forever()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self._passing.wait()
        try:
            there = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:
            writer.close()
            return
        await asyncio.gather(self._pump(reader, there[1]), self._pump(there[0], writer))

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                await self._passing.wait()
                writer.write(data)
                await writer.drain()
        writer.close()


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True, timeout=20)
