"""Counting how often operators fail: the count of the last minutes decides, nothing else."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

MOST_FAILURES: Final = 100
"""Events on which a plugin's operator may fail within the window; then it is switched off."""
WINDOW: Final = timedelta(minutes=5)


@dataclass(slots=True)
class Failing:
    """How often operators failed of late, in this process."""

    most: int = MOST_FAILURES
    window: timedelta = WINDOW
    _seen: dict[str, deque[tuple[datetime, int]]] = field(default_factory=dict)

    def note(self, times: Mapping[str, int], at: datetime) -> Mapping[str, int]:
        """Count on; return those that failed too often, which are then counted anew.

        The hub's own operators are never among them: without `is` there are no rules left.
        """
        for name, number in times.items():
            if "." in name:
                self._seen.setdefault(name, deque()).append((at, number))
        found = {name: self._recent(name, at) for name in times if name in self._seen}
        over = {name: number for name, number in found.items() if number >= self.most}
        for name in over:
            del self._seen[name]
        return over

    def _recent(self, name: str, at: datetime) -> int:
        seen = self._seen[name]
        while seen and at - seen[0][0] > self.window:
            seen.popleft()
        return sum(number for _, number in seen)
