"""A process that slept through the loss of its shards: what it finds does not count."""

import asyncio
from collections.abc import Callable

from hub.testing.rig import item, posting, running_rig
from hub.testing.sink import Fault, Sink

LANES = 8
BRIEF = {"http_timeout_s": 0.5, "heartbeat_s": 0.9, "sweep_s": 60, "linger_ms": 0}


async def until(holds: Callable[[], bool]) -> None:
    deadline = asyncio.get_running_loop().time() + 8
    while not holds():
        assert asyncio.get_running_loop().time() < deadline
        await asyncio.sleep(0.01)


async def test_time_outs_of_a_process_that_lost_its_shards_are_no_outage_of_the_vendor(
    engine_url: str, sink: Sink
) -> None:
    sink.faults.append(Fault(times=LANES, hang_s=5, status=202, counts=True))
    async with running_rig(engine_url, sink.url, dispatch=BRIEF, rules=[posting()]) as rig:
        await rig.send(*(item(f"l{lane}", 1) for lane in range(LANES)))
        await until(lambda: len(sink.counted) == LANES)
        await rig.engine.store.write(
            lambda connection: connection.exec_driver_sql("UPDATE shards SET epoch = epoch + 1")
        )
        await until(lambda: rig.engine.parts.slots.in_use == 0)

        assert await rig.rows("SELECT state FROM connectors WHERE name = 'load'") == [("active",)]
