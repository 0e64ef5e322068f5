"""What a worker that takes over sends is recognised when the vendor reports it back."""

import pytest

from hub.testing.processes import worker
from hub.testing.rig import item, running_rig
from hub.testing.sink import Sink

DISPATCH = {"http_timeout_s": 0.5, "heartbeat_s": 2, "sweep_s": 1}
RULE = {
    "object": "load.item",
    "on": ["load.item.created"],
    "then": [
        {
            "do": "load.create_case",
            "connector": "load",
            "unless_linked": True,
            "with": {"title": "T {{ load.item.lane }}"},
        },
        {
            "do": "load.set_status",
            "connector": "load",
            "with": {"status": "{{ hub.action.0.id }}"},
        },
    ],
}


@pytest.mark.parametrize("step", ["after_plan", "after_send", "before_mark", "after_mark"])
async def test_a_late_write_of_a_resumed_event_leaves_its_receipt(
    sqlite_url: str, sink: Sink, step: str
) -> None:
    async with running_rig(sqlite_url, sink.url, works=False) as rig:
        await rig.send(item("a", 1))
    told = {"url": sqlite_url, "sink": sink.url, "rules": [RULE], "dispatch": DISPATCH}
    async with worker(**told, kill_at=step, times=1) as killed:
        assert await killed.died() == -9

    async with worker(**told), running_rig(sqlite_url, sink.url, started=False) as rig:
        await rig.settled(40)

        receipts = await rig.rows(
            "SELECT echoes.field FROM echoes JOIN runs ON runs.id = echoes.run_id "
            "WHERE runs.action = 'load.set_status'"
        )
        assert receipts == [("status",)]
