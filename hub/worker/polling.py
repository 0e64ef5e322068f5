"""Reading changes where no webhook tells of them; page and cursor are stored together."""

import asyncio
import logging
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Any, Final, NamedTuple

from hub.connectors.clients import OpenConnector
from hub.connectors.guard import POLLED_LESS, Shed
from hub.connectors.opening import SHORTEST_POLL_S
from hub.connectors.transport import vendor_call
from hub.deliveries.filing import Filing
from hub.deliveries.intake import Intake
from hub.deliveries.polls import (
    Candidate,
    Claimed,
    Polled,
    Wanted,
    candidates,
    claim,
    claim_all,
    keep_cursors,
    news_of,
    start_of,
)
from hub.deliveries.reading import new_event
from hub.sdk.connector_types import Batch, Poller
from hub.sdk.errors import AuthenticationFailed, ConnectorError, InvalidPayload, RateLimited
from hub.sdk.events import Event
from hub.worker.parts import Parts

_log = logging.getLogger(__name__)
_LONGEST_BACKOFF_S: Final = 600.0
_AT_ONCE: Final = 4
_PAGE_S: Final = 120.0


class Told(NamedTuple):
    """How a poll ended: events filed, and where it goes on when there is more."""

    filed: int = 0
    more: str | None = None


@dataclass(slots=True)
class Polling:
    """The pollers of a process; `tick` begins what is due."""

    parts: Parts
    intake: Intake
    failures: dict[tuple[object, str], int] = field(default_factory=dict)
    tasks: set[asyncio.Task[Told]] = field(default_factory=set)
    listening: set[asyncio.Task[Told]] = field(default_factory=set)
    looked_at: datetime | None = None

    async def tick(self) -> None:
        """Begin the polls whose time has come, a few at once."""
        parts, now = self.parts, self.parts.now()
        if self.looked_at is None or now - self.looked_at > timedelta(seconds=5):
            self.looked_at = now
            await self._keep_cursors(now)
        free = _AT_ONCE - len(self.tasks)
        if free <= 0:
            return
        for one in await parts.store.write(lambda connection: claim(connection, now, free)):
            task = asyncio.create_task(self._poll(one))
            self.tasks.add(task)
            task.add_done_callback(self._ended)

    async def stop(self) -> None:
        """Wait for what is under way."""
        under_way = [*self.tasks, *self.listening]
        for task in under_way:
            task.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)

    async def sync(self, tenant_id: uuid.UUID, connector_id: uuid.UUID) -> int:
        """Poll a connector now until there is nothing new; return how many events that made."""
        now, filed = self.parts.now(), 0
        connector = await self.parts.connectors.by_id(tenant_id, connector_id)
        for one in await self.parts.store.write(
            lambda connection: claim_all(connection, connector_id, now)
        ):
            poller, following = _poller_of(connector, one), one
            while poller is not None and not poller.waits:
                told = await self._poll(following)
                filed += told.filed
                if told.more is None:
                    break
                following = following._replace(cursor=told.more)
        return filed

    def _ended(self, task: asyncio.Task[Told]) -> None:
        self.tasks.discard(task)
        self.listening.discard(task)

    def _listens(self) -> None:
        """Give this poll's turn to the next one: it only waits."""
        task = asyncio.current_task()
        if task is not None and task in self.tasks:
            self.tasks.discard(task)
            self.listening.add(task)

    async def _keep_cursors(self, now: datetime) -> None:
        found = await self.parts.store.read(candidates)
        wanted = [
            Wanted(one.tenant_id, one.connector_id, poller.key, start_of(one, poller.since, now))
            for one in found
            for poller in self._pollers(one)
        ]
        await self.parts.store.write(lambda connection: keep_cursors(connection, wanted, now))

    def _pollers(self, one: Candidate) -> Sequence[Poller[Any]]:
        kind = self.parts.catalog.connector_types.get(one.type)
        return kind.pollers if kind is not None else ()

    async def _poll(self, claimed: Claimed) -> Told:
        connector = await self.parts.connectors.by_id(claimed.tenant_id, claimed.connector_id)
        poller = _poller_of(connector, claimed)
        if connector is None or poller is None:
            return Told()
        if poller.waits:
            self._listens()
        elif (wait := await self.parts.limits.permit(connector, bulk=True)) > 0:
            await self._later(claimed, wait)
            return Told()
        mark = (claimed.connector_id, claimed.source_object)
        try:
            with vendor_call():
                async with asyncio.timeout(_PAGE_S):
                    batch = await poller.fetch(connector.client, claimed.cursor)
            filed = await self._file(connector, claimed, batch)
            self.failures.pop(mark, None)
            return Told(filed, batch.cursor if batch.more else None)
        except (ConnectorError, TimeoutError) as error:
            self.failures[mark] = self.failures.get(mark, 0) + 1
            await self._failed(connector, claimed, error, self.failures[mark])
        except Exception as error:  # noqa: BLE001 - a plugin's bug: shown, tried again later
            _log.exception("poller failed", extra={"connector": connector.name})
            self.failures[mark] = self.failures.get(mark, 0) + 1
            await self._failed(connector, claimed, error, self.failures[mark])
        return Told()

    async def _file(self, connector: OpenConnector, claimed: Claimed, batch: Batch) -> int:
        now = self.parts.now()
        wait_s = 0.0 if batch.more else self._interval(connector)
        polled = Polled(
            claimed=claimed,
            next_at=now + timedelta(seconds=wait_s),
            now=now,
            cursor=batch.cursor,
        )
        news = await self._news(connector, batch.events)
        if not news:
            await self.parts.store.write(polled)
            return 0
        await self.intake.file(
            Filing(
                tenant_id=connector.tenant_id,
                connector_id=connector.id,
                key=_key_of(claimed, news),
                received_at=now,
                source="poll",
                events=tuple(new_event(event) for event in news),
                also=polled,
            )
        )
        self.parts.counters.tally(connector.tenant_id, connector.id, "polled", len(news))
        return len(news)

    async def _later(self, claimed: Claimed, wait_s: float) -> None:
        now = self.parts.now()
        later = Polled(claimed=claimed, next_at=now + timedelta(seconds=wait_s), now=None)
        await self.parts.store.write(later)

    async def _news(self, connector: OpenConnector, events: Sequence[Event]) -> list[Event]:
        storable = [event for event in events if _is_storable(event)]
        if not storable:
            return []
        return await self.parts.store.read(
            lambda connection: news_of(connection, connector.tenant_id, connector.id, storable)
        )

    async def _failed(
        self, connector: OpenConnector, claimed: Claimed, error: Exception, failures: int
    ) -> None:
        now = self.parts.now()
        longest = min(_LONGEST_BACKOFF_S, self._interval(connector) * 2 ** min(failures, 8))
        wait_s = max(SHORTEST_POLL_S, longest * (0.5 + self.parts.random() / 2))
        if isinstance(error, RateLimited) and error.retry_after:
            wait_s = max(wait_s, error.retry_after)
        polled = Polled(
            claimed=claimed,
            next_at=now + timedelta(seconds=wait_s),
            now=now,
            error=f"{type(error).__name__}: {error}"[:1000],
        )
        await self.parts.store.write(polled)
        if isinstance(error, AuthenticationFailed):
            states = self.parts.clients.states
            async with self.parts.database.transaction() as transaction:
                await states.needs_credentials(
                    transaction, connector.tenant_id, connector.id, str(error)
                )
            self.parts.connectors.changed(connector.id)

    def _interval(self, connector: OpenConnector) -> float:
        """Return the seconds between two polls: where webhooks tell of changes, it is a net."""
        every = connector.polls_every_s * (0.9 + 0.2 * self.parts.random())
        shedding = self.parts.limits.shed(connector) >= Shed.POLLING
        return every * POLLED_LESS if shedding else every


def _poller_of(connector: OpenConnector | None, claimed: Claimed) -> Poller[Any] | None:
    if connector is None or connector.type is None or not connector.is_ready:
        return None
    pollers = connector.type.pollers
    return next((one for one in pollers if one.key == claimed.source_object), None)


def _is_storable(event: Event) -> bool:
    try:
        new_event(event)
    except InvalidPayload:
        _log.warning("a polled record can't be stored", extra={"record": event.record.id})
        return False
    return True


def _key_of(claimed: Claimed, events: Sequence[Event]) -> str:
    digest = blake2b(digest_size=16)
    for event in events:
        digest.update(event.key.encode("utf-8", "surrogatepass"))
        digest.update(b"\x1f")
    return f"poll/{claimed.source_object}/{digest.hexdigest()}"
