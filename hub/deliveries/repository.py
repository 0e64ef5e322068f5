"""The inbox: what is pending in a shard, what may be worked, what moves to another lane."""

import json
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection

from hub.correlations.repository import RecordKey
from hub.correlations.values import unpack_event
from hub.db.bulk import Columns, Kind, as_time, as_uuid, insert_rows, query, write_rows
from hub.dispatch import shards
from hub.dispatch.port import Driver
from hub.sdk.events import Event

BATCH: Final = 256
_FEW_LANES: Final = 16
_HEAD_LANES: Final = 64
_HEAD_EVENTS: Final = 8
_HELD: Final = "(h.lane IS NULL OR h.not_before <= ?)"
_COLUMNS: Final = (
    "e.id, e.tenant_id, e.delivery_id, e.connector_id, e.lane, e.shard, e.body, e.hops, "
    "e.plan_version, e.replay_of, e.replay_mode, e.created_at, h.reason, d.source"
)
_JOINS: Final = (
    "LEFT JOIN holds h ON h.lane = e.lane LEFT JOIN deliveries d ON d.id = e.delivery_id"
)
_PLAIN: Final = f"""
SELECT {_COLUMNS} FROM events e {_JOINS}
WHERE e.shard = ? AND e.state = 'pending' AND {_HELD} AND {{free}}
ORDER BY e.id LIMIT ?"""  # noqa: S608 - constants
_OLDEST: Final = f"""
SELECT e.created_at FROM events e LEFT JOIN holds h ON h.lane = e.lane
WHERE e.shard = ? AND e.state = 'pending' AND {_HELD} ORDER BY e.id LIMIT 1"""  # noqa: S608 - constants
_HEADS: Final = f"""
WITH RECURSIVE heads(lane, n) AS (
  SELECT (SELECT min(lane) FROM events WHERE shard = ? AND state = 'pending' AND lane > ?), 1
  UNION ALL
  SELECT (SELECT min(x.lane) FROM events x
          WHERE x.shard = ? AND x.state = 'pending' AND x.lane > heads.lane), heads.n + 1
  FROM heads WHERE heads.lane IS NOT NULL AND heads.n < 5000
), workable AS (
  SELECT e.lane FROM heads e LEFT JOIN holds h ON h.lane = e.lane
  WHERE e.lane IS NOT NULL AND {_HELD} AND {{free}} LIMIT {_HEAD_LANES}
)
SELECT {_COLUMNS} FROM workable w JOIN events e ON e.id IN (
  SELECT id FROM events WHERE lane = w.lane AND state = 'pending' ORDER BY id LIMIT {_HEAD_EVENTS}
) {_JOINS} ORDER BY e.id"""  # noqa: S608 - constants
_USABLE: Final = """
DELETE FROM holds WHERE reason = 'connector' AND connector_id IN
  (SELECT id FROM connectors WHERE state = 'active') RETURNING shard"""
_PARKED: Final = """
SELECT tenant_id, id FROM connectors
WHERE state = 'parked' AND (parked_until IS NULL OR parked_until <= ?)"""
_PROBE: Final = """
DELETE FROM holds WHERE lane =
  (SELECT lane FROM holds WHERE connector_id = ? AND reason = 'connector' ORDER BY since LIMIT 1)
RETURNING shard"""
_FREE: Final = {
    "sqlite": "e.lane NOT IN (SELECT value FROM json_each(?))",
    "postgresql": "e.lane <> ALL(?::text[])",
}
_HOLD: Final[Columns] = {
    "lane": Kind.TEXT,
    "tenant_id": Kind.UUID,
    "shard": Kind.INT,
    "not_before": Kind.TIME,
    "reason": Kind.TEXT,
    "detail": Kind.TEXT,
    "connector_id": Kind.UUID,
    "run_id": Kind.INT,
    "since": Kind.TIME,
}
_HOLD_UPSERT: Final = (
    "ON CONFLICT (lane) DO UPDATE SET not_before = excluded.not_before, "
    "reason = excluded.reason, detail = excluded.detail, connector_id = excluded.connector_id, "
    "run_id = excluded.run_id WHERE holds.reason <> 'person'"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingEvent:
    """An event to be worked; `planned` ones have runs already."""

    id: int
    tenant_id: uuid.UUID
    delivery_id: int
    connector_id: uuid.UUID
    lane: str
    shard: int
    event: Event
    created_at: datetime
    hops: int = 0
    planned: bool = False
    replay_of: int | None = None
    replay_mode: str | None = None
    held: bool = False
    source: str = "webhook"

    @property
    def record(self) -> RecordKey:
        """The event's record."""
        ref = self.event.record
        return RecordKey(self.tenant_id, self.connector_id, ref.source_object, ref.id)

    @property
    def first_id(self) -> int:
        """The event that this one repeats, or itself."""
        return self.replay_of or self.id


class Unread(NamedTuple):
    """A row of a pending event; `event` reads it, which costs more than its place in a lane."""

    id: int
    lane: str
    row: Any

    @property
    def event(self) -> PendingEvent:
        """The event."""
        return _event(self.row)


class Wanted(NamedTuple):
    """What a drain wants to read of its shard: lanes in work are left out."""

    shard: int
    in_work: frozenset[str]
    after: str
    batch: int = BATCH


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """A lane that is to wait."""

    lane: str
    tenant_id: uuid.UUID
    shard: int
    reason: str
    not_before: datetime | None = None
    detail: str = ""
    connector_id: uuid.UUID | None = None
    run_id: int | None = None


@dataclass(frozen=True, slots=True)
class EventInbox:
    """The events table as shards, links and drains use it."""

    driver: Driver

    def workable(self, connection: Connection, shard: int, now: datetime) -> bool:
        """Whether the shard holds a pending event whose lane is not held."""
        found = query(
            connection,
            _OLDEST,
            shard,
            now,
        )
        return bool(found)

    def pending_shards(
        self, connection: Connection, now: datetime, older_than: datetime
    ) -> list[int]:
        """Return the shards with a workable event filed before `older_than`."""
        known = query(connection, "SELECT id FROM shards")
        found = []
        for (shard,) in known:
            rows = query(
                connection,
                _OLDEST,
                shard,
                now,
            )
            created = as_time(rows[0][0]) if rows else None
            if created is not None and created <= older_than:
                found.append(int(shard))
        return found

    def refile(self, connection: Connection, old_lane: str, new_lane: str, shard: int) -> int:
        """Move the waiting events of a lane (not those that have a plan); return how many."""
        moved = query(
            connection,
            "UPDATE events SET lane = ?, shard = ? "
            "WHERE lane = ? AND state = 'pending' AND plan_version IS NULL RETURNING id",
            new_lane,
            shard,
            old_lane,
        )
        return len(moved)

    def read(
        self, connection: Connection, wanted: Wanted, now: datetime
    ) -> tuple[list[Unread], bool]:
        """Return workable events of a shard, and whether lane heads were read.

        The oldest first; where few lanes fill the page, some events of many lanes.
        """
        rows = _read_plain(connection, wanted, now)
        if len(rows) < wanted.batch or len({row[4] for row in rows}) >= _FEW_LANES:
            return [Unread(row[0], row[4], row) for row in rows], False
        heads = _read_heads(connection, wanted, now)
        if not heads and wanted.after:
            heads = _read_heads(connection, wanted._replace(after=""), now)
        return [Unread(row[0], row[4], row) for row in heads or rows], True

    def hold(self, connection: Connection, holds: Sequence[Hold], now: datetime) -> None:
        """Let lanes wait; a hold that a person set stays."""
        rows = [
            (
                one.lane,
                one.tenant_id,
                one.shard,
                one.not_before,
                one.reason,
                one.detail[:1000],
                one.connector_id,
                one.run_id,
                now,
            )
            for one in {one.lane: one for one in holds}.values()
        ]
        insert_rows(connection, "holds", _HOLD, rows, suffix=_HOLD_UPSERT)

    def lift(self, connection: Connection, lanes: Iterable[str]) -> None:
        """Forget the holds of lanes whose event went on; a person's stay."""
        write_rows(
            connection,
            "DELETE FROM holds WHERE reason NOT IN ('person', 'dead') "
            "AND lane IN (SELECT v.lane FROM {rows})",
            {"lane": Kind.TEXT},
            [(lane,) for lane in set(lanes)],
        )

    def connector_usable(
        self, connection: Connection, connector_id: uuid.UUID, now: datetime
    ) -> int:
        """Let all lanes go on that wait for a connector; return how many."""
        rows = query(
            connection, "DELETE FROM holds WHERE connector_id = ? RETURNING shard", connector_id
        )
        shards.schedule(connection, self.driver, {int(row[0]) for row in rows}, now)
        return len(rows)

    def resume(self, connection: Connection, now: datetime) -> list[tuple[uuid.UUID, uuid.UUID]]:
        """Let lanes go on whose connector is usable by now; of a parked one that is due, one.

        Return the (tenant, connector) of parked ones for which nothing waits any more.
        """
        rows = query(connection, _USABLE)
        due = query(connection, _PARKED, now)
        idle = []
        for tenant, connector in due:
            probe = query(connection, _PROBE, connector)
            rows += probe
            if not probe:
                idle.append((as_uuid(tenant), as_uuid(connector)))
        shards.schedule(connection, self.driver, {int(row[0]) for row in rows}, now)
        return idle

    def release(
        self, connection: Connection, tenant_id: uuid.UUID, lane: str, now: datetime
    ) -> bool:
        """Let a lane go on whatever it waits for; False: it was not held."""
        rows = query(
            connection,
            "DELETE FROM holds WHERE lane = ? AND tenant_id = ? RETURNING shard",
            lane,
            tenant_id,
        )
        shards.schedule(connection, self.driver, {int(row[0]) for row in rows}, now)
        return bool(rows)


def _read_plain(connection: Connection, wanted: Wanted, now: datetime) -> list[Any]:
    lanes = _lanes(connection, wanted.in_work)
    sql = _PLAIN.replace("{free}", _FREE[connection.dialect.name])
    return query(connection, sql, wanted.shard, now, lanes, wanted.batch)


def _read_heads(connection: Connection, wanted: Wanted, now: datetime) -> list[Any]:
    lanes = _lanes(connection, wanted.in_work)
    sql = _HEADS.replace("{free}", _FREE[connection.dialect.name])
    return query(connection, sql, wanted.shard, wanted.after, wanted.shard, now, lanes)


def _lanes(connection: Connection, lanes: Iterable[str]) -> Any:  # noqa: ANN401 - by database
    listed = list(lanes)
    return listed if connection.dialect.name == "postgresql" else json.dumps(listed)


def _event(row: Any) -> PendingEvent:  # noqa: ANN401 - a row
    created = as_time(row[11])
    assert created is not None  # noqa: S101 - the column is not null
    return PendingEvent(
        id=row[0],
        tenant_id=as_uuid(row[1]),
        delivery_id=row[2],
        connector_id=as_uuid(row[3]),
        lane=row[4],
        shard=row[5],
        event=unpack_event(row[6]),
        hops=row[7],
        planned=row[8] is not None,
        replay_of=row[9],
        replay_mode=row[10],
        created_at=created,
        held=row[12] is not None,
        source=row[13] or "webhook",
    )
