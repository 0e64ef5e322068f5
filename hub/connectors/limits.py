"""How fast a connector may call its vendor, and when it must leave it alone.

Pure state in memory, by limiter key: connectors that share a credential share a bucket.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol

from hub.sdk.connector_types import Quota

URGENT_SHARE: Final = 0.2
_BURST_S: Final = 10.0
_LEAST_BURST: Final = 5.0
_UNLIMITED: Final = float("inf")
_BACKOFF_FIRST_S: Final = 1.0
_BACKOFF_LONGEST_S: Final = 60.0

PARK_AFTER: Final = 5
PARK_LANES: Final = 2
_PARK_FIRST_S: Final = 30.0
_PARK_LONGEST_S: Final = 300.0


class Limited(Protocol):
    """What is limited: an open connector."""

    @property
    def limiter_key(self) -> str: ...  # noqa: D102 - a member
    @property
    def requests_per_minute(self) -> int | None: ...  # noqa: D102 - a member
    @property
    def read_quota(self) -> Callable[[Mapping[str, str]], Quota | None] | None: ...  # noqa: D102


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """How much of the vendor's limit is used, as far as anybody knows."""

    requests_per_minute: int | None
    made_last_minute: int
    limit: int | None = None
    remaining: int | None = None
    resets_in: float | None = None
    waits: float = 0.0


@dataclass(slots=True)
class Bucket:
    """Tokens for requests; the last fifth is kept for what is urgent.

    All times are the caller's monotonic seconds.
    """

    rate: float
    burst: float
    tokens: float
    at: float
    blocked_until: float = 0.0
    backoff: float = 0.0
    quota: Quota | None = None
    quota_at: float = 0.0
    made: list[float] = field(default_factory=list)

    @classmethod
    def for_pace(cls, requests_per_minute: int | None, now: float) -> "Bucket":
        """Return a full bucket for this pace; None = no limit is known."""
        if requests_per_minute is None:
            return cls(rate=_UNLIMITED, burst=_UNLIMITED, tokens=_UNLIMITED, at=now)
        rate = requests_per_minute / 60
        burst = max(_LEAST_BURST, rate * _BURST_S)
        return cls(rate=rate, burst=burst, tokens=burst, at=now)

    def wait(self, calls: int, now: float, *, urgent: bool) -> float:
        """Take tokens and return 0, or return after how many seconds to ask again."""
        self._refill(now)
        if now < self.blocked_until:
            return self.blocked_until - now
        if self.rate == _UNLIMITED:
            self._made(calls, now)
            return 0.0
        kept = 0.0 if urgent else self.burst * URGENT_SHARE
        needed = min(float(calls), self.burst - kept) + kept
        if self.tokens >= needed:
            self.tokens -= calls
            self._made(calls, now)
            return 0.0
        return (needed - self.tokens) / self.rate

    def lower(self, retry_after: float | None, now: float) -> float:
        """Stop for as long as the vendor asked; without a word from it 1 s, doubling to 60 s."""
        if retry_after is None:
            self.backoff = min(_BACKOFF_LONGEST_S, max(_BACKOFF_FIRST_S, self.backoff * 2))
            retry_after = self.backoff
        self.blocked_until = max(self.blocked_until, now + retry_after)
        if self.tokens != _UNLIMITED:
            self.tokens = min(self.tokens, self.burst * URGENT_SHARE)
        return retry_after

    def observe(self, quota: Quota, now: float) -> None:
        """Believe the vendor where it knows better."""
        self.quota, self.quota_at, self.backoff = quota, now, 0.0
        if quota.remaining is None:
            return
        if self.tokens != _UNLIMITED:
            self.tokens = min(self.tokens, float(quota.remaining))
        if quota.remaining <= 0 and quota.resets_in:
            self.blocked_until = max(self.blocked_until, now + quota.resets_in)

    def answered(self) -> None:
        """Note a request that the vendor did not throttle."""
        self.backoff = 0.0

    def usage(self, requests_per_minute: int | None, now: float) -> Usage:
        """Return how much is used."""
        self._forget(now)
        quota = self.quota or Quota()
        gone = now - self.quota_at
        resets = None if quota.resets_in is None else max(0.0, quota.resets_in - gone)
        return Usage(
            requests_per_minute=requests_per_minute,
            made_last_minute=len(self.made),
            limit=quota.limit,
            remaining=quota.limit if resets == 0 else quota.remaining,
            resets_in=resets,
            waits=max(0.0, self.blocked_until - now),
        )

    def _refill(self, now: float) -> None:
        if self.rate != _UNLIMITED:
            self.tokens = min(self.burst, self.tokens + max(0.0, now - self.at) * self.rate)
        self.at = max(self.at, now)

    def _made(self, calls: int, now: float) -> None:
        self.made.extend([now] * calls)
        if len(self.made) > 4096:
            self._forget(now)

    def _forget(self, now: float) -> None:
        self.made = [at for at in self.made if now - at < 60]


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


class Limits:
    """The process's buckets and outages.

    Worker: `permit` before a run's slot, `observe` is called by the transport, `lower` on
    RateLimited, `failed` and `succeeded` after each run, `may_try` while parked.
    """

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._now = monotonic
        self._buckets: dict[str, Bucket] = {}
        self._outages: dict[object, Outage] = {}

    async def permit(
        self, connector: Limited, *, urgent: bool = False, calls: int = 1, patience: float = 1.0
    ) -> float:
        """Wait for permission to make `calls` requests; 0 = granted.

        When the wait would be over `patience` seconds nothing is taken and the seconds to
        wait are returned: hold the lane meanwhile instead of sleeping.
        """
        deadline = self._now() + patience
        while (wait := self._bucket(connector).wait(calls, self._now(), urgent=urgent)) > 0:
            if self._now() + wait > deadline:
                return wait
            await asyncio.sleep(wait)
        return 0.0

    def observe(self, connector: Limited, headers: Mapping[str, str], status: int = 200) -> None:
        """Read what an answer's headers say of the vendor's limit."""
        bucket = self._bucket(connector)
        quota = connector.read_quota(headers) if connector.read_quota else None
        if quota is not None:
            bucket.observe(quota, self._now())
        elif status != 429:
            bucket.answered()

    def lower(self, connector: Limited, retry_after: float | None) -> float:
        """Slow down all connectors of this key after a RateLimited; return for how long."""
        return self._bucket(connector).lower(retry_after, self._now())

    def usage(self, connector: Limited) -> Usage:
        """Return how much of the limit is used."""
        return self._bucket(connector).usage(connector.requests_per_minute, self._now())

    def failed(self, connector_id: object, lane: str) -> float | None:
        """Count a run that met an outage; return for how long the connector is to be parked."""
        return self._outage(connector_id).failed(lane, self._now())

    def succeeded(self, connector_id: object) -> bool:
        """Count a run that met no outage; True when the connector is to be unparked."""
        return self._outage(connector_id).succeeded()

    def may_try(self, connector_id: object) -> float:
        """Return 0 when a run of this connector may go now, else after how many seconds."""
        return self._outage(connector_id).may_try(self._now())

    def _bucket(self, connector: Limited) -> Bucket:
        bucket = self._buckets.get(connector.limiter_key)
        if bucket is None:
            bucket = Bucket.for_pace(connector.requests_per_minute, self._now())
            self._buckets[connector.limiter_key] = bucket
        return bucket

    def _outage(self, connector_id: object) -> Outage:
        return self._outages.setdefault(connector_id, Outage())
