"""A vendor that counts: what was asked of it, in which order, how often; late or failing at will.

A bare HTTP/1.1 server on asyncio, fast enough that it is never what a benchmark measures.
"""

import asyncio
import json
import time
from collections import Counter, defaultdict, deque
from dataclasses import dataclass, field
from typing import Any, Final, Self, cast

_REASONS: Final = {200: "OK", 202: "Accepted", 404: "Not Found", 429: "Too Many Requests"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """A request that counted."""

    at: float
    path: str
    key: str
    lane: str
    seq: int
    body: dict[str, Any] = field(repr=False)


@dataclass(slots=True, kw_only=True)
class Fault:
    """What happens to the next requests: a status, a delay, or a cut before or after counting.

    `html`: the answer is a page, as of a proxy in between, whatever its status.
    """

    times: int = 1
    status: int = 503
    headers: dict[str, str] = field(default_factory=dict)
    cut: bool = False
    hang_s: float = 0.0
    counts: bool = False
    lane: str | None = None
    html: bool = False


@dataclass(slots=True)
class Sink:
    """Counts POSTs by key, lane and sequence; `GET /find?key=` tells whether one arrived."""

    after_s: float = 0.0
    counted: list[Counted] = field(default_factory=list)
    keys: Counter[str] = field(default_factory=Counter)
    faults: deque[Fault] = field(default_factory=deque)
    refused: int = 0
    keyed: bool = True
    in_flight: int = 0
    most_in_flight: int = 0
    host: str = "127.0.0.1"
    _server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        """Listen on a free port."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Connection(self), self.host, 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop listening."""
        if self._server is not None:
            self._server.close()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def port(self) -> int:
        """The port that it listens on."""
        assert self._server is not None
        return int(self._server.sockets[0].getsockname()[1])

    def reset(self) -> None:
        """Forget everything that was counted."""
        self.counted.clear()
        self.keys.clear()
        self.faults.clear()
        self.refused = 0

    @property
    def effects(self) -> int:
        """How many things were made: a key counts once where the vendor drops repeats."""
        return len(self.keys)

    def twice(self, path: str | None = None) -> int:
        """Return how many requests repeated a key."""
        if path is None:
            return sum(count - 1 for count in self.keys.values())
        keys = Counter(one.key for one in self.counted if one.path == path)
        return sum(count - 1 for count in keys.values())

    def disordered(self) -> int:
        """Return how many first arrivals came after a later one of their lane."""
        newest: defaultdict[str, int] = defaultdict(lambda: -1)
        seen: set[str] = set()
        wrong = 0
        for one in self.counted:
            if one.key in seen:
                continue
            seen.add(one.key)
            if one.seq < newest[one.lane]:
                wrong += 1
            newest[one.lane] = max(newest[one.lane], one.seq)
        return wrong

    def fault_for(self, lane: str) -> Fault | None:
        """Take the fault that the next request of a lane meets."""
        for fault in self.faults:
            if fault.lane is None or fault.lane == lane:
                fault.times -= 1
                if fault.times <= 0:
                    self.faults.remove(fault)
                return fault
        return None


class _Connection(asyncio.Protocol):
    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._buffer = b""
        self._transport: asyncio.Transport | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is no subclass

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while True:
            head, found, rest = self._buffer.partition(b"\r\n\r\n")
            if not found:
                return
            length = _length(head)
            if len(rest) < length:
                return
            self._buffer = rest[length:]
            self._request(head, rest[:length])

    def _request(self, head: bytes, body: bytes) -> None:
        method, path, _ = head.split(b"\r\n", 1)[0].decode().split(" ", 2)
        if method == "GET":
            self._find(path)
            return
        said = json.loads(body) if body else {}
        lane, key = str(said.get("lane", "")), str(said.get("key", ""))
        fault = self._sink.fault_for(lane) if self._sink.faults else None
        if fault is None or fault.counts:
            self._count(path, key, lane, said)
        delay = fault.hang_s if fault is not None else self._sink.after_s
        if delay:
            task = asyncio.get_running_loop().create_task(self._later(delay, fault, key))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        else:
            self._answer(fault, key)

    def _count(self, path: str, key: str, lane: str, said: dict[str, Any]) -> None:
        sink = self._sink
        sink.keys[key] += 1
        sink.counted.append(
            Counted(
                at=time.monotonic(),
                path=path,
                key=key,
                lane=lane,
                seq=int(said.get("seq", 0)),
                body=said,
            )
        )

    async def _later(self, delay: float, fault: Fault | None, key: str) -> None:
        self._sink.in_flight += 1
        self._sink.most_in_flight = max(self._sink.most_in_flight, self._sink.in_flight)
        await asyncio.sleep(delay)
        self._sink.in_flight -= 1
        self._answer(fault, key)

    def _answer(self, fault: Fault | None, key: str) -> None:
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        if fault is not None and fault.cut:
            transport.abort()
            return
        if fault is not None:
            self._sink.refused += 1
            if fault.html:
                self._page(fault.status)
                return
            self._write(fault.status, {"error": "injected"}, fault.headers)
            return
        self._write(202, {"id": f"made-{key}", "note": f"note-{key}"})

    def _find(self, path: str) -> None:
        key = path.partition("key=")[2]
        arrived = key in self._sink.keys
        self._write(200, {"id": f"made-{key}", "note": f"note-{key}"} if arrived else {})

    def _page(self, status: int) -> None:
        assert self._transport is not None
        body = b"<html><body><h1>Service unavailable</h1></body></html>"
        head = (
            f"HTTP/1.1 {status} {_REASONS.get(status, 'Answer')}\r\n"
            f"content-type: text/html\r\ncontent-length: {len(body)}\r\n\r\n"
        )
        self._transport.write(head.encode() + body)

    def _write(
        self, status: int, said: dict[str, Any], headers: dict[str, str] | None = None
    ) -> None:
        assert self._transport is not None
        body = json.dumps(said).encode()
        more = "".join(f"{name}: {value}\r\n" for name, value in (headers or {}).items())
        head = (
            f"HTTP/1.1 {status} {_REASONS.get(status, 'Answer')}\r\n"
            f"content-type: application/json\r\n{more}content-length: {len(body)}\r\n\r\n"
        )
        self._transport.write(head.encode() + body)


def _length(head: bytes) -> int:
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    return 0
