"""The first look at what comes: which keys are new, what was told before, what is linked.

On PostgreSQL it is one statement, as a round trip costs more than what it does. All of it sees
what was stored before the batch; who else tells of the same changes waits for its locks.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from sqlalchemy import Connection

from hub.db.bulk import Columns, Kind, insert_counted, query, write_rows
from hub.deliveries.keys import COLUMNS, Listed, Row

if TYPE_CHECKING:
    from hub.deliveries.filing import Filing

_POSTGRES: Final = """
WITH kept AS (
  INSERT INTO seen_keys (tenant_id, connector_id, key_hash, delivery_id, seen_at)
  SELECT * FROM unnest(?::uuid[], ?::uuid[], ?::bytea[], ?::bigint[], ?::timestamptz[])
  ON CONFLICT DO NOTHING RETURNING 1)
SELECT count(*), NULL::bytea, NULL::text FROM kept
UNION ALL
SELECT v.n, s.key_hash, NULL
FROM unnest(?::bigint[], ?::uuid[], ?::bytea[], ?::bytea[]) AS v(n, connector_id, low, high)
CROSS JOIN LATERAL (SELECT key_hash FROM seen_keys
  WHERE connector_id = v.connector_id AND key_hash BETWEEN v.low AND v.high LIMIT 1000) s
UNION ALL
SELECT v.n, NULL, c.lane
FROM unnest(?::bigint[], ?::uuid[], ?::uuid[], ?::text[], ?::text[])
  AS v(n, tenant_id, connector_id, source_object, record_id)
JOIN links l ON l.tenant_id = v.tenant_id AND l.connector_id = v.connector_id
  AND l.source_object = v.source_object AND l.record_id = v.record_id AND l.state = 'live'
JOIN correlations c ON c.id = l.correlation_id"""
_MARKS: Final = """
SELECT v.n, s.key_hash FROM {rows} JOIN seen_keys s
  ON s.connector_id = v.connector_id AND s.key_hash BETWEEN v.low AND v.high"""
_LINKED: Final = """
SELECT v.n, c.lane FROM {rows}
JOIN links l ON l.tenant_id = v.tenant_id AND l.connector_id = v.connector_id
  AND l.source_object = v.source_object AND l.record_id = v.record_id AND l.state = 'live'
JOIN correlations c ON c.id = l.correlation_id"""
_MARK: Final[Columns] = {
    "n": Kind.INT,
    "connector_id": Kind.UUID,
    "low": Kind.BYTES,
    "high": Kind.BYTES,
}
_RECORD: Final[Columns] = {
    "n": Kind.INT,
    "tenant_id": Kind.UUID,
    "connector_id": Kind.UUID,
    "source_object": Kind.TEXT,
    "record_id": Kind.TEXT,
}


class Look(NamedTuple):
    """What was found; events are named by their place among all that are listed."""

    kept: int
    """How many of the keys were new."""
    marks: dict[int, list[bytes]]
    """The marks near that of an event."""
    lanes: dict[int, str]
    """The lane of an event whose record is linked."""


def look(
    connection: Connection, filings: Sequence["Filing"], listed: Sequence[Listed], keys: list[Row]
) -> Look:
    """Keep the keys that are new; return that, and what is known of the events."""
    marks, records = _marks(filings, listed), _records(filings, listed)
    if connection.dialect.name == "postgresql":
        return _at_once(connection, keys, marks, records)
    near: dict[int, list[bytes]] = {}
    for n, mark in write_rows(connection, _MARKS, _MARK, marks):
        near.setdefault(n, []).append(mark)
    lanes = dict[int, str](
        (n, lane) for n, lane in write_rows(connection, _LINKED, _RECORD, records)
    )
    return Look(insert_counted(connection, "seen_keys", COLUMNS, keys), near, lanes)


def _marks(filings: Sequence["Filing"], listed: Sequence[Listed]) -> list[tuple[Any, ...]]:
    return [
        (at, filings[n].connector_id, event.mark.low, event.mark.high)
        for at, (n, _, event) in enumerate(listed)
        if event.mark is not None
    ]


def _records(filings: Sequence["Filing"], listed: Sequence[Listed]) -> list[tuple[Any, ...]]:
    return [
        (
            at,
            filings[n].tenant_id,
            filings[n].connector_id,
            event.record.source_object,
            event.record.id,
        )
        for at, (n, _, event) in enumerate(listed)
    ]


def _at_once(
    connection: Connection,
    keys: list[Row],
    marks: list[tuple[Any, ...]],
    records: list[tuple[Any, ...]],
) -> Look:
    columns = (*_columns(keys, 5), *_columns(marks, 4), *_columns(records, 5))
    kept, near, lanes = 0, dict[int, list[bytes]](), dict[int, str]()
    for number, mark, lane in query(connection, _POSTGRES, *columns):
        if lane is not None:
            lanes[number] = lane
        elif mark is not None:
            near.setdefault(number, []).append(mark)
        else:
            kept = number
    return Look(kept, near, lanes)


def _columns(rows: Sequence[Sequence[Any]], width: int) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)] or [[] for _ in range(width)]
