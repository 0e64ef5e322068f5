"""Which pollers are due, and what of a page is news."""

import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection

from hub.correlations import repository as matters
from hub.correlations.repository import RecordKey
from hub.correlations.values import same
from hub.db.bulk import Kind, as_time, as_uuid, insert_rows, query, write_rows
from hub.sdk.events import Event

LEASE: Final = timedelta(minutes=5)
"""A poller that says nothing for so long is given to another process."""
LONGEST_BACK: Final = timedelta(days=7)
"""A connector that was not polled yet is not read from further back than this."""
_LONG_AGO: Final = datetime.min.replace(tzinfo=UTC)
_CANDIDATES: Final = """
SELECT c.id, c.tenant_id, c.type, c.created_at,
  EXISTS (SELECT 1 FROM poll_cursors p WHERE p.connector_id = c.id)
FROM connectors c WHERE c.state = 'active'"""
_LINKED: Final = """
SELECT l.source_object, l.record_id FROM {rows} JOIN links l ON l.connector_id = v.connector_id
  AND l.source_object = v.source_object AND l.record_id = v.record_id AND l.state = 'live'"""
_CLAIM: Final = """
UPDATE poll_cursors SET next_at = ? WHERE (connector_id, source_object) IN (
  SELECT p.connector_id, p.source_object FROM poll_cursors p
  JOIN connectors c ON c.id = p.connector_id
  WHERE p.next_at <= ? AND c.state = 'active' ORDER BY p.next_at LIMIT ? {lock})
RETURNING tenant_id, connector_id, source_object, cursor"""


class Candidate(NamedTuple):
    """A connector that could be polled."""

    connector_id: uuid.UUID
    tenant_id: uuid.UUID
    type: str
    created_at: datetime
    polled: bool


class Wanted(NamedTuple):
    """A poller of a connector; `cursor` is where it begins when it was never polled."""

    tenant_id: uuid.UUID
    connector_id: uuid.UUID
    key: str
    cursor: str | None = None


class Claimed(NamedTuple):
    """A poller whose turn it is; nobody else has it for five minutes."""

    tenant_id: uuid.UUID
    connector_id: uuid.UUID
    source_object: str
    cursor: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Polled:
    """How a poll ended; the next one begins at `next_at`. `now` None: it was not begun."""

    claimed: Claimed
    next_at: datetime
    now: datetime | None
    cursor: str | None = None
    error: str | None = None

    def __call__(self, connection: Connection) -> None:
        """Store it, in the transaction that files the page."""
        claimed = self.claimed
        query(
            connection,
            "UPDATE poll_cursors SET cursor = coalesce(?, cursor), "
            "polled_at = coalesce(?, polled_at), next_at = ?, "
            "error = ? WHERE connector_id = ? AND source_object = ?",
            self.cursor,
            self.now,
            self.next_at,
            self.error,
            claimed.connector_id,
            claimed.source_object,
        )


def candidates(connection: Connection) -> list[Candidate]:
    """Return the active connectors."""
    return [
        Candidate(
            as_uuid(row[0]), as_uuid(row[1]), row[2], as_time(row[3]) or _LONG_AGO, bool(row[4])
        )
        for row in query(connection, _CANDIDATES)
    ]


def start_of(
    candidate: Candidate, since: Callable[[datetime], str] | None, now: datetime
) -> str | None:
    """Return where a poller begins: when its connector was added, so that nothing is missed.

    None (at now) where the plugin can't begin at a time, and for pollers that a connector got
    later.
    """
    if since is None or candidate.polled:
        return None
    return since(max(candidate.created_at, now - LONGEST_BACK))


def keep_cursors(
    connection: Connection,
    wanted: Iterable[Wanted],
    now: datetime,
) -> None:
    """Add cursors for what is to be polled, forget those of what is not polled any more."""
    rows = [(*one, now) for one in wanted]
    columns = {
        "tenant_id": Kind.UUID,
        "connector_id": Kind.UUID,
        "source_object": Kind.TEXT,
        "cursor": Kind.TEXT,
        "next_at": Kind.TIME,
    }
    insert_rows(connection, "poll_cursors", columns, rows, suffix="ON CONFLICT DO NOTHING")
    kept = {(one[1], one[2]) for one in rows}
    found = query(
        connection,
        "SELECT p.connector_id, p.source_object FROM poll_cursors p "
        "JOIN connectors c ON c.id = p.connector_id WHERE c.state = 'active'",
    )
    gone = [(row[0], row[1]) for row in found if (as_uuid(row[0]), row[1]) not in kept]
    for connector_id, source_object in gone:
        query(
            connection,
            "DELETE FROM poll_cursors WHERE connector_id = ? AND source_object = ?",
            connector_id,
            source_object,
        )


def claim(connection: Connection, now: datetime, most: int) -> list[Claimed]:
    """Take pollers whose time has come."""
    lock = "FOR UPDATE OF p SKIP LOCKED" if connection.dialect.name == "postgresql" else ""
    rows = query(connection, _CLAIM.replace("{lock}", lock), now + LEASE, now, most)
    return [Claimed(as_uuid(row[0]), as_uuid(row[1]), row[2], row[3]) for row in rows]


def claim_all(connection: Connection, connector_id: uuid.UUID, now: datetime) -> list[Claimed]:
    """Take all pollers of a connector, whenever their time is."""
    rows = query(
        connection,
        "UPDATE poll_cursors SET next_at = ? WHERE connector_id = ? "
        "RETURNING tenant_id, connector_id, source_object, cursor",
        now + LEASE,
        connector_id,
    )
    return [Claimed(as_uuid(row[0]), as_uuid(row[1]), row[2], row[3]) for row in rows]


def poll_now(connection: Connection, connector_id: uuid.UUID, now: datetime) -> int:
    """Make a connector's pollers due at once; return how many there are."""
    rows = query(
        connection,
        "UPDATE poll_cursors SET next_at = ? WHERE connector_id = ? RETURNING source_object",
        now,
        connector_id,
    )
    return len(rows)


def news_of(
    connection: Connection, tenant_id: uuid.UUID, connector_id: uuid.UUID, events: Sequence[Event]
) -> list[Event]:
    """Return the events that tell something new: what a webhook told already is left out."""
    keys = {
        RecordKey(tenant_id, connector_id, event.record.source_object, event.record.id)
        for event in events
    }
    seen = matters.load_seen(connection, keys)
    told: dict[RecordKey, Mapping[str, Any]] = {}
    news = []
    for event in events:
        key = RecordKey(tenant_id, connector_id, event.record.source_object, event.record.id)
        known = seen.get(key)
        back_again = key in told and _differs(event, told[key])
        if known is None or event.note is not None or back_again or _differs(event, known.values):
            news.append(event)
            told[key] = {**told.get(key, {}), **event.record.values}
    return news


def imported_of(
    connection: Connection, tenant_id: uuid.UUID, connector_id: uuid.UUID, events: Sequence[Event]
) -> list[Event]:
    """Return the events of an import that matter: of linked records only what is news."""
    news = {id(one) for one in news_of(connection, tenant_id, connector_id, events)}
    rows = [(connector_id, one.record.source_object, one.record.id) for one in events]
    columns = {"connector_id": Kind.UUID, "source_object": Kind.TEXT, "record_id": Kind.TEXT}
    linked = {(row[0], row[1]) for row in write_rows(connection, _LINKED, columns, rows)}
    return [
        one
        for one in events
        if id(one) in news or (one.record.source_object, one.record.id) not in linked
    ]


def _differs(event: Event, known: Mapping[str, Any]) -> bool:
    return any(
        name not in known or not same(value, known[name])
        for name, value in event.record.values.items()
    )


def claim_watching(
    connection: Connection,
    types: Sequence[str],
    times: tuple[datetime, datetime],
    most: int,
) -> list[Candidate]:
    """Take connectors whose subscription was not looked at since a time; nobody else has them.

    `times` are (not looked at since, now).
    """
    since, now = times
    lock = "FOR UPDATE SKIP LOCKED" if connection.dialect.name == "postgresql" else ""
    marks = ", ".join("?" for _ in types)
    rows = query(
        connection,
        "UPDATE connectors SET webhook_checked_at = ? WHERE id IN (SELECT id FROM connectors "  # noqa: S608 - marks only
        f"WHERE state = 'active' AND enabled_webhook AND type IN ({marks}) "
        "AND (webhook_checked_at IS NULL OR webhook_checked_at <= ?) "
        f"ORDER BY webhook_checked_at LIMIT ? {lock}) "
        "RETURNING id, tenant_id, type, created_at",
        now,
        *types,
        since,
        most,
    )
    return [
        Candidate(as_uuid(row[0]), as_uuid(row[1]), row[2], as_time(row[3]) or now, polled=True)
        for row in rows
    ]
