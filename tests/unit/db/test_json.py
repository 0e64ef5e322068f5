"""JSON as rows hold it."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.db.base import to_json

FLOATS = st.floats(allow_nan=False, allow_infinity=False)
SCALARS = st.none() | st.booleans() | st.integers() | FLOATS | st.text()
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=20
)


class Pair(NamedTuple):
    """A tuple with names."""

    first: int
    second: str


@given(VALUES)
def test_what_is_written_is_read_again_as_it_was(value: object) -> None:
    assert json.loads(to_json(value)) == json.loads(json.dumps(value))


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (Pair(1, "a"), '[1,"a"]'),
        ({"sum": Decimal("1.50")}, '{"sum":"1.50"}'),
        (datetime(2026, 1, 2, tzinfo=UTC), '"2026-01-02 00:00:00+00:00"'),
        ({1: 2**70}, '{"1":1180591620717411303424}'),
        (float("inf"), "null"),
        ("half \ud800", '"half \ud800"'),
    ],
)
def test_what_json_has_no_form_for_is_a_list_or_text(value: object, written: str) -> None:
    assert to_json(value) == written
