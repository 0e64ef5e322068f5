"""Reading what drains want, many drains in one go: events, and all that belongs to them."""

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from hub.correlations import repository as matters
from hub.correlations.echo import Receipt
from hub.correlations.repository import Matter, NoteKey, RecordKey, Surroundings
from hub.correlations.seen import Seen
from hub.db.commits import Connection
from hub.deliveries.lanes import take
from hub.deliveries.pending import Found, PendingEvent, Wanted, read_pending
from hub.runs import ledger
from hub.runs.ledger import KnownRun, LedgerRun


@dataclass(slots=True, kw_only=True)
class Known:
    """What is known of a lane's records while it is worked; kept up as the lane goes on."""

    matters: dict[RecordKey, Matter] = field(default_factory=dict)
    seen: dict[RecordKey, Seen] = field(default_factory=dict)
    receipts: dict[RecordKey, list[Receipt]] = field(default_factory=dict)
    our_notes: set[NoteKey] = field(default_factory=set)
    origins: dict[str, KnownRun] = field(default_factory=dict)
    makers: dict[int, KnownRun] = field(default_factory=dict)

    def matter_of(self, record: RecordKey) -> Matter | None:
        """Return the record's matter."""
        return self.matters.get(record)


@dataclass(slots=True, kw_only=True)
class LaneWork:
    """Events of one lane to be worked in order; `runs` of those that have a plan already.

    `more`: the lane has others, to be read when these are done.
    """

    lane: str
    tenant_id: uuid.UUID
    events: list[PendingEvent]
    runs: dict[int, list[LedgerRun]]
    known: Known
    more: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What was read for a drain; `heads`: the last lane given, where lane heads were read."""

    lanes: tuple[LaneWork, ...]
    found: Found
    heads: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A drain's wish."""

    wanted: Wanted
    turn: int
    now: datetime


def read_pages(connection: Connection, readings: Sequence[Reading]) -> list[Page]:
    """Return a page for each reading; work for a GroupCommit of readers."""
    now = max(one.now for one in readings)
    most = max(one.turn for one in readings) + 1  # one more than is taken: there are others
    found = read_pending(connection, [one.wanted for one in readings], now, most)
    taken = [
        {
            lane: ([unread.event for unread in listed[: one.turn]], len(listed) > one.turn)
            for lane, listed in take(of.rows, one.wanted.in_work, one.turn + 1).items()
        }
        for one, of in zip(readings, found, strict=True)
    ]
    events = [event for lanes in taken for listed, _ in lanes.values() for event in listed]
    around = matters.load(connection, *_wanted(events))
    runs = ledger.load_runs(connection, [event.id for event in events if event.planned])
    origins = _origins(connection, events)
    return [
        _page(lanes, (around, runs, origins), of) for lanes, of in zip(taken, found, strict=True)
    ]


def _wanted(events: Iterable[PendingEvent]) -> tuple[list[RecordKey], list[NoteKey]]:
    records, notes = [], []
    for event in events:
        records.append(event.record)
        if event.event.note is not None:
            notes.append((event.connector_id, event.event.note))
    return records, notes


def _origins(
    connection: Connection, events: Iterable[PendingEvent]
) -> dict[tuple[uuid.UUID, str], KnownRun]:
    keys = [
        (event.tenant_id, event.event.origin)
        for event in events
        if event.event.origin and not event.planned
    ]
    return ledger.runs_by_mark(connection, keys) if keys else {}


def _page(
    lanes: dict[str, tuple[list[PendingEvent], bool]],
    context: tuple[Surroundings, dict[int, list[LedgerRun]], dict[tuple[uuid.UUID, str], KnownRun]],
    found: Found,
) -> Page:
    around, runs, origins = context
    return Page(
        lanes=tuple(
            LaneWork(
                lane=lane,
                tenant_id=listed[0].tenant_id,
                events=listed,
                runs={event.id: runs[event.id] for event in listed if event.id in runs},
                known=_known(listed, around, origins),
                more=more,
            )
            for lane, (listed, more) in lanes.items()
        ),
        found=found,
        heads=max(lanes, default="") if found.heads else "",
    )


def _known(
    events: Sequence[PendingEvent],
    around: Surroundings,
    origins: dict[tuple[uuid.UUID, str], KnownRun],
) -> Known:
    known = Known()
    for event in events:
        record = event.record
        matter = around.matters.get(record)
        _see(known, around, record)
        if matter is not None:
            known.matters[record] = matter
            for link in matter.links:
                if link.record_id is not None:
                    _see(
                        known,
                        around,
                        RecordKey(
                            record.tenant_id, link.connector_id, link.source_object, link.record_id
                        ),
                    )
        if record in around.receipts:
            known.receipts[record] = around.receipts[record]
        note = (event.connector_id, event.event.note or "")
        if note in around.our_notes:
            known.our_notes.add(note)
        origin = event.event.origin
        if origin and (event.tenant_id, origin) in origins:
            known.origins[origin] = origins[(event.tenant_id, origin)]
    return known


def _see(known: Known, around: Surroundings, record: RecordKey) -> None:
    seen = around.seen.get(record)
    if seen is not None:
        known.seen[record] = seen
