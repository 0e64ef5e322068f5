import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from hub.db.engine import Database
from hub.dispatch.postgres import install
from hub.testing.rig import Rig, running_rig
from hub.testing.sink import Sink


@pytest.fixture
async def sink() -> AsyncIterator[Sink]:
    async with Sink() as sink:
        yield sink


@pytest.fixture
def queue_url(postgres_url: str) -> str:
    """Return the URL of a fresh PostgreSQL database with the queue's tables, too."""
    with ThreadPoolExecutor(1) as pool:
        pool.submit(lambda: asyncio.run(install(Database(postgres_url)))).result()
    return postgres_url


@pytest.fixture(params=["sqlite_url", pytest.param("queue_url", marks=pytest.mark.postgres)])
def engine_url(request: pytest.FixtureRequest) -> str:
    """Return a fresh database for an engine, once of each kind."""
    return request.getfixturevalue(request.param)


@pytest.fixture
async def rig(engine_url: str, sink: Sink) -> AsyncIterator[Rig]:
    async with running_rig(engine_url, sink.url) as rig:
        yield rig
