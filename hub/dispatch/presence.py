"""Signs of life of processes, for people; no claim reads them."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection

from hub.db.bulk import Columns, Kind, insert_rows, query

FORGOTTEN_AFTER: Final = timedelta(hours=1)
_ROW: Final[Columns] = {
    "id": Kind.TEXT,
    "host": Kind.TEXT,
    "version": Kind.TEXT,
    "started_at": Kind.TIME,
    "beat_at": Kind.TIME,
    "role": Kind.TEXT,
    "plan_versions": Kind.JSON,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Presence:
    """A process of this hub; `plan_versions` is JSON text."""

    id: str
    host: str
    version: str
    role: str
    started_at: datetime
    plan_versions: str = "{}"


def beat(connection: Connection, one: Presence, now: datetime) -> None:
    """Say that a process is alive."""
    row = (one.id, one.host, one.version, one.started_at, now, one.role, one.plan_versions)
    suffix = (
        "ON CONFLICT (id) DO UPDATE SET beat_at = excluded.beat_at, "
        "plan_versions = excluded.plan_versions"
    )
    insert_rows(connection, "workers", _ROW, [row], suffix=suffix)


def leave(connection: Connection, process: str) -> None:
    """Forget a process that ends."""
    query(connection, "DELETE FROM workers WHERE id = ?", process)


def forget_dead(connection: Connection, now: datetime) -> None:
    """Forget processes that have been silent for an hour."""
    query(connection, "DELETE FROM workers WHERE beat_at < ?", now - FORGOTTEN_AFTER)
