"""Breakers that are open, stored: seen by all processes and by people, reset by deleting them."""

from collections.abc import Iterable
from datetime import datetime
from typing import Final, NamedTuple

from sqlalchemy import Connection

from hub.correlations.repository import RecordKey
from hub.db.bulk import Columns, Kind, Write, as_time, as_uuid, inserting, query

_ROW: Final[Columns] = {
    "tenant_id": Kind.UUID,
    "rule_id": Kind.TEXT,
    "connector_id": Kind.UUID,
    "record_id": Kind.TEXT,
    "firings": Kind.INT,
    "since": Kind.TIME,
    "open_until": Kind.TIME,
}
_UPSERT: Final = (
    "ON CONFLICT (rule_id, connector_id, record_id) DO UPDATE SET "
    "firings = excluded.firings, since = excluded.since, open_until = excluded.open_until"
)


class Opened(NamedTuple):
    """A rule that is off for a record."""

    rule_id: str
    record: RecordKey
    firings: int
    until: datetime


def new_open(opened: Iterable[Opened], now: datetime) -> Write:
    """Store breakers that were opened."""
    rows = [
        (
            one.record.tenant_id,
            one.rule_id,
            one.record.connector_id,
            one.record.record_id,
            one.firings,
            now,
            one.until,
        )
        for one in {(one.rule_id, one.record): one for one in opened}.values()
    ]
    return inserting("rule_breakers", _ROW, rows, suffix=_UPSERT)


def open_ones(connection: Connection, now: datetime) -> list[tuple[str, RecordKey, datetime]]:
    """Return the breakers that are open: rule, record (its object is not told), until when."""
    rows = query(
        connection,
        "SELECT rule_id, tenant_id, connector_id, record_id, open_until FROM rule_breakers "
        "WHERE open_until > ?",
        now,
    )
    found = []
    for rule, tenant, connector, record, until in rows:
        key = RecordKey(as_uuid(tenant), as_uuid(connector), "", record)
        open_until = as_time(until)
        if open_until is not None:
            found.append((rule, key, open_until))
    return found
