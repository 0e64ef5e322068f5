"""The vendor as a process of its own: it counts what it is asked, late or failing at will."""

import asyncio
import contextlib
import multiprocessing
from collections.abc import Iterator
from multiprocessing.connection import Connection
from typing import Any, NamedTuple

import uvloop

from bench.faults.processes import NotInTime
from hub.testing.sink import Fault, Sink

_PATIENCE_S = 30.0


class Request(NamedTuple):
    """A request that counted. `path` /once is not repeatable, /post drops what has a known key."""

    path: str
    key: str
    lane: str
    seq: int
    at: float


class Vendor:
    """Speaks to the vendor's process."""

    def __init__(self, port: int, pipe: Connection) -> None:
        self.port = port
        self._pipe = pipe

    def url(self, host: str = "127.0.0.1") -> str:
        """Return where it listens."""
        return f"http://{host}:{self.port}"

    def count(self) -> int:
        """Return how many requests counted."""
        return int(self._ask("count", None))

    def requests(self) -> list[Request]:
        """Return the requests that counted, in their order."""
        return [Request(*one) for one in self._ask("requests", None)]

    def refused(self) -> int:
        """Return how many requests failed on purpose."""
        return int(self._ask("refused", None))

    def late(self, seconds: float) -> None:
        """Answer this long after having counted."""
        self._ask("late", seconds)

    def fault(self, **told: object) -> None:
        """Have the next requests fail."""
        self._ask("fault", told)

    def failing(self) -> int:
        """Return how many requests are still to fail."""
        return int(self._ask("failing", None))

    def well(self) -> None:
        """Have no more requests fail."""
        self._ask("well", None)

    def _ask(self, word: str, told: object) -> Any:
        self._pipe.send((word, told))
        if not self._pipe.poll(_PATIENCE_S):
            raise NotInTime("the vendor's process does not answer")
        return self._pipe.recv()


@contextlib.contextmanager
def vendor(host: str = "127.0.0.1") -> Iterator[Vendor]:
    """Run a vendor."""
    here, there = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_serve, args=(there, host))
    process.start()
    try:
        if not here.poll(_PATIENCE_S):
            raise NotInTime("the vendor's process does not start")
        yield Vendor(here.recv(), here)
    finally:
        here.send(("stop", None))
        process.join(10)
        process.kill()


def _serve(pipe: Connection, host: str) -> None:
    uvloop.run(_main(pipe, host))


async def _main(pipe: Connection, host: str) -> None:
    async with Sink(host=host) as sink:
        pipe.send(sink.port)
        while True:
            word, told = await asyncio.to_thread(pipe.recv)
            if word == "stop":
                return
            pipe.send(_answer(sink, word, told))


def _answer(sink: Sink, word: str, told: object) -> object:
    if word == "count":
        return len(sink.counted)
    if word == "refused":
        return sink.refused
    if word == "requests":
        return [(one.path, one.key, one.lane, one.seq, one.at) for one in sink.counted]
    if word == "failing":
        return sum(fault.times for fault in sink.faults)
    if word == "late":
        sink.after_s = told
    if word == "fault":
        sink.faults.append(Fault(**told))
    if word == "well":
        sink.faults.clear()
    return None
