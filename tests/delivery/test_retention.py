"""What goes before its time, since it is too much or its connector wants so."""

from datetime import timedelta
from typing import Any

from hub.connectors.models import Connector
from hub.db.tenancy import Tenant
from hub.testing.rig import Rig, item, posting
from hub.testing.sink import Fault, Sink


async def settle(rig: Rig, **settings: Any) -> None:
    async with rig.database.writing() as session:
        row = await session.get(Tenant, rig.tenant_id)
        row.settings = {"retention": settings}


async def kept(rig: Rig, table: str, column: str = "id") -> list[Any]:
    return [row[0] for row in await rig.rows(f"SELECT {column} FROM {table} ORDER BY 1")]


async def big(rig: Rig, lane: str, size: int = 3_000_000) -> int:
    number = await rig.send(item(lane, 1))
    await rig.settled()
    async with rig.database.transaction() as connection:
        await connection.exec_driver_sql(f"UPDATE deliveries SET size = {size} WHERE id = {number}")
    return number


async def test_the_oldest_go_when_a_tenant_keeps_too_much(rig: Rig, sink: Sink) -> None:
    rig.use(posting())
    numbers = [await big(rig, lane) for lane in "abcdef"]
    await settle(rig, max_mb=10)

    await rig.engine.housekeeping.retain()

    assert await kept(rig, "deliveries") == numbers[3:]
    assert await kept(rig, "events", "record_id") == ["d", "e", "f"]
    assert len(await kept(rig, "runs")) == 6
    assert await rig.engine.housekeeping.retain() == 0


async def test_what_waits_and_dead_letters_stay_however_much_it_is(rig: Rig, sink: Sink) -> None:
    rig.use(posting())
    sink.faults.append(Fault(status=400))
    dead = await big(rig, "dead")
    done = await big(rig, "done")
    async with rig.database.writing() as session:
        row = await session.get(Connector, (await rig.connector()).id)
        row.state = "paused"
    rig.engine.parts.connectors.changed((await rig.connector()).id)
    waiting = await rig.send(item("waiting", 1))
    newest = await rig.send(item("newest", 1))
    async with rig.database.transaction() as connection:
        await connection.exec_driver_sql("UPDATE deliveries SET size = 20000000")
    await settle(rig, max_mb=10)

    await rig.engine.housekeeping.retain()

    assert done not in await kept(rig, "deliveries")
    assert await kept(rig, "deliveries") == [dead, waiting, newest]


async def test_events_stay_as_long_as_their_deliveries(rig: Rig) -> None:
    await rig.send(item("a", 1))
    await rig.settled()
    await settle(rig, deliveries=5)
    rig.engine.time.ahead = timedelta(days=6)

    await rig.engine.housekeeping.retain()

    assert await kept(rig, "deliveries") == []
    assert await kept(rig, "events") == []


async def test_a_connector_may_keep_its_log_for_a_shorter_time(rig: Rig) -> None:
    rig.use(posting())
    await rig.send(item("a", 1))
    await rig.settled()
    async with rig.database.writing() as session:
        row = await session.get(Connector, (await rig.connector()).id)
        row.log_days = 3
    rig.engine.time.ahead = timedelta(days=4)

    await rig.engine.housekeeping.retain()

    assert await kept(rig, "attempts") == []
    assert len(await kept(rig, "runs")) == 1
    assert len(await kept(rig, "deliveries")) == 1
