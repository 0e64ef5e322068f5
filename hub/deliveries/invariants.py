"""What must hold of the inbox at any moment, each as one statement that finds what breaks it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection

from hub.db.bulk import as_time, query
from hub.dispatch.port import Driver

GRACE: Final = timedelta(seconds=10)
"""So long a lost wake-up may go unnoticed: the sweeper looks every few seconds."""
_SHOWN: Final = 5

_FORGOTTEN: Final = """
SELECT e.id FROM events e LEFT JOIN holds h ON h.lane = e.lane LEFT JOIN shards s ON s.id = e.shard
WHERE e.state = 'pending' AND e.created_at < ? AND (h.lane IS NULL OR h.not_before < ?)
  AND (s.id IS NULL OR NOT s.scheduled OR s.due_at > ?) ORDER BY e.id"""
_SHARDS: Final = "SELECT id, scheduled, wake_no, updated_at FROM shards ORDER BY id"
_OF_ROWS: Final[dict[str, str]] = {
    "an event that ended has no action under way": """
SELECT e.id FROM events e JOIN runs r ON r.event_id = e.id
WHERE e.state <> 'pending' AND r.state IN ('intent', 'sent', 'waiting') ORDER BY e.id""",
    "an action is in the ledger once": """
SELECT key FROM runs GROUP BY tenant_id, key HAVING count(*) > 1""",
    "a place in a matter is reserved once": """
SELECT correlation_id FROM links WHERE state = 'reserved'
GROUP BY correlation_id, connector_id, source_object, slot HAVING count(*) > 1""",
    "a reserved place belongs to an action under way": """
SELECT l.id FROM links l JOIN runs r ON r.id = l.made_by_run
WHERE l.state = 'reserved' AND r.state IN ('done', 'skipped', 'dead') ORDER BY l.id""",
    "a record has one live link": """
SELECT record_id FROM links WHERE state = 'live'
GROUP BY tenant_id, connector_id, source_object, record_id HAVING count(*) > 1""",
    # Events of a record that was linked later came over from another lane: they are excepted.
    "no event of a lane ended before an older one": """
SELECT e.id FROM events o JOIN events e ON e.lane = o.lane AND e.id > o.id
WHERE o.state = 'pending' AND e.state <> 'pending' AND NOT EXISTS (
  SELECT 1 FROM links l WHERE l.tenant_id = o.tenant_id AND l.connector_id = o.connector_id
  AND l.source_object = o.source_object AND l.record_id = o.record_id
  AND l.created_at >= o.created_at) ORDER BY e.id""",
    "an accepted delivery has all its events": """
SELECT d.id FROM deliveries d WHERE d.state = 'accepted' AND d.events <>
  (SELECT count(*) FROM events e WHERE e.delivery_id = d.id) ORDER BY d.id""",
}
AWAKE: Final = "an event that can be worked is in a shard that is awake"
WOKEN: Final = "a scheduled shard has a wake-up"
RISING: Final = "a shard's number never fell"
NAMES: Final = (AWAKE, WOKEN, RISING, *_OF_ROWS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """One invariant: `broken` are ids of rows that break it, the first few."""

    name: str
    broken: tuple[str, ...] = ()

    @property
    def holds(self) -> bool:
        """Whether nothing breaks it."""
        return not self.broken


def check(connection: Connection, driver: Driver, now: datetime) -> list[Checked]:
    """Check all invariants; none may be broken, whatever happened to processes and hosts."""
    live = driver.live(connection)  # first: what is live now can't be ahead of what is read later
    shards = query(connection, _SHARDS)
    return [
        _checked(AWAKE, query(connection, f"{_FORGOTTEN} LIMIT {_SHOWN}", now - GRACE, now, now)),
        _checked(WOKEN, _without_wakeup(shards, live, now)),
        _checked(RISING, _fallen(shards, live)),
        *(
            _checked(name, query(connection, f"{sql} LIMIT {_SHOWN}"))
            for name, sql in _OF_ROWS.items()
        ),
    ]


def _checked(name: str, rows: Sequence[Any]) -> Checked:
    return Checked(name=name, broken=tuple(str(row[0]) for row in rows[:_SHOWN]))


def _without_wakeup(
    shards: Sequence[Any], live: set[tuple[int, int]], now: datetime
) -> list[tuple[int]]:
    found = []
    for shard, scheduled, number, updated_at in shards:
        changed = as_time(updated_at)
        late = changed is None or now - changed > GRACE
        if scheduled and late and (shard, number) not in live:
            found.append((shard,))
    return found


def _fallen(shards: Sequence[Any], live: set[tuple[int, int]]) -> list[tuple[int]]:
    """Find shards for which a wake-up with a number is live that they have not reached."""
    present = {shard: number for shard, _, number, _ in shards}
    return [(shard,) for shard, number in sorted(live) if number > present.get(shard, 0)]
