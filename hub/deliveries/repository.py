"""The inbox: what is pending in a shard, what may be worked, what moves to another lane."""

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Connection

from hub.db.bulk import Columns, Kind, as_time, as_uuid, insert_rows, query, write_rows
from hub.deliveries.pending import HELD
from hub.dispatch import shards
from hub.dispatch.port import Driver

_OLDEST: Final = f"""
SELECT e.created_at FROM events e LEFT JOIN holds h ON h.lane = e.lane
WHERE e.shard = ? AND e.state = 'pending' AND {HELD} ORDER BY e.id LIMIT 1"""  # noqa: S608 - constants
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
            "WHERE shard IN (SELECT id FROM shards) AND lane = ? AND state = 'pending' "
            "AND plan_version IS NULL RETURNING id",
            new_lane,
            shard,
            old_lane,
        )
        return len(moved)

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
