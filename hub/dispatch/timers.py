"""What is due at a time: rows that outlive the process, each done once, late rather than never."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection

from hub.db.bulk import Columns, Kind, as_json, as_time, as_uuid, insert_rows, query

MOST: Final = 200
_DUE: Final = """
SELECT id, tenant_id, kind, key, due_at, every_s, payload, attempts FROM timers
WHERE due_at <= ? ORDER BY due_at, id LIMIT ?"""
_ROW: Final[Columns] = {
    "tenant_id": Kind.UUID,
    "kind": Kind.TEXT,
    "key": Kind.TEXT,
    "lane": Kind.TEXT,
    "due_at": Kind.TIME,
    "every_s": Kind.INT,
    "payload": Kind.JSON,
}
_UPSERT: Final = (
    "ON CONFLICT (kind, key) DO UPDATE SET due_at = excluded.due_at, "
    "every_s = excluded.every_s, payload = excluded.payload, attempts = 0"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """A timer whose time has come. `mark` is the same for each try of this one time."""

    id: int
    tenant_id: uuid.UUID | None
    kind: str
    key: str
    due_at: datetime
    every_s: int | None
    payload: Mapping[str, Any] = field(default_factory=dict)
    attempts: int = 0

    @property
    def mark(self) -> str:
        """The delivery key of its event: a second try files nothing."""
        return f"timer/{self.kind}/{self.key}/{self.due_at.isoformat()}"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewTimer:
    """Something to be done at a time; `every_s` makes it come again. `payload` is JSON text."""

    kind: str
    key: str
    due_at: datetime
    tenant_id: uuid.UUID | None = None
    lane: str | None = None
    every_s: int | None = None
    payload: str = "{}"


def set_timers(connection: Connection, timers: list[NewTimer]) -> None:
    """Set timers; one with the same kind and key is replaced."""
    rows = [
        (one.tenant_id, one.kind, one.key, one.lane, one.due_at, one.every_s, one.payload)
        for one in timers
    ]
    insert_rows(connection, "timers", _ROW, rows, suffix=_UPSERT)


def cancel_timer(connection: Connection, kind: str, key: str) -> bool:
    """Forget a timer; False: there was none."""
    sql = "DELETE FROM timers WHERE kind = ? AND key = ? RETURNING id"
    return bool(query(connection, sql, kind, key))


def due_timers(connection: Connection, now: datetime, most: int = MOST) -> list[Due]:
    """Return timers whose time has come, locked where others could take them."""
    lock = " FOR UPDATE SKIP LOCKED" if connection.dialect.name == "postgresql" else ""
    return [_due(row) for row in query(connection, _DUE + lock, now, most)]


def rearm(connection: Connection, due: Due, now: datetime) -> None:
    """Set a timer to its next time, or forget it; call it where its event is filed.

    After a long sleep a recurring one comes once, not once for each time it missed.
    """
    if due.every_s is None:
        query(connection, "DELETE FROM timers WHERE id = ? AND due_at = ?", due.id, due.due_at)
        return
    step = timedelta(seconds=due.every_s)
    missed = max(0, int((now - due.due_at) / step))
    query(
        connection,
        "UPDATE timers SET due_at = ?, attempts = 0 WHERE id = ? AND due_at = ?",
        due.due_at + step * (missed + 1),
        due.id,
        due.due_at,
    )


def put_off(connection: Connection, due: Due, now: datetime) -> None:
    """Try a timer again later whose work failed."""
    wait = timedelta(seconds=min(600, 2 ** min(due.attempts + 1, 10)))
    query(
        connection,
        "UPDATE timers SET due_at = ?, attempts = attempts + 1 WHERE id = ?",
        now + wait,
        due.id,
    )


def _due(row: Any) -> Due:  # noqa: ANN401 - a row
    due_at = as_time(row[4])
    assert due_at is not None  # noqa: S101 - the column is not null
    return Due(
        id=row[0],
        tenant_id=as_uuid(row[1]) if row[1] else None,
        kind=row[2],
        key=row[3],
        due_at=due_at,
        every_s=row[5],
        payload=as_json(row[6]) or {},
        attempts=row[7],
    )
