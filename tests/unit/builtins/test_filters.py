"""The filters: what each makes of values of every type."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.builtins import facts
from hub.builtins.filters import FILTERS, hub_register_filters

BY_NAME = {one.name: one.apply for one in FILTERS}
VALUES = (
    st.none() | st.text() | st.booleans() | st.integers() | st.dates() | st.timedeltas()
    | st.decimals(allow_nan=False, allow_infinity=False) | st.lists(st.text()).map(tuple)
    | st.datetimes(timezones=st.just(UTC))
)  # fmt: skip
SAFE = {
    "default": ("x",), "upper": (), "lower": (), "trim": (), "truncate": (5,), "join": ("-",),
    "json": (), "escape": ("html",),
}  # fmt: skip


@given(VALUES, st.sampled_from(sorted(SAFE)))
def test_a_filter_takes_any_value(value, name):
    BY_NAME[name](value, *SAFE[name])


@pytest.mark.parametrize("name", sorted(set(SAFE) - {"default", "json"}))
def test_nothing_stays_nothing(name):
    assert BY_NAME[name](None, *SAFE[name]) is None


@given(st.text(), st.integers(0, 20), st.text(max_size=5))
def test_truncating_never_gives_more(text, length, mark):
    assert len(BY_NAME["truncate"](text, length, mark)) <= length


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (True, "true"), (False, "false"), (("a", "b"), "a, b"), (Decimal("1E+2"), "100"),
        (datetime(2024, 1, 1, tzinfo=UTC), "2024-01-01t00:00:00z"), (7, "7"),
        (timedelta(minutes=1), "pt60s"), (date(2024, 1, 1), "2024-01-01"),
    ],
)  # fmt: skip
def test_values_become_text(value, expected):
    assert BY_NAME["lower"](value) == expected


@pytest.mark.parametrize(
    ("value", "layout", "expected"),
    [
        ("2024-01-01T10:00:00", "time", "11:00"),
        (datetime(2024, 7, 1, 10, tzinfo=UTC), "date", "2024-07-01"),
        (
            datetime(2024, 7, 1, 10, tzinfo=UTC).replace(tzinfo=None),
            "%d.%m.%Y %H:%M:%S %% %z",
            "01.07.2024 12:00:00 % +0200",
        ),
        (date(987, 1, 2), "%Y", "0987"),
        (None, "iso", None),
    ],
)
def test_dates_are_written_in_the_zone(value, layout, expected):
    assert BY_NAME["date"](value, layout, "Europe/Berlin") == expected


@pytest.mark.parametrize("zone", ["Mars", "../etc/passwd", "", "\x00"])
def test_a_zone_that_is_none_is_told(zone):
    with pytest.raises(ValueError, match="no time zone"):
        BY_NAME["date"](None, "iso", zone)


def test_default_keeps_what_is_there():
    assert BY_NAME["default"](0, 5) == 0
    assert BY_NAME["default"](None, 0.1) == Decimal("0.1")


def test_everything_is_declared_through_hooks():
    assert hub_register_filters() == FILTERS
    fields = facts.hub_register_fields()
    objects = {one.name for one in facts.hub_register_source_objects()}
    assert {one.source_object for one in fields} == objects
    assert {one.source_object for one in facts.hub_register_triggers()} <= objects
    assert "hub.event.connector" in {one.name for one in fields}
