"""Whether a process hears PostgreSQL's notifications, against a real one."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from functools import partial

import asyncpg
import pytest
from pgqueuer.adapters.drivers.asyncpg import AsyncpgPoolDriver
from pgqueuer.adapters.persistence.qb import QueryBuilderEnvironment, QueryQueueBuilder
from pgqueuer.adapters.persistence.queries import Queries
from pgqueuer.core.qm import QueueManager

from hub.db.engine import Database
from hub.dispatch.hearing import Hearing
from hub.dispatch.postgres import hears
from hub.dispatch.queueing import NAMES, dsn_of

pytestmark = pytest.mark.postgres


@pytest.fixture
async def manager(queue_url: str) -> AsyncIterator[QueueManager]:
    """Return a manager that does not listen before it runs."""
    database = Database(queue_url)
    async with asyncpg.create_pool(dsn_of(database.address.url), min_size=2, max_size=4) as pool:
        queries = Queries(
            AsyncpgPoolDriver(pool),
            qbe=QueryBuilderEnvironment(settings=NAMES),
            qbq=QueryQueueBuilder(settings=NAMES),
        )
        yield QueueManager(queries, channel=NAMES.channel)
    await database.close()


async def test_one_question_that_goes_unheard_ends_nothing(manager: QueueManager) -> None:
    asks = partial(hears, manager, timedelta(seconds=0.5))
    hearing = Hearing(hears=asks, over=manager.shutdown, every_s=0.05)
    watching = asyncio.create_task(hearing.watch())
    await asyncio.sleep(0.2)  # it asks, and nobody listens yet
    running = asyncio.create_task(manager.run(dequeue_timeout=timedelta(seconds=1)))
    await asyncio.sleep(1.2)
    assert not hearing.deaf
    assert not running.done()
    manager.shutdown.set()
    await asyncio.gather(running, watching)
    assert not hearing.deaf


async def test_who_hears_nothing_twice_is_deaf_and_shuts_down(manager: QueueManager) -> None:
    asks = partial(hears, manager, timedelta(seconds=0.1))
    hearing = Hearing(hears=asks, over=manager.shutdown, every_s=0.05)
    async with asyncio.timeout(5):
        await hearing.watch()
    assert hearing.deaf
    assert manager.shutdown.is_set()
