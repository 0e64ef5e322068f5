"""Events into lanes; pure."""

from collections.abc import Container, Iterable
from typing import Protocol, TypeVar

from hub.dispatch.lanes import bucket_of, lane_of, shard_of

__all__ = ["bucket_of", "lane_of", "shard_of", "take"]


class InLane(Protocol):
    """What has its place in a lane."""

    @property
    def id(self) -> int:
        """Its place: events of a lane are worked by ascending id."""
        ...

    @property
    def lane(self) -> str:
        """Its lane."""
        ...


E = TypeVar("E", bound=InLane)


def take(events: Iterable[E], in_work: Container[str], most: int) -> dict[str, list[E]]:
    """Return the events by lane, each in order, at most `most`; lanes in work are left out."""
    lanes: dict[str, list[E]] = {}
    for event in sorted(events, key=lambda one: one.id):
        if event.lane in in_work:
            continue
        lane = lanes.setdefault(event.lane, [])
        if len(lane) < most:
            lane.append(event)
    return lanes
