"""Whether notifications of PostgreSQL come: asked again and again; two misses are believed."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

_MISSES: Final = 2


@dataclass(slots=True, kw_only=True)
class Hearing:
    """Sets `over` for a process that hears nothing; `deaf` says that it was that.

    `hears` asks once. The queue's library asks by itself, but begins before it listens: its first
    question may go unheard, and one is enough for it to end.
    """

    hears: Callable[[], Awaitable[bool]]
    over: asyncio.Event
    every_s: float = 10.0
    deaf: bool = False

    async def watch(self) -> None:
        """Ask until it is over, or this process is deaf."""
        missed = 0
        while not self.over.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.over.wait(), self.every_s)
            if self.over.is_set():
                return
            missed = 0 if await self.hears() else missed + 1
            if missed >= _MISSES:
                self.deaf = True
                self.over.set()
