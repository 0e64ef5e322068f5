"""Matters for people: looking at them, linking and unlinking records by hand."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from hub import ids
from hub.activity import audit, journal
from hub.activity.models import Activity
from hub.clock import Clock
from hub.correlations.linking import Linker, LinkWanted, begin, break_link, lock_records, new_matter
from hub.correlations.listing import Correlations
from hub.correlations.models import Correlation, Link
from hub.correlations.repository import RecordKey
from hub.correlations.schemas import CorrelationOut, LinkIn, LinkOut, TimelineEntry
from hub.errors import Conflict, NotFound
from hub.http.actor import Actor


@dataclass(frozen=True, slots=True)
class CorrelationsService:
    """A tenant's matters, for one request."""

    matters: Correlations
    actor: Actor
    clock: Clock
    linker: Linker | None = None

    async def page(
        self, record: str | None, connector: str | None, after: str | None, limit: int
    ) -> tuple[list[CorrelationOut], str | None]:
        """Return matters, the newest first."""
        names = await self.matters.names()
        chosen = _named(names, connector) if connector else None
        found = await self.matters.newest(record, chosen, after, limit)
        links = await self.matters.links(row.id for row in found.items)
        return [_shown(row, links.get(row.id, []), names) for row in found.items], found.next

    async def get(self, shown: str) -> CorrelationOut:
        """Return a matter with its links."""
        return await self._out(await self.matters.named(shown))

    async def timeline(
        self, shown: str, after: str | None, limit: int
    ) -> tuple[list[TimelineEntry], str | None]:
        """Return what happened in a matter, in order."""
        row = await self.matters.named(shown)
        names = await self.matters.names()
        number = ids.number("act", after) if after else None
        rows, following = await self.matters.timeline(row.id, number, limit)
        shown_rows = [_entry(one, names) for one in rows]
        return shown_rows, ids.shown("act", following) if following else None

    async def create(self, records: Sequence[LinkIn]) -> CorrelationOut:
        """Make records one matter; those that have one already bring it along."""
        keys = [await self._key(one) for one in records]
        first = records[0]
        matter = await self._matter_of(keys[0])
        if matter is None:
            new = new_matter(keys[0], url=first.url, human_id=first.human_id)
            now = self.clock()
            await self.matters.session.run_sync(lambda s: begin(s.connection(), [new], now))
            matter = new.id
        for key, one in zip(keys[1:], records[1:], strict=True):
            matter = await self._link(matter, key, one)
        return await self._out(await self.matters.named(str(matter)))

    async def link(self, shown: str, asked: LinkIn) -> CorrelationOut:
        """Add a record to a matter; of two matters the younger joins the older."""
        row = await self.matters.named(shown)
        matter = await self._link(row.id, await self._key(asked), asked)
        return await self._out(await self.matters.named(str(matter)))

    async def unlink(self, shown: str, number: str) -> None:
        """Take a record out of a matter."""
        row = await self.matters.named(shown)
        link = await self.matters.link(row.id, ids.number("lnk", number))
        if link.state != "live" or link.record_id is None:
            raise Conflict(f"The link {number} is {link.state}.")
        key = RecordKey(link.tenant_id, link.connector_id, link.source_object, link.record_id)
        await self.matters.session.run_sync(lambda s: break_link(s.connection(), key, "unlinked"))
        await self._tell(row.id, f"{link.record_id} was unlinked")

    async def _link(self, matter: uuid.UUID, key: RecordKey, asked: LinkIn) -> uuid.UUID:
        assert self.linker is not None  # noqa: S101 - given where links are made
        linker, now = self.linker, self.clock()
        wanted = LinkWanted(
            record=key,
            correlation_id=matter,
            url=asked.url,
            human_id=asked.human_id,
            by=self.actor.name,
        )

        def store(session: object) -> uuid.UUID:
            connection = session.connection()  # type: ignore[attr-defined]  # a Session
            lock_records(connection, [key])
            return linker.link(connection, wanted, now).correlation_id

        linked = await self.matters.session.run_sync(store)
        await self._tell(linked, f"{asked.record} was linked")
        return linked

    async def _matter_of(self, key: RecordKey) -> uuid.UUID | None:
        found = await self.matters.newest(key.record_id, key.connector_id, None, 20)
        links = await self.matters.links(row.id for row in found.items)
        for matter, listed in links.items():
            if any(_is(link, key) for link in listed):
                return matter
        return None

    async def _key(self, asked: LinkIn) -> RecordKey:
        connector = _named(await self.matters.names(), asked.connector)
        return RecordKey(self.matters.tenant, connector, asked.object, asked.record)

    async def _tell(self, matter: uuid.UUID, what: str) -> None:
        session = self.matters.session
        line = journal.line(
            self.matters.tenant, "link", f"{what} ({self.actor.name}).", correlation_id=matter
        )
        await journal.write(session, line)
        await audit.record(session, self.actor, "link changed", f"{matter}: {what}"[:200])

    async def _out(self, row: Correlation) -> CorrelationOut:
        links = await self.matters.links([row.id])
        return _shown(row, links.get(row.id, []), await self.matters.names())


def _is(link: Link, key: RecordKey) -> bool:
    return (
        link.state == "live"
        and link.connector_id == key.connector_id
        and link.source_object == key.source_object
        and link.record_id == key.record_id
    )


def _shown(row: Correlation, links: Sequence[Link], names: dict[uuid.UUID, str]) -> CorrelationOut:
    return CorrelationOut(
        id=str(row.id),
        code=row.code,
        lane=row.lane,
        created_at=row.created_at,
        links=[
            LinkOut(
                id=ids.shown("lnk", link.id),
                connector=names.get(link.connector_id),
                object=link.source_object,
                record=link.record_id,
                human_id=link.human_id,
                url=link.url,
                state=link.state,
                made_by_run=ids.shown("run", link.made_by_run) if link.made_by_run else None,
                created_at=link.created_at,
                created_by=link.created_by,
            )
            for link in links
        ],
    )


def _entry(row: Activity, names: dict[uuid.UUID, str]) -> TimelineEntry:
    return TimelineEntry(
        id=ids.shown("act", row.id),
        at=row.at,
        kind=row.kind,
        level=row.level,
        text=row.text,
        connector=names.get(row.connector_id) if row.connector_id else None,
        event=ids.shown("evt", row.event_id) if row.event_id else None,
        run=ids.shown("run", row.run_id) if row.run_id else None,
        facts=row.facts,
    )


def _named(names: dict[uuid.UUID, str], wanted: str) -> uuid.UUID:
    for connector_id, name in names.items():
        if name == wanted:
            return connector_id
    raise NotFound(f"There is no connector {wanted!r}.")
