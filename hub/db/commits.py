"""Many callers, one transaction.

Whoever has something to write submits it and waits; a writer takes what is waiting when the
last commit ended, so that a thousand callers cost a few dozen commits. The same class
groups readers.
"""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, Generic, NamedTuple, Protocol, TypeVar

from sqlalchemy import Connection, Engine, RootTransaction, create_engine, event
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.pool import QueuePool

from hub.db.away import in_conflict, is_away, was_in_the_way
from hub.db.bulk import query
from hub.db.engine import PRAGMAS, Database
from hub.errors import Overloaded

__all__ = [
    "AFTER_COMMIT",
    "Connection",
    "GroupCommit",
    "Store",
    "in_conflict",
    "is_away",
    "open_store",
]

Item = TypeVar("Item")
Result = TypeVar("Result")
T = TypeVar("T")
Work = Callable[[Connection, Sequence[Any]], Sequence[Any]]

_log = logging.getLogger(__name__)
_READERS: Final = 2
AFTER_COMMIT: Final = "hub_after_commit"
"""Where a connection of this module keeps what is called after its transaction's COMMIT."""
_STATEMENTS: Final = 2048
_PATIENCE_S: Final = 30.0
_RETRY_S: Final = 0.002
_MOST_WAITING: Final = 10_000
_DEADLOCKS: Final = 3


class Store(Protocol):
    """Runs plain functions of a connection, in a transaction, off the event loop."""

    async def write(self, work: Callable[[Connection], T]) -> T:
        """Run it in a write transaction and commit; roll back on an exception."""
        ...

    async def write_many(self, work: Callable[[Connection], T]) -> T:
        """Run it in a write transaction, as `write`: quick work that many callers share."""
        ...

    async def read(self, work: Callable[[Connection], T]) -> T:
        """Run it in a transaction for reading."""
        ...

    async def read_many(self, work: Callable[[Connection], T]) -> T:
        """Run it in a transaction for reading: quick work that many callers share."""
        ...

    async def close(self) -> None:
        """Close what was opened."""
        ...


def open_store(database: Database) -> Store:
    """Return the store of this database."""
    return SqliteStore(database) if database.is_sqlite else PostgresStore(database)


class SqliteStore:
    """One connection that writes, one that reads for many, a few that read in threads.

    SQLite releases Python's lock at each step, and a thread gets it back late from a busy
    event loop. So what many callers share runs on the event loop; only COMMIT, which waits for
    the disk, is left to a thread.
    """

    def __init__(self, database: Database) -> None:
        url = database.engine.url.set(drivername="sqlite+pysqlite")
        self._engine: Engine = create_engine(
            url,
            poolclass=QueuePool,
            pool_size=2 + _READERS,
            max_overflow=1,
            connect_args={"check_same_thread": False, "cached_statements": _STATEMENTS},
        )
        event.listen(self._engine, "connect", _prepare)
        event.listen(self._engine, "begin", _begin)
        self._immediate = self._engine.execution_options(immediate=True)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="hub-writer")
        self._readers = ThreadPoolExecutor(_READERS, thread_name_prefix="hub-reader")
        self._turn = asyncio.Lock()
        self._writer: Connection | None = None
        self._reader: Connection | None = None

    async def write(self, work: Callable[[Connection], T]) -> T:
        """Run it on the writer thread."""
        return await asyncio.shield(self._written(work, off_loop=True))

    async def write_many(self, work: Callable[[Connection], T]) -> T:
        """Run it on the event loop; it must be quick."""
        return await asyncio.shield(self._written(work, off_loop=False))

    async def read(self, work: Callable[[Connection], T]) -> T:
        """Run it on a reader thread."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._readers, _in_transaction, self._engine, work)

    async def read_many(self, work: Callable[[Connection], T]) -> T:
        """Run it on the event loop; it must be quick."""
        if self._reader is None:
            self._reader = self._engine.connect()
        with self._reader.begin():
            return work(self._reader)

    async def close(self) -> None:
        """End the threads and close the connections."""
        self._thread.shutdown()
        self._readers.shutdown()
        for connection in (self._writer, self._reader):
            if connection is not None:
                connection.close()
        self._engine.dispose()

    async def _written(self, work: Callable[[Connection], T], *, off_loop: bool) -> T:
        loop = asyncio.get_running_loop()
        async with self._turn:
            connection = self._writer or self._open_writer()
            after: list[Callable[[], None]] = []
            connection.info[AFTER_COMMIT] = after
            transaction = await _begun(connection)
            try:
                if off_loop:
                    result = await loop.run_in_executor(self._thread, work, connection)
                else:
                    result = work(connection)
                await loop.run_in_executor(self._thread, transaction.commit)
            except BaseException:
                transaction.rollback()
                connection.connection.rollback()  # after a COMMIT that failed it is still open
                raise
        for call in after:
            call()
        return result

    def _open_writer(self) -> Connection:
        self._writer = self._immediate.connect()
        query(self._writer, "PRAGMA busy_timeout=0")  # it waits in `_begun`, not in SQLite
        self._writer.rollback()
        return self._writer


async def _begun(connection: Connection) -> RootTransaction:
    """Begin to write; while another connection writes, try again, without blocking the loop."""
    deadline = time.monotonic() + _PATIENCE_S
    while True:
        try:
            return connection.begin()
        except OperationalError:
            if time.monotonic() > deadline:
                raise
        await asyncio.sleep(_RETRY_S)


class PostgresStore:
    """The database's own pool; functions run inside SQLAlchemy's greenlet.

    A function that finds its connection lost is run once more on another: nothing was committed.
    """

    def __init__(self, database: Database) -> None:
        self._engine = database.stepping
        # Each statement sees what was committed before it, as within READ COMMITTED.
        self._reading = self._engine.execution_options(isolation_level="AUTOCOMMIT")

    async def write(self, work: Callable[[Connection], T]) -> T:
        """Run it in a transaction of its own."""
        async with self._engine.connect() as connection:
            transaction = await connection.begin()
            try:
                result = await connection.run_sync(work)
            except DBAPIError as error:
                if not error.connection_invalidated:
                    raise
            else:
                await transaction.commit()
                return result
        async with self._engine.begin() as another:
            return await another.run_sync(work)

    async def read(self, work: Callable[[Connection], T]) -> T:
        """Run it on a connection of its own."""
        try:
            async with self._reading.connect() as connection:
                return await connection.run_sync(work)
        except DBAPIError as error:
            if not error.connection_invalidated:
                raise
        async with self._reading.connect() as another:
            return await another.run_sync(work)

    write_many = write
    read_many = read

    async def close(self) -> None:
        """Leave the pool to the database."""


class _Job(NamedTuple):
    work: Work
    item: Any
    answer: asyncio.Future[Any]


class GroupCommit(Generic[Item, Result]):
    """A queue of work and the writers that empty it.

    `submit` returns after COMMIT, or raises what the caller's own row did wrong: when a
    batch fails, each of its rows is tried once alone. A caller that goes away does not
    take its row along. After `stop` was called new work is refused, what waits is written.
    """

    def __init__(
        self,
        transact: Callable[[Callable[[Connection], list[Any]]], Awaitable[list[Any]]],
        *,
        maximum: int = 256,
        writers: int = 1,
    ) -> None:
        self._transact = transact
        self._maximum = maximum
        self._writers = writers
        self._waiting: deque[_Job] = deque()
        self._some = asyncio.Event()
        self._stopping = False
        self._tasks: list[asyncio.Task[None]] = []
        self.commits = 0
        self.rows = 0

    def start(self) -> None:
        """Begin to write."""
        self._tasks = [asyncio.create_task(self._serve()) for _ in range(self._writers)]

    async def stop(self) -> None:
        """Refuse new work, write what waits, end."""
        self._stopping = True
        self._some.set()
        await asyncio.gather(*self._tasks)

    async def submit(
        self, work: Callable[[Connection, Sequence[Item]], Sequence[Result]], item: Item
    ) -> Result:
        """Have `work` applied to the item, together with others', and wait for the COMMIT.

        `work` gets all items of one transaction that were submitted with the same function
        and answers one result for each, in their order.
        """
        answer: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self.enqueue(work, item, answer)
        return await answer  # cancelled with its caller; the row is written all the same

    def enqueue(
        self,
        work: Callable[[Connection, Sequence[Item]], Sequence[Result]],
        item: Item,
        answer: asyncio.Future[Result],
    ) -> None:
        """Have `work` applied as by `submit`, but settle `answer` after the COMMIT; don't wait."""
        if self._stopping:
            raise Overloaded("The hub is stopping.", retry_after=5)
        if len(self._waiting) >= _MOST_WAITING:
            raise Overloaded("The database is too slow; too much waits.", retry_after=5)
        self._waiting.append(_Job(work, item, answer))
        self._some.set()

    async def _serve(self) -> None:
        while True:
            if not self._waiting:
                if self._stopping:
                    return
                self._some.clear()
                await self._some.wait()
                continue
            count = min(len(self._waiting), self._maximum)
            await self._write([self._waiting.popleft() for _ in range(count)])

    async def _write(self, jobs: list[_Job]) -> None:
        try:
            results = await self._unhindered(lambda connection: _apply(connection, jobs))
        except Exception as error:  # noqa: BLE001 - each caller gets its own error below
            await self._isolate(jobs, error)
            return
        self.commits += 1
        self.rows += len(jobs)
        for job, result in zip(jobs, results, strict=True):
            if not job.answer.done():
                job.answer.set_result(result)

    async def _unhindered(self, work: Callable[[Connection], list[Any]]) -> list[Any]:
        """Run it, and again when the database ended it so that another could go on."""
        for _ in range(_DEADLOCKS):
            try:
                return await self._transact(work)
            except DBAPIError as error:
                if not was_in_the_way(error):
                    raise
        return await self._transact(work)

    async def _isolate(self, jobs: list[_Job], error: Exception) -> None:
        if len(jobs) == 1 or _connection_is_lost(error):
            for job in jobs:
                _fail(job, error)
            return
        _log.warning("transaction refused, trying its rows one by one", exc_info=error)
        for job in jobs:
            await self._write([job])


def _apply(connection: Connection, jobs: Sequence[_Job]) -> list[Any]:
    by_work: dict[Work, list[int]] = {}
    for index, job in enumerate(jobs):
        by_work.setdefault(job.work, []).append(index)
    results: list[Any] = [None] * len(jobs)
    for work, indexes in by_work.items():
        answers = work(connection, [jobs[index].item for index in indexes])
        for index, answer in zip(indexes, answers, strict=True):
            results[index] = answer
    return results


def _fail(job: _Job, error: Exception) -> None:
    if job.answer.done():
        return
    job.answer.set_exception(error)
    job.answer.exception()  # a caller that went away does not make it "never retrieved"


def _connection_is_lost(error: Exception) -> bool:
    return isinstance(error, DBAPIError) and error.connection_invalidated


def _in_transaction(engine: Engine, work: Callable[[Connection], T]) -> T:
    with engine.begin() as connection:
        return work(connection)


def _prepare(connection: Any, _: object) -> None:  # noqa: ANN401 - the driver's own class
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in PRAGMAS:
        cursor.execute(pragma)
    cursor.close()


def _begin(connection: Connection) -> None:
    immediate = connection.get_execution_options().get("immediate", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")
