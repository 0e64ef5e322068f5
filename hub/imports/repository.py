"""Imports: for people, and for the worker that reads the pages."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from sqlalchemy import Connection

from hub.connectors.models import Connector
from hub.db.bulk import as_time, as_uuid, query
from hub.db.repository import Repository
from hub.errors import NotFound
from hub.imports.models import ImportJob

LEASE: Final = timedelta(minutes=1)
"""An import whose process says nothing for so long is taken over by another."""
_CLAIM: Final = """
UPDATE imports SET next_at = ? WHERE id IN (
  SELECT i.id FROM imports i JOIN connectors c ON c.id = i.connector_id
  WHERE i.state = 'running' AND i.next_at <= ? AND c.state = 'active'
  ORDER BY i.next_at LIMIT ? {lock})
RETURNING id, tenant_id, connector_id, source_object, since, until, cursor, failures"""
_WAITING: Final = """
SELECT count(*) FROM (SELECT 1 FROM events e JOIN deliveries d ON d.id = e.delivery_id
  WHERE e.state = 'pending' AND e.connector_id = ? AND d.source = 'import' LIMIT ?) AS w"""


class Imports(Repository[ImportJob]):
    """One tenant's imports."""

    model = ImportJob
    word = "import"

    async def of(self, connector_id: uuid.UUID, number: uuid.UUID) -> ImportJob:
        """Return a connector's import; NotFound when it has none of this id."""
        row = await self._first(ImportJob.connector_id == connector_id, ImportJob.id == number)
        if row is None:
            raise NotFound(f"The connector has no {self.word} {number}.")
        return row

    async def running(self, connector_id: uuid.UUID, source_object: str) -> ImportJob | None:
        """Return the import of these records that is under way."""
        return await self._first(
            ImportJob.connector_id == connector_id,
            ImportJob.source_object == source_object,
            ImportJob.state == "running",
        )

    async def newest(
        self, connector: Connector, after: str | None, limit: int
    ) -> tuple[Sequence[ImportJob], str | None]:
        """Return a connector's imports, the newest first."""
        found = await self.page(
            ImportJob.connector_id == connector.id, after=after, limit=limit, newest=True
        )
        return found.items, found.next


class Claimed(NamedTuple):
    """An import whose turn it is; nobody else has it for a minute."""

    id: uuid.UUID
    tenant_id: uuid.UUID
    connector_id: uuid.UUID
    source_object: str
    since: datetime | None
    until: datetime | None
    cursor: str
    failures: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PageRead:
    """A page that was read; stored in the transaction that files its last records."""

    claimed: Claimed
    now: datetime
    cursor: str
    found: int
    filed: int
    over: bool

    def __call__(self, connection: Connection) -> None:
        """Store it; an import that was stopped meanwhile stays stopped."""
        query(
            connection,
            "UPDATE imports SET cursor = ?, pages = pages + 1, found = found + ?, "
            "filed = filed + ?, failures = 0, error = NULL, next_at = ?, "
            "state = CASE WHEN state = 'running' AND ? THEN 'done' ELSE state END, "
            "ended_at = CASE WHEN state = 'running' AND ? THEN ? ELSE ended_at END WHERE id = ?",
            self.cursor,
            self.found,
            self.filed,
            self.now,
            self.over,
            self.over,
            self.now,
            self.claimed.id,
        )


def claim(connection: Connection, now: datetime, most: int) -> list[Claimed]:
    """Take imports whose turn it is."""
    lock = "FOR UPDATE OF i SKIP LOCKED" if connection.dialect.name == "postgresql" else ""
    rows = query(connection, _CLAIM.replace("{lock}", lock), now + LEASE, now, most)
    return [
        Claimed(
            as_uuid(row[0]),
            as_uuid(row[1]),
            as_uuid(row[2]),
            row[3],
            as_time(row[4]),
            as_time(row[5]),
            row[6],
            row[7],
        )
        for row in rows
    ]


def keep(connection: Connection, claimed: Claimed, now: datetime) -> bool:
    """Say that an import is being worked; False: a person stopped it."""
    rows = query(
        connection,
        "UPDATE imports SET next_at = ? WHERE id = ? AND state = 'running' RETURNING id",
        now + LEASE,
        claimed.id,
    )
    return bool(rows)


def put_off(
    connection: Connection, claimed: Claimed, next_at: datetime, error: str | None = None
) -> None:
    """Go on with an import later; with an error it was tried in vain."""
    query(
        connection,
        "UPDATE imports SET next_at = ?, error = coalesce(?, error), "
        "failures = failures + CASE WHEN ? IS NULL THEN 0 ELSE 1 END WHERE id = ?",
        next_at,
        error,
        error,
        claimed.id,
    )


def fail(connection: Connection, claimed: Claimed, now: datetime, error: str) -> None:
    """Give an import up."""
    query(
        connection,
        "UPDATE imports SET state = 'failed', error = ?, ended_at = ? "
        "WHERE id = ? AND state = 'running'",
        error,
        now,
        claimed.id,
    )


def resume(connection: Connection, now: datetime) -> None:
    """Let all imports go on at once: nobody works them, this process is alone and just began."""
    query(connection, "UPDATE imports SET next_at = ? WHERE state = 'running'", now)


def waiting(connection: Connection, connector_id: uuid.UUID, most: int) -> int:
    """Return how many imported events of a connector are not worked yet, at most so many."""
    return int(query(connection, _WAITING, connector_id, most)[0][0])
