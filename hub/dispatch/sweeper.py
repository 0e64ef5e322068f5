"""Nothing is forgotten: shards that should be awake and are not, holds whose time has come.

A lost wake-up only delays: this finds it. In a run without injected faults it wakes nothing.
"""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection

from hub.db.bulk import as_time, query
from hub.dispatch import shards
from hub.dispatch.port import Driver, Inbox

LATE: Final = timedelta(seconds=5)
_LEADER: Final = 740_001


@dataclass(frozen=True, slots=True)
class Sweeper:
    """Finds forgotten shards; `sweep` is one transaction."""

    driver: Driver
    inbox: Inbox

    def sweep(self, connection: Connection, now: datetime) -> Counter[str]:
        """Wake what was forgotten; return why, by reason. Only one process at a time does it."""
        if not _leads(connection):
            return Counter()
        found: Counter[str] = Counter()
        live = self.driver.live(connection)
        for shard, scheduled, number, due_at, updated_at in _shards(connection):
            reason = _forgotten(
                (bool(scheduled), as_time(due_at), as_time(updated_at)),
                now,
                is_live=(shard, number) in live,
            )
            if reason is not None:
                shards.renew(connection, self.driver, shard, now, None)
                found[reason] += 1
        idle = {row[0] for row in _shards(connection) if not row[1]}
        stranded = [
            shard
            for shard in self.inbox.pending_shards(connection, now, now - LATE)
            if shard in idle
        ]
        shards.schedule(connection, self.driver, stranded, now)
        found["stranded"] += len(stranded)
        return +found


def _leads(connection: Connection) -> bool:
    if connection.dialect.name != "postgresql":
        return True
    return bool(query(connection, "SELECT pg_try_advisory_xact_lock(?::bigint)", _LEADER)[0][0])


def _shards(connection: Connection) -> list[tuple[int, bool, int, object, object]]:
    rows = query(connection, "SELECT id, scheduled, wake_no, due_at, updated_at FROM shards")
    return [(row[0], row[1], row[2], row[3], row[4]) for row in rows]


def _forgotten(
    shard: tuple[bool, datetime | None, datetime | None], now: datetime, *, is_live: bool
) -> str | None:
    scheduled, due_at, updated_at = shard
    if not scheduled:
        return None
    if due_at is not None:
        return "overslept" if now - due_at > LATE else None
    if not is_live and updated_at is not None and now - updated_at > LATE:
        return "lost"
    return None
