"""One change that a vendor tells in several ways is one event.

Each way leaves a mark beside the keys: change, moment, way. The marks of a change lie beside
each other in the index, ordered by moment, so one range finds those that may be the same. They
are counted: the n-th telling in one way is new only where no other way has told n times.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from hashlib import blake2b
from typing import Final

from sqlalchemy import Connection

from hub.db.bulk import Kind, write_rows
from hub.sdk.events import Event

_CHANGE: Final = 6
_MOMENT: Final = 6
_WAY: Final = slice(_CHANGE + _MOMENT, _CHANGE + _MOMENT + 2)
_LAST: Final = 2 ** (8 * _MOMENT) - 1
_MARKS: Final = """
SELECT v.n, s.key_hash FROM {rows} JOIN seen_keys s
  ON s.connector_id = v.connector_id AND s.key_hash BETWEEN v.low AND v.high"""
_MARKS_POSTGRES: Final = """
SELECT v.n, s.key_hash FROM {rows} CROSS JOIN LATERAL (
  SELECT key_hash FROM seen_keys WHERE connector_id = v.connector_id
    AND key_hash BETWEEN v.low AND v.high LIMIT 1000) s"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """How one event tells of its change; `hash` lies between `low` and `high`."""

    hash: bytes
    low: bytes
    high: bytes

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
        hash=change + _packed(at) + _way(event.told.way) + _digest(key, 2),
        low=change + _packed(at - span) + b"\x00" * 4,
        high=change + _packed(at + span) + b"\xff" * 4,
    )


def told_otherwise(connection: Connection, marked: Sequence[tuple[object, Mark]]) -> set[int]:
    """Return the places of those that another way has told before.

    `marked` are (connector, mark) in the order of filing; their marks are stored already, and
    each counts only for those that follow it.
    """
    if not marked:
        return set()
    columns = {"n": Kind.INT, "connector_id": Kind.UUID, "low": Kind.BYTES, "high": Kind.BYTES}
    rows = [(n, connector, mark.low, mark.high) for n, (connector, mark) in enumerate(marked)]
    found: dict[int, list[bytes]] = {}
    on_postgres = connection.dialect.name == "postgresql"
    for n, mark in write_rows(
        connection, _MARKS_POSTGRES if on_postgres else _MARKS, columns, rows
    ):
        found.setdefault(n, []).append(bytes(mark))
    place = {mark.hash: n for n, (_, mark) in reversed(list(enumerate(marked)))}
    return {
        n
        for n, (_, mark) in enumerate(marked)
        if is_told(mark, [one for one in found.get(n, ()) if place.get(one, -1) <= n])
    }


def is_told(mark: Mark, told: Iterable[bytes]) -> bool:
    """Say whether another way has told as often as this one, the mark itself included."""
    times = Counter(one[_WAY] for one in {*told, mark.hash})
    own = times.pop(mark.hash[_WAY])
    return any(count >= own for count in times.values())


def _moment(when: datetime) -> int:
    return int(when.timestamp() * 1000)


def _packed(moment: int) -> bytes:
    return min(max(moment, 0), _LAST).to_bytes(_MOMENT)


@lru_cache(maxsize=64)
def _way(name: str) -> bytes:
    return _digest(name, 2)


def _digest(text: str, size: int) -> bytes:
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=size).digest()
