"""Turns at a connector's connections: who waits for one has no slot, and no time-out runs yet."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

from hub.connectors.transport import CONNECTIONS
from hub.worker.slots import Slots

_SOONEST_S: Final = 1.0
_KEPT: Final = 0.8


@dataclass(slots=True)
class _Connections:
    free: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(CONNECTIONS))
    asking: int = 0
    took_s: float = 0.0


@dataclass(slots=True)
class Turns:
    """As many runs send to a connector at once as it has connections.

    Without it the time that a request waits for a connection would count as the vendor's: a slow
    one would be sent again what it had never got.
    """

    slots: Slots
    _of: dict[uuid.UUID, _Connections] = field(default_factory=dict)

    @asynccontextmanager
    async def turn(
        self, connector: uuid.UUID, tenant: uuid.UUID, patience: float
    ) -> AsyncIterator[float]:
        """Give a turn for as long as the block lasts: 0, or in how many seconds to ask again."""
        one = self._of.setdefault(connector, _Connections())
        one.asking += 1
        got, loop = False, asyncio.get_running_loop()
        try:
            got = await self._take(one, tenant, patience)
            began = loop.time()
            yield 0.0 if got else max(_SOONEST_S, one.asking / CONNECTIONS * one.took_s)
            if got:
                one.took_s = _KEPT * one.took_s + (1 - _KEPT) * (loop.time() - began)
        finally:
            one.asking -= 1
            if got:
                one.free.release()
            if not one.asking:
                del self._of[connector]

    async def _take(self, one: _Connections, tenant: uuid.UUID, patience: float) -> bool:
        if not one.free.locked():
            return await one.free.acquire()
        return await self.slots.lent(tenant, _acquired(one.free, patience))


async def _acquired(free: asyncio.Semaphore, patience: float) -> bool:
    try:
        async with asyncio.timeout(patience):
            return await free.acquire()
    except TimeoutError:
        return False
