"""Storing deliveries and their events once, many in one transaction.

The order of the statements is the guarantee: what is new is decided by unique keys, shards
are scheduled (which locks them until COMMIT) before events get their ids, which the database
gives them as they are inserted: so within a shard ids grow in the order of commits.
"""

import uuid
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, NamedTuple

from sqlalchemy import Connection

from hub.activity import journal
from hub.db.bulk import Columns, Kind, inserting, query, take_ids, write_all
from hub.deliveries import keys, ways
from hub.deliveries.keys import Listed
from hub.deliveries.looking import Look, look
from hub.deliveries.refusals import unreadable_lines
from hub.deliveries.repeats import count_repeats
from hub.dispatch import shards
from hub.dispatch.lanes import bucket_of, lane_of, shard_of
from hub.dispatch.port import Driver
from hub.sdk.events import RecordRef

_BEGIN: Final = """
SELECT nullif(length(pg_advisory_xact_lock_shared(7, b)::text), 0)::bigint
  FROM unnest(?::int[]) AS b
UNION ALL SELECT nullif(length(pg_advisory_xact_lock(8, n)::text), 0)::bigint
  FROM unnest(?::int[]) AS n
UNION ALL SELECT nextval(pg_get_serial_sequence('deliveries', 'id'))
  FROM generate_series(1, ?::bigint)"""
"""A round trip costs more than what it does: locks give a NULL, deliveries their ids."""
_DELIVERIES: Final[Columns] = {
    "id": Kind.INT,
    "tenant_id": Kind.UUID,
    "connector_id": Kind.UUID,
    "source": Kind.TEXT,
    "key": Kind.TEXT,
    "received_at": Kind.TIME,
    "headers": Kind.JSON,
    "body": Kind.BYTES,
    "size": Kind.INT,
    "state": Kind.TEXT,
    "detail": Kind.TEXT,
    "events": Kind.INT,
    "replay_of": Kind.INT,
}
_EVENTS: Final[Columns] = {
    "tenant_id": Kind.UUID,
    "delivery_id": Kind.INT,
    "delivery_index": Kind.INT,
    "connector_id": Kind.UUID,
    "trigger": Kind.TEXT,
    "source_object": Kind.TEXT,
    "record_id": Kind.TEXT,
    "lane": Kind.TEXT,
    "shard": Kind.INT,
    "body": Kind.JSON,
    "hops": Kind.INT,
    "state": Kind.TEXT,
    "replay_of": Kind.INT,
    "replay_mode": Kind.TEXT,
    "created_at": Kind.TIME,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class NewEvent:
    """An event to file; `body` is the packed event, `mark` how it tells of its change."""

    trigger: str
    record: RecordRef
    key: str
    body: str
    mark: ways.Mark | None = None
    hops: int = 0
    replay_of: int | None = None
    replay_mode: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Filing:
    """A delivery to file; `headers` is JSON text. `also` is done in the same transaction."""

    tenant_id: uuid.UUID
    connector_id: uuid.UUID
    key: str
    received_at: datetime
    source: str = "webhook"
    headers: str = "{}"
    body: bytes | None = None
    state: str = "accepted"
    detail: str | None = None
    events: tuple[NewEvent, ...] = ()
    replay_of: int | None = None
    also: Callable[[Connection], None] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """What became of a filing: the delivery (of a repeat, the first one), and what is new."""

    delivery_id: int
    repeated: bool = False
    events: int = 0
    shards: frozenset[int] = frozenset()


class _Placed(NamedTuple):
    filing: int
    position: int
    event: NewEvent
    lane: str
    shard: int


@dataclass(frozen=True, slots=True)
class Filer:
    """Files deliveries; `write` is work for a GroupCommit."""

    driver: Driver
    shards: int

    def write(self, connection: Connection, filings: Sequence[Filing]) -> list[Accepted]:
        """Store what is new, schedule and wake its shards; one answer for each filing."""
        ids = _begin(connection, filings)
        settled, placed = self._looked(connection, filings, ids)
        firsts = settled.firsts
        new = [n for n, first in enumerate(firsts) if first == ids[n]]
        if placed:
            now = max(filings[n].received_at for n in new)
            shards.schedule(connection, self.driver, (one.shard for one in placed), now)
        told = {one.filing for one in placed}
        kept = [n for n in new if filings[n].source != "poll" or n in told]
        _store(connection, filings, ids, kept, placed)
        repeats = settled.repeats
        count_repeats(connection, repeats, max((one.received_at for one in filings), default=None))
        journal.store(connection, unreadable_lines([(ids[n], filings[n]) for n in new]))
        _take_along(connection, filings, new)
        return _answers(firsts, ids, placed)

    def _looked(
        self, connection: Connection, filings: Sequence[Filing], ids: Sequence[int]
    ) -> tuple[keys.Settled, list[_Placed]]:
        """Return what is new, and where its events go."""
        listed = keys.listed(filings)
        rows = keys.rows_of(filings, ids)
        found = look(connection, filings, listed, rows)
        if found.kept == len(rows):
            settled = keys.Settled(ids, [*enumerate(listed)], {})
        else:
            settled = keys.settle(connection, filings, ids)
        events = _told_once(filings, settled.events, found)
        return settled, [
            self._placed(filings[one[0]], one, found.lanes.get(at)) for at, one in events
        ]

    def _placed(self, filing: Filing, one: Listed, linked: str | None) -> _Placed:
        n, index, event = one
        lane = linked or lane_of(filing.connector_id, event.record)
        return _Placed(n, index, event, lane, shard_of(lane, self.shards))


def _begin(connection: Connection, filings: Sequence[Filing]) -> list[int]:
    """Lock the records and the changes that are told of; return an id for each delivery."""
    if connection.dialect.name != "postgresql":
        return take_ids(connection, "deliveries", len(filings))
    told = [(one.connector_id, event) for one in filings for event in one.events]
    buckets = {bucket_of(connector, event.record) for connector, event in told}
    changes = {event.mark.lock for _, event in told if event.mark}
    found = query(connection, _BEGIN, sorted(buckets), sorted(changes), len(filings))
    return sorted(row[0] for row in found if row[0] is not None)


def _told_once(
    filings: Sequence[Filing], events: list[tuple[int, Listed]], found: Look
) -> list[tuple[int, Listed]]:
    marked = [
        (at, filings[n].connector_id, event.mark) for at, (n, _, event) in events if event.mark
    ]
    told = ways.told_before(marked, found.marks)
    return [one for one in events if one[0] not in told] if told else events


def _take_along(connection: Connection, filings: Sequence[Filing], new: Collection[int]) -> None:
    """Do what belongs to the filings; a page that was polled before is left behind as well."""
    for n, one in enumerate(filings):
        if one.also is not None and (one.source == "poll" or n in new):
            one.also(connection)


def _store(
    connection: Connection,
    filings: Sequence[Filing],
    ids: Sequence[int],
    new: Sequence[int],
    placed: Sequence[_Placed],
) -> None:
    filed = [0] * len(filings)
    for one in placed:
        filed[one.filing] += 1
    rows = [_delivery_row(_told(filings[n], filed[n]), ids[n], filed[n]) for n in new]
    write_all(
        connection,
        [
            inserting("deliveries", _DELIVERIES, rows),
            inserting(
                "events",
                _EVENTS,
                [_event_row(filings[one.filing], ids[one.filing], one) for one in placed],
            ),
        ],
    )


def _told(filing: Filing, filed: int) -> Filing:
    if filing.state != "accepted" or filed == len(filing.events):
        return filing
    repeated = len(filing.events) - filed
    return replace(filing, detail=f"{repeated} of {len(filing.events)} events were known already")


def _delivery_row(filing: Filing, id: int, filed: int) -> tuple[object, ...]:
    return (
        id,
        filing.tenant_id,
        filing.connector_id,
        filing.source,
        filing.key[: keys.LENGTH_OF_KEYS],
        filing.received_at,
        filing.headers,
        filing.body,
        len(filing.body or b""),
        filing.state,
        filing.detail,
        filed,
        filing.replay_of,
    )


def _event_row(filing: Filing, delivery: int, placed: _Placed) -> tuple[object, ...]:
    event = placed.event
    return (
        filing.tenant_id,
        delivery,
        placed.position,
        filing.connector_id,
        event.trigger,
        event.record.source_object,
        event.record.id,
        placed.lane,
        placed.shard,
        event.body,
        event.hops,
        "pending",
        event.replay_of,
        event.replay_mode,
        filing.received_at,
    )


def _answers(
    firsts: Sequence[int], ids: Sequence[int], placed: Sequence[_Placed]
) -> list[Accepted]:
    counts = [0] * len(ids)
    touched: list[set[int]] = [set() for _ in ids]
    for one in placed:
        counts[one.filing] += 1
        touched[one.filing].add(one.shard)
    return [
        Accepted(
            delivery_id=first,
            repeated=first != number,
            events=counts[n],
            shards=frozenset(touched[n]),
        )
        for n, (first, number) in enumerate(zip(firsts, ids, strict=True))
    ]
