"""One change that a vendor tells in several ways is one event.

Each way leaves a mark in place of the event's key: change, moment, way, key. The marks of a
change lie beside each other in the index, ordered by moment, so one range finds those that may
be the same. They are counted: the n-th telling in one way is new only where no other way has
told n times; a key that was told within the window is known in whichever way it comes.
"""

import uuid
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from hashlib import blake2b
from typing import Final

from hub.sdk.events import Event

_CHANGE: Final = 6
_MOMENT: Final = 6
_KEY: Final = 6
_WAY: Final = slice(_CHANGE + _MOMENT, -_KEY)
_LAST: Final = 2 ** (8 * _MOMENT) - 1
_LOWEST: Final = b"\x00" * (2 + _KEY)
_HIGHEST: Final = b"\xff" * (2 + _KEY)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """How one event tells of its change; `hash` lies between `low` and `high`, as others may.

    `key` is the vendor's own for this telling.
    """

    key: str
    hash: bytes
    low: bytes
    high: bytes

    @property
    def change(self) -> bytes:
        """The record and the trigger."""
        return self.hash[:_CHANGE]

    @property
    def lock(self) -> int:
        """The number of the advisory lock of this change, on PostgreSQL."""
        return int.from_bytes(self.hash[:4], signed=True)


def mark_of(event: Event, key: str) -> Mark | None:
    """Return the mark of an event that is told in several ways; None for the others."""
    if event.told is None:
        return None
    record = event.record
    change = _digest(f"{event.trigger}\x1f{record.source_object}\x1f{record.id}", _CHANGE)
    window = event.told.window
    at = _moment(event.occurred_at)
    span = int(window.total_seconds() * 1000)
    return Mark(
        key=key,
        hash=change + _packed(at) + _way(event.told.way) + _digest(key, _KEY),
        low=change + _packed(at - span) + _LOWEST,
        high=change + _packed(at + span) + _HIGHEST,
    )


def told_before(
    marked: Sequence[tuple[int, uuid.UUID, Mark]], stored: Mapping[int, Sequence[bytes]]
) -> set[int]:
    """Return the numbers of those that another way has told before.

    `marked` are (number, connector, mark) in the order of filing: each counts only for those
    that follow it. `stored` are the marks near each that were there before, by its number.
    """
    if not stored and len({(one[1], one[2].change) for one in marked}) == len(marked):
        return set()
    told, earlier = set(), dict[tuple[uuid.UUID, bytes], list[bytes]]()
    for n, connector, mark in marked:
        beside = earlier.setdefault((connector, mark.change), [])
        near = [one for one in beside if mark.low <= one <= mark.high]
        if is_told(mark, [*stored.get(n, ()), *near]):
            told.add(n)
        beside.append(mark.hash)
    return told


def is_told(mark: Mark, told: Iterable[bytes]) -> bool:
    """Say whether another way has told as often as this one, the mark itself included.

    Or whether its very key was told, in another way or of another moment.
    """
    others = {*told} - {mark.hash}
    if any(one[-_KEY:] == mark.hash[-_KEY:] for one in others):
        return True
    times = Counter(one[_WAY] for one in others)
    own = times.pop(mark.hash[_WAY], 0) + 1
    return any(count >= own for count in times.values())


def _moment(when: datetime) -> int:
    return int(when.timestamp() * 1000)


def _packed(moment: int) -> bytes:
    if not 0 <= moment <= _LAST:
        moment = 0 if moment < 0 else _LAST
    return moment.to_bytes(_MOMENT)


@lru_cache(maxsize=64)
def _way(name: str) -> bytes:
    return _digest(name, 2)


def _digest(text: str, size: int) -> bytes:
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=size).digest()
