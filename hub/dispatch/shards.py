"""The shard row: schedule, claim, release, hand over.

Each statement's shape closes a hole that was seen: see the comments.
"""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Connection

from hub.db.bulk import Kind, as_time, query, write_rows
from hub.dispatch.port import Driver, Inbox, Wake

# ON CONFLICT DO UPDATE locks the row even when its WHERE fails; a plain UPDATE would not, and
# a drain that releases meanwhile would strand the event that is being filed.
_SCHEDULE: Final = """
INSERT INTO shards (id, scheduled, wake_no, epoch, updated_at)
SELECT v.id, true, 1, 0, v.at FROM {rows} WHERE true ORDER BY v.id
ON CONFLICT (id) DO UPDATE
  SET scheduled = true, due_at = NULL, wake_no = shards.wake_no + 1,
      updated_at = excluded.updated_at
  WHERE NOT shards.scheduled OR shards.due_at IS NOT NULL
RETURNING id, wake_no"""

# due_at must go, or an event that is filed would take a shard in work for one asleep.
_CLAIM: Final = """
UPDATE shards SET epoch = epoch + 1, owner = ?, due_at = NULL, updated_at = ?
WHERE id = ? AND scheduled AND wake_no = ? RETURNING epoch"""


def monotonic() -> float:
    """Return seconds that also pass while a virtual host is suspended, where it can be told."""
    return _CLOCK()


def _boot_clock() -> Callable[[], float]:
    number = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic if number is None else lambda: time.clock_gettime(number)


_CLOCK: Final = _boot_clock()


@dataclass(slots=True)
class Lease:
    """The right to work a shard under one epoch.

    `proved_at` is the clock read before the last statement that succeeded under this epoch.
    """

    shard: int
    number: int
    epoch: int
    proved_at: float
    lasts: float
    lost: bool = False

    def remaining(self) -> float:
        """Return for how many seconds the proof still holds; ≤ 0: prove first, then send."""
        return -1.0 if self.lost else self.lasts - (monotonic() - self.proved_at)

    def proved(self, at: float) -> None:
        """Take note that a fenced statement sent after `at` succeeded."""
        self.proved_at = max(self.proved_at, at)


def schedule(
    connection: Connection, driver: Driver, shards: Iterable[int], now: datetime
) -> list[Wake]:
    """Schedule the shards and wake those that were not awake; locks their rows until COMMIT."""
    rows = [(shard, now) for shard in sorted(set(shards))]
    found = write_rows(connection, _SCHEDULE, {"id": Kind.INT, "at": Kind.TIME}, rows)
    wakes = [Wake(int(shard), int(number)) for shard, number in found]
    if wakes:
        driver.wake(connection, wakes)
    return wakes


def claim(connection: Connection, wake: Wake, owner: str, now: datetime) -> int | None:
    """Claim the shard by the wake-up's number; None: the wake-up is stale."""
    found = query(connection, _CLAIM, owner, now, wake.shard, wake.number)
    return int(found[0][0]) if found else None


def renew(
    connection: Connection, driver: Driver, shard: int, now: datetime, not_before: datetime | None
) -> None:
    """Give the shard a new number and a wake-up with it, now or deferred."""
    found = query(
        connection,
        "UPDATE shards SET scheduled = true, owner = NULL, wake_no = wake_no + 1, due_at = ?, "
        "updated_at = ? WHERE id = ? RETURNING wake_no",
        not_before,
        now,
        shard,
    )
    driver.wake(connection, [Wake(shard, int(found[0][0]), not_before)])


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """Gives a shard up. `handing_over`: work is left, but others shall have a turn."""

    lease: Lease
    inbox: Inbox
    driver: Driver
    now: datetime
    handing_over: bool = False

    def __call__(self, connection: Connection) -> bool:
        """Release, go to sleep until the next hold ends, or hand over; False: go on working."""
        lease = self.lease
        if not _mine(connection, lease):
            lease.lost = True
            return True
        # A second statement: under READ COMMITTED it sees what was committed before the lock.
        if self.inbox.workable(connection, lease.shard, self.now):
            if self.handing_over:
                renew(connection, self.driver, lease.shard, self.now, None)
            return self.handing_over
        self._sleep(connection)
        return True

    def _sleep(self, connection: Connection) -> None:
        shard = self.lease.shard
        due = next_due(connection, shard, self.now)
        if due is not None:
            renew(connection, self.driver, shard, self.now, due)
            return
        query(
            connection,
            "UPDATE shards SET scheduled = false, owner = NULL, due_at = NULL, updated_at = ? "
            "WHERE id = ?",
            self.now,
            shard,
        )


def next_due(connection: Connection, shard: int, now: datetime) -> datetime | None:
    """Return when the first of the shard's timed holds ends."""
    found = query(
        connection,
        "SELECT min(not_before) FROM holds WHERE shard = ? AND not_before > ?",
        shard,
        now,
    )
    return as_time(found[0][0])


def prove(connection: Connection, lease: Lease) -> bool:
    """Whether the shard is still claimed under the lease's epoch."""
    found = query(connection, "SELECT epoch FROM shards WHERE id = ?", lease.shard)
    return bool(found) and int(found[0][0]) == lease.epoch


def _mine(connection: Connection, lease: Lease) -> bool:
    lock = " FOR UPDATE" if connection.dialect.name == "postgresql" else ""
    found = query(connection, f"SELECT epoch FROM shards WHERE id = ?{lock}", lease.shard)  # noqa: S608 - a constant
    return bool(found) and int(found[0][0]) == lease.epoch
