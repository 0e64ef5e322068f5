"""Waits end in time, each at its own, with one timer for all."""

import asyncio

import pytest

from hub.deliveries.patience import ENDLESS, Patience


async def test_a_wait_that_nobody_ends_ends_when_patience_does():
    loop, patience = asyncio.get_running_loop(), Patience(0.05)
    began = loop.time()

    with pytest.raises(TimeoutError):
        await patience.future()

    assert 0.045 <= loop.time() - began < 1.0


async def test_each_wait_has_its_own_time():
    loop, patience = asyncio.get_running_loop(), Patience(0.1)
    began, ended = loop.time(), {}

    async def wait(name: str, after: float) -> None:
        await asyncio.sleep(after)
        asked = loop.time()
        with pytest.raises(TimeoutError):
            await patience.future()
        ended[name] = loop.time() - asked

    await asyncio.gather(wait("a", 0), wait("b", 0.05), wait("c", 0.2))

    assert list(ended) == ["a", "b", "c"]
    assert all(0.095 <= took < 1.0 for took in ended.values())
    assert loop.time() - began < 2.0


async def test_what_is_settled_or_given_up_in_time_keeps_its_end():
    patience = Patience(0.05)
    settled, given_up, late = (patience.future() for _ in range(3))

    settled.set_result("done")
    given_up.cancel()
    await asyncio.sleep(0.1)

    assert settled.result() == "done"
    assert given_up.cancelled()
    assert isinstance(late.exception(), TimeoutError)


async def test_what_was_settled_is_not_kept():
    patience = Patience(60)
    for _ in range(1000):
        patience.future().set_result(None)

    assert len(patience._waiting) == 1


async def test_endless_patience_keeps_no_watch():
    waiting = ENDLESS.future()

    await asyncio.sleep(0.01)

    assert not waiting.done()
    assert not ENDLESS._waiting
    waiting.cancel()
