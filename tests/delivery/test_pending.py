"""What drains read of a shard: everything at first, then what is new."""

from hub.deliveries.pending import Found, Wanted, read_pending
from hub.deliveries.repository import Hold
from hub.testing.rig import Rig, item, running_rig
from hub.testing.sink import Sink

ONE_SHARD = {"shards": 1}
MOST = 3


async def read(rig: Rig, wanted: Wanted) -> Found:
    now = rig.engine.clock()
    found = await rig.engine.store.read(lambda c: read_pending(c, [wanted], now, MOST))
    return found[0]


async def test_what_came_since_the_last_look_is_found_by_its_id(
    engine_url: str, sink: Sink
) -> None:
    async with running_rig(engine_url, sink.url, works=False, dispatch=ONE_SHARD) as rig:
        await rig.send(item("old", 0))
        first = await read(rig, Wanted(shard=0))
        await rig.send(item("new", 0))
        news = await read(rig, Wanted(shard=0, high=first.high, whole=False))
        none = await read(rig, Wanted(shard=0, high=news.high, whole=False))
    assert [row.id for row in first.rows] == [first.high]
    assert [row.id for row in news.rows] == [news.high]
    assert news.high > first.high
    assert none == Found([], news.high)


async def test_a_lane_in_work_that_got_something_is_told_and_not_given(
    engine_url: str, sink: Sink
) -> None:
    async with running_rig(engine_url, sink.url, works=False, dispatch=ONE_SHARD) as rig:
        await rig.send(item("l", 0))
        first = await read(rig, Wanted(shard=0))
        in_work = frozenset({first.rows[0].lane})
        await rig.send(item("l", 1))
        news = await read(rig, Wanted(shard=0, in_work=in_work, high=first.high, whole=False))
        again = await read(rig, Wanted(shard=0, high=news.high, lanes=news.busy, whole=False))
    assert (news.rows, news.busy) == ([], in_work)
    assert [row.id for row in again.rows] == [first.high, news.high]


async def test_of_a_long_lane_a_turn_is_read(engine_url: str, sink: Sink) -> None:
    async with running_rig(engine_url, sink.url, works=False, dispatch=ONE_SHARD) as rig:
        await rig.send(item("other", 0))
        first = await read(rig, Wanted(shard=0))
        await rig.send(*(item("long", seq) for seq in range(10 * MOST)))
        news = await read(rig, Wanted(shard=0, high=first.high, whole=False))
    assert len(news.rows) == MOST
    assert news.high == first.high + 10 * MOST


async def test_a_held_lane_is_not_given_though_it_got_something(
    engine_url: str, sink: Sink
) -> None:
    async with running_rig(engine_url, sink.url, works=False, dispatch=ONE_SHARD) as rig:
        await rig.send(item("l", 0))
        first = await read(rig, Wanted(shard=0))
        event = first.rows[0].event
        hold = Hold(lane=event.lane, tenant_id=event.tenant_id, shard=0, reason="person")
        await rig.engine.store.write(lambda c: rig.engine.inbox.hold(c, [hold], rig.engine.clock()))
        await rig.send(item("l", 1))
        news = await read(rig, Wanted(shard=0, high=first.high, whole=False))
    assert news.rows == []
    assert news.high > first.high
