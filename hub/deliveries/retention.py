"""What is deleted when: in small batches, pending events and dead letters never.

What comes with every event has no index on its time: its age is told by its id, or it is found
on a walk (`walks`).
"""

import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection

from hub.db import moments
from hub.db.bulk import as_json, as_time, as_uuid, query
from hub.deliveries.walks import Walk

BATCH: Final = 1000
DAYS: Final[Mapping[str, float]] = {
    "deliveries": 30,
    "events": 30,
    "traces": 30,
    "attempts": 30,
    "runs": 90,
    "activity": 90,
    "audit": 400,
    "seen_keys": 7,
    "echoes": 3,
    "last_seen": 90,
    "metric_points": 7,
    "imports": 90,
    "reconciliations": 90,
}
"""How long rows are kept; a tenant's settings may say otherwise: retention.<table>."""
_WITH_DELIVERIES: Final = ("events", "traces")
"""What is kept as long as deliveries."""
_SIZED: Final = ("attempts", "traces", "events", "deliveries")
"""What goes early when a tenant keeps more than it may; children first."""

_OLD: Final[Mapping[str, str]] = {
    "attempts": "SELECT id FROM attempts WHERE tenant_id = ? AND at < ? AND id < ? "
    "ORDER BY id LIMIT ?",
    "traces": "SELECT event_id FROM traces WHERE tenant_id = ? AND created_at < ? "
    "AND event_id < ? ORDER BY event_id LIMIT ?",
    "runs": "SELECT id FROM runs WHERE tenant_id = ? AND created_at < ? AND id < ? "
    "AND state IN ('done', 'skipped') ORDER BY id LIMIT ?",
    "events": "SELECT id FROM events WHERE tenant_id = ? AND created_at < ? AND id < ? "
    "AND state <> 'pending' AND NOT EXISTS (SELECT 1 FROM runs r WHERE r.event_id = events.id "
    "AND r.state = 'dead') ORDER BY id LIMIT ?",
    "deliveries": "SELECT id FROM deliveries WHERE tenant_id = ? AND received_at < ? AND id < ? "
    "AND NOT EXISTS (SELECT 1 FROM events e WHERE e.delivery_id = deliveries.id) "
    "ORDER BY id LIMIT ?",
    "activity": "SELECT id FROM activity WHERE tenant_id = ? AND at < ? AND id < ? "
    "ORDER BY id LIMIT ?",
    "audit": "SELECT id FROM audit WHERE tenant_id = ? AND at < ? LIMIT ?",
    "echoes": "SELECT id FROM echoes WHERE tenant_id = ? AND expires_at < ? LIMIT ?",
    "imports": "SELECT id FROM imports WHERE tenant_id = ? AND ended_at < ? LIMIT ?",
    "reconciliations": "SELECT id FROM reconciliations WHERE tenant_id = ? AND ended_at < ? "
    "LIMIT ?",
}
_LOGGED: Final = (
    "DELETE FROM attempts WHERE id IN (SELECT a.id FROM attempts a JOIN runs r ON r.id = a.run_id "
    "WHERE r.connector_id = ? AND a.at < ? AND a.id < ? LIMIT ?) RETURNING 1"
)
_TOO_MUCH: Final = """
SELECT at FROM (SELECT at, sum(size) OVER (ORDER BY at DESC) AS total FROM (
  SELECT received_at AS at, size FROM deliveries WHERE tenant_id = ?
  UNION ALL
  SELECT at, coalesce(length(request), 0) + coalesce(length(response), 0) FROM attempts
  WHERE tenant_id = ?) AS kept) AS added
WHERE total > ? ORDER BY at DESC LIMIT 1"""
_TIMED: Final[Mapping[str, moments.Timed]] = {
    "attempts": moments.ATTEMPTS,
    "traces": moments.EVENTS,  # no trace is older than its event
    "runs": moments.RUNS,
    "events": moments.EVENTS,
    "deliveries": moments.DELIVERIES,
    "activity": moments.ACTIVITY,
}
_WALKED: Final = ("seen_keys", "last_seen")
_KEYS: Final[Mapping[str, str]] = {"traces": "event_id"}
_WHOLE: Final[Mapping[str, str]] = {
    "metric_points": "DELETE FROM metric_points WHERE (connector_id, name, minute) IN (SELECT "
    "connector_id, name, minute FROM metric_points WHERE tenant_id = ? AND minute < ? LIMIT ?) "
    "RETURNING 1",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Old:
    """A batch of rows of one table that are past their time."""

    table: str
    tenant_id: uuid.UUID
    before: datetime
    _bound: list[int] = field(default_factory=list, init=False, compare=False)

    def __call__(self, connection: Connection) -> int:
        """Delete a batch; return how many rows it had (fewer than BATCH: nothing is left)."""
        if self.table in _WHOLE:
            sql = _WHOLE[self.table]
        else:
            key = _KEYS.get(self.table, "id")
            sql = (
                f"DELETE FROM {self.table} WHERE {key} IN ({_OLD[self.table]}) "  # noqa: S608 - constants
                "RETURNING 1"
            )
        bound = self._bounded(connection)
        return len(query(connection, sql, self.tenant_id, self.before, *bound, BATCH))

    def _bounded(self, connection: Connection) -> list[int]:
        """Return the id from which on nothing is old, where the table is asked by it."""
        timed = _TIMED.get(self.table)
        if timed is not None and not self._bound:
            self._bound.append(moments.until_id(connection, timed, self.before))
        return self._bound


@dataclass(frozen=True, slots=True, kw_only=True)
class OldLog:
    """A batch of a connector's logged requests that are past its `log_days`."""

    connector_id: uuid.UUID
    before: datetime

    def __call__(self, connection: Connection) -> int:
        """Delete a batch; return how many rows it had."""
        bound = moments.until_id(connection, moments.ATTEMPTS, self.before)
        return len(query(connection, _LOGGED, self.connector_id, self.before, bound, BATCH))


def logs(connection: Connection, now: datetime) -> list[OldLog]:
    """Return what is past its time of connectors that keep their log for a shorter time."""
    rows = query(
        connection, "SELECT id, log_days FROM connectors WHERE log_days < ?", DAYS["attempts"]
    )
    return [
        OldLog(connector_id=as_uuid(row[0]), before=now - timedelta(days=row[1])) for row in rows
    ]


def oversize(
    connection: Connection, tenant_id: uuid.UUID, settings: Mapping[str, Any]
) -> list[Old]:
    """Return what has to go before its time, since the tenant keeps more than it may."""
    most = (settings.get("retention") or {}).get("max_mb")
    if not most:
        return []
    rows = query(connection, _TOO_MUCH, tenant_id, tenant_id, int(most) * 1_000_000)
    cut = as_time(rows[0][0]) if rows else None
    if cut is None:
        return []
    before = cut + timedelta(microseconds=1)
    return [Old(table=table, tenant_id=tenant_id, before=before) for table in _SIZED]


def tenants(connection: Connection) -> list[tuple[uuid.UUID, Mapping[str, Any]]]:
    """Return all tenants with their settings."""
    rows = query(connection, "SELECT id, settings FROM tenants")
    return [(as_uuid(row[0]), as_json(row[1]) or {}) for row in rows]


def due(tenant_id: uuid.UUID, settings: Mapping[str, Any], now: datetime) -> Iterator[Old]:
    """Yield what is to be deleted of a tenant, children first."""
    told = settings.get("retention") or {}
    for table in (*_OLD, *_WHOLE):
        days = told.get(table) or DAYS[table]
        if table in _WITH_DELIVERIES:
            days = told.get("deliveries") or days
        before = now if table == "echoes" else now - timedelta(days=float(days))
        yield Old(table=table, tenant_id=tenant_id, before=before)


def walks(now: datetime) -> list[Walk]:
    """Return the turns through what is found by walking; it is kept alike for all tenants."""
    return [Walk(table=table, before=now - timedelta(days=DAYS[table])) for table in _WALKED]
