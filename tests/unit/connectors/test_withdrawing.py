"""Whoever may not send any more does not, also when it has waited for a connection."""

import asyncio

import httpx
import pytest

from hub.connectors.transport import (
    CONNECTIONS,
    HttpOptions,
    Withdrawn,
    asking_before_sending,
    make_http,
    vendor_call,
)
from hub.testing.sink import Sink


class Lease:
    def __init__(self) -> None:
        self.lost = False

    async def ask(self) -> None:
        if self.lost:
            raise Withdrawn


async def post(http: httpx.AsyncClient, sink: Sink, lease: Lease, key: str) -> int:
    with asking_before_sending(lease.ask), vendor_call():
        return (await http.post(f"{sink.url}/post", json={"key": key})).status_code


async def test_a_request_that_waited_for_a_connection_is_not_sent_when_the_lease_is_lost() -> None:
    lease = Lease()
    async with Sink(after_s=0.2) as sink, make_http(HttpOptions(timeout_s=5)) as http:
        requests = [
            asyncio.create_task(post(http, sink, lease, str(number)))
            for number in range(2 * CONNECTIONS)
        ]
        for _ in range(500):
            await asyncio.sleep(0.01)
            if len(sink.counted) == CONNECTIONS:
                break
        lease.lost = True
        results = await asyncio.gather(*requests, return_exceptions=True)

        assert len(sink.counted) == CONNECTIONS
        assert [one for one in results if one == 202] == [202] * CONNECTIONS
        assert sum(isinstance(one, Withdrawn) for one in results) == CONNECTIONS


async def test_a_withdrawn_request_leaves_its_connection_usable_for_others() -> None:
    lost, held = Lease(), Lease()
    lost.lost = True
    async with Sink() as sink, make_http(HttpOptions(timeout_s=5)) as http:
        for _ in range(2 * CONNECTIONS):
            with pytest.raises(Withdrawn):
                await post(http, sink, lost, "a")

        assert await post(http, sink, held, "b") == 202
        assert [one.key for one in sink.counted] == ["b"]


class LateLoss:
    """A lease that is lost after it was asked for once."""

    def __init__(self) -> None:
        self.asked = 0

    async def ask(self) -> None:
        self.asked += 1
        if self.asked > 1:
            raise Withdrawn


async def test_a_request_is_not_written_when_the_lease_is_lost_after_it_was_begun() -> None:
    lost, held = LateLoss(), Lease()
    async with Sink() as sink, make_http(HttpOptions(timeout_s=5)) as http:
        with pytest.raises(Withdrawn), asking_before_sending(lost.ask), vendor_call():
            await http.post(f"{sink.url}/post", json={"key": "a"})

        assert await post(http, sink, held, "b") == 202
        assert [one.key for one in sink.counted] == ["b"]
