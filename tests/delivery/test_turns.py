"""Many lanes behind a vendor that is slow: each request waits for its turn and is sent once."""

from hub.testing.rig import item, posting, running_rig
from hub.testing.sink import Sink

LANES = 60
SLOW = {"http_timeout_s": 1, "heartbeat_s": 4}
"""60 requests of 0.3 s over 8 connections take 2.3 s, longer than one may take."""


async def test_what_waits_for_a_connection_is_sent_once(engine_url: str, sink: Sink) -> None:
    sink.after_s = 0.3
    async with running_rig(engine_url, sink.url, dispatch=SLOW, rules=[posting()]) as rig:
        await rig.send(*(item(f"l{n}", 0) for n in range(LANES)))
        await rig.settled(30)
        attempts = await rig.rows("SELECT attempts, count(*) FROM runs GROUP BY attempts")

    assert (len(sink.counted), sink.twice()) == (LANES, 0)
    assert [tuple(row) for row in attempts] == [(1, LANES)]
