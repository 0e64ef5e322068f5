"""What is given up first when a vendor's quota runs out. Pure."""

from collections.abc import Mapping
from enum import IntEnum
from typing import Final, NamedTuple

from hub.sdk.connector_types import Quota

USUAL: Final[Mapping[str, int]] = {
    "imports": 70,
    "comments": 80,
    "notes": 85,
    "polling": 90,
    "ordinary": 95,
}
"""From which used share (in %) each is shed; a connector may say otherwise."""
POLLED_LESS: Final = 5
"""Polls come so many times as rarely while polling is shed."""
_ASK_AGAIN_S: Final = 60.0


class Shed(IntEnum):
    """How much is shed at the moment; each includes those before it."""

    NOTHING = 0
    IMPORTS = 1
    COMMENTS = 2
    NOTES = 3
    POLLING = 4
    ORDINARY = 5

    @property
    def sentence(self) -> str:
        """What people are told."""
        return _SENTENCES[self]


_SENTENCES: Final[Mapping[Shed, str]] = {
    Shed.NOTHING: "nothing is held back",
    Shed.IMPORTS: "imports and replays wait",
    Shed.COMMENTS: "imports and replays wait, notes that come together are sent as one request",
    Shed.NOTES: "imports, replays and notes wait",
    Shed.POLLING: "imports, replays and notes wait, polls come five times as rarely",
    Shed.ORDINARY: "only paging and changes of status are sent, the rest waits",
}


def used_percent(quota: Quota | None, age_s: float) -> float | None:
    """Return the used share of a quota, as far as the vendor told; None: nobody knows."""
    if quota is None or not quota.limit or quota.remaining is None:
        return None
    if quota.resets_in is not None and age_s >= quota.resets_in:
        return 0.0
    return 100 * (1 - quota.remaining / quota.limit)


def shed(used: float | None, guard: Mapping[str, int]) -> Shed:
    """Return what is to be shed at a used share."""
    if used is None:
        return Shed.NOTHING
    limits = {**USUAL, **guard}
    reached = [level for level in Shed if level and used >= limits[level.name.lower()]]
    return max(reached, default=Shed.NOTHING)


class Worth(NamedTuple):
    """What a request is for: the less it is worth, the sooner it waits.

    `spared` is what never waits for the quota: paging, and changes of status.
    """

    urgent: bool = False
    bulk: bool = False
    note: bool = False
    spared: bool = False


def waits(level: Shed, quota: Quota | None, age_s: float, worth: Worth) -> float:
    """Return for how long a request has to wait; 0 = it may go."""
    held = level >= Shed.ORDINARY and not (worth.urgent or worth.spared)
    held |= worth.note and level >= Shed.NOTES
    if not held and not (worth.bulk and level >= Shed.IMPORTS):
        return 0.0
    if quota is None or quota.resets_in is None:
        return _ASK_AGAIN_S
    return max(1.0, min(_ASK_AGAIN_S, quota.resets_in - age_s))
