"""Polling by SystemModstamp: with an overlap, page by key, all objects in one call."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from pydantic import BaseModel, ConfigDict

from hub import Batch, Event, Import, Poller
from hub_salesforce import composite, events, rows, soql
from hub_salesforce.errors import SalesforceRejected
from hub_salesforce.sobjects import NoteShape, Objects, SObject
from hub_salesforce.values import instant, stamp

if TYPE_CHECKING:
    from hub_salesforce.client import Row, SalesforceClient

QUERIES_A_CALL = 5
_FIRST: Final = datetime(2000, 1, 1, tzinfo=UTC)
"""No org has anything older."""
_SLOW, _SHED = timedelta(minutes=5), timedelta(minutes=15)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cursor:
    """Where polling stands: everything before `start` is read, nothing before `floor` is told.

    While a window has more pages, `end` is its end and `after` holds, for each object that
    is not through, the stamp and id of the last row read.
    """

    start: datetime
    floor: datetime
    end: datetime | None = None
    after: dict[str, tuple[datetime, str]] = field(default_factory=dict)

    def text(self) -> str:
        """Return the cursor as the hub stores it."""
        return json.dumps(
            {
                "start": stamp(self.start),
                "floor": stamp(self.floor),
                "end": stamp(self.end) if self.end else None,
                "after": {name: [stamp(at), last] for name, (at, last) in self.after.items()},
            }
        )

    @classmethod
    def read(cls, text: str) -> "Cursor":
        """Return the cursor of a stored text."""
        found = json.loads(text)
        return cls(
            start=instant(found["start"]),
            floor=instant(found.get("floor") or found["start"]),
            end=instant(found["end"]) if found.get("end") else None,
            after={
                name: (instant(at), last) for name, (at, last) in (found.get("after") or {}).items()
            },
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """What one query of a poll reads: an object's records, or its notes."""

    declared: SObject
    notes: NoteShape | None = None

    @property
    def api_name(self) -> str:
        """The object that is queried."""
        return self.notes.api_name if self.notes else self.declared.api_name


@dataclass(frozen=True, slots=True, kw_only=True)
class _Window:
    start: datetime
    end: datetime
    begin: datetime


def poller_of(objects: Objects) -> "Poller[SalesforceClient]":
    """Return the poller of all objects that a connector's settings name, and their notes."""

    async def fetch(client: "SalesforceClient", cursor: str | None) -> Batch:
        if cursor is None:
            start = await _beginning(client)
            return Batch(events=(), cursor=Cursor(start=start, floor=start).text())
        if not client.settings.poll_enabled or _waits(client):
            return Batch(events=(), cursor=cursor)
        return await poll(client, objects, Cursor.read(cursor))

    async def fetch_one(client: "SalesforceClient", id: str) -> Event:
        declared = objects.of(await client.object_of(id))
        row = await rows.read(client, declared, id)
        access = await client.session.access()
        return events.updated(
            declared,
            row,
            before=None,
            actor_name=name_of(row, "LastModifiedBy"),
            url=access.instance_url,
        )

    return Poller(
        source_object=objects.declared[0].name,
        fetch=fetch,
        fetch_one=fetch_one,
        since=since,
        imports=Import(params=Existing, cursor=existing),
    )


class Existing(BaseModel):
    """Which existing records are read on request: those changed between two times."""

    model_config = ConfigDict(extra="forbid")


def existing(_: Existing, since: datetime | None, until: datetime | None) -> str:
    """Return the cursor that reads the records changed between two times."""
    start = since or _FIRST
    return Cursor(start=start, floor=start, end=until).text()


def since(moment: datetime) -> str:
    """Return the cursor that reads what changed from a time on."""
    start = moment.replace(microsecond=0)
    return Cursor(start=start, floor=start).text()


def statement(
    fields: Sequence[str], source: Source, window: _Window, after: tuple[datetime, str] | None
) -> str:
    """Return the query of one page of a window."""
    condition = soql.after(*after, window.end) if after else soql.window(window.begin, window.end)
    conditions = (*(() if source.notes else source.declared.polled_if), condition)
    order = "SystemModstamp ASC, Id ASC"
    return soql.select(fields, source.api_name, *conditions, order=order, limit=soql.PAGE)


async def poll(client: "SalesforceClient", objects: Objects, cursor: Cursor) -> Batch:
    """Return one page of what changed since the cursor, of all objects and their notes."""
    settings = client.settings
    end = cursor.end or _end(client)
    overlap = timedelta(minutes=settings.poll_overlap_minutes)
    begin = max(cursor.floor, cursor.start - overlap)
    window = _Window(start=cursor.start, end=end, begin=begin)
    if end <= cursor.start:
        return Batch(events=(), cursor=cursor.text())
    found: list[Event] = []
    after: dict[str, tuple[datetime, str]] = {}
    sources = [
        s for s in _sources(client, objects) if not cursor.after or s.api_name in cursor.after
    ]
    for chunk in _chunks(sources):
        pages = await _pages(client, chunk, window, cursor)
        for source, page in zip(chunk, pages, strict=True):
            found += await _events(client, source, page, window)
            if len(page) == soql.PAGE:
                last = page[-1]
                after[source.api_name] = (instant(last["SystemModstamp"]), str(last["Id"]))
    if after:
        paged = Cursor(start=cursor.start, floor=cursor.floor, end=end, after=after)
        return Batch(events=found, cursor=paged.text(), more=True)
    found += await _deletions(client, objects, window)
    client.polled_at = client.now()
    return Batch(events=found, cursor=Cursor(start=end, floor=cursor.floor).text())


async def _pages(
    client: "SalesforceClient", sources: Sequence[Source], window: _Window, cursor: Cursor
) -> "list[list[Row]]":
    """Return one page for each source, all by one call; fields hidden meanwhile are left out."""
    try:
        return await _asked(client, sources, window, cursor)
    except SalesforceRejected as error:
        if not any(fault.code == "INVALID_FIELD" for fault in error.faults):
            raise
        for source in sources:
            client.forget(source.api_name)
        return await _asked(client, sources, window, cursor)


async def _asked(
    client: "SalesforceClient", sources: Sequence[Source], window: _Window, cursor: Cursor
) -> "list[list[Row]]":
    parts = []
    for at, source in enumerate(sources):
        fields = await fields_of(client, source)
        text = statement(fields, source, window, cursor.after.get(source.api_name))
        parts.append(composite.query_part(client, f"q{at}", text))
    answers = [composite.accepted(client, one) for one in await composite.send(client, parts)]
    return [list(one.data.get("records") or ()) for one in answers]


async def fields_of(client: "SalesforceClient", source: Source) -> list[str]:
    """Return the fields to SELECT of a source."""
    shape = source.notes
    if shape is None:
        return await rows.selected(client, source.declared)
    lookup = _lookup(shape.parent)
    plain = ["Id", shape.parent, shape.text, "CreatedById", "CreatedBy.Name", "CreatedDate"]
    known = [one for one in (shape.public, shape.kind) if one] + list(shape.reads)
    number = [f"{lookup}.{source.declared.number}"]
    return [*plain, *known, *shape.fixed, *number, "SystemModstamp"]


async def _events(
    client: "SalesforceClient", source: Source, page: "Sequence[Row]", window: _Window
) -> list[Event]:
    url = (await client.session.access()).instance_url
    if source.notes:
        recent = [row for row in page if instant(row["CreatedDate"]) >= window.begin]
        return [event for row in recent for event in note_events(source, row, url)]
    describe = await client.describe(source.api_name)
    typed = (rows.typed(describe, row) for row in page)
    return [e for row in typed for e in _row_events(source.declared, row, url, window)]


def _row_events(declared: SObject, row: "Row", url: str, window: _Window) -> Iterator[Event]:
    """Yield "created" for a row made in the window, and "updated" for one changed in it.

    A row from the overlap may be one that became visible late: both are told, and what was
    told before is known by its key.
    """
    made, changed = instant(row["CreatedDate"]), instant(row["SystemModstamp"])
    if made >= window.begin:
        yield events.created(declared, row, actor_name=name_of(row, "CreatedBy"), url=url)
    if made < window.start and changed > made:
        name = name_of(row, "LastModifiedBy")
        yield events.updated(declared, row, before=None, actor_name=name, url=url)


def note_events(source: Source, row: "Row", url: str) -> Iterator[Event]:
    """Yield the event of a note's row, if it is a note that people wrote."""
    shape = source.notes
    if shape is None or not shape.is_note(row):
        return
    parent = {"Parent": row.get(_lookup(shape.parent))}
    author = name_of(row, "CreatedBy")
    yield events.commented(source.declared, shape, {**row, **parent}, author=author, url=url)


async def _deletions(client: "SalesforceClient", objects: Objects, window: _Window) -> list[Event]:
    if not client.settings.poll_deletes:
        return []
    found: list[Event] = []
    for source in _sources(client, objects):
        if source.notes is None:
            path = f"/sobjects/{source.api_name}/deleted/"
            span = {"start": _iso(window.begin), "end": _iso(window.end)}
            answer = await client.get(path, span)
            found += [
                events.deleted(
                    source.declared, {"Id": one["id"]}, at=instant(one["deletedDate"]), actor=None
                )
                for one in answer.get("deletedRecords") or ()
            ]
    return found


def _sources(client: "SalesforceClient", objects: Objects) -> list[Source]:
    named = [objects.of(name) for name in client.settings.objects]
    notes = [Source(declared=one, notes=shape) for one in named for shape in one.notes]
    return [*(Source(declared=one) for one in named), *notes]


def _chunks(sources: Sequence[Source]) -> Iterator[Sequence[Source]]:
    for at in range(0, len(sources), QUERIES_A_CALL):
        yield sources[at : at + QUERIES_A_CALL]


def _waits(client: "SalesforceClient") -> bool:
    """Tell whether this poll is left out, because the org's requests are running out."""
    usage, last = client.usage, client.polled_at
    if usage is None or last is None or not usage.slows:
        return False
    return client.now() - last < (_SHED if usage.sheds else _SLOW)


async def _beginning(client: "SalesforceClient") -> datetime:
    if client.skew is None:
        await client.query_page("SELECT Id FROM Organization LIMIT 1")
    return server_now(client)


def _end(client: "SalesforceClient") -> datetime:
    return server_now(client) - timedelta(seconds=client.settings.poll_safety_lag_seconds)


def server_now(client: "SalesforceClient") -> datetime:
    """Return the org's time, as far as its answers told it."""
    return (client.now() + (client.skew or timedelta())).replace(microsecond=0)


def _lookup(field_name: str) -> str:
    """Return the relationship of a lookup field: ParentId -> Parent, Foo__c -> Foo__r."""
    return field_name[:-2] if field_name.endswith("Id") else field_name.removesuffix("c") + "r"


def name_of(row: "Row", lookup: str) -> str | None:
    """Return the name of the person that a lookup points at, where it was selected."""
    person: Any = row.get(lookup)
    return person.get("Name") if isinstance(person, dict) else None


def _iso(moment: datetime) -> str:
    return stamp(moment).replace("Z", "+00:00")
