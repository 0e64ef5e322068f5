"""The driver of a single process: a queue and a heap in memory, a lock file beside the database."""

import asyncio
import contextlib
import fcntl
import heapq
import logging
import os
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from datetime import datetime  # noqa: TC003 - the heap's entries are compared by it
from pathlib import Path
from typing import IO, Any

from sqlalchemy import URL, Connection, event

from hub import clock
from hub.db.commits import AFTER_COMMIT
from hub.dispatch.port import DriverHealth, Wake
from hub.errors import StartRefused

_log = logging.getLogger(__name__)


class EmbeddedDriver:
    """Wake-ups of one process. They live in memory: a start schedules what is pending anew."""

    def __init__(self, *, at_once: int, now: clock.Clock = clock.now) -> None:
        self._at_once = at_once
        self._now = now
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ready: deque[Wake] = deque()
        self._deferred: list[tuple[datetime, int, int]] = []
        self._running: dict[asyncio.Task[None], Wake] = {}
        self._changed = asyncio.Event()
        self._jobs: list[tuple[str, float, Callable[[], Awaitable[None]]]] = []

    def wake(self, connection: Connection, wakes: Sequence[Wake]) -> None:
        """Wake shards when the connection's transaction commits."""
        taken = tuple(wakes)

        def committed(*_: object) -> None:
            if self._loop is not None:
                self._loop.call_soon_threadsafe(self._take, taken)

        after = connection.info.get(AFTER_COMMIT)
        if after is not None:
            after.append(committed)
        else:
            event.listen(connection, "commit", committed, once=True)

    def live(self, connection: Connection) -> set[tuple[int, int]]:  # noqa: ARG002 - the port's signature
        """Return (shard, number) of all wake-ups that are queued or running."""
        queued = {(wake.shard, wake.number) for wake in list(self._ready)}
        deferred = {(shard, number) for _, shard, number in list(self._deferred)}
        running = {(wake.shard, wake.number) for wake in list(self._running.values())}
        return queued | deferred | running

    def crowded(self) -> bool:
        """Whether shards wait because as many as may are in work."""
        return bool(self._ready)

    def every(self, name: str, seconds: float, job: Callable[[], Awaitable[None]]) -> None:
        """Call a job again and again, the first time after `seconds`."""
        self._jobs.append((name, seconds, job))

    def attach(self) -> None:
        """Take wake-ups from now on, on this event loop."""
        self._loop = asyncio.get_running_loop()

    async def run(
        self, drain: Callable[[Wake], Coroutine[Any, Any, None]], stop: asyncio.Event
    ) -> None:
        """Hand out wake-ups until `stop` is set and what runs has ended."""
        self.attach()
        stopping = asyncio.create_task(self._when(stop))
        jobs = [asyncio.create_task(repeat(*job, stop)) for job in self._jobs]
        while not stop.is_set():
            self._start_ready(drain)
            await self._wait()
        await asyncio.gather(stopping, *jobs, *self._running)

    async def health(self) -> DriverHealth:
        """Tell how it does."""
        return DriverHealth(
            connected=self._loop is not None,
            queued=len(self._ready) + len(self._deferred),
            running=len(self._running),
        )

    def _take(self, wakes: Sequence[Wake]) -> None:
        for wake in wakes:
            if wake.not_before is None:
                self._ready.append(wake)
            else:
                heapq.heappush(self._deferred, (wake.not_before, wake.shard, wake.number))
        self._changed.set()

    def _start_ready(self, drain: Callable[[Wake], Coroutine[Any, Any, None]]) -> None:
        now = self._now()
        while self._deferred and self._deferred[0][0] <= now:
            _, shard, number = heapq.heappop(self._deferred)
            self._ready.append(Wake(shard, number))
        while self._ready and len(self._running) < self._at_once:
            wake = self._ready.popleft()
            task: asyncio.Task[None] = asyncio.create_task(drain(wake))
            self._running[task] = wake
            task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        wake = self._running.pop(task)
        self._changed.set()
        if task.cancelled() or task.exception() is None:
            return
        _log.error("drain failed, again in a second", exc_info=task.exception())
        if self._loop is not None:
            self._loop.call_later(1.0, self._take, (wake._replace(not_before=None),))

    async def _wait(self) -> None:
        seconds = 3600.0
        if self._deferred:
            seconds = max(0.0, (self._deferred[0][0] - self._now()).total_seconds())
        with contextlib.suppress(TimeoutError):
            # a moved clock is noticed within a second
            await asyncio.wait_for(self._changed.wait(), min(seconds, 1.0))
        self._changed.clear()

    async def _when(self, stop: asyncio.Event) -> None:
        await stop.wait()
        self._changed.set()


async def repeat(
    name: str, seconds: float, job: Callable[[], Awaitable[None]], stop: asyncio.Event
) -> None:
    """Call a job each so many seconds until `stop` is set; its faults are logged."""
    while not stop.is_set():
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), seconds)
        if not stop.is_set():
            try:
                await job()
            except Exception:  # noqa: BLE001 - a job's fault must not end the others
                _log.exception("job failed", extra={"job": name})


class FileLock:
    """Keeps a second process away from a database that belongs to one."""

    def __init__(self, database: Path | None) -> None:
        self._path = database.with_name(database.name + ".lock") if database else None
        self._file: IO[str] | None = None

    @classmethod
    def of(cls, url: URL) -> "FileLock":
        """Return the lock of a database; of one that many processes share, it never refuses."""
        file = url.database if url.get_backend_name() == "sqlite" else ""
        return cls(Path(file) if file and file != ":memory:" else None)

    def acquire(self) -> None:
        """Take the lock, if it is not ours already; StartRefused names the process that has it."""
        if self._file is not None or self._path is None:
            return
        file = self._path.open("a+")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            file.seek(0)
            holder = file.read().strip() or "unknown"
            file.close()
            raise StartRefused(
                f"Another hub process (pid {holder}) uses this database. "
                "Use PostgreSQL to run several."
            ) from error
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        self._file = file

    def release(self) -> None:
        """Let others in."""
        if self._file is not None:
            self._file.close()
            self._file = None
