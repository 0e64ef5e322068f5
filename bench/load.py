"""Load on an HTTP endpoint with pre-built requests, closed loop or open, from its own process."""

import asyncio
import multiprocessing
import time
from multiprocessing.connection import Connection
from typing import NamedTuple

import uvloop


class Loaded(NamedTuple):
    """What came of it: latencies in seconds, answers by status, and when it began (monotonic)."""

    answered: int
    seconds: float
    latencies: list[float]
    statuses: dict[int, int]
    began: float

    @property
    def rate(self) -> float:
        """Answers a second."""
        return self.answered / self.seconds if self.seconds else 0.0

    def at(self, share: float) -> float:
        """Return a percentile in milliseconds."""
        ordered = sorted(self.latencies)
        return ordered[min(len(ordered) - 1, int(len(ordered) * share))] * 1000 if ordered else 0.0


class Shape(NamedTuple):
    """How requests are sent; `rate` 0: each when the one before was answered."""

    port: int
    connections: int
    seconds: float
    rate: float = 0.0


def closed(port: int, requests: list[bytes], connections: int, seconds: float) -> Loaded:
    """Send requests over so many connections, each the next when the last was answered."""
    return _elsewhere(Shape(port, connections, seconds), requests)


def opened(port: int, requests: list[bytes], rate: float, seconds: float) -> Loaded:
    """Send so many requests a second whatever comes back; latency counts from the due time."""
    return _elsewhere(Shape(port, 64, seconds, rate), requests)


def _elsewhere(shape: Shape, requests: list[bytes]) -> Loaded:
    here, there = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(
        target=_run, args=(there, shape, requests)
    )
    process.start()
    loaded = Loaded(*here.recv())
    process.join()
    return loaded


def _run(pipe: Connection, shape: Shape, requests: list[bytes]) -> None:
    pipe.send(tuple(uvloop.run(_main(shape, requests))))


async def _main(shape: Shape, requests: list[bytes]) -> Loaded:
    source, began = iter(requests), time.monotonic()
    callers = [_Caller(source, began, shape) for _ in range(shape.connections)]
    loop = asyncio.get_running_loop()
    for caller in callers:
        await loop.create_connection(lambda caller=caller: caller, "127.0.0.1", shape.port)
    await asyncio.gather(*(caller.done for caller in callers))
    ended = max((caller.last for caller in callers), default=began)
    statuses: dict[int, int] = {}
    for caller in callers:
        for status, count in caller.statuses.items():
            statuses[status] = statuses.get(status, 0) + count
    latencies = [one for caller in callers for one in caller.latencies]
    return Loaded(len(latencies), ended - began, latencies, statuses, began)


class _Caller(asyncio.Protocol):
    number = 0

    def __init__(self, source, began: float, shape: Shape) -> None:
        self._source, self._began, self._shape = source, began, shape
        self._buffer = b""
        self._sent = 0.0
        self.last = began
        self.latencies: list[float] = []
        self.statuses: dict[int, int] = {}
        self.done = asyncio.get_running_loop().create_future()

    def connection_made(self, transport) -> None:
        self._transport = transport
        self._next()

    def connection_lost(self, _error) -> None:
        if not self.done.done():
            self.done.set_result(None)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, found, rest = self._buffer.partition(b"\r\n\r\n")
        if not found:
            return
        length = _length(head)
        if len(rest) < length:
            return
        self._buffer = rest[length:]
        self.last = time.monotonic()
        self.latencies.append(self.last - self._sent)
        status = int(head[9:12])
        self.statuses[status] = self.statuses.get(status, 0) + 1
        self._next()

    def _next(self) -> None:
        now = time.monotonic()
        in_time = now - self._began < self._shape.seconds
        request = next(self._source, None) if in_time else None
        if request is None:
            self._transport.close()
            return
        if not self._shape.rate:
            self._send(request, now)
            return
        due = self._began + _Caller.number / self._shape.rate
        _Caller.number += 1
        loop = asyncio.get_running_loop()
        loop.call_later(max(0.0, due - now), self._send, request, due)

    def _send(self, request: bytes, at: float) -> None:
        self._sent = at
        self._transport.write(request)


def _length(head: bytes) -> int:
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    return 0
