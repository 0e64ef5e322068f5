"""How often an operator may fail before it is switched off."""

from datetime import UTC, datetime, timedelta

from hub.worker.failing import Failing

AT = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def test_a_hundred_failures_within_five_minutes_are_too_many():
    failing = Failing()

    assert failing.note({"toy.near": 99}, AT) == {}
    assert failing.note({"toy.near": 1}, AT + timedelta(minutes=5)) == {"toy.near": 100}


def test_failures_of_longer_ago_do_not_count():
    failing = Failing()

    failing.note({"toy.near": 99}, AT)

    assert failing.note({"toy.near": 99}, AT + timedelta(minutes=5, seconds=1)) == {}


def test_operators_are_counted_apart_and_anew_after_they_were_too_many():
    failing = Failing()

    assert failing.note({"toy.near": 100, "toy.far": 99}, AT) == {"toy.near": 100}
    assert failing.note({"toy.near": 99, "toy.far": 1}, AT) == {"toy.far": 100}


def test_the_hubs_own_operators_are_never_switched_off():
    assert Failing().note({"is": 1000}, AT) == {}
