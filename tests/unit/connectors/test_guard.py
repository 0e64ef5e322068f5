"""What is given up first when a vendor's quota runs out."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub import Quota
from hub.connectors.guard import Shed, Worth, shed, used_percent, waits


@pytest.mark.parametrize(
    ("used", "expected"),
    [
        (None, Shed.NOTHING),
        (69.9, Shed.NOTHING),
        (70, Shed.IMPORTS),
        (80, Shed.COMMENTS),
        (85, Shed.NOTES),
        (90, Shed.POLLING),
        (95, Shed.ORDINARY),
        (100, Shed.ORDINARY),
    ],
)
def test_imports_go_first_then_notes_then_polling_then_all_but_paging_and_status(
    used: float | None, expected: Shed
) -> None:
    assert shed(used, {}) is expected


def test_a_connector_may_draw_the_lines_elsewhere() -> None:
    assert shed(50, {"imports": 40}) is Shed.IMPORTS
    assert shed(92, {"polling": 93}) is Shed.NOTES


def test_a_quota_that_began_anew_is_not_used() -> None:
    quota = Quota(limit=100, remaining=1, resets_in=30)

    assert used_percent(quota, 10) == 99
    assert used_percent(quota, 30) == 0
    assert used_percent(Quota(remaining=5), 0) is None
    assert used_percent(None, 0) is None


@given(
    level=st.sampled_from(Shed),
    age=st.floats(0, 100),
    resets=st.one_of(st.none(), st.floats(0, 1e5)),
    worth=st.builds(Worth, urgent=st.booleans(), bulk=st.booleans(), note=st.booleans()),
)
def test_what_is_urgent_or_spared_never_waits_and_no_wait_is_long(
    level: Shed, age: float, resets: float | None, worth: Worth
) -> None:
    quota = Quota(limit=10, remaining=1, resets_in=resets)

    assert waits(level, quota, age, Worth(urgent=True)) == 0
    assert waits(level, quota, age, Worth(spared=True)) == 0
    assert 0 <= waits(level, quota, age, worth) <= 60
    assert (waits(level, quota, age, Worth()) > 0) is (level is Shed.ORDINARY)
    assert (waits(level, quota, age, Worth(note=True)) > 0) is (level >= Shed.NOTES)
    assert (waits(level, quota, age, Worth(bulk=True)) > 0) is (level >= Shed.IMPORTS)
