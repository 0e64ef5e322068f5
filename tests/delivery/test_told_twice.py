"""A vendor that tells each change in two ways: it counts once, whichever comes first."""

import asyncio
from datetime import UTC, datetime, timedelta

from hub.testing.rig import Rig, item

AT = datetime(2025, 11, 21, 9, 0, tzinfo=UTC)


def told(way: str, seq: int = 0, *, lane: str = "a", after: float = 0.0):
    at = (AT + timedelta(seconds=after)).isoformat()
    return item(lane, seq) | {"key": f"{way}/{lane}/{seq}", "way": way, "at": at}


async def stored(rig: Rig) -> int:
    return int((await rig.rows("SELECT count(*) FROM events"))[0][0])


async def test_the_second_way_files_no_event_and_says_so(rig: Rig) -> None:
    await rig.send(told("v3"))
    await rig.send(told("v2", after=0.7))

    assert await stored(rig) == 1
    details = await rig.rows("SELECT detail FROM deliveries ORDER BY id")
    assert [row[0] for row in details] == [None, "1 of 1 events were known already"]


async def test_both_ways_in_one_delivery_are_one_event(rig: Rig) -> None:
    await rig.send(told("v3"), told("v2"), told("v3", 1, lane="b"))

    assert await stored(rig) == 2


async def test_ways_that_race_file_each_change_once(rig: Rig) -> None:
    changes = [told(way, n, lane=f"r{n}") for n in range(20) for way in ("v3", "v2", "log")]

    await asyncio.gather(*(rig.send(one) for one in changes))

    assert await stored(rig) == 20


async def test_changes_that_follow_each_other_at_once_all_count(rig: Rig) -> None:
    for n in range(3):
        await rig.send(told("v3", n, after=n))
    for n in range(3):
        await rig.send(told("v2", n, after=n))

    assert await stored(rig) == 3


async def test_repeats_that_come_together_with_the_first_are_all_counted(rig: Rig) -> None:
    await asyncio.gather(*(rig.send(item("a", 1), key="the-same") for _ in range(9)))

    [row] = await rig.rows("SELECT repeats FROM deliveries")
    assert row[0] == 8
