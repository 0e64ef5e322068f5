"""What runs by itself beside the work: retention, figures, signs of life, breakers."""

import asyncio
import json
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from hub._version import __version__
from hub.activity import journal
from hub.auth import sessions
from hub.connectors import secrets
from hub.db.commits import Connection
from hub.deliveries import retention
from hub.dispatch.presence import Presence, beat, forget_dead, leave
from hub.http import idempotency
from hub.metrics.counters import minute_of
from hub.metrics.repository import held_lanes, oldest_pending, store_points
from hub.runs import breakers
from hub.worker.breakers import pair_of
from hub.worker.parts import Parts

_BETWEEN_BATCHES_S = 0.05
_KEYS_AT_ONCE = 1000
_EVERY = timedelta(hours=1)
_FIRST = timedelta(minutes=2)


@dataclass(slots=True)
class Housekeeping:
    """The housekeeping of a process; all of it may run in several processes at once."""

    parts: Parts
    role: str
    started_at: datetime
    next_sweep: datetime | None = None

    async def each_second(self) -> None:
        """Bring breakers that others opened or reset."""
        now = self.parts.now()
        found = await self.parts.store.read(lambda connection: breakers.open_ones(connection, now))
        stored = {pair_of(rule, record): until for rule, record, until in found}
        self.parts.breakers.follow(stored, now)

    async def each_few_seconds(self) -> None:
        """Give a sign of life, count what waits."""
        now = self.parts.now()
        presence = Presence(
            id=self.parts.owner,
            host=socket.gethostname(),
            version=__version__,
            role=self.role,
            started_at=self.started_at,
            plan_versions=json.dumps(self._plan_versions()),
        )
        await self.parts.store.write(lambda connection: beat(connection, presence, now))
        held = await self.parts.store.read(held_lanes)
        oldest = await self.parts.store.read(lambda connection: oldest_pending(connection, now))
        self._gauge(held, oldest, now)
        await self._tell_shed()

    async def each_minute(self) -> None:
        """Store the figures of connectors; begin retention when it is due."""
        now = self.parts.now()
        points = self.parts.counters.take_tallies()
        minute = minute_of(now)
        await self.parts.store.write(lambda connection: store_points(connection, points, minute))
        await self.parts.store.write(lambda connection: forget_dead(connection, now))
        self.next_sweep = self.next_sweep or now + _FIRST
        if now >= self.next_sweep:
            self.next_sweep = now + _EVERY
            await self.forget()
            await self.retain()

    async def forget(self) -> None:
        """Drop secrets, sessions, set-ups and request keys whose time is over."""
        database, now = self.parts.database, self.parts.now()
        await secrets.forget_expired(database, now)
        await sessions.forget_expired(database, now)
        gone = _KEYS_AT_ONCE
        while gone >= _KEYS_AT_ONCE:
            gone = await idempotency.forget_old(database, now)

    async def retain(self) -> int:
        """Delete what is past its time, in small batches; return how many rows."""
        now, deleted = self.parts.now(), 0
        for tenant_id, settings in await self.parts.store.read(retention.tenants):
            for old in retention.due(tenant_id, settings, now):
                deleted += await self._delete(old)
            too_much = partial(retention.oversize, tenant_id=tenant_id, settings=settings)
            for old in await self.parts.store.read(too_much):
                deleted += await self._delete(old)
        for log in await self.parts.store.read(lambda c: retention.logs(c, now)):
            deleted += await self._delete(log)
        for walk in retention.walks(now):
            while not walk.is_over:
                deleted += await self.parts.store.write(walk)
                await asyncio.sleep(_BETWEEN_BATCHES_S)
        if deleted:
            self.parts.counters.add("hub_retention_deleted_total", deleted)
        return deleted

    async def _delete(self, old: Callable[[Connection], int]) -> int:
        deleted, count = 0, retention.BATCH
        while count >= retention.BATCH:
            count = await self.parts.store.write(old)
            deleted += count
            await asyncio.sleep(_BETWEEN_BATCHES_S)
        return deleted

    async def stop(self) -> None:
        """Say that this process is gone."""
        await self.parts.store.write(lambda connection: leave(connection, self.parts.owner))

    async def _tell_shed(self) -> None:
        lines = []
        for change in self.parts.limits.take_changes():
            one = change.connector
            used = f"{change.used_percent:.0f} % of the vendor's quota is used"
            self.parts.counters.set("hub_quota_shed", int(change.shed), connector=str(one.id))
            text = f"{used}: {change.shed.sentence}."
            level: journal.Level = "warning" if change.shed else "info"
            line = journal.line(one.tenant_id, "connector", text, level=level, connector_id=one.id)
            lines.append(line)
        if lines:
            async with self.parts.database.transaction() as transaction:
                await journal.write(transaction, *lines)

    def _plan_versions(self) -> dict[str, int]:
        versions = getattr(self.parts.plans, "versions", None)
        return {str(key): value for key, value in versions().items()} if versions else {}

    def _gauge(
        self, held: Sequence[tuple[str, int]], oldest: datetime | None, now: datetime
    ) -> None:
        counters = self.parts.counters
        counters.clear("hub_lanes_held")
        for reason, count in held:
            counters.set("hub_lanes_held", count, reason=reason)
        age = (now - oldest).total_seconds() if oldest is not None else 0.0
        counters.set("hub_oldest_pending_seconds", max(0.0, age))
