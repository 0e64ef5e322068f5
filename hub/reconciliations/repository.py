"""Reconciliations: for people, and for the worker that compares."""

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, select

from hub import ids
from hub.db.base import to_json
from hub.db.bulk import Columns, Kind, as_uuid, insert_rows, query, write_rows
from hub.db.repository import Repository
from hub.errors import NotFound
from hub.reconciliations.models import Drift, Reconciliation

LEASE: Final = timedelta(minutes=2)
"""A comparison whose process says nothing for so long is taken over by another."""
_MOST_SHOWN: Final = 1000
_CLAIM: Final = """
UPDATE reconciliations SET next_at = ? WHERE id IN (
  SELECT r.id FROM reconciliations r JOIN connectors c ON c.id = r.connector_id
  WHERE r.state = 'running' AND r.next_at <= ? AND c.state = 'active'
  ORDER BY r.next_at LIMIT ? {lock})
RETURNING id, tenant_id, connector_id, correlation_id, repair, position"""
_DUE: Final = """
UPDATE connectors SET reconciled_at = ? WHERE id IN (
  SELECT id FROM connectors WHERE state = 'active' AND reconcile_every_h > 0
    AND type IN ({marks}) AND {due} LIMIT 4 {lock})
RETURNING id, tenant_id"""
_MATTERS: Final = """
SELECT DISTINCT l.correlation_id FROM links l
WHERE l.tenant_id = ? AND l.connector_id = ? AND l.state = 'live' AND l.record_id IS NOT NULL
  AND ({chosen}) ORDER BY l.correlation_id LIMIT ?"""
_MEMBERS: Final = """
SELECT l.correlation_id, l.connector_id, l.source_object, l.record_id, c.lane
FROM {rows} JOIN links l ON l.correlation_id = v.id JOIN correlations c ON c.id = v.id
WHERE l.state = 'live' AND l.record_id IS NOT NULL ORDER BY l.id"""
_DRIFT: Final[Columns] = {
    "tenant_id": Kind.UUID,
    "reconciliation_id": Kind.UUID,
    "correlation_id": Kind.UUID,
    "connector_id": Kind.UUID,
    "source_object": Kind.TEXT,
    "record_id": Kind.TEXT,
    "kind": Kind.TEXT,
    "text": Kind.TEXT,
    "fields": Kind.JSON,
    "repaired": Kind.BOOL,
    "at": Kind.TIME,
}
_NEW: Final[Columns] = {
    "id": Kind.UUID,
    "tenant_id": Kind.UUID,
    "connector_id": Kind.UUID,
    "correlation_id": Kind.UUID,
    "repair": Kind.BOOL,
    "state": Kind.TEXT,
    "compared": Kind.INT,
    "unchanged": Kind.INT,
    "came_in": Kind.INT,
    "went_out": Kind.INT,
    "errors": Kind.INT,
    "next_at": Kind.TIME,
    "created_at": Kind.TIME,
    "created_by": Kind.TEXT,
}


class Reconciliations(Repository[Reconciliation]):
    """One tenant's reconciliations."""

    model = Reconciliation
    word = "reconciliation"

    async def of(self, connector_id: uuid.UUID, number: uuid.UUID) -> Reconciliation:
        """Return a connector's reconciliation; NotFound when it has none of this id."""
        row = await self._first(
            Reconciliation.connector_id == connector_id, Reconciliation.id == number
        )
        if row is None:
            raise NotFound(f"The connector has no {self.word} {number}.")
        return row

    async def running(
        self, connector_id: uuid.UUID, correlation: uuid.UUID | None, *, repair: bool
    ) -> Reconciliation | None:
        """Return the same comparison that is under way."""
        return await self._first(
            Reconciliation.connector_id == connector_id,
            Reconciliation.correlation_id.is_not_distinct_from(correlation),
            Reconciliation.repair == repair,
            Reconciliation.state == "running",
        )

    async def newest(
        self, connector_id: uuid.UUID, after: str | None, limit: int
    ) -> tuple[Sequence[Reconciliation], str | None]:
        """Return a connector's reconciliations, the newest first."""
        found = await self.page(
            Reconciliation.connector_id == connector_id, after=after, limit=limit, newest=True
        )
        return found.items, found.next

    async def drifts(self, number: uuid.UUID) -> Sequence[Drift]:
        """Return what a reconciliation found, the first 1,000."""
        query_ = select(Drift).where(
            Drift.tenant_id == self.tenant, Drift.reconciliation_id == number
        )
        return (await self.session.scalars(query_.order_by(Drift.id).limit(_MOST_SHOWN))).all()


class Claimed(NamedTuple):
    """A reconciliation whose turn it is; nobody else has it for two minutes."""

    id: uuid.UUID
    tenant_id: uuid.UUID
    connector_id: uuid.UUID
    correlation_id: uuid.UUID | None
    repair: bool
    position: uuid.UUID | None


class Member(NamedTuple):
    """A linked record, and the lane of its matter."""

    correlation_id: uuid.UUID
    connector_id: uuid.UUID
    source_object: str
    record_id: str
    lane: str


class Found(NamedTuple):
    """A difference."""

    member: Member
    kind: str
    text: str
    fields: dict[str, Any]
    repaired: bool = False


@dataclass(slots=True, kw_only=True)
class Progress:
    """What a stretch of matters came to."""

    position: uuid.UUID | None = None
    compared: int = 0
    unchanged: int = 0
    came_in: int = 0
    went_out: int = 0
    errors: int = 0
    over: bool = False


def claim(connection: Connection, now: datetime, most: int) -> list[Claimed]:
    """Take reconciliations whose turn it is."""
    lock = "FOR UPDATE OF r SKIP LOCKED" if connection.dialect.name == "postgresql" else ""
    rows = query(connection, _CLAIM.replace("{lock}", lock), now + LEASE, now, most)
    return [
        Claimed(
            as_uuid(row[0]),
            as_uuid(row[1]),
            as_uuid(row[2]),
            as_uuid(row[3]) if row[3] else None,
            bool(row[4]),
            as_uuid(row[5]) if row[5] else None,
        )
        for row in rows
    ]


def begin_due(connection: Connection, types: Sequence[str], now: datetime) -> int:
    """Begin the comparisons that connectors want every so often; return how many."""
    postgres = connection.dialect.name == "postgresql"
    due = (
        "coalesce(reconciled_at, created_at) + reconcile_every_h * interval '1 hour' <= ?"
        if postgres
        else "julianday(coalesce(reconciled_at, created_at)) + reconcile_every_h / 24.0 "
        "<= julianday(?)"
    )
    lock = "FOR UPDATE SKIP LOCKED" if postgres else ""
    marks = ", ".join("?" for _ in types)
    sql = _DUE.replace("{marks}", marks).replace("{due}", due).replace("{lock}", lock)
    rows = query(connection, sql, now, *types, now)
    begin(connection, [(as_uuid(row[1]), as_uuid(row[0])) for row in rows], now)
    return len(rows)


def begin(
    connection: Connection, connectors: Iterable[tuple[uuid.UUID, uuid.UUID]], now: datetime
) -> None:
    """Begin comparisons of connectors, given as (tenant, connector), as scheduled."""
    rows = [
        (ids.new_id(), tenant, one, None, False, "running", 0, 0, 0, 0, 0, now, now, "schedule")
        for tenant, one in connectors
    ]
    insert_rows(connection, "reconciliations", _NEW, rows)


def members(connection: Connection, claimed: Claimed, most: int) -> list[Member]:
    """Return the linked records of the next matters, matter by matter."""
    if claimed.correlation_id is not None:
        chosen, value = "l.correlation_id = ?", claimed.correlation_id
        if claimed.position is not None:
            return []
    elif claimed.position is not None:
        chosen, value = "l.correlation_id > ?", claimed.position
    else:
        chosen, value = "l.tenant_id = ?", claimed.tenant_id
    sql = _MATTERS.replace("{chosen}", chosen)
    found = query(connection, sql, claimed.tenant_id, claimed.connector_id, value, most)
    rows = [(as_uuid(row[0]),) for row in found]
    return [
        Member(as_uuid(row[0]), as_uuid(row[1]), row[2], row[3], row[4])
        for row in write_rows(connection, _MEMBERS, {"id": Kind.UUID}, rows)
    ]


def waits(connection: Connection, lane: str) -> bool:
    """Whether changes of a matter are on their way."""
    return bool(
        query(
            connection,
            "SELECT 1 FROM events WHERE shard IN (SELECT id FROM shards) AND lane = ? "
            "AND state = 'pending' LIMIT 1",
            lane,
        )
    )


def given_up(connection: Connection, tenant_id: uuid.UUID, matter: uuid.UUID) -> list[Any]:
    """Return the dead letters of a matter: connector, object, record, action, error."""
    return query(
        connection,
        "SELECT connector_id, source_object, record_id, action, error FROM runs "
        "WHERE tenant_id = ? AND correlation_id = ? AND state = 'dead' "
        "AND error_class > '' ORDER BY id",
        tenant_id,
        matter,
    )


def store(
    connection: Connection,
    claimed: Claimed,
    outcome: tuple[Progress, Sequence[Found]],
    now: datetime,
) -> None:
    """Store what a stretch of matters came to."""
    progress, found = outcome
    rows = [
        (claimed.tenant_id, claimed.id, *one.member[:4], one.kind, one.text,
         to_json(one.fields), one.repaired, now)
        for one in found
    ]  # fmt: skip
    insert_rows(connection, "drifts", _DRIFT, rows)
    query(
        connection,
        "UPDATE reconciliations SET position = coalesce(?, position), compared = compared + ?, "
        "unchanged = unchanged + ?, came_in = came_in + ?, went_out = went_out + ?, "
        "errors = errors + ?, next_at = ?, "
        "state = CASE WHEN ? THEN 'done' ELSE state END, "
        "ended_at = CASE WHEN ? THEN ? ELSE ended_at END WHERE id = ?",
        progress.position,
        progress.compared,
        progress.unchanged,
        progress.came_in,
        progress.went_out,
        progress.errors,
        now,
        progress.over,
        progress.over,
        now,
        claimed.id,
    )


def kinds(connection: Connection, number: uuid.UUID) -> list[tuple[str, int]]:
    """Return how many differences of each kind a comparison found."""
    rows = query(
        connection,
        "SELECT kind, count(*) FROM drifts WHERE reconciliation_id = ? GROUP BY kind ORDER BY kind",
        number,
    )
    return [(str(row[0]), int(row[1])) for row in rows]


def put_off(connection: Connection, claimed: Claimed, next_at: datetime) -> None:
    """Go on later."""
    query(connection, "UPDATE reconciliations SET next_at = ? WHERE id = ?", next_at, claimed.id)


def fail(connection: Connection, claimed: Claimed, now: datetime, error: str) -> None:
    """Give a comparison up."""
    query(
        connection,
        "UPDATE reconciliations SET state = 'failed', error = ?, ended_at = ? WHERE id = ?",
        error,
        now,
        claimed.id,
    )


def resume(connection: Connection, now: datetime) -> None:
    """Let all go on at once: nobody works them, this process is alone and just began."""
    query(connection, "UPDATE reconciliations SET next_at = ? WHERE state = 'running'", now)
