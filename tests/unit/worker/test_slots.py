import asyncio
import uuid
from datetime import UTC, datetime, timedelta

from hub.correlations.repository import RecordKey
from hub.worker.breakers import Breakers, pair_of
from hub.worker.slots import Slots

ACME, GLOBEX = uuid.UUID(int=1), uuid.UUID(int=2)
NOW = datetime(2025, 11, 21, 9, 0, tzinfo=UTC)
RECORD = RecordKey(ACME, uuid.UUID(int=3), "load.item", "1")


def test_a_tenant_may_have_all_slots_while_nobody_else_waits():
    slots = Slots(4)

    assert [slots.try_take(ACME) for _ in range(5)] == [True, True, True, True, False]


async def test_a_tenant_gets_half_while_others_wait():
    slots = Slots(4)
    for _ in range(4):
        slots.try_take(ACME)
    waiting = asyncio.create_task(slots.take(GLOBEX))
    await asyncio.sleep(0)

    slots.give(ACME)
    assert not slots.try_take(ACME)
    await asyncio.wait_for(waiting, 1)
    slots.give(ACME)
    assert slots.in_use == 3
    assert slots.try_take(ACME)


def test_a_breaker_opens_over_the_limit_and_closes_by_itself():
    breakers, pair = Breakers(firings=3), pair_of("rule", RECORD)

    opened = [breakers.fired(pair, NOW + timedelta(seconds=n)) for n in range(4)]

    assert opened[:3] == [None, None, None]
    assert opened[3] == NOW + timedelta(seconds=3, hours=1)
    assert breakers.is_open(pair, NOW + timedelta(minutes=30))
    assert not breakers.is_open(pair, NOW + timedelta(hours=2))


def test_slow_firings_open_nothing():
    breakers, pair = Breakers(firings=3), pair_of("rule", RECORD)

    opened = [breakers.fired(pair, NOW + timedelta(minutes=2 * n)) for n in range(20)]

    assert set(opened) == {None}


def test_a_reset_breaker_counts_anew():
    breakers, pair = Breakers(firings=1), pair_of("rule", RECORD)
    breakers.fired(pair, NOW)
    breakers.fired(pair, NOW)

    breakers.reset(pair)

    assert not breakers.is_open(pair, NOW)
    assert breakers.fired(pair, NOW) is None


def test_a_lane_has_a_budget():
    breakers = Breakers(budget=2)

    within = [breakers.within_budget(ACME, "lane", NOW) for _ in range(3)]

    assert within == [True, True, False]
    assert breakers.within_budget(ACME, "lane", NOW + timedelta(minutes=6))
