"""What must hold of the inbox whenever nothing is under way: one statement each."""

from typing import Any, Final

from hub.testing.rig import Rig

BROKEN: Final[dict[str, str]] = {
    "a pending event that could be worked is in a shard that sleeps": """
SELECT e.id FROM events e LEFT JOIN holds h ON h.lane = e.lane JOIN shards s ON s.id = e.shard
WHERE e.state = 'pending' AND h.lane IS NULL AND NOT s.scheduled""",
    "an event is done and one of its runs is not settled": """
SELECT e.id FROM events e JOIN runs r ON r.event_id = e.id
WHERE e.state <> 'pending' AND r.state IN ('intent', 'sent', 'waiting')""",
    "two runs have one key": """
SELECT key FROM runs GROUP BY tenant_id, key HAVING count(*) > 1""",
    "a place in a matter is reserved twice": """
SELECT correlation_id FROM links WHERE state = 'reserved'
GROUP BY correlation_id, connector_id, source_object, slot HAVING count(*) > 1""",
    "a place is reserved for a run that ended": """
SELECT l.id FROM links l JOIN runs r ON r.id = l.made_by_run
WHERE l.state = 'reserved' AND r.state IN ('done', 'skipped', 'dead')""",
    "an event is done while an older one of its lane is pending": """
SELECT e.id FROM events e JOIN events o ON o.lane = e.lane AND o.id < e.id
WHERE e.state <> 'pending' AND o.state = 'pending'""",
    "an accepted delivery lacks events": """
SELECT d.id FROM deliveries d WHERE d.state = 'accepted' AND d.events <>
  (SELECT count(*) FROM events e WHERE e.delivery_id = d.id)""",
    "a record has two live links": """
SELECT record_id FROM links WHERE state = 'live'
GROUP BY tenant_id, connector_id, source_object, record_id HAVING count(*) > 1""",
}


async def broken(rig: Rig) -> dict[str, list[Any]]:
    """Return the invariants that do not hold, with the rows that break them."""
    found = {}
    for what, sql in BROKEN.items():
        rows = await rig.rows(sql)
        if rows:
            found[what] = [tuple(row) for row in rows[:5]]
    return found
