"""Reading existing records that a person asked for: after what happens now, never lost."""

import asyncio
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Any, Final

from hub.activity import journal
from hub.connectors.clients import OpenConnector
from hub.connectors.states import ConnectorState
from hub.connectors.transport import vendor_call
from hub.deliveries.filing import Accepted, Filing
from hub.deliveries.intake import Intake
from hub.deliveries.polls import imported_of
from hub.deliveries.reading import new_event
from hub.imports import repository
from hub.imports.repository import Claimed, PageRead
from hub.imports.service import importable
from hub.sdk.connector_types import Batch, Poller
from hub.sdk.errors import ConnectorError, InvalidPayload, Rejected
from hub.sdk.events import Event
from hub.worker.parts import Parts

_log = logging.getLogger(__name__)
_AT_ONCE: Final = 2
_PAGE_S: Final = 50.0
_CHUNK: Final = 50
_MOST_WAITING: Final = 50
"""Imported events that may wait to be worked: what happens now waits for no more than these."""
_LOOK_S: Final = 0.2
_MOST_FAILURES: Final = 12
_LONGEST_S: Final = 600.0
_PAUSE: Final = timedelta(seconds=30)


class Stopped(Exception):
    """A person stopped the import, or another process has it."""


@dataclass(slots=True)
class Importing:
    """The imports that this process works; `tick` begins those whose turn it is."""

    parts: Parts
    intake: Intake
    tasks: set[asyncio.Task[None]] = field(default_factory=set)

    async def tick(self) -> None:
        """Begin to read the next pages."""
        now, free = self.parts.now(), _AT_ONCE - len(self.tasks)
        if free <= 0:
            return
        found = await self.parts.store.write(
            lambda connection: repository.claim(connection, now, free)
        )
        for one in found:
            task = asyncio.create_task(self._page(one))
            self.tasks.add(task)
            task.add_done_callback(self.tasks.discard)

    async def resume(self) -> None:
        """Go on at once with what a former process left; only where there is one process."""
        now = self.parts.now()
        await self.parts.store.write(lambda connection: repository.resume(connection, now))

    async def stop(self) -> None:
        """Leave off; the pages that were not filed are read again later."""
        for task in list(self.tasks):
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)

    async def _page(self, claimed: Claimed) -> None:
        connector = await self.parts.connectors.by_id(claimed.tenant_id, claimed.connector_id)
        if connector is None or not connector.is_ready:
            await self._later(claimed, self.parts.now() + _PAUSE)
            return
        pollers = connector.working_type.pollers
        poller = importable(pollers, connector.type_name, claimed.source_object)
        if poller is None or connector.state is not ConnectorState.ACTIVE:
            await self._later(claimed, self.parts.now() + _PAUSE)
            return
        wait = await self.parts.limits.permit(connector, bulk=True)
        if wait > 0:
            await self._later(claimed, self.parts.now() + timedelta(seconds=wait))
            return
        try:
            await self._read(connector, poller, claimed)
        except Stopped:
            _log.info("import stopped", extra={"import": str(claimed.id)})
        except (ConnectorError, TimeoutError) as error:
            await self._failed(claimed, error)
        except Exception as error:  # noqa: BLE001 - a plugin's bug: shown, tried again later
            _log.exception("import failed", extra={"connector": connector.name})
            await self._failed(claimed, error)

    async def _read(self, connector: OpenConnector, poller: Poller[Any], claimed: Claimed) -> None:
        with vendor_call():
            async with asyncio.timeout(_PAGE_S):
                batch = await poller.fetch(connector.client, claimed.cursor)
        wanted = [one for one in batch.events if _wanted(one, claimed)]
        news = await self.parts.store.read(
            lambda connection: imported_of(connection, connector.tenant_id, connector.id, wanted)
        )
        *before, last = list(_chunks(news)) or [[]]
        for chunk in before:
            await self._room(claimed)
            await self._file(connector, claimed, chunk)
        await self._room(claimed)
        read = PageRead(
            claimed=claimed,
            now=self.parts.now(),
            cursor=batch.cursor,
            found=len(wanted),
            filed=len(news),
            over=not batch.more,
        )
        await self._end(connector, claimed, (last, read), batch)

    async def _end(
        self,
        connector: OpenConnector,
        claimed: Claimed,
        last: tuple[Sequence[Event], PageRead],
        batch: Batch,
    ) -> None:
        events, read = last
        if not events or (await self._file(connector, claimed, events, read)).repeated:
            await self.parts.store.write(read)
        if not batch.more:
            await self._tell(claimed, f"The import of {claimed.source_object} is done.", "info")

    async def _file(
        self,
        connector: OpenConnector,
        claimed: Claimed,
        events: Sequence[Event],
        read: PageRead | None = None,
    ) -> Accepted:
        self.parts.counters.tally(connector.tenant_id, connector.id, "imported", len(events))
        return await self.intake.file(
            Filing(
                tenant_id=connector.tenant_id,
                connector_id=connector.id,
                key=_key_of(claimed, events),
                received_at=self.parts.now(),
                source="import",
                events=tuple(new_event(event) for event in events),
                also=read,
            )
        )

    async def _room(self, claimed: Claimed) -> None:
        """Wait until what was imported before is nearly worked; raise Stopped."""
        while True:
            if not await self._mine(claimed):
                raise Stopped
            waiting = await self.parts.store.read(
                lambda connection: repository.waiting(
                    connection, claimed.connector_id, _MOST_WAITING
                )
            )
            if waiting < _MOST_WAITING:
                return
            await asyncio.sleep(_LOOK_S)

    async def _mine(self, claimed: Claimed) -> bool:
        now = self.parts.now()
        return await self.parts.store.write(
            lambda connection: repository.keep(connection, claimed, now)
        )

    async def _failed(self, claimed: Claimed, error: Exception) -> None:
        now, text = self.parts.now(), f"{type(error).__name__}: {error}"[:1000]
        if isinstance(error, Rejected) or claimed.failures + 1 >= _MOST_FAILURES:
            await self.parts.store.write(
                lambda connection: repository.fail(connection, claimed, now, text)
            )
            said = f"The import of {claimed.source_object} was given up: {text}"
            await self._tell(claimed, said, "error")
            return
        wait_s = min(_LONGEST_S, 2.0**claimed.failures) * (0.5 + self.parts.random() / 2)
        wait_s = max(wait_s, getattr(error, "retry_after", None) or 0.0)
        await self._later(claimed, now + timedelta(seconds=wait_s), text)

    async def _later(self, claimed: Claimed, at: datetime, error: str | None = None) -> None:
        await self.parts.store.write(
            lambda connection: repository.put_off(connection, claimed, at, error)
        )

    async def _tell(self, claimed: Claimed, text: str, level: journal.Level) -> None:
        line = journal.line(
            claimed.tenant_id, "connector", text, level=level, connector_id=claimed.connector_id
        )
        async with self.parts.database.transaction() as transaction:
            await journal.write(transaction, line)


def _wanted(event: Event, claimed: Claimed) -> bool:
    if event.record.source_object != claimed.source_object:
        return False
    if claimed.since is not None and event.occurred_at < claimed.since:
        return False
    if claimed.until is not None and event.occurred_at > claimed.until:
        return False
    try:
        new_event(event)
    except InvalidPayload:
        _log.warning("a record can't be stored", extra={"record": event.record.id})
        return False
    return True


def _chunks(events: Sequence[Event]) -> Iterator[Sequence[Event]]:
    for at in range(0, len(events), _CHUNK):
        yield events[at : at + _CHUNK]


def _key_of(claimed: Claimed, events: Sequence[Event]) -> str:
    digest = blake2b(digest_size=16)
    for event in events:
        digest.update(event.key.encode("utf-8", "surrogatepass"))
        digest.update(b"\x1f")
    return f"import/{claimed.id.hex}/{digest.hexdigest()}"
