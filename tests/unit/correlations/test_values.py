from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from hub.correlations.values import digest, pack, pack_event, same, unpack, unpack_event
from hub.sdk.events import Event, Record

values = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.decimals(allow_nan=False, allow_infinity=False, places=3),
    st.text(),
    st.datetimes(timezones=st.just(UTC)),
    st.dates(),
    st.timedeltas(timedelta(days=-100), timedelta(days=100)),
    st.tuples(st.text(), st.text()),
)
fields = st.dictionaries(st.text(st.characters(exclude_characters="$")), values, max_size=5)


@given(fields)
@example({"half \ud800": "a"})
def test_packed_values_come_back_as_they_were(told):
    assert unpack(pack(told)) == told


@given(fields, st.one_of(st.none(), fields))
def test_packed_events_come_back_as_they_were(told, before):
    event = Event(
        trigger="load.item.created",
        record=Record(source_object="load.item", id="1", values=told),
        occurred_at=datetime(2025, 11, 21, tzinfo=UTC),
        key="k",
        before=before,
    )

    assert unpack_event(pack_event(event)) == event


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("a\r\nb ", "a\nb"),
        ("", None),
        (1, Decimal("1.0")),
        (("b", "a"), ("a", "b")),
        (
            datetime(2025, 1, 1, 9, 0, 0, 900, tzinfo=UTC),
            datetime(2025, 1, 1, 9, 0, 0, tzinfo=UTC),
        ),
        (True, "true"),
    ],
)
def test_what_vendors_call_the_same_is_the_same(one, other):
    assert same(one, other)
    assert digest(one) == digest(other)


@given(values, values)
def test_the_same_have_one_fingerprint(one, other):
    assert same(one, other) == (digest(one) == digest(other)) or same(one, other)


def test_different_values_differ():
    assert not same("P1", "P2")
    assert not same(date(2025, 1, 1), date(2025, 1, 2))
    assert not same(None, "x")
