"""Change events turned into the hub's events: heard, read anew, told once."""

import base64
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import hub
from hub import Batch, Event
from hub_salesforce import events, polling, pubsub, rows, soql
from hub_salesforce.ids import is_id, to_18
from hub_salesforce.pubsub.changes import Change, topic_of
from hub_salesforce.sobjects import Objects
from hub_salesforce.values import instant, stamp

if TYPE_CHECKING:
    from hub_salesforce.client import Row, SalesforceClient
    from hub_salesforce.pubsub.bus import Bus, Heard

WAIT_S = 25.0
"""How long one call waits for changes."""
_IDS_A_QUERY = 100
_CERTAIN = timedelta(minutes=5)
_BEFORE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where hearing stands: the replay id of each object, and `at`: all before is heard.

    `lost` are objects whose replay id Salesforce does not know any more. `again` is a poll's
    cursor while records are read over, because events told that they could not tell all.
    """

    at: datetime
    replay: Mapping[str, str] = field(default_factory=dict)
    lost: tuple[str, ...] = ()
    again: str | None = None

    def text(self) -> str:
        """Return the place as the hub stores it."""
        kept = {"replay": dict(self.replay), "lost": list(self.lost), "again": self.again}
        return json.dumps({"at": stamp(self.at), **kept})

    @classmethod
    def read(cls, text: str) -> "Place":
        """Return the place of a stored text."""
        found = json.loads(text)
        return cls(
            at=instant(found["at"]),
            replay=found["replay"],
            lost=tuple(found["lost"]),
            again=found["again"],
        )

    def reading_again(self, since: datetime, until: datetime) -> "Place":
        """Return the place with everything changed since then to be read over."""
        floor = since.replace(microsecond=0)
        return replace(self, again=polling.Cursor(start=floor, floor=floor, end=until).text())


async def fetch(client: "SalesforceClient", objects: Objects, cursor: str | None) -> Batch:
    """Hear what changed since the cursor; waits for it up to WAIT_S."""
    now = polling.server_now(client)
    place = Place.read(cursor) if cursor else Place(at=now)
    if not client.settings.change_events:
        return Batch(events=(), cursor=Place(at=now).text())
    if absent := pubsub.missing():
        raise hub.Rejected(f"change events need {', '.join(absent)}: {pubsub.HOW}")
    if place.again:
        return await _read_again(client, objects, place)
    return await _hear(client, objects, place)


async def subscribable(client: "SalesforceClient") -> str:
    """Check that the change events that the settings name can be subscribed to."""
    names = client.settings.change_events
    if not names:
        return "No change events are set"
    if absent := pubsub.missing():
        raise hub.Rejected(f"{', '.join(absent)} not installed: {pubsub.HOW}")
    bus = await _bus(client)
    refused = [name for name in names if not await bus.topic(topic_of(name))]
    if refused:
        raise hub.Rejected(f"the user may not subscribe to change events of {', '.join(refused)}")
    return f"Change events of {', '.join(names)} can be heard"


async def _hear(client: "SalesforceClient", objects: Objects, place: Place) -> Batch:
    from hub_salesforce.pubsub.bus import Heard, ReplayLost  # noqa: PLC0415 - needs the extra

    begun = polling.server_now(client)
    heard = {
        name: Heard(
            topic=topic_of(name),
            replay=base64.b64decode(place.replay[name]) if name in place.replay else None,
            earliest=name in place.lost,
        )
        for name in client.settings.change_events
    }
    try:
        await _listen(client, list(heard.values()))
    except ReplayLost:
        forgotten = replace(place, replay={}, lost=tuple(heard))
        return Batch(events=(), cursor=forgotten.reading_again(place.at, begun).text(), more=True)
    told = [c for one in heard.values() for c in one.changes if c.at >= place.at - _BEFORE]
    found = await _events(client, objects, [one for one in told if not one.lost_track])
    return Batch(events=found, cursor=_next(place, heard, told, begun).text(), more=True)


async def _listen(client: "SalesforceClient", topics: "list[Heard]") -> None:
    bus = await _bus(client)
    try:
        await bus.hear(topics, wait_s=WAIT_S)
    except hub.AuthenticationFailed:
        bus.access = await client.session.access(instead_of=bus.access.token)
        await bus.hear(topics, wait_s=WAIT_S)


async def _bus(client: "SalesforceClient") -> "Bus":
    from hub_salesforce.pubsub.bus import Bus  # noqa: PLC0415 - needs the extra

    access = await client.session.access()
    return Bus(url=client.settings.pubsub_url, access=access, schemas=client.event_schemas)


def _next(
    place: Place, heard: "Mapping[str, Heard]", told: Sequence[Change], begun: datetime
) -> Place:
    known = {
        name: base64.b64encode(one.replay).decode() for name, one in heard.items() if one.replay
    }
    latest = max((one.at for one in told), default=place.at)
    following = Place(at=max(place.at, latest - _BEFORE, begun - _CERTAIN), replay=known)
    overflown = [one.at for one in told if one.lost_track]
    if not overflown:
        return following
    return following.reading_again(min(overflown) - _BEFORE, begun)


async def _read_again(client: "SalesforceClient", objects: Objects, place: Place) -> Batch:
    """Read over what changed since events could not tell all; one page."""
    cursor = polling.Cursor.read(place.again or "")
    page = await polling.poll(client, objects, cursor)
    following = replace(place, again=page.cursor if page.more else None)
    return Batch(events=page.events, cursor=following.text(), more=True)


async def _events(
    client: "SalesforceClient", objects: Objects, told: Sequence[Change]
) -> list[Event]:
    """Return the events of changes in their order; records are read anew, one query each 100."""
    found: list[Event] = []
    known = {name: await rows_of(client, objects, name, told) for name in {c.entity for c in told}}
    last = {one: at for at, change in enumerate(told) for one in change.ids}
    url = (await client.session.access()).instance_url
    for at, change in enumerate(told):
        for own in change.ids:
            row = known[change.entity].get(to_18(own) if is_id(own) else own)
            found += _event(objects, change, own, (row, last[own] == at), url)
    return found


def _event(
    objects: Objects,
    change: Change,
    id: str,
    read: "tuple[Row | None, bool]",
    url: str,
) -> Iterator[Event]:
    row, newest = read
    noted = objects.with_notes_in(change.entity)
    declared = noted[0] if noted else objects.of(change.entity)
    if change.operation == "DELETE":
        if not noted:
            actor = to_18(change.user) if is_id(change.user) else None
            yield events.deleted(declared, {"Id": id}, at=change.at, actor=actor)
    elif row is None:
        return  # deleted meanwhile, which an event of its own tells, or not for the hub
    elif noted:
        yield from polling.note_events(polling.Source(declared=declared, notes=noted[1]), row, url)
    elif change.operation == "CREATE":
        yield events.created(declared, row, actor_name=polling.name_of(row, "CreatedBy"), url=url)
    elif _is_now(change, row, newest=newest):
        name = polling.name_of(row, "LastModifiedBy")
        made = events.updated(declared, row, before=None, actor_name=name, url=url)
        yield replace(made, told=events.HEARD)
    else:
        yield _in_between(objects, change, row, url)


def _is_now(change: Change, row: "Row", *, newest: bool) -> bool:
    """Tell whether a record is still as the change left it."""
    if change.is_gap or change.saved_at is None:
        return newest or change.is_gap
    return instant(change.saved_at) >= instant(str(row["LastModifiedDate"]))


def _in_between(objects: Objects, change: Change, row: "Row", url: str) -> Event:
    """Return a change that later ones followed: only what the event itself tells of it.

    Its key can't be the one by which a poll told it, for what else the row held is not known.
    """
    declared = objects.of(change.entity)
    told = {name: raw for name, raw in change.values.items() if name in row}
    partial = {
        **told,
        "Id": row["Id"],
        "attributes": row.get("attributes"),
        "LastModifiedById": change.user,
        "SystemModstamp": change.saved_at or stamp(change.at),
    }
    made = events.updated(declared, partial, before=None, actor_name=None, url=url)
    key = f"{declared.api_name}:{made.record.id}:{change.key}"
    return replace(made, key=key, told=events.HEARD)


async def rows_of(
    client: "SalesforceClient", objects: Objects, entity: str, told: Sequence[Change]
) -> "Mapping[str, Row]":
    """Return the records that changes of one object are about, by id, as they are now."""
    mine = (one for one in told if one.entity == entity and one.operation != "DELETE")
    ids = list(dict.fromkeys(to_18(own) for one in mine for own in one.ids if is_id(own)))
    noted = objects.with_notes_in(entity)
    declared = noted[0] if noted else objects.of(entity)
    source = polling.Source(declared=declared, notes=noted[1] if noted else None)
    names = await polling.fields_of(client, source) if ids else []
    found: dict[str, Any] = {}
    for at in range(0, len(ids), _IDS_A_QUERY):
        listed = ", ".join(soql.literal(one) for one in ids[at : at + _IDS_A_QUERY])
        conditions = (*(() if noted else declared.polled_if), f"Id IN ({listed})")
        statement = soql.select(names, source.api_name, *conditions)
        found |= {str(row["Id"]): row for row in await client.query(statement)}
    if noted or not found:
        return found
    describe = await client.describe(entity)
    return {own: rows.typed(describe, row) for own, row in found.items()}
