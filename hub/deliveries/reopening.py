"""What a person sets going again: lanes that wait, events whose runs were given up."""

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session

from hub.clock import Clock
from hub.db.bulk import Kind, write_rows
from hub.deliveries.repository import EventInbox
from hub.dispatch import shards
from hub.dispatch.port import Driver


@dataclass(frozen=True, slots=True)
class Reopening:
    """Lets lanes and events go on, in a request's transaction."""

    inbox: EventInbox
    clock: Clock

    async def release(self, session: AsyncSession, tenant_id: uuid.UUID, lane: str) -> bool:
        """Forget the lane's hold and wake its shard; False: it was not held."""
        return await session.run_sync(
            lambda sync: self.inbox.release(sync.connection(), tenant_id, lane, self.clock())
        )

    async def reopen(
        self, session: AsyncSession, events: Sequence[int], runs: Sequence[int]
    ) -> None:
        """Make the events pending, lift the holds that these runs left, wake shards."""
        await session.run_sync(self._in_session, events, runs)

    def _in_session(self, session: Session, events: Sequence[int], runs: Sequence[int]) -> None:
        reopen(session.connection(), self.inbox.driver, (events, runs), self.clock())


def reopen(
    connection: Connection,
    driver: Driver,
    wanted: tuple[Iterable[int], Iterable[int]],
    now: datetime,
) -> None:
    """Make events pending, lift holds of runs, schedule the shards of both."""
    events, runs = wanted
    opened = write_rows(
        connection,
        "UPDATE events SET state = 'pending', outcome = NULL, done_at = NULL FROM {rows} "
        "WHERE events.id = v.id RETURNING events.shard",
        {"id": Kind.INT},
        [(number,) for number in sorted(set(events))],
    )
    lifted = write_rows(
        connection,
        "DELETE FROM holds WHERE reason <> 'person' "
        "AND run_id IN (SELECT v.id FROM {rows}) RETURNING shard",
        {"id": Kind.INT},
        [(number,) for number in sorted(set(runs))],
    )
    shards.schedule(connection, driver, {int(row[0]) for row in (*opened, *lifted)}, now)
