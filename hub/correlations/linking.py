"""Making records one matter: reserve, link, merge; and moving what waits to the matter's lane."""

import secrets
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Protocol

from sqlalchemy import Connection

from hub import ids
from hub.correlations.repository import Matter, RecordKey
from hub.db.bulk import Columns, Kind, as_uuid, insert_rows, query
from hub.dispatch import shards
from hub.dispatch.lanes import bucket_of, lane_of, shard_of
from hub.dispatch.port import Driver

_LOCK: Final = "SELECT pg_advisory_xact_lock(7, b) FROM unnest(?::int[]) AS b"
_ALPHABET: Final = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
_MATTER: Final[Columns] = {
    "id": Kind.UUID,
    "tenant_id": Kind.UUID,
    "code": Kind.TEXT,
    "lane": Kind.TEXT,
    "created_at": Kind.TIME,
}
_LINK: Final[Columns] = {
    "tenant_id": Kind.UUID,
    "correlation_id": Kind.UUID,
    "connector_id": Kind.UUID,
    "source_object": Kind.TEXT,
    "slot": Kind.TEXT,
    "record_id": Kind.TEXT,
    "human_id": Kind.TEXT,
    "url": Kind.TEXT,
    "state": Kind.TEXT,
    "made_by_run": Kind.INT,
    "made_by_ruleset": Kind.TEXT,
    "precise": Kind.JSON,
    "created_at": Kind.TIME,
    "created_by": Kind.TEXT,
}


class Moves(Protocol):
    """Moves events to another lane."""

    def refile(self, connection: Connection, old_lane: str, new_lane: str, shard: int) -> int:
        """Move the waiting events of a lane; return how many."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class NewMatter:
    """A correlation to begin with one record."""

    id: uuid.UUID
    code: str
    lane: str
    record: RecordKey
    url: str | None = None
    human_id: str | None = None
    by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reservation:
    """A place in a matter for a record that a run is going to make."""

    tenant_id: uuid.UUID
    correlation_id: uuid.UUID
    connector_id: uuid.UUID
    source_object: str
    run_id: int
    ruleset: str
    slot: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkWanted:
    """A record that shall belong to a matter, maybe instead of one that went into it."""

    record: RecordKey
    correlation_id: uuid.UUID
    instead_of: RecordKey | None = None
    url: str | None = None
    human_id: str | None = None
    run_id: int | None = None
    ruleset: str | None = None
    by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Linked:
    """How a link was made: where the record is now, and how many events moved."""

    correlation_id: uuid.UUID
    moved: int = 0
    merged: bool = False


def new_matter(record: RecordKey, *, url: str | None, human_id: str | None) -> NewMatter:
    """Return a matter that begins with this record, in the record's own lane."""
    return NewMatter(
        id=ids.new_id(),
        code="M-" + "".join(secrets.choice(_ALPHABET) for _ in range(8)),
        lane=lane_of(record.connector_id, record.ref),
        record=record,
        url=url,
        human_id=human_id,
    )


def begin(connection: Connection, matters: Sequence[NewMatter], now: datetime) -> None:
    """Store new matters with the link of their first record.

    A record that was linked meanwhile makes this fail (its unique index).
    """
    insert_rows(
        connection,
        "correlations",
        _MATTER,
        [(one.id, one.record.tenant_id, one.code, one.lane, now) for one in matters],
    )
    insert_rows(connection, "links", _LINK, [_first_link(one, now) for one in matters])


def reserve(
    connection: Connection, reservations: Sequence[Reservation], now: datetime
) -> frozenset[int]:
    """Store reservations; return the runs that got theirs. The others find a record there."""
    rows = [
        (
            one.tenant_id,
            one.correlation_id,
            one.connector_id,
            one.source_object,
            one.slot,
            None,
            None,
            None,
            "reserved",
            one.run_id,
            one.ruleset,
            "{}",
            now,
            "",
        )
        for one in reservations
    ]
    found = insert_rows(
        connection, "links", _LINK, rows, suffix="ON CONFLICT DO NOTHING RETURNING made_by_run"
    )
    return frozenset(row[0] for row in found)


def free(connection: Connection, run_id: int) -> None:
    """Give up the reservation of a run that makes no record."""
    query(connection, "DELETE FROM links WHERE made_by_run = ? AND state = 'reserved'", run_id)


def lock_records(connection: Connection, records: Sequence[RecordKey]) -> None:
    """Keep others from filing events of these records until COMMIT; call it first of all."""
    if connection.dialect.name != "postgresql":
        return
    buckets = {bucket_of(one.connector_id, one.ref) for one in records}
    if buckets:
        query(connection, _LOCK, sorted(buckets))


@dataclass(frozen=True, slots=True, kw_only=True)
class Linker:
    """Links records inside a transaction that called `lock_records`."""

    driver: Driver
    inbox: Moves
    shards: int

    def link(self, connection: Connection, wanted: LinkWanted, now: datetime) -> Linked:
        """Make the record part of the matter; of two matters the younger joins the older."""
        if wanted.instead_of is not None:
            break_link(connection, wanted.instead_of, "gone")
        present = _present_matter(connection, wanted.record)
        target = _live_matter(connection, wanted.correlation_id)
        if present is None:
            _make_live(connection, wanted, target, now)
            old = lane_of(wanted.record.connector_id, wanted.record.ref)
            moved = self._move(connection, old, lane_of_matter(connection, target), now)
            return Linked(correlation_id=target, moved=moved)
        if wanted.run_id is not None:
            free(connection, wanted.run_id)
            _mark_made(connection, wanted)
        if present == target:
            return Linked(correlation_id=target)
        return self._merge(connection, present, target, now)

    def _merge(
        self, connection: Connection, one: uuid.UUID, other: uuid.UUID, now: datetime
    ) -> Linked:
        older, younger = sorted((one, other))
        old_lane = lane_of_matter(connection, younger)
        query(
            connection,
            "UPDATE links SET correlation_id = ? WHERE correlation_id = ? AND state <> 'reserved'",
            older,
            younger,
        )
        query(
            connection,
            "UPDATE links SET correlation_id = ? WHERE correlation_id = ? AND NOT EXISTS "
            "(SELECT 1 FROM links o WHERE o.correlation_id = ? AND o.state = 'reserved' "
            "AND o.connector_id = links.connector_id AND o.source_object = links.source_object "
            "AND o.slot = links.slot)",
            older,
            younger,
            older,
        )
        query(connection, "UPDATE correlations SET merged_into = ? WHERE id = ?", older, younger)
        moved = self._move(connection, old_lane, lane_of_matter(connection, older), now)
        return Linked(correlation_id=older, moved=moved, merged=True)

    def _move(self, connection: Connection, old: str, new: str, now: datetime) -> int:
        if old == new:
            return 0
        shard = shard_of(new, self.shards)
        moved = self.inbox.refile(connection, old, new, shard)
        if moved:
            shards.schedule(connection, self.driver, [shard], now)
        return moved


def lane_of_matter(connection: Connection, matter: uuid.UUID) -> str:
    """Return the lane of a correlation."""
    return str(query(connection, "SELECT lane FROM correlations WHERE id = ?", matter)[0][0])


def break_link(connection: Connection, record: RecordKey, state: str) -> None:
    """Take a record out of its matter: it is `gone`, or a person `unlinked` it."""
    query(
        connection,
        "UPDATE links SET state = ? WHERE tenant_id = ? AND connector_id = ? "
        "AND source_object = ? AND record_id = ? AND state = 'live'",
        state,
        *record,
    )


def reserved_or_linked(
    matter: Matter, connector_id: uuid.UUID, source_object: str, beside: RecordKey
) -> bool:
    """Whether the matter has such a record beside a given one, or one is being made."""
    own = matter.link_of(beside)
    return any(
        one.connector_id == connector_id and one.source_object == source_object
        for one in matter.links
        if one is not own
    )


def _present_matter(connection: Connection, record: RecordKey) -> uuid.UUID | None:
    found = query(
        connection,
        "SELECT correlation_id FROM links WHERE tenant_id = ? AND connector_id = ? "
        "AND source_object = ? AND record_id = ? AND state = 'live'",
        *record,
    )
    return as_uuid(found[0][0]) if found else None


def _live_matter(connection: Connection, matter: uuid.UUID) -> uuid.UUID:
    found = query(connection, "SELECT merged_into FROM correlations WHERE id = ?", matter)
    if not found or found[0][0] is None:
        return matter
    return _live_matter(connection, as_uuid(found[0][0]))


def _make_live(
    connection: Connection, wanted: LinkWanted, matter: uuid.UUID, now: datetime
) -> None:
    if wanted.run_id is not None and query(
        connection,
        "UPDATE links SET state = 'live', correlation_id = ?, record_id = ?, human_id = ?, "
        "url = ? WHERE made_by_run = ? AND state = 'reserved' RETURNING id",
        matter,
        wanted.record.record_id,
        wanted.human_id,
        wanted.url,
        wanted.run_id,
    ):
        return
    insert_rows(connection, "links", _LINK, [_link_row(wanted, matter, now)])


def _mark_made(connection: Connection, wanted: LinkWanted) -> None:
    query(
        connection,
        "UPDATE links SET made_by_run = ?, made_by_ruleset = ? WHERE tenant_id = ? "
        "AND connector_id = ? AND source_object = ? AND record_id = ? AND state = 'live' "
        "AND made_by_run IS NULL",
        wanted.run_id,
        wanted.ruleset,
        *wanted.record,
    )


def _link_row(wanted: LinkWanted, matter: uuid.UUID, now: datetime) -> tuple[Any, ...]:
    record = wanted.record
    return (
        record.tenant_id,
        matter,
        record.connector_id,
        record.source_object,
        "",
        record.record_id,
        wanted.human_id,
        wanted.url,
        "live",
        wanted.run_id,
        wanted.ruleset,
        "{}",
        now,
        wanted.by,
    )


def _first_link(matter: NewMatter, now: datetime) -> tuple[Any, ...]:
    wanted = LinkWanted(
        record=matter.record,
        correlation_id=matter.id,
        url=matter.url,
        human_id=matter.human_id,
        by=matter.by,
    )
    return _link_row(wanted, matter.id, now)
