"""Whether notifications of PostgreSQL come: asked again and again; two misses are believed."""

import asyncio
import contextlib
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import asyncpg
from pgqueuer.core.qm import QueueManager
from pgqueuer.domain.errors import FailingListenerError

_MISSES: Final = 2


@dataclass(slots=True)
class Hearing:
    """Ends the run of a manager that hears nothing; `deaf` says that it was that.

    PgQueuer asks by itself, but begins before it listens: its first question may go unheard, and
    one is enough for it to end. So it is not asked to end (`shutdown_on_listener_failure`).
    """

    manager: QueueManager
    every_s: float = 10.0
    patience_s: float = 10.0
    deaf: bool = False

    async def watch(self) -> None:
        """Ask until the manager shuts down, or is deaf."""
        missed, over = 0, self.manager.shutdown
        while not over.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(over.wait(), self.every_s)
            if over.is_set():
                return
            missed = 0 if await self._heard() else missed + 1
            if missed >= _MISSES:
                self.deaf = True
                over.set()

    async def _heard(self) -> bool:
        try:
            await self.manager.listener_healthy(timedelta(seconds=self.patience_s))
        except (FailingListenerError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
            return False
        return True
