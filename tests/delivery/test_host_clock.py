"""A host whose clock is moved while events wait."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import pytest

from hub import clock
from hub.testing.rig import Rig, item, posting, running_rig
from hub.testing.sink import Fault, Sink

pytestmark = pytest.mark.postgres


class Host:
    """The clock of a host."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def now(self) -> datetime:
        return clock.now() + self.ahead


@pytest.fixture
def host() -> Host:
    return Host()


@pytest.fixture
async def rig(queue_url: str, sink: Sink, host: Host) -> AsyncIterator[Rig]:
    async with running_rig(queue_url, sink.url, rules=[posting()], now=host.now) as rig:
        yield rig


async def until_held(rig: Rig) -> None:
    deadline = asyncio.get_running_loop().time() + 8
    while not await rig.rows("SELECT lane FROM holds"):
        assert asyncio.get_running_loop().time() < deadline
        await asyncio.sleep(0.01)


async def test_what_waits_does_not_wait_longer_when_the_clock_was_ahead_for_a_moment(
    rig: Rig, sink: Sink, host: Host
) -> None:
    sink.faults.append(Fault(status=503))
    host.ahead = timedelta(minutes=5)
    await rig.send(item("a", 1))
    await until_held(rig)
    host.ahead = timedelta()

    await rig.settled(8)

    assert [one.seq for one in sink.counted] == [1]
