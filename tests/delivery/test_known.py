"""What comes again is known by its events, in whichever way, company and order it comes."""

import asyncio
import random
import uuid
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hub.deliveries.filing import Accepted, Filing, NewEvent
from hub.deliveries.ways import mark_of
from hub.sdk.events import Event, Record, Told
from hub.testing.rig import Rig, running_rig

AT = datetime(2025, 11, 21, 9, 0, tzinfo=UTC)


def event(name: str, way: str = "", *, note: bool = False, after_s: float = 0) -> NewEvent:
    """An event of a name; told in a way, the key is that way's own."""
    told = Event(
        trigger="load.item.created",
        record=Record(source_object="load.item", id=name[0]),
        occurred_at=AT + timedelta(seconds=after_s),
        key=f"{way}{name}",
        told=Told(way=way) if way else None,
    )
    return NewEvent(
        trigger=told.trigger,
        record=told.record.ref,
        key=f"note/{name}" if note else told.key,
        body="{}",
        mark=mark_of(told, told.key),
    )


class Files:
    """Files deliveries of one connector, those of a call in one transaction."""

    def __init__(self, rig: Rig) -> None:
        self.rig, self.connector = rig, uuid.uuid4()

    def delivery(self, key: str, *events: NewEvent, **more: Any) -> Filing:
        return Filing(
            tenant_id=self.rig.tenant_id,
            connector_id=self.connector,
            key=key,
            received_at=AT,
            events=events,
            **({"state": "accepted" if events else "ignored"} | more),
        )

    async def file(self, *filings: Filing) -> list[Accepted]:
        filer = self.rig.engine.intake.filer
        return await self.rig.engine.store.write(lambda c: filer.write(c, filings))

    async def rows(self, columns: str, table: str) -> list[tuple[Any, ...]]:
        own = self.connector if not self.rig.database.is_sqlite else self.connector.hex
        sql = f"SELECT {columns} FROM {table} WHERE connector_id = '{own}' ORDER BY 1, 2"
        return [tuple(row) for row in await self.rig.rows(sql)]

    async def keys(self) -> int:
        return len(await self.rows("delivery_id, key_hash", "seen_keys"))


@pytest.fixture
async def files(engine_url: str, sink: Any) -> AsyncIterator[Files]:
    async with running_rig(engine_url, sink.url, works=False) as rig:
        yield Files(rig)


def outcomes(accepted: Sequence[Accepted]) -> list[tuple[bool, int]]:
    return [(one.repeated, one.events) for one in accepted]


async def test_an_accepted_event_costs_one_row_of_keys(files: Files) -> None:
    await files.file(files.delivery("d1", event("a")), files.delivery("d2", event("b", "v3")))

    assert await files.keys() == 2


async def test_a_delivery_that_comes_again_is_counted_at_the_first(files: Files) -> None:
    one = files.delivery("d1", event("a"), event("b", "v3"))
    [first] = await files.file(one)

    [again] = await files.file(one)

    assert (again.delivery_id, again.repeated, again.events) == (first.delivery_id, True, 0)
    assert await files.rows("id, repeats", "deliveries") == [(first.delivery_id, 1)]
    assert await files.keys() == 2


async def test_the_same_delivery_twice_in_one_batch_is_one(files: Files) -> None:
    one = files.delivery("d1", event("a"))

    first, again, third = await files.file(one, one, one)

    assert outcomes([first, again, third]) == [(False, 1), (True, 0), (True, 0)]
    assert {one.delivery_id for one in (again, third)} == {first.delivery_id}
    assert await files.rows("id, repeats", "deliveries") == [(first.delivery_id, 2)]


async def test_processes_that_get_the_same_delivery_at_once_file_it_once(files: Files) -> None:
    ones = [files.delivery(f"d{n}", event(f"{n}a"), event(f"{n}b")) for n in range(3)]

    found = await asyncio.gather(*(files.file(*ones) for _ in range(6)))

    firsts = [[one.delivery_id for one in answer if not one.repeated] for answer in found]
    assert len([number for one in firsts for number in one]) == 3
    assert {one[1] for one in await files.rows("id, repeats", "deliveries")} == {5}
    assert len(await files.rows("id, lane", "events")) == 6


@pytest.mark.parametrize("state", ["unreadable", "ignored"])
async def test_what_brought_no_event_is_known_until_it_can_be_read(
    files: Files, state: str
) -> None:
    bare = files.delivery("d1", state=state, detail="why")
    [first] = await files.file(bare)

    assert outcomes(await files.file(bare, bare)) == [(True, 0), (True, 0)]
    [read] = await files.file(files.delivery("d1", event("a")))

    assert (read.repeated, read.events) == (False, 1)
    assert await files.rows("id, repeats", "deliveries") == [
        (first.delivery_id, 2),
        (read.delivery_id, 0),
    ]


async def test_of_some_known_events_the_others_are_filed(files: Files) -> None:
    await files.file(files.delivery("d1", event("a")))
    partly = files.delivery("d2", event("a"), event("b"))

    [second] = await files.file(partly)
    [again] = await files.file(partly)

    assert (second.repeated, second.events) == (False, 1)
    assert (again.repeated, again.delivery_id) == (True, second.delivery_id)
    told = [row[1] for row in await files.rows("id, detail", "deliveries")]
    assert told == [None, "1 of 2 events were known already"]


@pytest.mark.parametrize("way", ["", "v3"])
async def test_another_telling_of_known_events_is_stored_and_then_known(
    files: Files, way: str
) -> None:
    await files.file(files.delivery("d1", event("a", way), event("b", way)))
    other = files.delivery("d2", event("b", way), event("a", way))

    first, twin = await files.file(other, other)
    [again] = await files.file(other)

    assert outcomes([first, twin, again]) == [(False, 0), (True, 0), (True, 0)]
    assert {twin.delivery_id, again.delivery_id} == {first.delivery_id}
    told = [row[1:] for row in await files.rows("id, detail, repeats", "deliveries")]
    assert told == [(None, 0), ("2 of 2 events were known already", 2)]


async def test_a_delivery_of_what_another_way_told_is_known_when_it_comes_again(
    files: Files,
) -> None:
    await files.file(files.delivery("d1", event("a", "v3")))
    other = files.delivery("d2", event("a", "v2"))

    assert outcomes(await files.file(other)) == [(False, 0)]
    assert outcomes(await files.file(other)) == [(True, 0)]


async def test_a_note_is_known_by_its_own_key_in_every_way(files: Files) -> None:
    await files.file(files.delivery("d1", event("n", "v3", note=True)))

    [by_log] = await files.file(files.delivery("d2", event("n", "log", note=True)))
    [late] = await files.file(files.delivery("d3", event("n", "v2", after_s=60, note=True)))

    assert (by_log.repeated, by_log.events, late.events) == (False, 0, 0)


async def test_a_poll_with_nothing_new_leaves_nothing_but_its_place(files: Files) -> None:
    await files.file(files.delivery("d1", event("a")))
    places: list[str] = []
    poll = files.delivery("p1", event("a"), source="poll", also=lambda _: places.append("moved"))
    empty = files.delivery("p2", source="poll", also=lambda _: places.append("moved"))

    answers = await files.file(poll, empty, poll)

    assert outcomes(answers) == [(False, 0)] * 3
    assert places == ["moved"] * 3
    assert len(await files.rows("id, key", "deliveries")) == 1
    assert await files.keys() == 1


async def test_a_page_that_was_polled_before_is_left_behind(files: Files) -> None:
    places: list[str] = []
    poll = files.delivery("p1", event("a"), source="poll", also=lambda _: places.append("moved"))

    answers = [*await files.file(poll), *await files.file(poll)]

    assert outcomes(answers) == [(False, 1), (True, 0)]
    assert places == ["moved"] * 2


async def test_replays_are_new_each_time(files: Files) -> None:
    [first] = await files.file(files.delivery("d1", event("a")))
    for n in (1, 2):
        anew = replace(event("a"), key=f"replay/{n}/a", mark=None)
        more = {"source": "replay", "replay_of": first.delivery_id}
        assert outcomes(await files.file(files.delivery(f"replay/{n}", anew, **more))) == [
            (False, 1)
        ]


async def test_events_stay_known_when_retention_took_their_delivery(files: Files) -> None:
    one = files.delivery("d1", event("a"))
    [first] = await files.file(one)
    async with files.rig.database.transaction() as connection:
        await connection.exec_driver_sql(f"DELETE FROM deliveries WHERE id = {first.delivery_id}")

    [anew] = await files.file(one)
    [again] = await files.file(one)

    assert (anew.repeated, anew.events) == (False, 0)
    assert (again.repeated, again.delivery_id) == (True, anew.delivery_id)


async def test_a_repeat_takes_no_event_from_a_delivery_that_is_new(files: Files) -> None:
    [first] = await files.file(files.delivery("first", event("a")))
    more = (event("a"), event("b"), event("c"))

    repeat, new = await files.file(
        files.delivery("first", *more), files.delivery("second", event("b"))
    )
    [third] = await files.file(files.delivery("third", event("c")))

    assert (repeat.delivery_id, repeat.repeated, repeat.events) == (first.delivery_id, True, 0)
    assert outcomes([new, third]) == [(False, 1), (False, 1)]
    again = await files.file(files.delivery("second", event("b")))
    assert again[0].delivery_id == new.delivery_id


async def test_the_same_event_twice_in_a_delivery_is_one(files: Files) -> None:
    [one] = await files.file(files.delivery("d1", event("a"), event("a"), event("b")))

    assert one.events == 2
    assert await files.keys() == 2


async def test_a_batch_files_what_its_deliveries_would_one_by_one(files: Files) -> None:
    for seed in range(30):
        chance = random.Random(seed)
        together, alone = Files(files.rig), Files(files.rig)
        drawn = [_drawn(chance) for _ in range(14)]
        cuts = sorted(chance.sample(range(1, 14), 3))
        batched = []
        for start, end in zip([0, *cuts], [*cuts, 14], strict=True):
            batched += await together.file(*(together.delivery(*one) for one in drawn[start:end]))
        single = [(await alone.file(alone.delivery(*one)))[0] for one in drawn]
        assert outcomes(batched) == outcomes(single), seed
        assert await _told(together) == await _told(alone), seed


def _drawn(chance: random.Random) -> tuple[Any, ...]:
    names = chance.sample(["a1", "a2", "b1", "c1"], chance.choice([0, 1, 1, 2, 3]))
    ways = chance.choices(["", "v3", "v2"], k=len(names))
    return (chance.choice("xyz"), *(event(*one) for one in zip(names, ways, strict=True)))


async def _told(files: Files) -> list[tuple[Any, ...]]:
    rows = await files.rows("id, key, detail, events, repeats", "deliveries")
    return [row[1:] for row in rows]
