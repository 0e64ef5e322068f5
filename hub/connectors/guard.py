"""What is given up first when a vendor's quota runs out. Pure."""

from collections.abc import Mapping
from enum import IntEnum
from typing import Final

from hub.sdk.connector_types import Quota

USUAL: Final[Mapping[str, int]] = {"imports": 70, "polling": 90, "ordinary": 95}
"""From which used share (in %) each is shed; a connector may say otherwise."""
POLLED_LESS: Final = 5
"""Polls come so many times as rarely while polling is shed."""
_ASK_AGAIN_S: Final = 60.0


class Shed(IntEnum):
    """How much is shed at the moment; each includes those before it."""

    NOTHING = 0
    IMPORTS = 1
    POLLING = 2
    ORDINARY = 3

    @property
    def sentence(self) -> str:
        """What people are told."""
        return _SENTENCES[self]


_SENTENCES: Final[Mapping[Shed, str]] = {
    Shed.NOTHING: "nothing is held back",
    Shed.IMPORTS: "imports and replays wait",
    Shed.POLLING: "imports and replays wait, polls come five times as rarely",
    Shed.ORDINARY: "only what is urgent is sent, the rest waits",
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
    for level, name in (
        (Shed.ORDINARY, "ordinary"),
        (Shed.POLLING, "polling"),
        (Shed.IMPORTS, "imports"),
    ):
        if used >= limits[name]:
            return level
    return Shed.NOTHING


def waits(level: Shed, quota: Quota | None, age_s: float, *, urgent: bool, bulk: bool) -> float:
    """Return for how long a request has to wait; 0 = it may go."""
    held = level >= Shed.ORDINARY and not urgent
    if not held and not (bulk and level >= Shed.IMPORTS):
        return 0.0
    if quota is None or quota.resets_in is None:
        return _ASK_AGAIN_S
    return max(1.0, min(_ASK_AGAIN_S, quota.resets_in - age_s))
