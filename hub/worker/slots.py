"""How many lanes a process works at once, and that no tenant takes them all."""

import asyncio
import uuid
from collections import Counter
from collections.abc import Awaitable
from typing import TypeVar

T = TypeVar("T")


class Slots:
    """Slots for lanes. While others wait, a tenant gets at most half of them."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.in_use = 0
        self._used: Counter[uuid.UUID] = Counter()
        self._wanting: Counter[uuid.UUID] = Counter()
        self._freed = asyncio.Event()

    def try_take(self, tenant: uuid.UUID) -> bool:
        """Take a slot if there is one for this tenant."""
        if self.in_use >= self.count or self._too_many(tenant):
            return False
        self._used[tenant] += 1
        self.in_use += 1
        return True

    async def take(self, tenant: uuid.UUID) -> None:
        """Wait for a slot and take it."""
        self._wanting[tenant] += 1
        try:
            while not self.try_take(tenant):
                self._freed.clear()
                await self._freed.wait()
        finally:
            self._wanting[tenant] -= 1

    def want(self, tenant: uuid.UUID, lanes: int) -> None:
        """Say for how many lanes a tenant waits (a negative number takes it back)."""
        self._wanting[tenant] += lanes

    def give(self, tenant: uuid.UUID) -> None:
        """Give a slot back."""
        self._used[tenant] -= 1
        self.in_use -= 1
        self._freed.set()

    async def lent(self, tenant: uuid.UUID, waiting: Awaitable[T]) -> T:
        """Wait for something that takes long, and let another lane have the slot meanwhile."""
        self.give(tenant)
        try:
            return await waiting
        finally:
            await self.take(tenant)

    async def freed(self) -> None:
        """Wait until a slot is given back."""
        self._freed.clear()
        await self._freed.wait()

    def _too_many(self, tenant: uuid.UUID) -> bool:
        if self._used[tenant] < max(1, self.count // 2):
            return False
        return any(count > 0 for other, count in self._wanting.items() if other != tenant)
