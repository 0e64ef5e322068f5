"""The simulator's time: real or fixed, movable, with timers that follow it."""

import asyncio
import contextlib
import heapq
import itertools
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Final

from hub import clock

_PULSE: Final = 0.2


class SimClock:
    """Tells the time and fires timers; `fixed` stands still until it is advanced."""

    def __init__(self, fixed: datetime | None = None) -> None:
        self._fixed = fixed
        self._ahead = timedelta()
        self._timers: list[tuple[datetime, int, Callable[[], None]]] = []
        self._numbers = itertools.count()
        self._ticker: asyncio.Task[None] | None = None

    def now(self) -> datetime:
        """Return the simulated time."""
        return (self._fixed or clock.now().astimezone(UTC)) + self._ahead

    def at(self, when: datetime, act: Callable[[], None]) -> None:
        """Call `act` when the time has come."""
        heapq.heappush(self._timers, (when, next(self._numbers), act))
        self._start()

    def after(self, seconds: float, act: Callable[[], None]) -> None:
        """Call `act` in so many seconds."""
        self.at(self.now() + timedelta(seconds=seconds), act)

    def advance(self, seconds: float) -> None:
        """Move the time on, firing timers at their own times in between."""
        target = self._ahead + timedelta(seconds=seconds)
        base = self.now() - self._ahead
        while self._timers and self._timers[0][0] <= base + target:
            self._ahead = max(self._ahead, self._timers[0][0] - base)
            heapq.heappop(self._timers)[2]()
        self._ahead = target

    @contextlib.contextmanager
    def behind(self, past: timedelta) -> Iterator[None]:
        """Let what is done within have happened so long ago."""
        self._ahead -= past
        try:
            yield
        finally:
            self._ahead += past

    def pump(self) -> None:
        """Fire what is due."""
        while self._timers and self._timers[0][0] <= self.now():
            heapq.heappop(self._timers)[2]()

    def clear(self) -> None:
        """Drop all timers and go back to the time without advances."""
        self._timers.clear()
        self._ahead = timedelta()

    def stop(self) -> None:
        """End the ticking."""
        if self._ticker:
            self._ticker.cancel()
            self._ticker = None

    def _start(self) -> None:
        if self._fixed or (self._ticker and not self._ticker.done()):
            return
        try:
            self._ticker = asyncio.get_running_loop().create_task(self._tick())
        except RuntimeError:  # nobody runs a loop: the next request pumps
            self._ticker = None

    async def _tick(self) -> None:
        while self._timers:
            self.pump()
            await asyncio.sleep(_PULSE)
