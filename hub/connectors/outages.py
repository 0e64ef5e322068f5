"""When a vendor seems to be away as a whole. Pure."""

from dataclasses import dataclass, field
from typing import Final

PARK_AFTER: Final = 5
PARK_LANES: Final = 2
_PARK_FIRST_S: Final = 30.0
_PARK_LONGEST_S: Final = 300.0


@dataclass(slots=True)
class Outage:
    """Failures in a row on one connector; parks it so that runs do not use up their attempts."""

    failures: int = 0
    lanes: set[str] = field(default_factory=set)
    park_s: float = 0.0
    parked_until: float | None = None
    probing: bool = False

    def failed(self, lane: str, now: float) -> float | None:
        """Count an Unavailable or OutcomeUnknown; return for how long to park, if at all."""
        self.failures += 1
        self.lanes.add(lane)
        if self.parked_until is not None:
            if not self.probing:
                return None
            self.probing = False
            return self._park(now)
        if self.failures >= PARK_AFTER and len(self.lanes) >= PARK_LANES:
            return self._park(now)
        return None

    def succeeded(self) -> bool:
        """Forget the failures; True when that ends a parking."""
        was = self.parked_until is not None
        self.failures, self.park_s, self.parked_until, self.probing = 0, 0.0, None, False
        self.lanes.clear()
        return was

    def may_try(self, now: float) -> float:
        """Return 0 when a run may go (parked and due: one, as a probe), else the wait in s."""
        if self.parked_until is None:
            return 0.0
        if now < self.parked_until:
            return self.parked_until - now
        if self.probing:
            return 1.0
        self.probing = True
        return 0.0

    def _park(self, now: float) -> float:
        self.park_s = min(_PARK_LONGEST_S, self.park_s * 2) if self.park_s else _PARK_FIRST_S
        self.parked_until = now + self.park_s
        return self.park_s
