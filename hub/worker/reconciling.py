"""Comparing linked records with what the hub knows, by reading them anew."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from hashlib import blake2b
from itertools import groupby
from typing import Any, Final

from hub.activity import journal
from hub.connectors.clients import OpenConnector
from hub.connectors.transport import vendor_call
from hub.correlations.linking import break_link
from hub.correlations.repository import RecordKey, load_seen
from hub.correlations.values import same
from hub.db.commits import Connection
from hub.deliveries.filing import Filing
from hub.deliveries.intake import Intake
from hub.deliveries.reading import new_event
from hub.reconciliations import repository
from hub.reconciliations.repository import Claimed, Found, Member, Progress
from hub.sdk.connector_types import Poller
from hub.sdk.errors import ConnectorError, Gone
from hub.sdk.events import Event
from hub.worker.parts import Parts
from hub.worker.polling import Polling

_log = logging.getLogger(__name__)
_MATTERS: Final = 10
_READ_S: Final = 20.0
_PAUSE: Final = timedelta(seconds=5)
_SETTLE: Final = timedelta(milliseconds=500)
_SHOWN: Final = 100


class Busy(Exception):
    """The vendor's limit, or changes on their way: go on a little later."""


@dataclass(slots=True)
class Reconciling:
    """The comparisons that this process works."""

    parts: Parts
    intake: Intake
    polling: Polling
    task: asyncio.Task[None] | None = None
    tried: dict[object, int] = field(default_factory=dict)

    async def tick(self) -> None:
        """Go on with a comparison."""
        if self.task is not None and not self.task.done():
            return
        now = self.parts.now()
        found = await self.parts.store.write(
            lambda connection: repository.claim(connection, now, 1)
        )
        if found:
            self.task = asyncio.create_task(self._work(found[0]))

    async def each_minute(self) -> None:
        """Begin comparisons that are due by their schedule."""
        now, types = self.parts.now(), self._types()
        if types:
            await self.parts.store.write(
                lambda connection: repository.begin_due(connection, types, now)
            )

    async def resume(self) -> None:
        """Go on at once with what a former process left; only where there is one process."""
        now = self.parts.now()
        await self.parts.store.write(lambda connection: repository.resume(connection, now))

    async def stop(self) -> None:
        """Leave off; another goes on where this was."""
        if self.task is not None:
            self.task.cancel()
            await asyncio.gather(self.task, return_exceptions=True)

    def _types(self) -> list[str]:
        types = self.parts.catalog.connector_types.values()
        return [one.name for one in types if any(p.fetch_one is not None for p in one.pollers)]

    async def _work(self, claimed: Claimed) -> None:
        try:
            if claimed.repair and claimed.position is None and claimed.id not in self.tried:
                self.tried[claimed.id] = 0
                polled = await self.polling.sync(claimed.tenant_id, claimed.connector_id)
                await self._store(claimed, Progress(came_in=polled), [])
            await self._stretch(claimed)
        except Busy:
            later = self.parts.now() + _SETTLE
            await self.parts.store.write(
                lambda connection: repository.put_off(connection, claimed, later)
            )
        except Exception as error:  # noqa: BLE001 - shown to who asked; the next one is not kept from
            _log.exception("reconciliation failed")
            text, now = f"{type(error).__name__}: {error}"[:1000], self.parts.now()
            await self.parts.store.write(
                lambda connection: repository.fail(connection, claimed, now, text)
            )

    async def _stretch(self, claimed: Claimed) -> None:
        found = await self.parts.store.read(
            lambda connection: repository.members(connection, claimed, _MATTERS)
        )
        progress, drifts = Progress(over=not found), list[Found]()
        for matter, listed in groupby(found, key=lambda one: one.correlation_id):
            try:
                await self._matter(claimed, list(listed), progress, drifts)
            except Busy:
                if progress.position is None:
                    raise
                break
            progress.position = matter
        await self._store(claimed, progress, drifts)
        if progress.over:
            self.tried.pop(claimed.id, None)

    async def _matter(
        self, claimed: Claimed, members: Sequence[Member], progress: Progress, drifts: list[Found]
    ) -> None:
        await self._settled(claimed, members[0])
        found_here: list[Found] = []
        looked = 0
        for member in members:
            connector = await self.parts.connectors.by_id(claimed.tenant_id, member.connector_id)
            poller = _poller(connector, member)
            if connector is None or poller is None:
                continue
            found = await self._record(connector, poller, member, repair=claimed.repair)
            looked += 1
            found_here += [found] if found is not None else []
        _count(progress, claimed, looked, found_here)
        drifts += [*found_here, *await self._given_up(claimed, members[0])]

    async def _settled(self, claimed: Claimed, member: Member) -> None:
        """Have changes that are on their way worked first; after a while go on without."""
        waits = await self.parts.store.read(
            lambda connection: repository.waits(connection, member.lane)
        )
        mark = (claimed.id, member.lane)
        if waits and self.tried.setdefault(mark, 0) < _SHOWN:
            self.tried[mark] += 1
            raise Busy
        self.tried.pop(mark, None)

    async def _record(
        self, connector: OpenConnector, poller: Poller[Any], member: Member, *, repair: bool
    ) -> Found | None:
        if await self.parts.limits.permit(connector, bulk=True, patience=5.0) > 0:
            raise Busy
        try:
            event = await self._read(connector, poller, member)
        except Gone as gone:
            return await self._gone(connector, member, gone, repair=repair)
        except (ConnectorError, TimeoutError) as error:
            text = f"It could not be read: {type(error).__name__}: {error}"[:1000]
            return Found(member, "unreadable", text, {})
        differing = await self._differing(connector, member, event)
        if not differing:
            return None
        if repair:
            await self._file(connector, event)
        return Found(member, "changed", self._words(member, differing), differing, repair)

    async def _read(self, connector: OpenConnector, poller: Poller[Any], member: Member) -> Event:
        assert poller.fetch_one is not None  # noqa: S101 - chosen for it
        with vendor_call():
            async with asyncio.timeout(_READ_S):
                return await poller.fetch_one(connector.client, member.record_id)

    async def _gone(
        self, connector: OpenConnector, member: Member, gone: Gone, *, repair: bool
    ) -> Found:
        if repair:
            key = RecordKey(
                connector.tenant_id, connector.id, member.source_object, member.record_id
            )
            await self.parts.store.write(lambda connection: break_link(connection, key, "gone"))
        text = f"The record is gone: {gone}"[:1000]
        return Found(member, "gone", text, {}, repaired=repair)

    async def _differing(
        self, connector: OpenConnector, member: Member, event: Event
    ) -> dict[str, Any]:
        key = RecordKey(connector.tenant_id, connector.id, member.source_object, member.record_id)
        seen = (await self.parts.store.read(lambda c: load_seen(c, [key]))).get(key)
        if seen is None:
            return {}
        known, noise = seen.present, self.parts.noise_of(member.source_object)
        fields = self.parts.catalog.fields_of(member.source_object)
        secret = {one.key for one in fields if one.secret}
        return {
            name: {"known": None, "there": None}
            if name in secret
            else {"known": _shown(known[name]), "there": _shown(value)}
            for name, value in event.record.values.items()
            if name in known and name not in noise and not same(known[name], value)
        }

    def _words(self, member: Member, differing: dict[str, Any]) -> str:
        labels = {one.key: one.label for one in self.parts.catalog.fields_of(member.source_object)}
        told = [
            f"{labels.get(name, name)} is {one['there']!r}, the hub knew {one['known']!r}"
            for name, one in sorted(differing.items())
        ]
        return "; ".join(told)[:1000]

    async def _file(self, connector: OpenConnector, event: Event) -> None:
        """Have a change that was missed worked like one that was polled."""
        filed = new_event(event)
        values = repr(sorted(event.record.values.items(), key=lambda one: one[0]))
        digest = blake2b(
            f"{filed.key}\x1f{values}".encode("utf-8", "surrogatepass"), digest_size=16
        )
        await self.intake.file(
            Filing(
                tenant_id=connector.tenant_id,
                connector_id=connector.id,
                key=f"sync/{digest.hexdigest()}",
                received_at=self.parts.now(),
                source="poll",
                events=(filed,),
            )
        )

    async def _given_up(self, claimed: Claimed, member: Member) -> list[Found]:
        rows = await self.parts.store.read(
            lambda connection: repository.given_up(
                connection, claimed.tenant_id, member.correlation_id
            )
        )
        return [
            Found(
                member._replace(source_object=row[1] or "", record_id=row[2] or ""),
                "given_up",
                f"{row[3]} was given up: {row[4]}"[:1000],
                {},
            )
            for row in rows
        ]

    async def _store(self, claimed: Claimed, progress: Progress, drifts: Sequence[Found]) -> None:
        now = self.parts.now()

        def write(connection: Connection) -> list[tuple[str, int]]:
            repository.store(connection, claimed, (progress, drifts), now)
            kinds = repository.kinds(connection, claimed.id) if progress.over else []
            journal.store(connection, [_line(claimed, kinds)] if kinds else [])
            return kinds

        for kind, count in await self.parts.store.write(write):
            self.parts.counters.add("hub_drifts_total", count, kind=kind)


def _line(claimed: Claimed, kinds: Sequence[tuple[str, int]]) -> dict[str, Any]:
    told = ", ".join(f"{count} {kind.replace('_', ' ')}" for kind, count in kinds)
    return journal.line(
        claimed.tenant_id,
        "connector",
        f"Linked records differ from what the hub knows: {told}.",
        level="warning",
        connector_id=claimed.connector_id,
        facts={"reconciliation": str(claimed.id)},
    )


def _count(progress: Progress, claimed: Claimed, looked: int, found: Sequence[Found]) -> None:
    progress.compared += looked
    progress.unchanged += looked - len(found)
    for one in found:
        if one.kind == "unreadable":
            progress.errors += 1
        elif one.member.connector_id == claimed.connector_id:
            progress.came_in += 1
        else:
            progress.went_out += 1


def _poller(connector: OpenConnector | None, member: Member) -> Poller[Any] | None:
    if connector is None or connector.type is None or not connector.is_ready:
        return None
    able = [one for one in connector.type.pollers if one.fetch_one is not None]
    own = [one for one in able if one.source_object == member.source_object]
    return next(iter([*own, *able]), None)


def _shown(value: object) -> object:
    text = value if isinstance(value, str | int | float | bool | None) else str(value)
    return f"{text[:_SHOWN]}…" if isinstance(text, str) and len(text) > _SHOWN else text
