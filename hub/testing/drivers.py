"""The driver contract: what must hold of a driver whatever happens to its processes.

Each case is a function of a fresh database's URL and a counting sink; it raises
AssertionError. `CASES` are for every driver, `SHARED` for those that several processes share.
"""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from typing import Any, Final

from hub.db.bulk import query
from hub.dispatch.port import Wake
from hub.testing.invariants import broken
from hub.testing.processes import worker
from hub.testing.rig import Rig, item, posting, running_rig
from hub.testing.sink import Sink

Case = Callable[[str, Sink, int], Awaitable[None]]
QUICK: Final[dict[str, Any]] = {
    "http_timeout_s": 1,
    "heartbeat_s": 3,
    "sweep_s": 1,
    "breaker_firings": 10**6,
}
_LANES: Final = 40


async def preload(url: str, sink: Sink, count: int, lanes: int = _LANES) -> None:
    """File events round robin over lanes."""
    async with running_rig(url, sink.url, works=False) as rig:
        for start in range(0, count, 200):
            numbers = range(start, min(start + 200, count))
            await rig.send(*(item(f"l{n % lanes}", n // lanes) for n in numbers))


async def all_done(url: str, sink: Sink, count: int, *, twice: int = 0) -> None:
    """Wait for the end; assert that nothing is lost, doubled or out of order."""
    async with running_rig(url, sink.url, started=False) as rig:
        await rig.settled(60)
        found = await broken(rig)
    assert found == {}, found
    assert sink.effects == count, f"{count - sink.effects} of {count} lost"
    assert sink.disordered() == 0, f"{sink.disordered()} out of order"
    assert sink.twice() <= twice, f"{sink.twice()} sent twice"


async def until_counted(sink: Sink, count: int, timeout_s: float = 60) -> None:
    """Wait until so many requests were counted."""
    deadline = time.monotonic() + timeout_s
    while len(sink.counted) < count:
        assert time.monotonic() < deadline, f"only {len(sink.counted)} of {count} arrived"
        await asyncio.sleep(0.01)


def told(url: str, sink: Sink, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """Return what a worker process is told."""
    return {"url": url, "sink": sink.url, "rules": [posting()], "dispatch": QUICK} | more


async def killed_while_accepting(url: str, sink: Sink, size: int) -> None:
    """D2: what was answered is stored."""
    async with worker(**told(url, sink, accept=10**6)) as api:
        first = await api.line()
        await asyncio.sleep(size / 5000)
        api.kill()
        answered = [line for line in (first, *await api.lines()) if "/" in line]
    async with running_rig(url, sink.url, started=False) as rig:
        rows = await rig.rows("SELECT record_id FROM events")
    assert len(rows) >= len(answered) > 0, f"{len(answered)} answered, {len(rows)} stored"


async def all_killed_and_started_again(url: str, sink: Sink, size: int) -> None:
    """D4: work goes on where it ended."""
    sink.after_s = 0.02
    await preload(url, sink, size)
    async with worker(**told(url, sink)) as first:
        await until_counted(sink, size // 3)
        first.kill()
        await first.died()
    async with worker(**told(url, sink)):
        await all_done(url, sink, size, twice=64)


async def wakeups_race_with_releases(url: str, sink: Sink, size: int) -> None:
    """D5: an event that is filed while its shard is given up is not forgotten."""
    chance = random.Random(7)  # noqa: S311 - which pauses, not a secret
    dispatch = QUICK | {"linger_ms": 0, "shards": 2}
    async with running_rig(url, sink.url, dispatch=dispatch, rules=[posting()]) as rig:
        for number in range(size):
            await rig.send(item(f"l{number % 5}", number // 5))
            if chance.random() < 0.5:
                await asyncio.sleep(chance.random() * 0.01)
        await rig.settled()
        rewakes = rig.engine.counters.value("hub_sweeper_rewakes_total")
        assert rewakes == 0, f"the sweeper had to wake {rewakes} shards"
        assert await broken(rig) == {}
    assert sink.effects == size
    assert sink.twice() == 0


async def wakeups_are_lost(url: str, sink: Sink, size: int) -> None:
    """D6: the sweeper finds what nobody was woken for."""
    async with running_rig(url, sink.url, dispatch=QUICK, works=False) as rig:
        await rig.send(*(item(f"l{n}", 0) for n in range(size)))
        await _lose_wakeups(rig)
    async with running_rig(url, sink.url, dispatch=QUICK, rules=[posting()]) as rig:
        await rig.settled(20)
    assert sink.effects == size


async def wakeups_are_stale_or_doubled(url: str, sink: Sink, size: int) -> None:
    """D7: a wake-up too many does no harm."""
    async with running_rig(url, sink.url, dispatch=QUICK, rules=[posting()]) as rig:
        for start in range(0, size, 20):
            await rig.send(*(item(f"l{n % 9}", n // 9) for n in range(start, start + 20)))
            await rig.engine.store.write(lambda connection: _wake_again(rig, connection))
        await rig.settled()
        assert await broken(rig) == {}
    assert sink.effects == (size + 19) // 20 * 20
    assert sink.twice() == 0
    assert sink.disordered() == 0


async def stopped_under_load(url: str, sink: Sink, size: int) -> None:
    """D24: a graceful stop ends what is in work and hands the rest over."""
    sink.after_s = 0.01
    await preload(url, sink, size)
    for _ in range(2):
        async with running_rig(url, sink.url, dispatch=QUICK, rules=[posting()]):
            await until_counted(sink, len(sink.counted) + size // 4)
    async with running_rig(url, sink.url, dispatch=QUICK, rules=[posting()]):
        await all_done(url, sink, size)


async def one_of_two_killed(url: str, sink: Sink, size: int) -> None:
    """D3: another worker takes over, within the heartbeat and a sweep."""
    sink.after_s = 0.02
    await preload(url, sink, size)
    async with AsyncExitStack() as stack:
        first = await stack.enter_async_context(worker(**told(url, sink)))
        await stack.enter_async_context(worker(**told(url, sink)))
        await until_counted(sink, size * 35 // 100)
        first.kill()
        await all_done(url, sink, size, twice=64)
    gap = _longest_gap(sink)
    assert gap <= QUICK["heartbeat_s"] + 2 + QUICK["sweep_s"] + 1, f"took over after {gap:.1f} s"


async def a_paused_worker_wakes_up_late(url: str, sink: Sink, size: int) -> None:
    """D9: a zombie changes nothing and sends nothing of what was taken from it."""
    sink.after_s = 0.02
    await preload(url, sink, size)
    async with AsyncExitStack() as stack:
        zombie = await stack.enter_async_context(worker(**told(url, sink)))
        await stack.enter_async_context(worker(**told(url, sink)))
        await until_counted(sink, size // 4)
        zombie.pause()
        await asyncio.sleep(QUICK["heartbeat_s"] + 3)
        before = sink.twice()
        zombie.go_on()
        await all_done(url, sink, size, twice=64)
        assert sink.twice() == before, f"{sink.twice() - before} stale requests"


async def the_database_cuts_connections(url: str, sink: Sink, size: int) -> None:
    """D8, D21: connections end in mid-transaction; work goes on by itself."""
    await preload(url, sink, size)
    async with worker(**told(url, sink)):
        for share in (5, 3, 2):
            await until_counted(sink, size // share)
            async with running_rig(url, sink.url, started=False) as rig:
                await rig.rows(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                    "WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )
        await all_done(url, sink, size, twice=3 * 64)


async def two_processes_accept_for_one_lane(url: str, sink: Sink, size: int) -> None:
    """D17: order is that of the answers, whichever process gave them."""
    async with AsyncExitStack() as stack:
        doors = [
            await stack.enter_async_context(
                running_rig(url, sink.url, dispatch=QUICK, works=False, connectors=("load",))
            )
            for _ in range(2)
        ]
        await stack.enter_async_context(worker(**told(url, sink)))
        await asyncio.gather(*(_alternating(doors, lane, size // 10) for lane in range(10)))
        await all_done(url, sink, size // 10 * 10)


async def _alternating(doors: Sequence[Rig], lane: int, count: int) -> None:
    for seq in range(count):
        await doors[seq % 2].send(item(f"l{lane}", seq))


async def _lose_wakeups(rig: Rig) -> None:
    if rig.database.is_sqlite:
        return  # they live in memory, and die with this rig
    await rig.engine.store.write(lambda connection: query(connection, "DELETE FROM hub_pgqueuer"))


def _wake_again(rig: Rig, connection: Any) -> None:  # noqa: ANN401 - a Connection
    rows = query(connection, "SELECT id, wake_no FROM shards")
    wakes = [Wake(row[0], number) for row in rows for number in (row[1], row[1] - 1)]
    rig.engine.driver.wake(connection, wakes)


def _longest_gap(sink: Sink) -> float:
    last: dict[str, float] = {}
    longest = 0.0
    for one in sink.counted:
        longest = max(longest, one.at - last.get(one.lane, one.at))
        last[one.lane] = one.at
    return longest


CASES: Final[dict[str, Case]] = {
    "killed while accepting": killed_while_accepting,
    "all killed and started again": all_killed_and_started_again,
    "wake-ups race with releases": wakeups_race_with_releases,
    "wake-ups are lost": wakeups_are_lost,
    "wake-ups are stale or doubled": wakeups_are_stale_or_doubled,
    "stopped under load": stopped_under_load,
}
SHARED: Final[dict[str, Case]] = {
    "one of two killed": one_of_two_killed,
    "a paused worker wakes up late": a_paused_worker_wakes_up_late,
    "the database cuts connections": the_database_cuts_connections,
    "two processes accept for one lane": two_processes_accept_for_one_lane,
}
