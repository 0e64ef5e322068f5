"""Figures in the database: per connector and minute, and what is counted there."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import Connection

from hub.db.bulk import Columns, Kind, as_time, insert_rows, query
from hub.metrics.counters import Point

_ROW: Final[Columns] = {
    "tenant_id": Kind.UUID,
    "connector_id": Kind.UUID,
    "name": Kind.TEXT,
    "minute": Kind.TIME,
    "count": Kind.INT,
    "total": Kind.FLOAT,
    "buckets": Kind.JSON,
}
_UPSERT: Final = (
    "ON CONFLICT (connector_id, name, minute) DO UPDATE SET "
    '"count" = metric_points."count" + excluded."count", '
    "total = metric_points.total + excluded.total"
)


def store_points(connection: Connection, points: Sequence[Point], minute: datetime) -> None:
    """Add what was counted in a minute."""
    rows = [
        (one.tenant_id, one.connector_id, one.name[:64], minute, one.times, one.total, "[]")
        for one in sorted(points, key=lambda each: (each.connector_id, each.name))
    ]
    insert_rows(connection, "metric_points", _ROW, rows, suffix=_UPSERT)


def held_lanes(connection: Connection) -> list[tuple[str, int]]:
    """Return how many lanes wait, by reason."""
    rows = query(connection, "SELECT reason, count(*) FROM holds GROUP BY reason")
    return [(row[0], row[1]) for row in rows]


def oldest_pending(connection: Connection, now: datetime) -> datetime | None:
    """Return when the oldest pending event came whose lane is not held."""
    rows = query(
        connection,
        "SELECT e.created_at FROM events e LEFT JOIN holds h ON h.lane = e.lane "
        "WHERE e.state = 'pending' AND (h.lane IS NULL OR h.not_before <= ?) "
        "ORDER BY e.id LIMIT 1",
        now,
    )
    return as_time(rows[0][0]) if rows else None
