"""kill -9 between every two steps: nothing is lost, nothing is done twice."""

import pytest

from hub.testing.processes import worker
from hub.testing.rig import item, running_rig
from hub.testing.sink import Sink

PASSES = {
    "claimed": (1,),
    "before_plan": (1, 4, 9),
    "after_plan": (1, 4, 9),
    "before_mark": (1, 4, 9),
    "after_mark": (1, 4, 9),
    "before_send": (1, 4, 9),
    "after_send": (1, 4, 9),
    "before_finish": (1, 4),
    "after_finish": (1, 4),
    "before_release": (1,),
}
LANES, EVENTS = 4, 3
DISPATCH = {"http_timeout_s": 0.5, "heartbeat_s": 2, "sweep_s": 1}
RULE = {
    "object": "load.item",
    "on": ["load.item.created"],
    "then": [
        {
            "do": "load.post_once",
            "connector": "load",
            "with": {"lane": "{{ load.item.lane }}", "seq": "{{ load.item.seq }}"},
        },
        {"do": "load.post_keyed", "connector": "load", "with": {"lane": "k"}},
        {
            "do": "load.create_case",
            "connector": "load",
            "unless_linked": True,
            "with": {"title": "T {{ load.item.lane }}"},
        },
        {
            "do": "load.post_once",
            "connector": "load",
            "with": {"lane": "late", "text": "{{ hub.action.2.id }}"},
        },
    ],
}


async def crash(url: str, sink: Sink, step: str, times: int) -> None:
    async with running_rig(url, sink.url, works=False) as rig:
        for seq in range(EVENTS):
            await rig.send(*(item(f"l{lane}", seq) for lane in range(LANES)))
    told = {"url": url, "sink": sink.url, "rules": [RULE], "dispatch": DISPATCH}
    async with worker(**told, kill_at=step, times=times) as killed:
        assert await killed.died() == -9
    async with (
        worker(**told),
        running_rig(url, sink.url, started=False) as rig,
    ):
        await rig.settled(40)
        await assert_whole(rig, sink)


async def assert_whole(rig, sink: Sink) -> None:
    events = LANES * EVENTS
    assert await rig.rows("SELECT DISTINCT state FROM events") == [("done",)]
    assert await rig.rows("SELECT action_index, error FROM runs WHERE state = 'dead'") == []
    once = [one for one in sink.counted if one.path == "/once"]
    assert len({one.key for one in once}) == 2 * events
    assert sink.twice("/once") == 0
    assert sink.twice("/cases") == 0
    assert len([one for one in sink.counted if one.path == "/cases"]) == LANES
    assert len({one.key for one in sink.counted if one.path == "/post"}) == events
    assert sink.twice("/post") <= 2 * LANES
    in_lanes = [one for one in once if one.lane != "late"]
    for lane in {one.lane for one in in_lanes}:
        assert [one.seq for one in in_lanes if one.lane == lane] == list(range(EVENTS))


@pytest.mark.parametrize("step", ["after_plan", "after_send", "before_finish"])
async def test_a_killed_worker_leaves_nothing_undone_and_nothing_done_twice(
    sqlite_url: str, sink: Sink, step: str
) -> None:
    await crash(sqlite_url, sink, step, 3)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("step", "times"), [(step, times) for step, passes in PASSES.items() for times in passes]
)
async def test_a_kill_at_any_step(sqlite_url: str, sink: Sink, step: str, times: int) -> None:
    await crash(sqlite_url, sink, step, times)
