"""What happened, as trying rules reads it: stored events with what the rules saw, links, runs.

The tables are those of other domains (see `neighbours`); they are only read.
"""

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import Row, Select, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from hub.connectors.models import Connector
from hub.db import moments
from hub.db.tenancy import Tenant
from hub.rules import Linked
from hub.rulesets.neighbours import table
from hub.sdk.events import Event, Record, RecordRef
from hub.sdk.vocabulary import Value


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredEvent:
    """An event of the inbox; `facts` are what the rules saw, None where no plan was made."""

    id: int
    delivery_id: int
    connector_id: uuid.UUID
    trigger: str
    source_object: str
    record_id: str
    body: Any
    facts: Mapping[str, Any] | None
    hops: int
    state: str
    outcome: str | None
    plan_version: int | None
    created_at: datetime

    @property
    def event(self) -> Event:
        """The event as the plugin reported it."""
        return event_of(self.body)


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbourhood:
    """What belongs to a record: its last-seen values, linked records, its matter's code."""

    last_seen: Mapping[str, Value] | None
    linked: tuple[Linked, ...]
    correlation: str | None
    reserved: tuple[tuple[uuid.UUID, str], ...] = ()
    """(connector, object) of records that are being made."""


@dataclass(frozen=True, slots=True)
class History:
    """Reads one tenant's past."""

    session: AsyncSession
    tenant: uuid.UUID

    # ----------------------------------------------------------------- events

    async def event(self, number: int) -> StoredEvent | None:
        """Return one event, or None."""
        events = table("events")
        found = await self._events(self._mine().where(events.c.id == number))
        return found[0] if found else None

    async def of_delivery(self, number: int) -> list[StoredEvent]:
        """Return the events of a delivery, in their order."""
        events = table("events")
        query = self._mine().where(events.c.delivery_id == number)
        return await self._events(query.order_by(events.c.delivery_index))

    async def of_record(
        self, source_object: str, record_id: str, connector: uuid.UUID | None, limit: int
    ) -> list[StoredEvent]:
        """Return a record's newest events, the newest first."""
        events = table("events")
        query = self._mine().where(
            events.c.source_object == source_object, events.c.record_id == record_id
        )
        if connector is not None:
            query = query.where(events.c.connector_id == connector)
        return await self._events(query.order_by(events.c.id.desc()).limit(limit))

    async def page(
        self, since: datetime, until: datetime, after: int, limit: int
    ) -> list[StoredEvent]:
        """Return events of a time range by id, after an id."""
        events = table("events")
        first, last = await moments.ids_between(self.session, moments.EVENTS, since, until)
        query = self._mine().where(
            events.c.created_at >= since,
            events.c.created_at < until,
            events.c.id >= max(first, after + 1),
            events.c.id < last,
        )
        return await self._events(query.order_by(events.c.id).limit(limit))

    async def count(self, since: datetime, until: datetime) -> int:
        """Return how many events there were in a time range."""
        events = table("events")
        first, last = await moments.ids_between(self.session, moments.EVENTS, since, until)
        query = select(func.count()).where(
            events.c.tenant_id == self.tenant,
            events.c.created_at >= since,
            events.c.created_at < until,
            events.c.id >= first,
            events.c.id < last,
        )
        return (await self.session.scalar(query)) or 0

    def _mine(self) -> Select[Any]:
        events = table("events")
        names = StoredEvent.__dataclass_fields__
        columns = [events.c[name] for name in names]
        return select(*columns).where(events.c.tenant_id == self.tenant)

    async def _events(self, query: Select[Any]) -> list[StoredEvent]:
        return [StoredEvent(**row) for row in (await self.session.execute(query)).mappings()]

    # ----------------------------------------------------------------- around a record

    async def tenant_slug(self) -> str:
        """Return the tenant's slug, as facts carry it."""
        query = select(Tenant.slug).where(Tenant.id == self.tenant)
        return (await self.session.scalar(query)) or ""

    async def connectors(self) -> Mapping[uuid.UUID, Connector]:
        """Return the tenant's connectors by id."""
        query = select(Connector).where(Connector.tenant_id == self.tenant)
        return {one.id: one for one in await self.session.scalars(query)}

    async def around(self, connector_id: uuid.UUID, record: RecordRef) -> Neighbourhood:
        """Return what belongs to a record at the moment."""
        links = table("links")
        mine = select(links.c.correlation_id).where(
            links.c.tenant_id == self.tenant,
            links.c.connector_id == connector_id,
            links.c.source_object == record.source_object,
            links.c.record_id == record.id,
            links.c.state == "live",
        )
        matter = await self.session.scalar(mine.limit(1))
        last_seen = await self._last_seen(connector_id, record)
        if matter is None:
            return Neighbourhood(last_seen=last_seen, linked=(), correlation=None)
        rows = await self.session.execute(
            select(links)
            .where(links.c.correlation_id == matter, links.c.tenant_id == self.tenant)
            .order_by(links.c.id)
        )
        listed = list(rows)
        names = {key: one.name for key, one in (await self.connectors()).items()}
        linked = [
            await self._linked(row, names)
            for row in listed
            if row.state == "live" and row.record_id is not None and row.connector_id in names
            and (row.connector_id, row.record_id) != (connector_id, record.id)
        ]  # fmt: skip
        return Neighbourhood(
            last_seen=last_seen,
            linked=tuple(linked),
            correlation=await self._code(matter),
            reserved=tuple(
                (row.connector_id, row.source_object) for row in listed if row.state == "reserved"
            ),
        )

    async def _linked(self, row: Row[Any], names: Mapping[uuid.UUID, str]) -> Linked:
        ref = RecordRef(source_object=row.source_object, id=row.record_id)
        values = await self._last_seen(row.connector_id, ref) or {}
        return Linked(
            ref=ref,
            connector=names[row.connector_id],
            values=values,
            precise=values,
            url=row.url,
            human_id=row.human_id,
            made_by_ruleset=row.made_by_ruleset,
        )

    async def _code(self, matter: uuid.UUID) -> str | None:
        correlations = table("correlations")
        code: str | None = await self.session.scalar(
            select(correlations.c.code).where(correlations.c.id == matter)
        )
        return code

    async def _last_seen(
        self, connector_id: uuid.UUID, record: RecordRef
    ) -> dict[str, Value] | None:
        seen = table("last_seen")
        query = select(seen.c["values"], seen.c.written).where(
            seen.c.tenant_id == self.tenant,
            seen.c.connector_id == connector_id,
            seen.c.source_object == record.source_object,
            seen.c.record_id == record.id,
        )
        row = (await self.session.execute(query)).first()
        if row is None:
            return None
        written = {name: pair[0] for name, pair in (unpacked(row[1]) or {}).items()}
        return dict(unpacked(row[0])) | written

    async def open_breakers(self, now: datetime) -> set[tuple[str, uuid.UUID, str]]:
        """Return the (rule, connector, record) that are off at the moment."""
        breakers = table("rule_breakers")
        query = select(breakers.c.rule_id, breakers.c.connector_id, breakers.c.record_id).where(
            breakers.c.tenant_id == self.tenant, breakers.c.open_until > now
        )
        return {(row[0], row[1], row[2]) for row in await self.session.execute(query)}

    # ----------------------------------------------------------------- what came of it

    async def runs_of(self, events: Sequence[int], rule_id: str | None = None) -> list[Row[Any]]:
        """Return the runs of events, of one rule or of all, in their order."""
        runs = table("runs")
        query = select(
            runs.c.id,
            runs.c.event_id,
            runs.c.ruleset_id,
            runs.c.rule_id,
            runs.c.action,
            runs.c.connector_id,
            runs.c.record_id,
            runs.c.state,
            runs.c.outcome,
            runs.c.error,
            runs.c.summary,
        ).where(runs.c.tenant_id == self.tenant, runs.c.event_id.in_(events))
        if rule_id is not None:
            query = query.where(runs.c.rule_id == rule_id)
        return list(await self.session.execute(query.order_by(runs.c.id)))

    async def deliveries_around(self, connector_id: uuid.UUID, limit: int) -> list[Row[Any]]:
        """Return a connector's newest deliveries, the newest first."""
        deliveries = table("deliveries")
        query = (
            select(
                deliveries.c.id,
                deliveries.c.source,
                deliveries.c.state,
                deliveries.c.detail,
                deliveries.c.received_at,
            )
            .where(deliveries.c.tenant_id == self.tenant, deliveries.c.connector_id == connector_id)
            .order_by(deliveries.c.id.desc())
            .limit(limit)
        )
        return list(await self.session.execute(query))

    async def delivery(self, number: int) -> tuple[str, str | None, str] | None:
        """Return a delivery's state, detail and source, or None."""
        deliveries = table("deliveries")
        query = select(deliveries.c.state, deliveries.c.detail, deliveries.c.source).where(
            deliveries.c.tenant_id == self.tenant, deliveries.c.id == number
        )
        row = (await self.session.execute(query)).first()
        return None if row is None else (row[0], row[1], row[2])

    async def polls_of(self, connector_id: uuid.UUID) -> list[Row[Any]]:
        """Return how far a connector's pollers have read."""
        cursors = table("poll_cursors")
        query = select(
            cursors.c.source_object, cursors.c.polled_at, cursors.c.next_at, cursors.c.error
        ).where(cursors.c.tenant_id == self.tenant, cursors.c.connector_id == connector_id)
        return list(await self.session.execute(query))


def event_of(packed: Any) -> Event:  # noqa: ANN401 - JSON
    """Read an event as it is stored."""
    body = unpacked(packed)
    record = Record(
        source_object=body["object"],
        id=body["id"],
        url=body.get("url"),
        human_id=body.get("human_id"),
        values=body["values"],
    )
    return Event(
        trigger=body["trigger"],
        record=record,
        occurred_at=body["at"],
        key=body["key"],
        before=body.get("before"),
        actor=body.get("actor"),
        actor_name=body.get("actor_name"),
        origin=body.get("origin"),
        note=body.get("note"),
    )


def unpacked(found: Any) -> Any:  # noqa: ANN401 - JSON
    """Give stored JSON its typed values back: times, days, numbers and durations are tagged."""
    if isinstance(found, list):
        return tuple(unpacked(one) for one in found)
    if not isinstance(found, dict):
        return found
    read = _TAGS.get(found.get("$", ""))
    if read is not None:
        return read(found["v"])
    return {key: unpacked(value) for key, value in found.items()}


_TAGS: Final[Mapping[str, Callable[[Any], Value]]] = {
    "t": datetime.fromisoformat,
    "d": date.fromisoformat,
    "n": Decimal,
    "s": lambda seconds: timedelta(seconds=seconds),
}
