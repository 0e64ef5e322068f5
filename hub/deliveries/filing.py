"""Storing deliveries and their events once, many in one transaction.

The order of the statements is the guarantee: what is new is decided by unique keys, shards
are scheduled (which locks them until COMMIT) before events get their ids, which the database
gives them as they are inserted: so within a shard ids grow in the order of commits.
"""

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, NamedTuple

from sqlalchemy import Connection

from hub.db.bulk import (
    Columns,
    Kind,
    as_uuid,
    insert_both,
    query,
    take_ids,
    write_rows,
)
from hub.deliveries import ways
from hub.deliveries.keys import Listed, forget, key_of, remember
from hub.deliveries.refusals import store_lines, unreadable_lines
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
_LINKED: Final = """
SELECT l.connector_id, l.source_object, l.record_id, c.lane FROM {rows}
JOIN links l ON l.tenant_id = v.tenant_id AND l.connector_id = v.connector_id
  AND l.source_object = v.source_object AND l.record_id = v.record_id AND l.state = 'live'
JOIN correlations c ON c.id = l.correlation_id"""
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
_RECORD: Final[Columns] = {
    "tenant_id": Kind.UUID,
    "connector_id": Kind.UUID,
    "source_object": Kind.TEXT,
    "record_id": Kind.TEXT,
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


_Record = tuple[uuid.UUID, str, str]


@dataclass(frozen=True, slots=True)
class Filer:
    """Files deliveries; `write` is work for a GroupCommit."""

    driver: Driver
    shards: int

    def write(self, connection: Connection, filings: Sequence[Filing]) -> list[Accepted]:
        """Store what is new, schedule and wake its shards; one answer for each filing."""
        ids = _begin(connection, filings)
        firsts, repeats, events = remember(connection, filings, ids)
        new = [n for n, first in enumerate(firsts) if first == ids[n]]
        placed = self._placed(connection, filings, _told_once(connection, filings, events))
        if placed:
            now = max(filings[n].received_at for n in new)
            shards.schedule(connection, self.driver, (one.shard for one in placed), now)
        told = {one.filing for one in placed}
        silent = [n for n in new if filings[n].source == "poll" and n not in told]
        forget(connection, [key_of(filings[n]) for n in silent])
        _store(connection, filings, ids, [n for n in new if n not in silent], placed)
        count_repeats(connection, repeats, max((one.received_at for one in filings), default=None))
        store_lines(connection, unreadable_lines([(ids[n], filings[n]) for n in new]))
        for n in new:
            also = filings[n].also
            if also is not None:
                also(connection)
        return _answers(firsts, ids, placed)

    def _placed(
        self,
        connection: Connection,
        filings: Sequence[Filing],
        events: Sequence[Listed],
    ) -> list[_Placed]:
        lanes = _lanes_of_linked(connection, filings, events)
        placed = []
        for n, index, event in events:
            connector = filings[n].connector_id
            record = event.record
            lane = lanes.get((connector, record.source_object, record.id))
            lane = lane or lane_of(connector, record)
            placed.append(_Placed(n, index, event, lane, shard_of(lane, self.shards)))
        return placed


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
    connection: Connection, filings: Sequence[Filing], events: list[Listed]
) -> list[Listed]:
    marked = [(n, index, event.mark) for n, index, event in events if event.mark]
    known = ways.told_otherwise(
        connection, [(filings[n].connector_id, mark) for n, _, mark in marked]
    )
    told = {marked[place][:2] for place in known}
    return [one for one in events if one[:2] not in told] if told else events


def _lanes_of_linked(
    connection: Connection,
    filings: Sequence[Filing],
    events: Sequence[Listed],
) -> dict[_Record, str]:
    records = {
        (
            filings[n].tenant_id,
            filings[n].connector_id,
            event.record.source_object,
            event.record.id,
        )
        for n, _, event in events
    }
    found = write_rows(connection, _LINKED, _RECORD, list(records))
    return {(as_uuid(row[0]), row[1], row[2]): row[3] for row in found}


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
    insert_both(
        connection,
        ("deliveries", _DELIVERIES, rows),
        (
            "events",
            _EVENTS,
            [_event_row(filings[one.filing], ids[one.filing], one) for one in placed],
        ),
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
        filing.key[:200],
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
