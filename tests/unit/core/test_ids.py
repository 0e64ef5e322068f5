from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub import ids
from hub.errors import NotFound


def test_ids_are_uuids_of_version_seven():
    assert {7} == {ids.new_id().version for _ in range(100)}


def test_an_id_begins_with_its_time():
    before = datetime.now(UTC).timestamp() * 1000 - 1

    made = ids.new_id()

    assert before <= made.int >> 80 <= datetime.now(UTC).timestamp() * 1000 + 1


def test_ids_differ():
    assert len({ids.new_id() for _ in range(10_000)}) == 10_000


@given(st.integers(min_value=0, max_value=2**53))
def test_a_shown_number_reads_back(number: int):
    assert number == ids.number("dlv", ids.shown("dlv", number))


@pytest.mark.parametrize(
    "text", ["", "42", "evt_42", "dlv_", "dlv_-1", "dlv_x", "dlv_٣", "dlv_" + "9" * 19]
)
def test_a_foreign_id_is_not_found_and_named(text: str):
    with pytest.raises(NotFound, match="is not the id of a delivery"):
        ids.number("dlv", text)
