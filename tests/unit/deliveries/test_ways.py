"""One change told in several ways is one event; two changes stay two."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.deliveries.ways import Mark, is_told, mark_of
from hub.sdk.events import Event, Record, Told

AT = datetime(2025, 8, 23, 15, 0, 0, tzinfo=UTC)


def mark(way="v3", key="k", *, at=AT, record="P1", trigger="pagerduty.incident.acknowledged"):
    event = Event(
        trigger=trigger,
        record=Record(source_object="pagerduty.incident", id=record),
        occurred_at=at,
        key=key,
        told=Told(way=way),
    )
    found = mark_of(event, key)
    assert found is not None
    return found


def new_ones(marks: list[Mark]) -> list[Mark]:
    """File marks one after the other; return those that count as events."""
    stored: list[bytes] = []
    new = []
    for one in marks:
        stored.append(one.hash)
        if not is_told(one, [other for other in stored if one.low <= other <= one.high]):
            new.append(one)
    return new


def test_an_event_that_is_told_in_one_way_only_has_no_mark() -> None:
    record = Record(source_object="pagerduty.incident", id="P1")
    event = Event(trigger="a.b.c", record=record, occurred_at=AT, key="k")

    assert mark_of(event, "k") is None


@pytest.mark.parametrize("seconds", [-5, -1.2, 0, 0.4, 5])
def test_a_second_way_within_the_window_tells_nothing_new(seconds) -> None:
    first, second = mark("v3"), mark("v2", at=AT + timedelta(seconds=seconds))

    assert new_ones([first, second]) == [first]


@pytest.mark.parametrize("seconds", [-5.001, 5.001, 3600])
def test_outside_the_window_it_is_another_change(seconds) -> None:
    first, second = mark("v3"), mark("v2", at=AT + timedelta(seconds=seconds))

    assert new_ones([first, second]) == [first, second]


def test_one_way_may_tell_of_changes_that_follow_each_other_at_once() -> None:
    marks = [mark("v3", f"e{n}", at=AT + timedelta(seconds=n)) for n in range(4)]

    assert new_ones(marks) == marks


def test_other_records_and_triggers_are_other_changes() -> None:
    marks = [mark("v3"), mark("v2", record="P2"), mark("v2", trigger="pagerduty.incident.resolved")]

    assert new_ones(marks) == marks


@given(
    changes=st.integers(1, 4),
    ways=st.lists(st.sampled_from(["v3", "v2", "v1", "log"]), min_size=1, unique=True),
    data=st.data(),
)
def test_however_they_interleave_each_change_counts_once(changes, ways, data) -> None:
    told = [
        mark(way, f"{way}.{n}", at=AT + timedelta(milliseconds=n))
        for way in ways
        for n in range(changes)
    ]
    order = data.draw(st.permutations(told))

    assert len(new_ones(list(order))) == changes
