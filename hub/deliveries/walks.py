"""Forgetting what is in no order of time: a walk along the primary key, a slice at a time.

An index on the time would cost every row that is written. The place of the walk is stored, so
that after a restart it goes on; a turn is a part of a large table, and all of a small one.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection

from hub.db.bulk import Kind, as_json, insert_rows, query

SLICE: Final = 5000
"""So many rows are looked at in one transaction."""
SLICES: Final = 2000
"""So many slices are a turn."""
_KEYS: Final[Mapping[str, tuple[str, ...]]] = {
    "seen_keys": ("connector_id", "key_hash"),
    "last_seen": ("connector_id", "source_object", "record_id"),
}
_UNLINKED: Final = (
    "AND NOT EXISTS (SELECT 1 FROM links l WHERE l.tenant_id = last_seen.tenant_id "
    "AND l.connector_id = last_seen.connector_id AND l.source_object = last_seen.source_object "
    "AND l.record_id = last_seen.record_id AND l.state = 'live')"
)
_BESIDE: Final[Mapping[str, str]] = {"last_seen": _UNLINKED}


@dataclass(slots=True, kw_only=True)
class Walk:
    """A turn through a table; each call looks at one slice, in one transaction.

    It is over after so many slices, or where the table ends.
    """

    table: str
    before: datetime
    slice: int = SLICE
    left: int = SLICES
    _place: list[Any] | None = field(default=None, init=False)

    @property
    def is_over(self) -> bool:
        """Whether nothing is left to be done in this turn."""
        return self.left <= 0

    def __call__(self, connection: Connection) -> int:
        """Delete what is old in the next slice; return how many rows that were."""
        self.left -= 1
        start = _place_of(connection, self.table)
        end = self._end(connection, start)
        if end is None:
            self.left = 0
        deleted = self._delete(connection, start, end)
        _keep_place(connection, self.table, end)
        return deleted

    def _end(self, connection: Connection, start: list[Any]) -> list[Any] | None:
        names = ", ".join(_KEYS[self.table])
        rows = query(
            connection,
            f"SELECT {names} FROM {self.table} {_where(self.table, start, None)} "  # noqa: S608 - our names
            f"ORDER BY {names} LIMIT 1 OFFSET ?",
            *start,
            self.slice - 1,
        )
        return list(rows[0]) if rows else None

    def _delete(self, connection: Connection, start: list[Any], end: list[Any] | None) -> int:
        where = _where(self.table, start, end) or "WHERE true"
        sql = (
            f"DELETE FROM {self.table} {where} AND seen_at < ? "  # noqa: S608 - our names
            f"{_BESIDE.get(self.table, '')} RETURNING 1"
        )
        return len(query(connection, sql, *start, *(end or ()), self.before))


def _where(table: str, start: list[Any], end: list[Any] | None) -> str:
    names, marks = ", ".join(_KEYS[table]), ", ".join("?" for _ in _KEYS[table])
    bounds = [f"({names}) {sign} ({marks})" for sign, one in ((">", start), ("<=", end)) if one]
    return f"WHERE {' AND '.join(bounds)}" if bounds else ""


def _place_of(connection: Connection, table: str) -> list[Any]:
    rows = query(connection, "SELECT value FROM hub_meta WHERE key = ?", _mark(table))
    place = as_json(rows[0][0]) if rows else []
    return [bytes.fromhex(one[1:]) if one[:1] == "x" else one[1:] for one in place]


def _keep_place(connection: Connection, table: str, place: list[Any] | None) -> None:
    told = [f"x{one.hex()}" if isinstance(one, bytes) else f"t{one}" for one in place or ()]
    insert_rows(
        connection,
        "hub_meta",
        {"key": Kind.TEXT, "value": Kind.JSON},
        [(_mark(table), json.dumps(told))],
        suffix="ON CONFLICT (key) DO UPDATE SET value = excluded.value",
    )


def _mark(table: str) -> str:
    return f"walk.{table}"
