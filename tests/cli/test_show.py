import io
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from hub.cli import times
from hub.cli.show import Screen, shown

AT = datetime(2025, 8, 23, 15, 30, tzinfo=UTC)


def screen(**manner: bool) -> Screen:
    return Screen(**manner, out=io.StringIO(), err=io.StringIO())


def printed(on: Screen) -> str:
    assert isinstance(on.out, io.StringIO)
    return on.out.getvalue()


def test_a_table_is_plain_columns_two_spaces_apart() -> None:
    on = screen()

    on.table([("prod-pagerduty", "pagerduty", None)], ("Name", "Type", "Last Sync"))

    assert printed(on) == ("Name            Type       Last Sync\nprod-pagerduty  pagerduty  -\n")


def test_wide_characters_do_not_break_columns() -> None:
    on = screen()

    on.table([("日本", "x"), ("ab", "y")], ("N", "V"))

    assert printed(on).splitlines() == ["N     V", "日本  x", "ab    y"]


def test_marks_come_with_words_and_without_colour() -> None:
    on = screen()

    on.done("Connected")
    on.failed("Key", "give another")
    on.warn("careful")
    on.skipped("left out")

    assert printed(on).splitlines() == [
        "✓ Connected",
        "✗ Key",
        "  Fix: give another",
        "! careful",
        "- left out",
    ]


def test_colour_is_around_the_mark_only() -> None:
    on = screen(color=True)

    on.done("Connected")

    assert printed(on) == "\x1b[32m✓\x1b[0m Connected\n"


def test_json_prints_the_data_and_nothing_else() -> None:
    on = screen(json=True)

    on.done("for people")
    on.data({"ä": 1})

    assert printed(on) == '{\n  "ä": 1\n}\n'


def test_quiet_still_tells_of_failures() -> None:
    on = screen(quiet=True)

    on.done("for people")
    on.failure("It broke.", ["  /a: b"], "repair it")

    assert printed(on) == ""
    assert isinstance(on.err, io.StringIO)
    assert on.err.getvalue() == "✗ It broke.\n  /a: b\nFix: repair it\n"


def test_values_are_shown_with_their_kind() -> None:
    assert [shown(one) for one in (None, "", "High", 3, ["a"])] == [
        "(empty)",
        "(empty)",
        '"High"',
        "3",
        '["a"]',
    ]


def test_times_are_in_the_tenants_zone() -> None:
    assert times.moment(AT.isoformat(), times.zone_named("Europe/Berlin")) == "2025-08-23 17:30:00"
    assert times.moment(AT.isoformat(), times.zone_named("No/Where")) == "2025-08-23 15:30:00"
    assert times.moment(None, UTC) == "never"


def test_times_are_relative_in_the_largest_unit() -> None:
    later = datetime(2025, 8, 23, 15, 32, tzinfo=UTC)

    assert times.ago(AT.isoformat(), later) == "2m ago"
    assert times.ago(later.isoformat(), AT) == "0s ago"
    assert times.ago(None, AT) == "never"


@given(st.datetimes(timezones=st.just(UTC)), st.datetimes(timezones=st.just(UTC)))
def test_ago_never_fails(one: datetime, other: datetime) -> None:
    assert times.ago(one.isoformat(), other).endswith("ago")
