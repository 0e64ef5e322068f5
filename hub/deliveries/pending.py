"""Reading what is pending in shards: all of it at first, then only what is new.

Within a shard ids grow in the order of commits, so what came since the last look has a higher id:
one cheap statement finds the lanes that got something, for all shards of a process. What was put
back into a lane later (a hold that ended, a lane that was moved) has an old id; a whole read finds
it.
"""

import json
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection

from hub.correlations.repository import RecordKey
from hub.correlations.values import unpack_event
from hub.db.bulk import Columns, Kind, as_time, as_uuid, query, write_rows
from hub.sdk.events import Event

BATCH: Final = 256
HELD: Final = "(h.lane IS NULL OR h.not_before <= ?)"
_NEWS: Final = 512
_FEW_LANES: Final = 16
_HEAD_LANES: Final = 64
_HEAD_EVENTS: Final = 8
_COLUMNS: Final = (
    "e.id, e.tenant_id, e.delivery_id, e.connector_id, e.lane, e.shard, e.body, e.hops, "
    "e.plan_version, e.replay_of, e.replay_mode, e.created_at, h.reason, d.source"
)
_JOINS: Final = (
    "LEFT JOIN holds h ON h.lane = e.lane LEFT JOIN deliveries d ON d.id = e.delivery_id"
)
_PLAIN: Final = f"""
SELECT {_COLUMNS} FROM events e {_JOINS}
WHERE e.shard = ? AND e.state = 'pending' AND {HELD} AND {{free}}
ORDER BY e.id LIMIT ?"""  # noqa: S608 - constants
_HEADS: Final = f"""
WITH RECURSIVE heads(lane, n) AS (
  SELECT (SELECT min(lane) FROM events WHERE shard = ? AND state = 'pending' AND lane > ?), 1
  UNION ALL
  SELECT (SELECT min(x.lane) FROM events x
          WHERE x.shard = ? AND x.state = 'pending' AND x.lane > heads.lane), heads.n + 1
  FROM heads WHERE heads.lane IS NOT NULL AND heads.n < 5000
)
SELECT e.lane FROM heads e LEFT JOIN holds h ON h.lane = e.lane
WHERE e.lane IS NOT NULL AND {HELD} AND {{free}} LIMIT {_HEAD_LANES}"""  # noqa: S608 - constants
_FREE: Final = {
    "sqlite": "e.lane NOT IN (SELECT value FROM json_each(?))",
    "postgresql": "e.lane <> ALL(?::text[])",
}
_FIRST: Final = {
    "sqlite": "JOIN events e ON e.id IN (SELECT x.id FROM events x WHERE {which} "
    "AND x.state = 'pending' ORDER BY x.id LIMIT {most})",
    "postgresql": "CROSS JOIN LATERAL (SELECT x.* FROM events x WHERE {which} "
    "AND x.state = 'pending' ORDER BY x.id LIMIT {most}) e",
}
_NEW: Final[Columns] = {"shard": Kind.INT, "high": Kind.INT}
_LANE: Final[Columns] = {"shard": Kind.INT, "lane": Kind.TEXT, "at": Kind.TIME}


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
    record: RecordKey
    created_at: datetime
    hops: int = 0
    planned: bool = False
    replay_of: int | None = None
    replay_mode: str | None = None
    held: bool = False
    source: str = "webhook"

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
    """What a drain wants to read of its shard: lanes in work are left out.

    `whole`: all that can be worked; otherwise lanes that got something with an id above `high`,
    and `lanes`. `after` is the last lane that was given where lane heads were read.
    """

    shard: int
    in_work: frozenset[str] = frozenset()
    after: str = ""
    batch: int = BATCH
    high: int = 0
    lanes: frozenset[str] = frozenset()
    whole: bool = True


class Found(NamedTuple):
    """What was read: `full` when there may be more, `busy` lanes in work that got something."""

    rows: list[Unread]
    high: int
    full: bool = False
    heads: bool = False
    busy: frozenset[str] = frozenset()


def read_pending(
    connection: Connection, wanted: Sequence[Wanted], now: datetime, most: int
) -> list[Found]:
    """Return workable events for each wish, of a lane `most`; the shards of the wishes differ."""
    news = _news(connection, wanted)
    lanes = [
        (one.shard, lane, now)
        for one in wanted
        if not one.whole
        for lane in {*one.lanes, *(lane for lane, _ in news.get(one.shard, ()))} - one.in_work
    ]
    of_lanes = _read_lanes(connection, lanes, most)
    found = []
    for one in wanted:
        new = news.get(one.shard, [])
        high = max((number for _, number in new), default=one.high)
        busy = one.in_work & {lane for lane, _ in new}
        if one.whole:
            whole = _read_whole(connection, one, now)
            high = high if one.high else max((row.id for row in whole.rows), default=0)
            found.append(whole._replace(high=high, busy=busy))
        else:
            full = len(new) >= _NEWS
            found.append(Found(of_lanes.get(one.shard, []), high, full=full, busy=busy))
    return found


def _news(connection: Connection, wanted: Iterable[Wanted]) -> dict[int, list[tuple[str, int]]]:
    """Return (lane, id) of what came since the last look, by shard."""
    sql = _first(
        "SELECT e.shard, e.lane, e.id", connection, "x.shard = v.shard AND x.id > v.high", _NEWS
    )
    rows = [(one.shard, one.high) for one in wanted if one.high]
    news: dict[int, list[tuple[str, int]]] = {}
    for shard, lane, number in write_rows(connection, sql, _NEW, rows):
        news.setdefault(shard, []).append((lane, number))
    return news


def _read_lanes(
    connection: Connection, lanes: Sequence[tuple[int, str, datetime]], most: int
) -> dict[int, list[Unread]]:
    """Return the first events of lanes that are not held, by shard."""
    which = "x.shard = v.shard AND x.lane = v.lane"
    held = HELD.replace("?", "v.at")
    sql = f"{_first(f'SELECT {_COLUMNS}', connection, which, most)} {_JOINS} WHERE {held}"
    found: dict[int, list[Unread]] = {}
    for row in write_rows(connection, sql, _LANE, lanes):
        found.setdefault(row[5], []).append(Unread(row[0], row[4], row))
    return found


def _first(select: str, connection: Connection, which: str, most: int) -> str:
    """Return a statement over the first pending events of each row's shard, or lane."""
    join = _FIRST[connection.dialect.name].format(which=which, most=most)
    return f"{select} FROM {{rows}} {join}"


def _read_whole(connection: Connection, wanted: Wanted, now: datetime) -> Found:
    """Return the oldest workable events; where few lanes fill the page, some of many lanes."""
    lanes = _listed(connection, wanted.in_work)
    sql = _PLAIN.replace("{free}", _FREE[connection.dialect.name])
    rows = query(connection, sql, wanted.shard, now, lanes, wanted.batch)
    plain = [Unread(row[0], row[4], row) for row in rows]
    if len(rows) < wanted.batch or len({one.lane for one in plain}) >= _FEW_LANES:
        return Found(plain, 0, full=len(rows) >= wanted.batch)
    heads = _read_heads(connection, wanted, now)
    if not heads and wanted.after:
        heads = _read_heads(connection, wanted._replace(after=""), now)
    return Found(heads or plain, 0, full=True, heads=True)


def _read_heads(connection: Connection, wanted: Wanted, now: datetime) -> list[Unread]:
    lanes = _listed(connection, wanted.in_work)
    sql = _HEADS.replace("{free}", _FREE[connection.dialect.name])
    shard = wanted.shard
    found = query(connection, sql, shard, wanted.after, shard, now, lanes)
    rows = [(shard, lane, now) for (lane,) in found]
    return _read_lanes(connection, rows, _HEAD_EVENTS).get(shard, [])


def _listed(connection: Connection, lanes: Iterable[str]) -> Any:  # noqa: ANN401 - by database
    listed = list(lanes)
    return listed if connection.dialect.name == "postgresql" else json.dumps(listed)


def _event(row: Any) -> PendingEvent:  # noqa: ANN401 - a row
    created = as_time(row[11])
    assert created is not None  # noqa: S101 - the column is not null
    tenant, connector, event = as_uuid(row[1]), as_uuid(row[3]), unpack_event(row[6])
    return PendingEvent(
        id=row[0],
        tenant_id=tenant,
        delivery_id=row[2],
        connector_id=connector,
        lane=row[4],
        shard=row[5],
        event=event,
        record=RecordKey(tenant, connector, event.record.source_object, event.record.id),
        hops=row[7],
        planned=row[8] is not None,
        replay_of=row[9],
        replay_mode=row[10],
        created_at=created,
        held=row[12] is not None,
        source=row[13] or "webhook",
    )
