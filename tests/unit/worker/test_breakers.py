"""Breakers: open after too many firings, the same in every process, closed when reset."""

import uuid
from datetime import UTC, datetime, timedelta

from hub.correlations.repository import RecordKey
from hub.worker.breakers import Breakers, pair_of

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
RECORD = RecordKey(uuid.UUID(int=1), uuid.UUID(int=2), "load.item", "a")
PAIR = pair_of("rule", RECORD)


def opened(at: datetime) -> Breakers:
    breakers = Breakers(firings=1)
    breakers.fired(PAIR, at)
    breakers.fired(PAIR, at)
    return breakers


def test_a_breaker_opens_over_the_limit_and_closes_after_its_time() -> None:
    breakers = opened(NOON)

    assert breakers.is_open(PAIR, NOON)
    assert not breakers.is_open(PAIR, NOON + timedelta(hours=1))


def test_a_breaker_that_is_not_stored_yet_stays_open() -> None:
    breakers = opened(NOON)

    breakers.follow({}, NOON + timedelta(seconds=1))

    assert breakers.is_open(PAIR, NOON + timedelta(seconds=1))


def test_a_breaker_that_was_reset_before_anybody_saw_it_stored_is_closed() -> None:
    breakers = opened(NOON)

    breakers.follow({}, NOON + timedelta(seconds=3))

    assert not breakers.is_open(PAIR, NOON + timedelta(seconds=3))
    assert breakers.firings(PAIR) == 0


def test_a_breaker_of_another_process_is_open_here_until_it_is_reset_there() -> None:
    here = Breakers(firings=1)

    here.follow({PAIR: NOON + timedelta(hours=1)}, NOON)
    assert here.is_open(PAIR, NOON)

    here.follow({}, NOON + timedelta(seconds=1))
    assert not here.is_open(PAIR, NOON + timedelta(seconds=1))


def test_a_breaker_whose_row_was_late_is_open_again() -> None:
    breakers = opened(NOON)
    breakers.follow({}, NOON + timedelta(seconds=3))

    breakers.follow({PAIR: NOON + timedelta(hours=1)}, NOON + timedelta(seconds=4))

    assert breakers.is_open(PAIR, NOON + timedelta(seconds=4))
