"""The time that waiting times are computed from."""

from datetime import UTC, datetime, timedelta

from hub.dispatch.shards import monotonic
from hub.dispatch.timekeeping import Time

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Host:
    def __init__(self) -> None:
        self.shows = NOON

    def now(self) -> datetime:
        return self.shows


def test_before_the_first_reading_the_hosts_clock_counts() -> None:
    host = Host()
    time = Time(host.now)
    host.shows += timedelta(hours=1)

    assert time.now() == NOON + timedelta(hours=1)


def test_after_it_the_databases_clock_counts_and_goes_on() -> None:
    time = Time(Host().now)
    time.was(NOON + timedelta(minutes=7), monotonic() - 3, monotonic() - 1)

    late = time.now() - (NOON + timedelta(minutes=7, seconds=2))

    assert timedelta() <= late < timedelta(seconds=1)


def test_a_host_whose_clock_is_moved_changes_nothing_any_more() -> None:
    host = Host()
    time = Time(host.now)
    time.was(NOON, monotonic(), monotonic())
    host.shows += timedelta(minutes=5)

    assert time.now() - NOON < timedelta(seconds=1)


def test_time_can_be_let_pass() -> None:
    time = Time(Host().now)
    time.ahead = timedelta(days=2)

    assert time.now() == NOON + timedelta(days=2)
