"""What time it is: with PostgreSQL for all processes alike, whatever a host's clock does."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from hub.clock import Clock
from hub.clock import now as present
from hub.dispatch.shards import monotonic


@dataclass(slots=True)
class Time:
    """The host's clock, until the database's was read; from then on that one.

    It is carried on by a clock that nobody sets, so that a host whose clock is moved computes no
    waiting time from it, not even until the next reading. Tests let time pass with `ahead`.
    """

    host: Clock = present
    ahead: timedelta = field(default_factory=timedelta)
    _read: tuple[datetime, float] | None = None

    def now(self) -> datetime:
        """Return the present time."""
        if self._read is None:
            return self.host() + self.ahead
        there, at = self._read
        return there + timedelta(seconds=monotonic() - at) + self.ahead

    def was(self, there: datetime, began: float, ended: float) -> None:
        """Take in what the database's clock said when asked between two `monotonic` readings."""
        self._read = (there, (began + ended) / 2)
