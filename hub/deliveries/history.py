"""One tenant's deliveries and events, for people who look."""

import uuid
from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from hub.correlations.models import Correlation, Link
from hub.db import moments
from hub.db.repository import Repository, Rows
from hub.deliveries.models import Delivery, InboxEvent, StoredTrace
from hub.dispatch.models import Hold, Shard, WorkerProcess
from hub.runs.models import Run

_MOST = 10_000


class Deliveries(Repository[Delivery]):
    """One tenant's deliveries."""

    model = Delivery
    word = "delivery"
    prefix = "dlv"

    async def newest(
        self, *conditions: ColumnElement[bool], after: str | None, limit: int
    ) -> Rows[Delivery]:
        """Return a page of deliveries, the newest first."""
        return await self.page(*conditions, after=after, limit=limit, newest=True)

    async def chosen(self, *conditions: ColumnElement[bool]) -> Sequence[Delivery]:
        """Return deliveries, the oldest first, at most 10,000."""
        query = self._mine().where(*conditions).order_by(Delivery.id).limit(_MOST)
        return (await self.session.scalars(query)).all()

    async def events_of(self, delivery_id: int) -> Sequence[InboxEvent]:
        """Return a delivery's events."""
        query = (
            select(InboxEvent)
            .where(InboxEvent.tenant_id == self.tenant, InboxEvent.delivery_id == delivery_id)
            .order_by(InboxEvent.id)
        )
        return (await self.session.scalars(query)).all()

    async def traces_of(self, event_ids: Iterable[int]) -> dict[int, list[StoredTrace]]:
        """Return the stored traces of events."""
        query = (
            select(StoredTrace)
            .where(StoredTrace.tenant_id == self.tenant, StoredTrace.event_id.in_(list(event_ids)))
            .order_by(StoredTrace.event_id, StoredTrace.created_at)
        )
        found: dict[int, list[StoredTrace]] = {}
        for one in await self.session.scalars(query):
            found.setdefault(one.event_id, []).append(one)
        return found

    async def holds_of(self, lanes: Iterable[str]) -> dict[str, Hold]:
        """Return the holds of lanes."""
        query = select(Hold).where(Hold.tenant_id == self.tenant, Hold.lane.in_(list(lanes)))
        return {one.lane: one for one in await self.session.scalars(query)}

    async def matter_of(self, event: InboxEvent) -> tuple[str | None, Sequence[Link]]:
        """Return the code and the links of the matter that an event's record is part of."""
        own = (
            select(Link.correlation_id)
            .where(
                Link.tenant_id == self.tenant,
                Link.connector_id == event.connector_id,
                Link.source_object == event.source_object,
                Link.record_id == event.record_id,
                Link.state == "live",
            )
            .limit(1)
        )
        matter = await self.session.scalar(own)
        if matter is None:
            return None, ()
        code = await self.session.scalar(select(Correlation.code).where(Correlation.id == matter))
        links = select(Link).where(Link.correlation_id == matter, Link.state != "unlinked")
        return code, (await self.session.scalars(links.order_by(Link.id))).all()

    async def replayable(self, delivery_id: int) -> Sequence[InboxEvent]:
        """Return the events that a replay of a delivery repeats."""
        return await self.events_of(delivery_id)


class Holds(Repository[Hold]):
    """One tenant's lanes that wait."""

    model = Hold
    word = "hold"

    async def waiting(self, after: str | None, limit: int) -> tuple[Sequence[Hold], str | None]:
        """Return lanes that wait, by lane."""
        query = self._mine().order_by(Hold.lane).limit(limit + 1)
        if after is not None:
            query = query.where(Hold.lane > after)
        rows = (await self.session.scalars(query)).all()
        more = rows[limit - 1].lane if len(rows) > limit else None
        return rows[:limit], more

    async def backlog(self, lanes: Iterable[str]) -> dict[str, int]:
        """Return how many events wait in lanes."""
        query = (
            select(InboxEvent.lane, func.count())
            .where(InboxEvent.shard.in_(select(Shard.id)), InboxEvent.lane.in_(list(lanes)))
            .where(InboxEvent.state == "pending")
            .group_by(InboxEvent.lane)
        )
        return {row[0]: row[1] for row in await self.session.execute(query)}

    async def heads(self, lanes: Iterable[str]) -> dict[str, InboxEvent]:
        """Return the first event that waits in each lane."""
        first = (
            select(func.min(InboxEvent.id))
            .where(InboxEvent.tenant_id == self.tenant, InboxEvent.state == "pending")
            .where(InboxEvent.shard.in_(select(Shard.id)), InboxEvent.lane.in_(list(lanes)))
            .group_by(InboxEvent.lane)
        )
        found = await self.session.scalars(select(InboxEvent).where(InboxEvent.id.in_(first)))
        return {one.lane: one for one in found}


class Inbox:
    """The inbox of all tenants; only for the hub's operator."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def shards(self) -> Sequence[Shard]:
        """Return the shards."""
        return (await self._session.scalars(select(Shard).order_by(Shard.id))).all()

    async def backlog(self) -> dict[int, tuple[int, datetime]]:
        """Return what is pending in each shard, and the age of the oldest."""
        query = (
            select(InboxEvent.shard, func.count(), func.min(InboxEvent.created_at))
            .where(InboxEvent.state == "pending")
            .group_by(InboxEvent.shard)
        )
        return {
            shard: (count, oldest) for shard, count, oldest in await self._session.execute(query)
        }

    async def held(self) -> dict[str, int]:
        """Return how many lanes wait, by reason."""
        query = select(Hold.reason, func.count()).group_by(Hold.reason)
        return {row[0]: row[1] for row in await self._session.execute(query)}

    async def dead(self) -> int:
        """Return how many dead letters there are."""
        query = (
            select(func.count()).select_from(Run).where(Run.state == "dead", Run.error_class > "")
        )
        return (await self._session.scalar(query)) or 0

    async def workers(self) -> Sequence[WorkerProcess]:
        """Return the processes of this hub."""
        query = select(WorkerProcess).order_by(WorkerProcess.started_at)
        return (await self._session.scalars(query)).all()


def of_connector(connector_id: uuid.UUID) -> ColumnElement[bool]:
    """Return the condition for deliveries of a connector."""
    return Delivery.connector_id == connector_id


def of_state(state: str) -> ColumnElement[bool]:
    """Return the condition for deliveries of a state."""
    return Delivery.state == state


def of_source(source: str) -> ColumnElement[bool]:
    """Return the condition for deliveries that came in one way."""
    return Delivery.source == source


async def between(
    session: AsyncSession, since: datetime | None, until: datetime | None
) -> list[ColumnElement[bool]]:
    """Return the conditions for deliveries received in a time."""
    first, last = await moments.ids_between(session, moments.DELIVERIES, since, until)
    conditions: list[ColumnElement[bool]] = []
    if since is not None:
        conditions += [Delivery.received_at >= since, Delivery.id >= first]
    if until is not None:
        conditions += [Delivery.received_at < until, Delivery.id < last]
    return conditions
