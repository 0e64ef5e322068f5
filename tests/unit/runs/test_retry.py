from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.runs.retry import SHORTEST, Again, Dead, Failure, Park, Policy, Skip, decide
from hub.sdk.errors import (
    AuthenticationFailed,
    Gone,
    InvalidPayload,
    OutcomeUnknown,
    QuotaExhausted,
    RateLimited,
    Rejected,
    Unavailable,
)

NOW = datetime(2025, 11, 21, 9, 0, tzinfo=UTC)
PASSING = [Unavailable, OutcomeUnknown, RateLimited]


def failure(error: Exception, attempt: int = 1, age: timedelta = timedelta(0)) -> Failure:
    return Failure(error=error, attempt=attempt, first_at=NOW - age, now=NOW)


def test_refused_credentials_park_the_connector():
    assert decide(failure(AuthenticationFailed()), Policy(), lambda: 0.5) == Park(
        state="needs_credentials"
    )


def test_a_used_up_quota_parks_until_it_is_renewed():
    until = NOW + timedelta(hours=3)

    assert decide(failure(QuotaExhausted(until=until)), Policy(), lambda: 0) == Park(
        state="parked", until=until
    )


def test_a_record_that_is_gone_is_skipped():
    assert decide(failure(Gone("no such incident")), Policy(), lambda: 0) == Skip(
        reason="no such incident"
    )


@pytest.mark.parametrize("error", [Rejected("too long"), InvalidPayload("too long")])
def test_what_is_refused_is_given_up_at_once(error):
    assert decide(failure(error), Policy(), lambda: 0) == Dead(reason="too long")


def test_a_bug_is_tried_three_times():
    bug = KeyError("id")

    assert isinstance(decide(failure(bug, 2), Policy(), lambda: 0), Again)
    assert decide(failure(bug, 3), Policy(), lambda: 0) == Dead(reason="KeyError: 'id'")


def test_a_run_is_given_up_when_it_is_too_old():
    old = failure(Unavailable("away"), 2, timedelta(hours=24))

    assert decide(old, Policy(), lambda: 0) == Dead(reason="given up after 24 h: away")


@given(
    kind=st.sampled_from(PASSING),
    attempt=st.integers(1, 11),
    chance=st.floats(0, 1, exclude_max=True),
)
def test_waits_are_bounded_and_never_shorter_than_a_moment(kind, attempt, chance):
    policy = Policy()

    found = decide(failure(kind(), attempt), policy, lambda: chance)

    assert isinstance(found, Again)
    wait = found.at - NOW
    assert SHORTEST <= wait <= max(SHORTEST, min(policy.cap, timedelta(seconds=2**attempt)))


@given(asked=st.floats(0, 100_000), chance=st.floats(0, 1, exclude_max=True))
def test_what_the_vendor_asks_for_is_kept(asked, chance):
    found = decide(failure(RateLimited(retry_after=asked)), Policy(), lambda: chance)

    assert isinstance(found, Again)
    assert found.at - NOW >= timedelta(seconds=asked) - timedelta(microseconds=1)


@given(kind=st.sampled_from(PASSING), attempt=st.integers(12, 10_000))
def test_attempts_are_bounded(kind, attempt):
    assert isinstance(decide(failure(kind(), attempt), Policy(), lambda: 0), Dead)


@given(
    error=st.sampled_from(
        [Unavailable(), OutcomeUnknown(), RateLimited(), Rejected(), Gone(), ValueError("x")]
    ),
    limit=st.integers(1, 30),
)
def test_every_run_ends(error, limit):
    policy = Policy(attempts=limit)

    steps = [decide(failure(error, attempt), policy, lambda: 0.9) for attempt in range(1, 40)]

    assert not isinstance(steps[max(limit, 3) - 1], Again)
