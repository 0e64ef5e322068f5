"""Pollers, timers, retention: what happens without anybody asking."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from hub.connectors.models import Connector
from hub.correlations.values import pack_event
from hub.deliveries.filing import Filing, NewEvent
from hub.dispatch.timers import Due, NewTimer, set_timers
from hub.sdk.connector_types import Batch, Poller
from hub.sdk.errors import Unavailable
from hub.sdk.events import Event, Record
from hub.testing.rig import Rig, item, posting, running_rig
from hub.testing.sink import Sink
from hub.testing.workload import LoadPlugin


class Pages:
    """A vendor's changes, page by page."""

    def __init__(self) -> None:
        self.pages: list[list[Event]] = []
        self.cursors: list[str | None] = []
        self.fails = 0

    async def fetch(self, _client, cursor: str | None) -> Batch:
        self.cursors.append(cursor)
        if self.fails:
            self.fails -= 1
            raise Unavailable("away")
        number = int(cursor or 0)
        events = self.pages[number] if number < len(self.pages) else []
        following = number + 1 if number < len(self.pages) else number
        return Batch(events=events, cursor=str(following), more=following < len(self.pages))


def polled(lane: str, seq: int) -> Event:
    return Event(
        trigger="load.item.created",
        record=Record(source_object="load.item", id=lane, values={"lane": lane, "seq": seq}),
        occurred_at=datetime.now(UTC),
        key=f"poll/{lane}/{seq}",
    )


@pytest.fixture
def pages() -> Pages:
    return Pages()


@asynccontextmanager
async def polling_rig(url: str, sink: Sink, pages: Pages) -> AsyncIterator[Rig]:
    plugin = LoadPlugin((Poller(source_object="load.item", fetch=pages.fetch),))
    async with running_rig(url, sink.url, rules=[posting()], plugin=plugin) as rig:
        async with rig.database.writing() as session:
            row = await session.get(Connector, (await rig.connector()).id)
            row.poll_every_s = 30
        yield rig


async def poll(rig: Rig) -> None:
    """Poll now, whether or not the first poll of the engine itself is over."""
    await rig.engine.polling.tick()
    await rig.engine.polling.sync(rig.tenant_id, (await rig.connector()).id)


async def until(found, timeout_s: float = 10.0):
    deadline = asyncio.get_running_loop().time() + timeout_s
    while not (value := await found()):
        assert asyncio.get_running_loop().time() < deadline
        await asyncio.sleep(0.05)
    return value


async def test_pages_are_filed_with_their_cursor(engine_url: str, sink: Sink, pages: Pages) -> None:
    pages.pages = [[polled("a", 1), polled("b", 1)], [polled("a", 2)]]
    async with polling_rig(engine_url, sink, pages) as rig:

        async def read_all():
            return await rig.rows("SELECT cursor FROM poll_cursors WHERE cursor = '2'")

        await until(read_all)
        await rig.settled()

        assert [(one.lane, one.seq) for one in sink.counted if one.lane == "a"] == [
            ("a", 1),
            ("a", 2),
        ]
        sources = await rig.rows("SELECT DISTINCT source FROM deliveries")
        assert sources == [("poll",)]
        assert pages.cursors == [None, "1"]


async def test_what_a_webhook_told_is_not_filed_again(
    engine_url: str, sink: Sink, pages: Pages
) -> None:
    async with polling_rig(engine_url, sink, pages) as rig:
        await rig.send(item("a", 1))
        await rig.settled()
        pages.pages = [[polled("a", 1), polled("b", 1)]]
        await poll(rig)

        async def read_all():
            return await rig.rows("SELECT cursor FROM poll_cursors WHERE cursor = '1'")

        await until(read_all)
        await rig.settled()

        assert sorted((one.lane, one.seq) for one in sink.counted) == [("a", 1), ("b", 1)]


async def test_a_value_that_goes_there_and_back_is_told_twice(
    engine_url: str, sink: Sink, pages: Pages
) -> None:
    async with polling_rig(engine_url, sink, pages) as rig:
        await rig.send(item("a", 1))
        await rig.settled()
        there, back = polled("a", 2), replace(polled("a", 1), key="poll/a/1/again")
        pages.pages = [[there, back]]
        await poll(rig)

        async def worked():
            await rig.settled()
            return len(sink.counted) >= 3

        await until(worked)
        assert [one.seq for one in sink.counted] == [1, 2, 1]


async def test_listeners_take_no_turn_from_pollers_that_ask(engine_url: str, sink: Sink) -> None:
    asked, came = Pages(), asyncio.Event()
    asked.pages = [[polled("b", 1)]]

    async def listen(_client, cursor: str | None) -> Batch:
        await came.wait()
        return Batch(events=[polled("a", 1)] if cursor is None else [], cursor="1", more=True)

    listeners = [
        Poller(source_object="load.item", fetch=listen, channel=f"bus{n}", waits=True)
        for n in range(6)
    ]
    plugin = LoadPlugin((*listeners, Poller(source_object="load.item", fetch=asked.fetch)))
    async with running_rig(engine_url, sink.url, rules=[posting()], plugin=plugin) as rig:

        async def asked_once():
            await poll(rig)
            return bool(sink.counted)

        await until(asked_once)
        first = [one.lane for one in sink.counted]
        came.set()

        async def heard():
            return any(one.lane == "a" for one in sink.counted)

        await until(heard)

    assert first == ["b"]


def begins_at(moment: datetime) -> str:
    return f"since {moment:%Y-%m-%d %H:%M:%S}"


async def test_a_first_poll_reads_from_the_connectors_creation_on(
    engine_url: str, sink: Sink
) -> None:
    asked: list[str | None] = []

    async def fetch(_client, cursor: str | None) -> Batch:
        asked.append(cursor)
        return Batch(events=[], cursor="later")

    poller = Poller(source_object="load.item", fetch=fetch, since=begins_at)
    plugin = LoadPlugin((poller,))
    async with running_rig(engine_url, sink.url, plugin=plugin, started=False) as rig:
        made = datetime.now(UTC) - timedelta(hours=3)
        async with rig.database.writing() as session:
            row = await session.get(Connector, (await rig.connector()).id)
            row.created_at = made
    async with running_rig(engine_url, sink.url, plugin=plugin):

        async def polled_once():
            return asked

        await until(polled_once)
    assert asked[0] == begins_at(made)


async def test_a_poller_that_came_later_begins_at_now(engine_url: str, sink: Sink) -> None:
    asked: list[tuple[str, str | None]] = []

    def poller(name: str) -> Poller:
        async def fetch(_client, cursor: str | None) -> Batch:
            asked.append((name, cursor))
            return Batch(events=[], cursor="later")

        return Poller(source_object="load.item", fetch=fetch, since=begins_at, channel=name)

    async def polled_by(name: str):
        return [one for one in asked if one[0] == name]

    async with running_rig(engine_url, sink.url, plugin=LoadPlugin((poller("first"),))):
        await until(lambda: polled_by("first"))
    both = LoadPlugin((poller("first"), poller("second")))
    async with running_rig(engine_url, sink.url, plugin=both):
        await until(lambda: polled_by("second"))

    assert (await polled_by("second"))[0] == ("second", None)


async def test_a_poller_that_fails_backs_off_and_says_so(
    engine_url: str, sink: Sink, pages: Pages
) -> None:
    pages.fails = 1
    async with polling_rig(engine_url, sink, pages) as rig:

        async def failed():
            return await rig.rows("SELECT error FROM poll_cursors WHERE error IS NOT NULL")

        assert (await until(failed))[0][0] == "Unavailable: away"
        assert len(pages.cursors) == 1


async def test_a_timer_is_filed_once_and_rearmed(rig: Rig, sink: Sink) -> None:
    rig.use(posting())
    connector = await rig.connector()
    began = rig.engine.clock()

    def ring(due: Due) -> Filing:
        event = polled("t", due.payload["seq"])
        return Filing(
            tenant_id=connector.tenant_id,
            connector_id=connector.id,
            key="",
            received_at=began,
            events=(
                NewEvent(
                    trigger=event.trigger,
                    record=event.record.ref,
                    key=due.mark,
                    body=pack_event(event),
                ),
            ),
        )

    rig.engine.timing.on("test", ring)
    late = began - timedelta(hours=10)
    once = NewTimer(kind="test", key="once", due_at=began, payload='{"seq": 1}')
    again = NewTimer(kind="test", key="again", due_at=late, every_s=3600, payload='{"seq": 2}')
    await rig.engine.store.write(lambda connection: set_timers(connection, [once, again]))
    await rig.engine.timing.tick()
    await rig.engine.timing.tick()
    await rig.settled()

    assert sorted(one.seq for one in sink.counted) == [1, 2]
    left = await rig.rows("SELECT key FROM timers")
    assert left == [("again",)]


async def test_retention_deletes_what_is_old_and_never_what_is_pending(
    rig: Rig, sink: Sink
) -> None:
    rig.use(posting())
    sink.faults.clear()
    await rig.send(item("a", 1), item("b", 1))
    await rig.settled()
    rig.use()
    connector = await rig.connector()
    async with rig.database.writing() as session:
        row = await session.get(Connector, connector.id)
        row.state = "paused"
    rig.engine.parts.connectors.changed(connector.id)
    await rig.send(item("c", 1))
    rig.engine.time.ahead = timedelta(days=500)

    await rig.engine.housekeeping.retain()

    assert await rig.rows("SELECT record_id FROM events") == [("c",)]
    for table in ("runs", "attempts", "traces", "activity", "last_seen"):
        assert await rig.rows(f"SELECT count(*) FROM {table}") == [(0,)]
    assert await rig.rows("SELECT count(*) FROM deliveries") == [(1,)]
