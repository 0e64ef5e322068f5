from collections.abc import AsyncIterator

import pytest

from hub.testing.rig import Rig, running_rig
from hub.testing.sink import Sink


@pytest.fixture
async def sink() -> AsyncIterator[Sink]:
    async with Sink() as sink:
        yield sink


@pytest.fixture
async def rig(sqlite_url: str, sink: Sink) -> AsyncIterator[Rig]:
    async with running_rig(sqlite_url, sink.url) as rig:
        yield rig
