"""How much of the org's daily API requests is used, and what is left out when it gets tight."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from hub import Quota

WARN_AT, SLOW_AT, STOP_AT = 0.80, 0.90, 0.95
"""Shares of the limit: warn; poll less often; only what pages people or sets a status."""
_USAGE = re.compile(r"api-usage=(\d+)/(\d+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Requests of the last 24 hours, of all the org's integrations together."""

    used: int
    limit: int

    @property
    def share(self) -> float:
        """The used part, from 0 to 1 and above."""
        return self.used / self.limit if self.limit else 0.0

    @property
    def slows(self) -> bool:
        """Whether polling should be done less often."""
        return self.share >= SLOW_AT

    @property
    def sheds(self) -> bool:
        """Whether everything but pages and status writes should wait."""
        return self.share >= STOP_AT

    def __str__(self) -> str:
        return f"{self.used} of {self.limit} requests used in 24 hours ({self.share:.0%})"


def usage_of(headers: Mapping[str, str]) -> Usage | None:
    """Return what `Sforce-Limit-Info` says; None where the header is missing."""
    found = _USAGE.search(headers.get("sforce-limit-info", ""))
    return Usage(used=int(found[1]), limit=int(found[2])) if found else None


def quota_of(headers: Mapping[str, str]) -> Quota | None:
    """Return the same for the hub's meter; header names in any letter case."""
    usage = usage_of({name.lower(): value for name, value in headers.items()})
    if usage is None:
        return None
    return Quota(limit=usage.limit, remaining=max(0, usage.limit - usage.used))


def calls_a_day(interval_seconds: int, *, objects: int, notes: int = 0) -> int:
    """Return what polling costs: five queries fit one call; each note written costs one."""
    polls = 86_400 // max(1, interval_seconds)
    return polls * -(-max(1, objects) // 5) + notes
