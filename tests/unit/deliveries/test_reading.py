"""What is asked for together is done together, and each gets its own answer."""

import asyncio
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

import pytest

from hub.deliveries.reading import Together


def at_once(work: Callable[[Any], Any]) -> Together[Any, Any]:
    return Together(lambda item, answer: answer.set_result(work(item)))


async def asked(together: Together[Any, Any], item: object) -> Any:
    return await together.ask(item, asyncio.get_running_loop().create_future())


who: ContextVar[str] = ContextVar("who", default="nobody")


async def test_all_that_is_asked_in_one_turn_is_done_in_its_order():
    done: list[int] = []

    def work(number: int) -> int:
        done.append(number)
        return number * 2

    together = at_once(work)
    found = await asyncio.gather(*(asked(together, number) for number in range(200)))

    assert found == [number * 2 for number in range(200)]
    assert done == list(range(200))


@pytest.mark.parametrize("raised", [ValueError("no"), StopIteration("no")])
async def test_only_who_asked_for_it_gets_an_error(raised):
    def work(number: int) -> int:
        if number == 1:
            raise raised
        return number

    together = at_once(work)
    found = await asyncio.gather(*(asked(together, n) for n in range(3)), return_exceptions=True)

    assert (found[0], found[2]) == (0, 2)
    assert "no" in str(found[1])


async def test_who_asks_is_woken_when_the_work_is_done_not_when_it_was_begun():
    begun: list[asyncio.Future[str]] = []
    together = Together[str, str](lambda _, answer: begun.append(answer))

    waiting = asyncio.create_task(asked(together, "a"))
    await asyncio.sleep(0.01)
    was_done = waiting.done()
    begun[0].set_result("late")

    assert (was_done, await waiting) == (False, "late")


async def test_what_nobody_waits_for_any_more_is_left():
    done: list[int] = []
    together = at_once(done.append)
    leaving = asyncio.create_task(asked(together, 1))
    staying = asyncio.create_task(asked(together, 2))
    await asyncio.sleep(0)
    leaving.cancel()
    await staying

    assert done == [2]


async def test_each_works_within_the_context_of_who_asked():
    together = at_once(lambda _: who.get())

    async def ask(name: str) -> str:
        who.set(name)
        return await asked(together, name)

    found = await asyncio.gather(*(asyncio.create_task(ask(name)) for name in ("a", "b")))

    assert found == ["a", "b"]
