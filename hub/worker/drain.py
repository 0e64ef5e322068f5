"""Working one shard: claim it, start its lanes, give it up when nothing is left."""

import asyncio
import logging
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from hub.db.commits import Connection, in_conflict, is_away
from hub.deliveries.pending import Wanted
from hub.deliveries.repository import Hold
from hub.dispatch.port import Wake
from hub.dispatch.shards import Lease, Release, claim, monotonic
from hub.worker.lane import Lane
from hub.worker.loading import LaneWork, Page, Reading, read_pages
from hub.worker.parts import Parts
from hub.worker.sending import Fenced

_log = logging.getLogger(__name__)
_BETWEEN_READS_S = 0.004
_BETWEEN_MANY_S = 0.02
_MANY_LANES = 4
_LOOK_AGAIN_S = 0.05
_WHOLE_S = 0.25
"""How long what was put back into a lane may wait to be found: an ended hold, a moved lane."""
_LINGER_STEP_S = 0.01
_POISON_S = 30.0
_CONFLICT_S = 0.2


@dataclass(slots=True)
class Drains:
    """Drains the shards of a process; `drain` is what a driver calls."""

    parts: Parts
    stop: asyncio.Event
    working: dict[int, "Drain"] = field(default_factory=dict)
    turns: dict[int, asyncio.Lock] = field(default_factory=dict)

    async def drain(self, wake: Wake) -> None:
        """Work a shard until nothing is left in it; a stale or doubled wake-up does nothing."""
        async with self.turns.setdefault(wake.shard, asyncio.Lock()):
            await self._drain(wake)

    async def _drain(self, wake: Wake) -> None:
        at = monotonic()
        epoch = await self.parts.commits.submit(self._claim, wake)
        if epoch is None:
            self.parts.counters.add("hub_stale_wakeups_total")
            return
        lease = Lease(
            shard=wake.shard,
            number=wake.number,
            epoch=epoch,
            proved_at=at,
            lasts=self.parts.settings.heartbeat_s / 3,
        )
        self.parts.passing("claimed")
        await Drain(drains=self, lease=lease).run()

    def filed(self, shards: Iterable[int]) -> None:
        """Tell drains in work that their shard got something new."""
        for shard in shards:
            drain = self.working.get(shard)
            if drain is not None:
                drain.news = True
                drain.signal.set()

    def _claim(self, connection: Connection, wakes: Sequence[Wake]) -> list[int | None]:
        now, order = self.parts.now(), sorted(range(len(wakes)), key=lambda n: wakes[n].shard)
        done = {n: claim(connection, wakes[n], self.parts.owner, now) for n in order}
        return [done[n] for n in range(len(wakes))]


def _release(connection: Connection, releases: Sequence[Release]) -> list[bool]:
    order = sorted(range(len(releases)), key=lambda n: releases[n].lease.shard)
    done = {n: releases[n](connection) for n in order}
    return [done[n] for n in range(len(releases))]


@dataclass(slots=True, kw_only=True)
class Drain:
    """One shard in work.

    What is new is looked for often, everything only where something may have been left: `behind`.
    `again` are lanes that have ended with more to do, `more` those in work that will.
    """

    drains: Drains
    lease: Lease
    tasks: dict[asyncio.Task[None], str] = field(default_factory=dict)
    running: dict[str, Lane] = field(default_factory=dict)
    after: str = ""
    high: int = 0
    read_at: float = 0.0
    whole_at: float = 0.0
    behind: bool = True
    news: bool = True
    again: set[str] = field(default_factory=set)
    more: set[str] = field(default_factory=set)
    ready: deque[LaneWork] = field(default_factory=deque)
    signal: asyncio.Event = field(default_factory=asyncio.Event)
    failed: BaseException | None = None

    async def run(self) -> None:
        """Work until the shard is given up, handed over, lost, or the process stops."""
        self.drains.working[self.lease.shard] = self
        try:
            await self._work()
        finally:
            if self.drains.working.get(self.lease.shard) is self:
                del self.drains.working[self.lease.shard]
            await self._end_lanes()
        if self.failed is not None:
            raise self.failed

    async def _work(self) -> None:
        parts, began = self.drains.parts, monotonic()
        idle_since: float | None = None
        while self._goes_on():
            self.signal.clear()  # what happens from here on is not to be slept over
            if not self.ready and self._may_find():
                await self._read()
            self._start()
            if self.running or self.ready:
                idle_since = None
                if monotonic() - began > parts.settings.slice_s and parts.driver.crowded():
                    return await self._give_up(handing_over=True)
                await self._wait()
                continue
            idle_since = idle_since or monotonic()
            if (monotonic() - idle_since) * 1000 >= parts.settings.linger_ms:
                if await self._release(handing_over=False):
                    return None
                idle_since, self.behind = None, True
            await self._pause(_LINGER_STEP_S)
        return await self._give_up(handing_over=True)

    def _goes_on(self) -> bool:
        return not (self.drains.stop.is_set() or self.lease.lost or self.failed)

    def _may_find(self) -> bool:
        if self.behind or self.news or self.again:
            return True
        if self.drains.parts.database.is_sqlite:  # whatever is filed is told: there is no other
            between = _WHOLE_S
        else:
            between = _LOOK_AGAIN_S if self.running else 0.0
        return monotonic() - self.read_at >= between

    async def _read(self) -> None:
        parts, now = self.drains.parts, monotonic()
        whole = self.behind or now - self.whole_at >= _WHOLE_S
        again, self.again, self.news = self.again, set(), False
        self.read_at, self.whole_at = now, now if whole else self.whole_at
        wanted = Wanted(
            shard=self.lease.shard,
            in_work=frozenset(self.running),
            after=self.after,
            batch=parts.settings.batch,
            high=self.high,
            lanes=frozenset(again),
            whole=whole,
        )
        reading = Reading(wanted=wanted, turn=parts.settings.lane_turn, now=parts.now())
        page: Page = await parts.reads.submit(read_pages, reading)
        found = page.found
        self.after, self.high, self.behind = page.heads or self.after, found.high, found.full
        self.more |= found.busy & self.running.keys()
        self.again |= found.busy - self.running.keys()  # they ended while this was read
        self.ready.extend(page.lanes)

    def _start(self) -> None:
        """Start lanes while there are slots; the others stay ready, they need not be read again."""
        parts = self.drains.parts
        for _ in range(len(self.ready)):
            if parts.slots.in_use >= parts.slots.count:
                return
            work = self.ready.popleft()
            if not parts.slots.try_take(work.tenant_id):
                self.ready.append(work)  # its tenant has its share; others first
                continue
            lane = Lane(parts=parts, lease=self.lease, work=work)
            if work.more:
                self.more.add(work.lane)
            task = asyncio.create_task(self._run_lane(lane))
            self.tasks[task], self.running[work.lane] = work.lane, lane
            task.add_done_callback(self._ended)

    async def _run_lane(self, lane: Lane) -> None:
        try:
            await lane.run()
        except Fenced:
            self.lease.lost = True
        except Exception as error:
            if is_away(error):
                raise
            await self._hold_lane(lane.work, error)

    async def _hold_lane(self, work: LaneWork, error: Exception) -> None:
        """Hold the lane of an event that can't be worked, so that only it waits."""
        parts = self.drains.parts
        wait_s = _CONFLICT_S if in_conflict(error) else _POISON_S
        if not in_conflict(error):
            parts.counters.add("hub_lane_errors_total")
            _log.error("lane failed", exc_info=error, extra={"lane": work.lane})
        hold = Hold(
            lane=work.lane,
            tenant_id=work.tenant_id,
            shard=self.lease.shard,
            reason="retry",
            not_before=parts.now() + timedelta(seconds=wait_s),
            detail=f"{type(error).__name__}: {error}",
        )
        await parts.commits.submit(parts.hold_lanes, hold)

    def _ended(self, task: asyncio.Task[None]) -> None:
        name = self.tasks.pop(task)
        lane = self.running.pop(name)
        if name in self.more or lane.left:
            self.more.discard(name)
            self.again.add(name)
        self.drains.parts.slots.give(lane.work.tenant_id)
        self.signal.set()
        if not task.cancelled() and task.exception() is not None:
            self.failed = task.exception()

    async def _wait(self) -> None:
        """Wait until there may be more to start, not reading too often meanwhile."""
        if self.ready:
            await self._pause(_LOOK_AGAIN_S, freed=True)
            return
        if not (self.behind or self.news or self.again):
            await self._pause(_LOOK_AGAIN_S)
        between = _BETWEEN_READS_S if len(self.running) < _MANY_LANES else _BETWEEN_MANY_S
        early = between - (monotonic() - self.read_at)
        if early > 0:
            await asyncio.sleep(early)

    async def _pause(self, seconds: float, *, freed: bool = False) -> None:
        try:
            async with asyncio.timeout(seconds):
                if freed:
                    await self.drains.parts.slots.freed()
                else:
                    await self.signal.wait()
        except TimeoutError:
            return

    async def _give_up(self, *, handing_over: bool) -> None:
        await self._end_lanes()
        if not self.lease.lost and self.failed is None:
            await self._release(handing_over=handing_over)

    async def _release(self, *, handing_over: bool) -> bool:
        parts = self.drains.parts
        parts.passing("before_release")
        release = Release(
            lease=self.lease,
            inbox=parts.inbox,
            driver=parts.driver,
            now=parts.now(),
            handing_over=handing_over,
        )
        released: bool = await parts.commits.submit(_release, release)
        return released

    async def _end_lanes(self) -> None:
        for lane in self.running.values():
            lane.stopping = True
        while self.tasks:
            await asyncio.wait(list(self.tasks))
            await asyncio.sleep(0)
