"""Deliveries for people: list, look, trace, replay; holds and the inbox; filing by others."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from hub import ids
from hub.activity import audit, journal
from hub.correlations.values import unpack_event
from hub.deliveries import history, invariants
from hub.deliveries.history import Deliveries, Holds, Inbox
from hub.deliveries.models import Delivery, InboxEvent
from hub.deliveries.replay import Replays
from hub.deliveries.schemas import (
    BulkReplayIn,
    BulkReplayOut,
    DeliveryDetail,
    DeliveryOut,
    DeliveryTrace,
    HoldOut,
    InboxCheckOut,
    InboxOut,
    InvariantOut,
    ReleasedOut,
    ShardOut,
)
from hub.deliveries.tracing import Way, delivery_detail, delivery_out, delivery_trace
from hub.dispatch.port import Driver, DriverHealth
from hub.errors import Conflict, NotFound
from hub.http.actor import Actor
from hub.runs.repository import Runs

_AT_ONCE = 1000


class Releases(Protocol):
    """Lets lanes go on, in a request's transaction."""

    async def release(self, session: Any, tenant_id: uuid.UUID, lane: str) -> bool:  # noqa: ANN401 - an AsyncSession
        """Forget the lane's hold and wake its shard; False: it was not held."""
        ...


@dataclass(frozen=True, slots=True)
class DeliveriesService:
    """A tenant's deliveries, for one request."""

    deliveries: Deliveries
    actor: Actor

    async def page(  # noqa: PLR0913 - what may be filtered by
        self,
        *,
        connector: str | None,
        state: str | None,
        source: str | None,
        since: datetime | None,
        until: datetime | None,
        after: str | None,
        limit: int,
    ) -> tuple[list[DeliveryOut], str | None]:
        """Return deliveries, the newest first, and the next page's cursor."""
        names = await self._runs.names()
        conditions = [
            *([history.of_connector(named(names, connector))] if connector else []),
            *([history.of_state(state)] if state else []),
            *([history.of_source(source)] if source else []),
            *await history.between(self.deliveries.session, since, until),
        ]
        row = str(ids.cursor("dlv", after)) if after else None
        found = await self.deliveries.newest(*conditions, after=row, limit=limit)
        shown = [delivery_out(one, names) for one in found.items]
        return shown, ids.shown("dlv", int(found.next)) if found.next else None

    async def get(self, shown: str) -> DeliveryDetail:
        """Return a delivery as it came."""
        return delivery_detail(await self._row(shown), await self._runs.names())

    async def trace(self, shown: str) -> DeliveryTrace:
        """Return the whole way of a delivery."""
        row = await self._row(shown)
        home = f"/api/v1/tenants/{self.actor.slug}"
        return delivery_trace(row, await self._ways(row), await self._runs.names(), home)

    async def replay(self, shown: str, mode: str, replays: Replays) -> DeliveryOut:
        """Work a delivery again; return the new one."""
        row = await self._row(shown)
        made = await self._again([row], mode, replays)
        return delivery_out(await self.deliveries.get(made[0]), await self._runs.names())

    async def replay_all(self, asked: BulkReplayIn, replays: Replays) -> BulkReplayOut:
        """Count deliveries, or work all of them again if there are as many as confirmed."""
        names = await self._runs.names()
        found = await self.deliveries.chosen(
            *([history.of_connector(named(names, asked.connector))] if asked.connector else []),
            *([history.of_state(asked.state)] if asked.state else []),
            *await history.between(self.deliveries.session, asked.since, asked.until),
        )
        if asked.confirm is None:
            return BulkReplayOut(count=len(found), done=False)
        if asked.confirm != len(found):
            raise Conflict(f"There are {len(found)} by now, not {asked.confirm}. Count again.")
        if len(found) > _AT_ONCE:
            raise Conflict(f"{len(found)} are too many at once; narrow the time ({_AT_ONCE}).")
        made = await self._again(found, asked.mode, replays)
        shown = [ids.shown("dlv", number) for number in made]
        return BulkReplayOut(count=len(found), done=True, deliveries=shown)

    @property
    def _runs(self) -> Runs:
        return Runs(self.deliveries.session, self.deliveries.tenant)

    async def _row(self, shown: str) -> Delivery:
        return await self.deliveries.get(ids.number("dlv", shown))

    async def _again(self, rows: Sequence[Delivery], mode: str, replays: Replays) -> list[int]:
        made = []
        for row in rows:
            accepted = await replays.again(row, await self.deliveries.events_of(row.id), mode)
            made.append(accepted.delivery_id)
        await self.deliveries.session.commit()  # what was read is old now: look anew
        return made

    async def _ways(self, row: Delivery) -> list[Way]:
        events = await self.deliveries.events_of(row.id)
        numbers = [event.id for event in events]
        traces = await self.deliveries.traces_of(numbers)
        runs = await self._runs.of_events(numbers)
        attempts = await self._runs.attempts([run.id for run in runs])
        holds = await self.deliveries.holds_of({event.lane for event in events})
        ways = []
        for event in events:
            code, links = await self.deliveries.matter_of(event)
            ways.append(
                Way(
                    event=event,
                    traces=traces.get(event.id, []),
                    runs=[run for run in runs if run.event_id == event.id],
                    attempts=attempts,
                    hold=holds.get(event.lane),
                    correlation=code,
                    links=links,
                )
            )
        return ways


@dataclass(frozen=True, slots=True)
class HoldsService:
    """A tenant's lanes that wait, for one request."""

    holds: Holds
    actor: Actor
    releases: Releases | None = None

    async def page(self, after: str | None, limit: int) -> tuple[list[HoldOut], str | None]:
        """Return lanes that wait."""
        names = await Runs(self.holds.session, self.holds.tenant).names()
        rows, following = await self.holds.waiting(after, limit)
        backlog = await self.holds.backlog(row.lane for row in rows)
        heads = await self.holds.heads(row.lane for row in rows)
        return [
            HoldOut(
                **_about(heads.get(row.lane)),
                lane=row.lane,
                shard=row.shard,
                reason=row.reason,
                detail=row.detail,
                not_before=row.not_before,
                connector=names.get(row.connector_id) if row.connector_id else None,
                run=ids.shown("run", row.run_id) if row.run_id else None,
                since=row.since,
                waiting=backlog.get(row.lane, 0),
            )
            for row in rows
        ], following

    async def release(self, lane: str) -> ReleasedOut:
        """Let a lane go on now, whatever it waits for."""
        assert self.releases is not None  # noqa: S101 - given where lanes are released
        session = self.holds.session
        if not await self.releases.release(session, self.holds.tenant, lane):
            raise NotFound(f"The lane {lane} does not wait.")
        line = journal.line(self.holds.tenant, "lane", f"Lane {lane} goes on ({self.actor.name}).")
        await journal.write(session, line)
        await audit.record(session, self.actor, "lane released", lane)
        return ReleasedOut(lane=lane, released=True)


def _about(event: InboxEvent | None) -> dict[str, str | None]:
    """Return which record a lane is about, as far as something waits in it."""
    if event is None:
        return {}
    told = unpack_event(event.body).record
    return {"object": told.source_object, "record": told.id, "human_id": told.human_id}


async def inbox_out(inbox: Inbox, health: DriverHealth, driver: str) -> InboxOut:
    """Return the inbox of all tenants."""
    backlog = await inbox.backlog()
    shards = [
        ShardOut(
            id=row.id,
            scheduled=row.scheduled,
            awake=row.scheduled and row.due_at is None,
            owner=row.owner,
            epoch=row.epoch,
            wake_no=row.wake_no,
            due_at=row.due_at,
            pending=backlog.get(row.id, (0, None))[0],
            oldest=backlog.get(row.id, (0, None))[1],
        )
        for row in await inbox.shards()
    ]
    workers = [
        {"id": one.id, "host": one.host, "version": one.version, "beat_at": one.beat_at.isoformat()}
        for one in await inbox.workers()
    ]
    return InboxOut(
        driver=driver,
        connected=health.connected,
        detail=health.detail,
        pending=sum(count for count, _ in backlog.values()),
        oldest=min((oldest for _, oldest in backlog.values()), default=None),
        held=await inbox.held(),
        dead=await inbox.dead(),
        shards=shards,
        workers=workers,
    )


async def check_out(session: Any, driver: Driver, now: datetime) -> InboxCheckOut:  # noqa: ANN401 - an AsyncSession
    """Check the inbox of all tenants."""
    checked: list[invariants.Checked] = await session.run_sync(
        lambda sync: invariants.check(sync.connection(), driver, now)
    )
    shown = [
        InvariantOut(name=one.name, holds=one.holds, broken=list(one.broken)) for one in checked
    ]
    return InboxCheckOut(holds=all(one.holds for one in shown), invariants=shown)


def named(names: dict[uuid.UUID, str], wanted: str) -> uuid.UUID:
    """Return the id of the connector with this name."""
    for connector_id, name in names.items():
        if name == wanted:
            return connector_id
    raise NotFound(f"There is no connector {wanted!r}.")
