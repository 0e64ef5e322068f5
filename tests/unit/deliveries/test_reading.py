"""What is asked for together is done together, and each gets its own answer."""

import asyncio
from contextvars import ContextVar

import pytest

from hub.deliveries.reading import Together

who: ContextVar[str] = ContextVar("who", default="nobody")


async def test_all_that_is_asked_in_one_turn_is_done_in_its_order():
    done: list[int] = []

    def work(number: int) -> int:
        done.append(number)
        return number * 2

    together = Together(work)
    found = await asyncio.gather(*(together.do(number) for number in range(200)))

    assert found == [number * 2 for number in range(200)]
    assert done == list(range(200))


@pytest.mark.parametrize("raised", [ValueError("no"), StopIteration("no")])
async def test_only_who_asked_for_it_gets_an_error(raised):
    def work(number: int) -> int:
        if number == 1:
            raise raised
        return number

    together = Together(work)
    found = await asyncio.gather(*(together.do(n) for n in range(3)), return_exceptions=True)

    assert (found[0], found[2]) == (0, 2)
    assert "no" in str(found[1])


async def test_what_nobody_waits_for_any_more_is_left():
    done: list[int] = []
    together = Together(done.append)
    leaving = asyncio.create_task(together.do(1))
    staying = asyncio.create_task(together.do(2))
    await asyncio.sleep(0)
    leaving.cancel()
    await staying

    assert done == [2]


async def test_each_works_within_the_context_of_who_asked():
    together = Together(lambda _: who.get())

    async def ask(name: str) -> str:
        who.set(name)
        return await together.do(name)

    found = await asyncio.gather(*(asyncio.create_task(ask(name)) for name in ("a", "b")))

    assert found == ["a", "b"]
