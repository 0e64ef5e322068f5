"""What is given up first when a vendor's quota runs out."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub import Quota
from hub.connectors.guard import Shed, shed, used_percent, waits


@pytest.mark.parametrize(
    ("used", "expected"),
    [
        (None, Shed.NOTHING),
        (69.9, Shed.NOTHING),
        (70, Shed.IMPORTS),
        (90, Shed.POLLING),
        (95, Shed.ORDINARY),
        (100, Shed.ORDINARY),
    ],
)
def test_imports_go_first_then_polling_then_all_but_paging(
    used: float | None, expected: Shed
) -> None:
    assert shed(used, {}) is expected


def test_a_connector_may_draw_the_lines_elsewhere() -> None:
    assert shed(50, {"imports": 40}) is Shed.IMPORTS
    assert shed(92, {"polling": 93}) is Shed.IMPORTS


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
    bulk=st.booleans(),
)
def test_what_is_urgent_never_waits_and_no_wait_is_long(
    level: Shed, age: float, resets: float | None, bulk: bool
) -> None:
    quota = Quota(limit=10, remaining=1, resets_in=resets)

    assert waits(level, quota, age, urgent=True, bulk=False) == 0
    assert 0 <= waits(level, quota, age, urgent=False, bulk=bulk) <= 60
    assert (waits(level, quota, age, urgent=False, bulk=False) > 0) is (level is Shed.ORDINARY)
