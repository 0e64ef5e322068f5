"""The driver behind a real PgBouncer in transaction mode, and what leads past it."""

import asyncio
import time
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager

import pytest

from bench.faults.pooler import Pooler, a_pooler
from hub.db.bulk import query
from hub.db.commits import open_store
from hub.db.engine import Database
from hub.dispatch.postgres import check, install
from hub.errors import StartRefused
from hub.testing.drivers import CASES, SHARED
from hub.testing.rig import Rig, item, posting, running_rig
from hub.testing.sink import Sink

pytestmark = pytest.mark.postgres
CONTRACT = {
    "wake-ups race with releases": CASES["wake-ups race with releases"],
    "the database cuts connections": SHARED["the database cuts connections"],
}
SIZE = 120


@pytest.fixture
def pooled_queue_url(pooled_url: str) -> str:
    """Return the URL, through the pooler, of a database with the queue's tables, too."""

    async def installed() -> None:
        database = Database(pooled_url)
        await install(database)
        await several_sessions(database)
        await install(database)  # another time it is an upgrade, with its lock
        await database.close()

    with ThreadPoolExecutor(1) as pool:
        pool.submit(lambda: asyncio.run(installed())).result()
    return pooled_url


@pytest.mark.slow
@pytest.mark.parametrize("case", CONTRACT)
async def test_the_driver_keeps_the_contract(pooled_queue_url: str, sink: Sink, case: str) -> None:
    await CONTRACT[case](pooled_queue_url, sink, SIZE)


async def test_no_lock_of_an_upgrade_stays(pooled_queue_url: str, postgres_url: str) -> None:
    assert pooled_queue_url  # it was installed, and upgraded
    async with opened(postgres_url) as database, database.transaction() as connection:
        locks = await connection.exec_driver_sql(
            "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"
        )

        assert locks.scalar_one() == 0


@pytest.mark.slow
async def test_without_a_way_past_it_work_begins_within_two_seconds(
    pooled_queue_url: str, sink: Sink
) -> None:
    async with running_rig(pooled_queue_url, sink.url, rules=[posting()]) as rig:
        waits = [await waited(rig, sink, number) for number in range(3)]

    assert max(waits) < 3
    assert max(waits) > 0.3, "nothing tells it: this would be by notifications"


@pytest.mark.slow
async def test_with_a_way_past_it_work_begins_at_once(
    postgres_server: str, pooled_queue_url: str, sink: Sink
) -> None:
    with a_pooler(postgres_server, pool_mode="session") as past:
        url = f"{pooled_queue_url}&direct=127.0.0.1:{past.port}"
        async with running_rig(url, sink.url, rules=[posting()]) as rig:
            waits = [await waited(rig, sink, number) for number in range(5)]

    assert sorted(waits)[2] < 0.3


async def test_a_way_past_that_passes_no_notifications_is_refused(
    pooled_queue_url: str, pooler: Pooler, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hub.dispatch.postgres.HEARD_S", 0.5)
    async with opened(f"{pooled_queue_url}&direct=127.0.0.1:{pooler.port}") as database:
        with pytest.raises(StartRefused, match="No notification comes"):
            await check(database)


@pytest.mark.slow
async def test_while_the_way_past_is_lost_work_is_looked_for(
    postgres_server: str,
    pooled_queue_url: str,
    sink: Sink,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr("hub.dispatch.queueing._WITHOUT_S", 1.0)
    with a_pooler(postgres_server, pool_mode="session") as past:
        past.stop()
        url = f"{pooled_queue_url}&direct=127.0.0.1:{past.port}"
        async with running_rig(url, sink.url, rules=[posting()]) as rig:
            assert await waited(rig, sink, 0) < 3
            past.start()
            await asyncio.sleep(2)
            told = len(caplog.records)
            waits = [await waited(rig, sink, number) for number in range(1, 6)]

    assert sorted(waits)[2] < 0.3
    assert "the way past the pooler is lost" in caplog.text
    assert told == len(caplog.records)


async def several_sessions(database: Database) -> None:
    """Have the pooler open several, so that what follows goes from one to the other."""
    store = open_store(database)
    await asyncio.gather(
        *(store.read(lambda c: query(c, "SELECT pg_sleep(0.05)::text")) for _ in range(5))
    )


async def waited(rig: Rig, sink: Sink, number: int) -> float:
    """Return how long an event waited that a hub at rest was sent."""
    await asyncio.sleep(0.3)
    began, before = time.monotonic(), sink.effects
    await rig.send(item("l0", number))
    while sink.effects == before:
        assert time.monotonic() - began < 20
        await asyncio.sleep(0.01)
    return time.monotonic() - began


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[Database]:
    database = Database(url)
    try:
        yield database
    finally:
        await database.close()
