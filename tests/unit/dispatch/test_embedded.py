import asyncio
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hub.db.commits import open_store
from hub.db.engine import Database
from hub.dispatch import shards
from hub.dispatch.embedded import EmbeddedDriver, FileLock
from hub.dispatch.port import Wake
from hub.dispatch.shards import Lease, monotonic
from hub.errors import StartRefused

NOW = datetime(2025, 11, 21, 9, 0, tzinfo=UTC)


def test_a_second_process_is_told_who_has_the_database(tmp_path: Path) -> None:
    lock = FileLock(tmp_path / "hub.db")
    lock.acquire()
    code = (
        "import sys; from pathlib import Path; from hub.dispatch.embedded import FileLock\n"
        "from hub.errors import StartRefused\n"
        "try: FileLock(Path(sys.argv[1])).acquire()\n"
        "except StartRefused as error: print(error)"
    )

    said = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "hub.db")],
        capture_output=True,
        text=True,
        check=True,
    ).stdout

    assert said == (
        f"Another hub process (pid {os.getpid()}) uses this database. "
        "Use PostgreSQL to run several.\n"
    )
    lock.release()
    again = FileLock(tmp_path / "hub.db")
    again.acquire()
    again.release()


def test_the_lock_is_taken_once_in_a_process(tmp_path: Path) -> None:
    lock = FileLock(tmp_path / "hub.db")
    lock.acquire()

    with pytest.raises(StartRefused):
        FileLock(tmp_path / "hub.db").acquire()
    lock.release()


@pytest.fixture
async def store(sqlite_database: Database):
    opened = open_store(sqlite_database)
    yield opened
    await opened.close()


async def scheduled(store, driver, *wanted: int) -> list[Wake]:
    return await store.write(lambda c: shards.schedule(c, driver, wanted, NOW))


async def test_wakes_are_handed_out_after_the_commit_only(store) -> None:
    driver, woken, stop = EmbeddedDriver(at_once=4), [], asyncio.Event()

    async def drain(wake: Wake) -> None:
        woken.append(wake)

    def fails(connection) -> None:
        shards.schedule(connection, driver, [1], NOW)
        raise RuntimeError

    driver.attach()
    running = asyncio.create_task(driver.run(drain, stop))
    await asyncio.sleep(0)
    with pytest.raises(RuntimeError):
        await store.write(fails)
    assert await scheduled(store, driver, 2) == [Wake(2, 1)]
    await asyncio.sleep(0.4)
    stop.set()
    await running

    assert woken == [Wake(2, 1)]


async def test_only_shards_that_are_not_awake_are_woken(store) -> None:
    driver = EmbeddedDriver(at_once=4)

    first = await scheduled(store, driver, 3, 1)
    again = await scheduled(store, driver, 1, 2, 3)

    assert sorted(first) == [Wake(1, 1), Wake(3, 1)]
    assert again == [Wake(2, 1)]


async def test_a_stale_wakeup_claims_nothing(store) -> None:
    driver = EmbeddedDriver(at_once=4)
    await scheduled(store, driver, 1)
    await store.write(lambda c: shards.renew(c, driver, 1, NOW, None))

    stale = await store.write(lambda c: shards.claim(c, Wake(1, 1), "me", NOW))
    fresh = await store.write(lambda c: shards.claim(c, Wake(1, 2), "me", NOW))
    takeover = await store.write(lambda c: shards.claim(c, Wake(1, 2), "you", NOW))

    assert (stale, fresh, takeover) == (None, 1, 2)


async def test_a_deferred_wake_waits_for_its_time(store) -> None:
    clock = [NOW]
    driver, woken, stop = EmbeddedDriver(at_once=1, now=lambda: clock[0]), [], asyncio.Event()

    async def drain(wake: Wake) -> None:
        woken.append(wake)

    driver.attach()
    running = asyncio.create_task(driver.run(drain, stop))
    await scheduled(store, driver, 1)
    await store.write(lambda c: shards.renew(c, driver, 1, NOW, NOW + timedelta(seconds=30)))
    await asyncio.sleep(0.4)
    before = list(woken)
    clock[0] += timedelta(seconds=31)
    await asyncio.sleep(1.2)
    stop.set()
    await running

    assert before == [Wake(1, 1)]
    assert woken == [Wake(1, 1), Wake(1, 2)]


async def test_a_drain_that_raises_is_woken_again(store) -> None:
    driver, woken, stop = EmbeddedDriver(at_once=1), [], asyncio.Event()

    async def drain(wake: Wake) -> None:
        woken.append(wake)
        if len(woken) == 1:
            raise RuntimeError("once")

    driver.attach()
    running = asyncio.create_task(driver.run(drain, stop))
    await scheduled(store, driver, 1)
    await asyncio.sleep(1.3)
    stop.set()
    await running

    assert woken == [Wake(1, 1), Wake(1, 1)]


async def test_the_proof_of_a_lease_grows_old() -> None:
    lease = Lease(shard=1, number=1, epoch=1, proved_at=monotonic(), lasts=0.05)

    assert lease.remaining() > 0
    await asyncio.sleep(0.06)
    assert lease.remaining() <= 0
    lease.proved(monotonic())
    assert lease.remaining() > 0
    lease.lost = True
    assert lease.remaining() < 0
