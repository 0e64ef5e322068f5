"""Rules that fire too often on one record, and lanes that send too much; pure but for memory."""

import uuid
from collections import deque
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

from hub.correlations.repository import RecordKey

_STORING: Final = timedelta(seconds=2)
"""What was opened here is stored by then; a breaker that is not stored after it was reset."""

_LONG_AGO: Final = datetime.min.replace(tzinfo=UTC)


class Pair(NamedTuple):
    """A rule and the record that it fires on; made by `pair_of`."""

    rule_id: str
    connector_id: uuid.UUID
    record_id: str


def pair_of(rule_id: str, record: RecordKey) -> Pair:
    """Return the pair of a rule and a record."""
    return Pair(rule_id, record.connector_id, record.record_id)


class Breakers:
    """Counts firings and requests of the last minutes; opens a breaker over the limit.

    Counts live in the process; what is open is stored too, see `hub.runs.breakers`.
    """

    def __init__(
        self,
        *,
        firings: int = 10,
        window: timedelta = timedelta(minutes=5),
        open_for: timedelta = timedelta(hours=1),
        budget: int = 60,
    ) -> None:
        self._firings = firings
        self._window = window
        self._open_for = open_for
        self._budget = budget
        self._fired: dict[Pair, deque[datetime]] = {}
        self._open: dict[Pair, datetime] = {}
        self._opened_at: dict[Pair, datetime] = {}
        self._sent: dict[tuple[uuid.UUID, str], deque[datetime]] = {}

    def is_open(self, pair: Pair, now: datetime) -> bool:
        """Whether the rule is off for this record."""
        until = self._open.get(pair)
        if until is not None and until <= now:
            self.reset(pair)
            return False
        return until is not None

    def fired(self, pair: Pair, now: datetime) -> datetime | None:
        """Count a firing; over the limit the breaker opens: return until when."""
        times = self._fired.setdefault(pair, deque())
        _count(times, now, self._window)
        if len(times) <= self._firings:
            return None
        until = now + self._open_for
        self._open[pair], self._opened_at[pair] = until, now
        return until

    def follow(self, stored: Mapping[Pair, datetime], now: datetime) -> None:
        """Have open what is stored as open, by whatever process; close what was reset there.

        What was opened here a moment ago may not be stored yet: it stays.
        """
        for pair in [one for one in self._open if one not in stored]:
            if now - self._opened_at.get(pair, _LONG_AGO) >= _STORING:
                self.reset(pair)
        self._open.update(stored)

    def reset(self, pair: Pair) -> None:
        """Close a breaker and forget its count."""
        self._open.pop(pair, None)
        self._opened_at.pop(pair, None)
        self._fired.pop(pair, None)

    def within_budget(self, tenant: uuid.UUID, lane: str, now: datetime) -> bool:
        """Count a request of a lane; False: it sends too much."""
        times = self._sent.setdefault((tenant, lane), deque())
        _count(times, now, self._window)
        if len(self._sent) > 20_000:
            self._forget(now)
        return len(times) <= self._budget

    def firings(self, pair: Pair) -> int:
        """Return how often the rule fired on the record lately."""
        return len(self._fired.get(pair, ()))

    def _forget(self, now: datetime) -> None:
        for held in (self._sent, self._fired):
            old = [
                key for key, times in held.items() if not times or now - times[-1] > self._window
            ]
            for key in old:
                del held[key]  # type: ignore[arg-type]  # the key came from this very dict


def _count(times: deque[datetime], now: datetime, window: timedelta) -> None:
    times.append(now)
    while times and now - times[0] > window:
        times.popleft()
