"""Turns at a connector's connections."""

import asyncio
import uuid

from hub.connectors.transport import CONNECTIONS
from hub.worker.slots import Slots
from hub.worker.turns import Turns

SLOW, QUICK, ACME = uuid.UUID(int=1), uuid.UUID(int=2), uuid.UUID(int=3)


async def hold(turns: Turns, seconds: float, patience: float = 0.05) -> float:
    await turns.slots.take(ACME)
    try:
        async with turns.turn(SLOW, ACME, patience) as wait:
            if wait == 0:
                await asyncio.sleep(seconds)
            return wait
    finally:
        turns.slots.give(ACME)


async def test_as_many_have_a_turn_as_there_are_connections() -> None:
    turns = Turns(Slots(64))
    found = await asyncio.gather(*(hold(turns, 0.3) for _ in range(CONNECTIONS + 5)))

    assert sum(wait == 0 for wait in found) == CONNECTIONS
    assert all(wait >= 1 for wait in found if wait)


async def test_who_is_patient_gets_a_turn() -> None:
    turns = Turns(Slots(64))
    found = await asyncio.gather(*(hold(turns, 0.02, patience=5) for _ in range(5 * CONNECTIONS)))

    assert set(found) == {0.0}
    assert turns.slots.in_use == 0
    assert not turns._of


async def test_who_waits_leaves_the_slots_to_others() -> None:
    turns = Turns(Slots(CONNECTIONS + 1))
    slow = [asyncio.create_task(hold(turns, 0.5, patience=5)) for _ in range(3 * CONNECTIONS)]
    await asyncio.sleep(0.1)

    await asyncio.wait_for(turns.slots.take(ACME), 0.2)
    async with turns.turn(QUICK, ACME, 0.05) as wait:
        assert wait == 0
    turns.slots.give(ACME)

    assert set(await asyncio.gather(*slow)) == {0.0}


async def test_who_got_a_turn_keeps_it_while_slots_are_short() -> None:
    turns = Turns(Slots(1))
    before = [asyncio.create_task(_without_slot(turns, 0.1)) for _ in range(CONNECTIONS)]
    await asyncio.sleep(0.02)
    late = asyncio.create_task(hold(turns, 0.0, patience=0.3))
    await asyncio.sleep(0.02)
    await turns.slots.take(ACME)  # another lane has the slot for longer than `late` is patient
    await asyncio.sleep(0.5)
    turns.slots.give(ACME)

    assert await late == 0.0
    await asyncio.gather(*before)
    assert turns.slots.in_use == 0
    assert not turns._of


async def _without_slot(turns: Turns, seconds: float) -> None:
    async with turns.turn(SLOW, ACME, 0.05):
        await asyncio.sleep(seconds)
