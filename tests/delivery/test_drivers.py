"""The driver contract, at a small size, against both drivers and real processes."""

import pytest

from hub.testing.drivers import CASES, SHARED
from hub.testing.sink import Sink

SIZE = 200


@pytest.mark.parametrize("case", CASES)
async def test_a_driver_keeps_the_contract(engine_url: str, sink: Sink, case: str) -> None:
    await CASES[case](engine_url, sink, SIZE)


@pytest.mark.postgres
@pytest.mark.parametrize("case", SHARED)
async def test_a_shared_driver_keeps_the_contract(queue_url: str, sink: Sink, case: str) -> None:
    await SHARED[case](queue_url, sink, SIZE)
