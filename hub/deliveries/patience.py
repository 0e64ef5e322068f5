"""Waiting for no longer than one is ready to, for many at once."""

import asyncio
from collections import deque
from dataclasses import dataclass, field
from typing import Any, Final


@dataclass(slots=True)
class Patience:
    """Makes futures that end with TimeoutError when nobody settled them within `seconds`.

    They share one timer: `asyncio.timeout` costs each of them as much as reading a delivery's
    headers. Without `seconds` they may take for ever.
    """

    seconds: float | None = None
    _waiting: deque[tuple[float, asyncio.Future[Any]]] = field(default_factory=deque)
    _timer: asyncio.TimerHandle | None = None

    def future(self) -> asyncio.Future[Any]:
        """Return a future to be settled by somebody else."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Any] = loop.create_future()
        if self.seconds is None:
            return answer
        while self._waiting and self._waiting[0][1].done():
            self._waiting.popleft()
        self._waiting.append((loop.time() + self.seconds, answer))
        if self._timer is None:
            self._timer = loop.call_later(self.seconds, self._end_late)
        return answer

    def _end_late(self) -> None:
        loop = asyncio.get_running_loop()
        present = loop.time() + _TICK_S
        while self._waiting and (self._waiting[0][1].done() or self._waiting[0][0] <= present):
            _, answer = self._waiting.popleft()
            if not answer.done():
                answer.set_exception(TimeoutError())
        first = self._waiting[0][0] if self._waiting else None
        self._timer = None if first is None else loop.call_at(first, self._end_late)


_TICK_S: Final = 0.002
"""A timer may go off a tick of the loop's clock before its time."""
ENDLESS: Final = Patience()
