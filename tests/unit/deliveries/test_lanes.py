import uuid
from typing import NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from hub.deliveries.lanes import bucket_of, lane_of, shard_of, take
from hub.sdk.events import RecordRef

CONNECTOR = uuid.UUID(int=7)


class Event(NamedTuple):
    id: int
    lane: str


records = st.builds(
    lambda name, number: RecordRef(source_object=name, id=number), st.text(), st.text()
)
events = st.lists(st.builds(Event, st.integers(0, 500), st.sampled_from("abcdef")), unique=True)


def test_a_lane_is_the_same_in_every_process():
    ref = RecordRef(source_object="pagerduty.incident", id="Q1")

    assert lane_of(CONNECTOR, ref) == "2d6e0e64ed9da93b"


@given(record=records, shards=st.integers(1, 1024))
def test_a_lane_has_one_shard(record, shards):
    lane = lane_of(CONNECTOR, record)

    assert len(lane) == 16
    assert 0 <= shard_of(lane, shards) < shards
    assert 0 <= bucket_of(CONNECTOR, record) < 64


@given(record=records)
def test_connectors_do_not_share_lanes(record):
    assert lane_of(CONNECTOR, record) != lane_of(uuid.UUID(int=8), record)


@given(events=events, in_work=st.sets(st.sampled_from("abcdef")), most=st.integers(1, 9))
def test_lanes_are_in_order_and_bounded(events, in_work, most):
    lanes = take(events, in_work, most)

    assert not in_work & set(lanes)
    for lane, listed in lanes.items():
        of_lane = sorted(one.id for one in events if one.lane == lane)
        assert [one.id for one in listed] == of_lane[:most]
    assert set(lanes) == {one.lane for one in events} - in_work
