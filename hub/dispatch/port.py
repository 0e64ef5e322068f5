"""What the delivery core asks of a driver, and of the inbox."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple, Protocol

from sqlalchemy import Connection


class Wake(NamedTuple):
    """A wake-up: "this shard may have something". It carries no work.

    The number makes stale ones harmless: a claim succeeds only with the shard's present one.
    """

    shard: int
    number: int
    not_before: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DriverHealth:
    """How the driver does."""

    connected: bool
    queued: int
    running: int
    detail: str = ""


class Driver(Protocol):
    """Hands wake-ups to processes.

    The core relies on this and no more: a wake-up is handed out only if its transaction
    committed, not before `not_before`, to one process at a time, and again (the same one)
    when that process is dead; a drain that raises is woken again in a second. It does not
    rely on wake-ups never being lost, never being doubled, or on their order.
    """

    def wake(self, connection: Connection, wakes: Sequence[Wake]) -> None:
        """Wake shards when the connection's transaction commits."""
        ...

    def live(self, connection: Connection) -> set[tuple[int, int]]:
        """Return (shard, number) of all wake-ups that are queued or running."""
        ...

    async def run(
        self, drain: Callable[[Wake], Coroutine[Any, Any, None]], stop: asyncio.Event
    ) -> None:
        """Hand out wake-ups until `stop` is set and what runs has ended."""
        ...

    def crowded(self) -> bool:
        """Whether other shards wait for a process, so that long drains should hand over."""
        ...

    def every(self, name: str, seconds: float, job: Callable[[], Awaitable[None]]) -> None:
        """Call an idempotent job again and again, once in all processes together."""
        ...

    async def health(self) -> DriverHealth:
        """Tell how it does."""
        ...


class Inbox(Protocol):
    """What shards ask of the events in them."""

    def workable(self, connection: Connection, shard: int, now: datetime) -> bool:
        """Whether the shard holds a pending event whose lane is not held."""
        ...

    def pending_shards(
        self, connection: Connection, now: datetime, older_than: datetime
    ) -> list[int]:
        """Return the shards with a workable event filed before `older_than`."""
        ...
