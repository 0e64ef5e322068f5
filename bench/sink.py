"""The counting sink as a process: `with sink(...) as running: running.url, running.take()`."""

import asyncio
import contextlib
import multiprocessing
from collections.abc import Iterator
from multiprocessing.connection import Connection
from typing import NamedTuple

import uvloop

from hub.testing.sink import Fault, Sink


class Taken(NamedTuple):
    """What arrived."""

    count: int
    effects: int
    twice: int
    disordered: int
    seconds: float
    times: list[tuple[str, int, float]]


class Running:
    """A sink in another process."""

    def __init__(self, url: str, pipe: Connection) -> None:
        self.url = url
        self._pipe = pipe

    def take(self) -> Taken:
        """Return what arrived, and forget it there."""
        self._pipe.send(("take", None))
        return Taken(*self._pipe.recv())

    def count(self) -> int:
        """Return how much arrived."""
        self._pipe.send(("count", None))
        return self._pipe.recv()

    def fault(self, **told: object) -> None:
        """Have the next requests fail."""
        self._pipe.send(("fault", told))
        self._pipe.recv()


@contextlib.contextmanager
def sink(after_s: float = 0.0) -> Iterator[Running]:
    """Run a sink; `after_s` is how long each answer takes, after the request was counted."""
    here, there = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_serve, args=(there, after_s))
    process.start()
    try:
        yield Running(here.recv(), here)
    finally:
        here.send(("stop", None))
        process.join()


def _serve(pipe: Connection, after_s: float) -> None:
    uvloop.run(_main(pipe, after_s))


async def _main(pipe: Connection, after_s: float) -> None:
    async with Sink(after_s=after_s) as running:
        pipe.send(running.url)
        while True:
            word, told = await asyncio.to_thread(pipe.recv)
            if word == "stop":
                return
            if word == "count":
                pipe.send(len(running.counted))
            if word == "fault":
                running.faults.append(Fault(**told))
                pipe.send(None)
            if word == "take":
                pipe.send(_taken(running))
                running.reset()


def _taken(running: Sink) -> tuple[object, ...]:
    counted = running.counted
    seconds = counted[-1].at - counted[0].at if counted else 0.0
    times = [(one.lane, one.seq, one.at) for one in counted]
    return (
        len(counted),
        running.effects,
        running.twice(),
        running.disordered(),
        seconds,
        times,
    )
