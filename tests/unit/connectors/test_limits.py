"""Pace, quota and parking, on a clock that the test moves."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from hub import Quota
from hub.connectors.limits import URGENT_SHARE, Bucket, Limits
from hub.connectors.outages import Outage

ACME = UUID(int=1)


@dataclass(frozen=True)
class Some:
    limiter_key: str = "k"
    requests_per_minute: int | None = 60
    quota_guard: Mapping[str, int] = field(default_factory=dict)
    tenant_id: UUID = ACME
    id: UUID = ACME
    read_quota = None


def test_a_burst_passes_and_then_the_pace_holds() -> None:
    bucket = Bucket.for_pace(60, 0.0)

    granted = sum(bucket.wait(1, 0.0, urgent=True) == 0 for _ in range(50))

    assert granted == 10
    assert bucket.wait(1, 0.0, urgent=True) == 1.0
    assert bucket.wait(1, 1.0, urgent=True) == 0.0


def test_the_last_fifth_is_kept_for_what_is_urgent() -> None:
    bucket = Bucket.for_pace(60, 0.0)

    ordinary = sum(bucket.wait(1, 0.0, urgent=False) == 0 for _ in range(50))
    urgent = sum(bucket.wait(1, 0.0, urgent=True) == 0 for _ in range(50))

    assert (ordinary, urgent) == (8, 2)


@given(
    st.integers(1, 6000),
    st.lists(st.tuples(st.floats(0, 5), st.booleans(), st.integers(1, 3)), max_size=200),
)
def test_no_window_sees_more_than_burst_and_pace(pace: int, asked: list) -> None:
    bucket, now, made = Bucket.for_pace(pace, 0.0), 0.0, 0
    for gap, urgent, calls in asked:
        now += gap
        if bucket.wait(calls, now, urgent=urgent) == 0:
            made += calls

    assert made <= bucket.burst + 3 + now * pace / 60


@given(st.integers(1, 10_000), st.booleans(), st.integers(1, 50))
def test_waiting_as_told_is_enough(pace: int, urgent, calls: int) -> None:
    bucket, now = Bucket.for_pace(pace, 0.0), 0.0
    bucket.tokens = 0.0

    wait = bucket.wait(calls, now, urgent=urgent)

    assert bucket.wait(calls, now + wait + 1e-6, urgent=urgent) == 0


def test_the_vendor_knows_better() -> None:
    bucket = Bucket.for_pace(6000, 0.0)

    bucket.observe(Quota(limit=100, remaining=0, resets_in=7), 0.0)

    assert bucket.wait(1, 0.0, urgent=True) == 7.0
    assert bucket.wait(1, 7.1, urgent=True) == 0.0


def test_throttling_without_a_word_backs_off_until_an_answer_comes() -> None:
    bucket = Bucket.for_pace(None, 0.0)

    waits = [bucket.lower(None, 0.0) for _ in range(8)]
    bucket.answered()

    assert waits == [1, 2, 4, 8, 16, 32, 60, 60]
    assert bucket.lower(None, 100.0) == 1


async def test_connectors_with_one_key_share_their_pace(ticking) -> None:
    limits = Limits(ticking)

    granted = [await limits.permit(Some("a"), urgent=True, patience=0) for _ in range(5)]
    granted += [await limits.permit(Some("a"), urgent=True, patience=0) for _ in range(6)]

    assert granted[:10] == [0.0] * 10
    assert granted[10] > 0
    assert await limits.permit(Some("b"), patience=0) == 0.0


async def test_a_short_wait_is_waited_and_a_long_one_told() -> None:
    limits = Limits()
    quick, slow = Some("q", 6000), Some("s", 1)
    for one in (quick, slow):
        limits.lower(one, 0.01 if one is quick else 30)

    assert await limits.permit(quick) == 0.0
    assert await limits.permit(slow) > 25


def test_usage_tells_what_the_vendor_said(ticking) -> None:
    limits = Limits(ticking)

    limits._bucket(Some()).observe(Quota(limit=960, remaining=900, resets_in=60), ticking.now)
    ticking.now += 10

    usage = limits.usage(Some())
    assert (usage.limit, usage.remaining, usage.resets_in) == (960, 900, 50)


def test_requests_of_the_last_minute_are_counted_in_few_places() -> None:
    bucket = Bucket.for_pace(None, 0.0)
    for number in range(20_000):
        bucket.wait(1, number / 100, urgent=False)

    assert bucket.usage(None, 199.99).made_last_minute == 6_000
    assert len(bucket.made) == 60


def test_an_outage_seen_by_one_lane_does_not_park() -> None:
    outage = Outage()

    assert [outage.failed("a", 0.0) for _ in range(9)] == [None] * 9


def test_five_failures_of_two_lanes_park_and_doubled_each_time() -> None:
    outage = Outage()
    parked = [outage.failed(lane, 0.0) for lane in "aabab"]

    assert parked == [None, None, None, None, 30.0]
    assert outage.may_try(10.0) == 20.0
    assert outage.may_try(30.0) == 0.0
    assert outage.may_try(30.0) == 1.0, "one probe at a time"
    assert outage.failed("a", 31.0) == 60.0
    assert outage.failed("b", 31.0) is None, "only the probe counts"
    outage.may_try(91.0)
    assert outage.succeeded()
    assert outage.may_try(91.0) == 0.0


def test_a_success_between_failures_forgets_them() -> None:
    outage = Outage()
    for lane in "abab":
        outage.failed(lane, 0.0)
    outage.succeeded()

    assert outage.failed("a", 0.0) is None


def test_the_urgent_share_is_what_the_docs_say() -> None:
    assert URGENT_SHARE == 0.2
