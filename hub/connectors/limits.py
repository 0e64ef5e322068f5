"""How fast a connector may call its vendor, and when it must leave it alone.

State in memory, by limiter key: connectors that share a credential share a bucket. Where several
processes share an account, the tokens of the bucket are leased from a pool in small blocks.
"""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, NamedTuple, Protocol
from uuid import UUID

from hub.connectors import guard
from hub.connectors.guard import Shed, Worth
from hub.connectors.leases import Lease, Pool, Wish
from hub.connectors.outages import Outage
from hub.sdk.connector_types import Quota

URGENT_SHARE: Final = 0.2
"""Kept for what is urgent."""
BULK_SHARE: Final = 0.5
"""Kept from imports, replays and polls, for what happens now."""
_log = logging.getLogger(__name__)
_HEARD_S: Final = 1.0
_BURST_S: Final = 10.0
_LEAST_BURST: Final = 5.0
_UNLIMITED: Final = float("inf")
_BACKOFF_FIRST_S: Final = 1.0
_BACKOFF_LONGEST_S: Final = 60.0
_MINUTE_S: Final = 60.0


class Limited(Protocol):
    """What is limited: an open connector."""

    @property
    def tenant_id(self) -> UUID: ...  # noqa: D102 - a member
    @property
    def id(self) -> UUID: ...  # noqa: D102 - a member
    @property
    def limiter_key(self) -> str: ...  # noqa: D102 - a member
    @property
    def quota_guard(self) -> Mapping[str, int]: ...  # noqa: D102 - a member
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
    used_percent: float | None = None
    shed: Shed = Shed.NOTHING


@dataclass(slots=True)
class Bucket:
    """Tokens for requests; the last fifth is kept for what is urgent, half from what is not live.

    All times are the caller's monotonic seconds. A `pooled` one has only what was leased.
    """

    rate: float
    burst: float
    tokens: float
    at: float
    blocked_until: float = 0.0
    backoff: float = 0.0
    quota: Quota | None = None
    quota_at: float = 0.0
    made: deque[list[float]] = field(default_factory=deque)
    """Requests of the last minute: [second, how many], the oldest first."""
    pooled: bool = False
    empty_until: dict[float, float] = field(default_factory=dict)

    @classmethod
    def for_pace(cls, requests_per_minute: int | None, now: float) -> "Bucket":
        """Return a full bucket for this pace; None = no limit is known."""
        if requests_per_minute is None:
            return cls(rate=_UNLIMITED, burst=_UNLIMITED, tokens=_UNLIMITED, at=now)
        rate = requests_per_minute / 60
        burst = max(_LEAST_BURST, rate * _BURST_S)
        return cls(rate=rate, burst=burst, tokens=burst, at=now)

    def wait(self, calls: int, now: float, *, urgent: bool, bulk: bool = False) -> float:
        """Take tokens and return 0, or return after how many seconds to ask again."""
        self._refill(now)
        if now < self.blocked_until:
            return self.blocked_until - now
        if self.rate == _UNLIMITED:
            self._made(calls, now)
            return 0.0
        kept = 0.0 if self.pooled else self.kept(urgent=urgent, bulk=bulk)
        needed = min(float(calls), self.burst - kept) + kept
        if self.tokens >= needed:
            self.tokens -= calls
            self._made(calls, now)
            return 0.0
        return (needed - self.tokens) / self.rate

    def kept(self, *, urgent: bool, bulk: bool) -> float:
        """Return the tokens that are kept from a request, for more urgent ones."""
        return 0.0 if urgent else self.burst * (BULK_SHARE if bulk else URGENT_SHARE)

    def leased(self, lease: Lease, kept: float, now: float) -> None:
        """Take in what was leased, and what other processes heard from the vendor."""
        self.tokens += lease.tokens
        if lease.blocked:
            self.blocked_until = max(self.blocked_until, now + lease.blocked)
        if lease.tokens == 0:
            self.empty_until[kept] = now + lease.wait
        if lease.quota is not None:
            self.quota, self.quota_at = lease.quota, now

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
            made_last_minute=int(sum(count for _, count in self.made)),
            limit=quota.limit,
            remaining=quota.limit if resets == 0 else quota.remaining,
            resets_in=resets,
            waits=max(0.0, self.blocked_until - now),
        )

    def _refill(self, now: float) -> None:
        if self.rate != _UNLIMITED and not self.pooled:
            self.tokens = min(self.burst, self.tokens + max(0.0, now - self.at) * self.rate)
        self.at = max(self.at, now)

    def _made(self, calls: int, now: float) -> None:
        second = now // 1
        if self.made and self.made[-1][0] == second:
            self.made[-1][1] += calls
        else:
            self.made.append([second, calls])
            self._forget(now)

    def _forget(self, now: float) -> None:
        while self.made and now - self.made[0][0] >= _MINUTE_S:
            self.made.popleft()


class ShedChange(NamedTuple):
    """What is held back from now on, at this used share of the vendor's quota."""

    connector: Limited
    shed: Shed
    used_percent: float


class Limits:
    """The process's buckets and outages.

    Worker: `permit` before a run's slot, `observe` is called by the transport, `lower` on
    RateLimited, `failed` and `succeeded` after each run, `may_try` while parked.
    """

    def __init__(
        self, monotonic: Callable[[], float] = time.monotonic, *, pool: Pool | None = None
    ) -> None:
        self._now = monotonic
        self._pool = pool
        self._buckets: dict[str, Bucket] = {}
        self._outages: dict[object, Outage] = {}
        self._leasing: dict[str, asyncio.Lock] = {}
        self._telling: set[asyncio.Task[None]] = set()
        self._heard_at: dict[str, float] = {}
        self._shed: dict[UUID, Shed] = {}
        self._changes: list[ShedChange] = []

    async def permit(  # noqa: PLR0913 - what a request is, each by its name
        self,
        connector: Limited,
        *,
        urgent: bool = False,
        bulk: bool = False,
        note: bool = False,
        spared: bool = False,
        calls: int = 1,
        patience: float = 1.0,
    ) -> float:
        """Wait for permission to make `calls` requests; 0 = granted.

        When the wait would be over `patience` seconds nothing is taken and the seconds to
        wait are returned: hold the lane meanwhile instead of sleeping. `bulk` is what does not
        happen now: imports, replays, polls. A `note` waits while the quota runs out; what is
        `spared` does not: paging, changes of status.
        """
        deadline = self._now() + patience
        worth = Worth(urgent=urgent, bulk=bulk, note=note, spared=spared)
        while (wait := await self._ask(connector, calls, worth)) > 0:
            if self._now() + wait > deadline:
                return wait
            await asyncio.sleep(wait)
        return 0.0

    async def _ask(self, connector: Limited, calls: int, worth: Worth) -> float:
        bucket, now = self._bucket(connector), self._now()
        urgent, bulk = worth.urgent, worth.bulk
        held = self._held(bucket, connector, worth)
        if held > 0:
            return held
        wait = bucket.wait(calls, now, urgent=urgent, bulk=bulk)
        if wait <= 0 or self._pool is None or not bucket.pooled or now < bucket.blocked_until:
            return wait
        kept = bucket.kept(urgent=urgent, bulk=bulk)
        async with self._leasing.setdefault(connector.limiter_key, asyncio.Lock()):
            now = self._now()
            if bucket.wait(calls, now, urgent=urgent, bulk=bulk) <= 0:
                return 0.0
            empty = bucket.empty_until.get(kept, now) - now
            if empty > 0:
                return empty
            lease = await self._pool.lease(_wish(connector, bucket, calls, kept))
            bucket.leased(lease, kept, self._now())
        return max(lease.wait, bucket.wait(calls, self._now(), urgent=urgent, bulk=bulk))

    def _held(self, bucket: Bucket, connector: Limited, worth: Worth) -> float:
        age = self._now() - bucket.quota_at
        level = guard.shed(guard.used_percent(bucket.quota, age), connector.quota_guard)
        return guard.waits(level, bucket.quota, age, worth)

    def shed(self, connector: Limited) -> Shed:
        """Return what is held back at the moment, since the vendor's quota runs out."""
        return self.usage(connector).shed

    def sparing(self, connector: Limited) -> bool:
        """Whether requests are to be spared: what can be sent together is."""
        return self.shed(connector) >= Shed.COMMENTS

    def observe(self, connector: Limited, headers: Mapping[str, str], status: int = 200) -> None:
        """Read what an answer's headers say of the vendor's limit."""
        bucket = self._bucket(connector)
        quota = connector.read_quota(headers) if connector.read_quota else None
        if quota is not None:
            bucket.observe(quota, self._now())
            self._note(connector)
            self._tell_all(connector, bucket, quota)
        elif status != 429:
            bucket.answered()

    def lower(self, connector: Limited, retry_after: float | None) -> float:
        """Slow down all connectors of this key after a RateLimited; return for how long."""
        bucket = self._bucket(connector)
        seconds = bucket.lower(retry_after, self._now())
        if self._pool is not None and bucket.pooled:
            self._begin(self._pool.block(_wish(connector, bucket, 0, 0.0), seconds))
        return seconds

    def take_changes(self) -> list[ShedChange]:
        """Return what is held back otherwise than before, since this was asked last."""
        taken, self._changes = self._changes, []
        return taken

    def _note(self, connector: Limited) -> None:
        usage = self.usage(connector)
        before = self._shed.get(connector.id, Shed.NOTHING)
        if usage.shed is not before:
            self._shed[connector.id] = usage.shed
            self._changes.append(ShedChange(connector, usage.shed, usage.used_percent or 0.0))

    def _tell_all(self, connector: Limited, bucket: Bucket, quota: Quota) -> None:
        """Tell other processes what the vendor said, once a second, and at once when it is out."""
        if self._pool is None or not bucket.pooled:
            return
        now, key = self._now(), connector.limiter_key
        if quota.remaining and now - self._heard_at.get(key, -_HEARD_S) < _HEARD_S:
            return
        self._heard_at[key] = now
        self._begin(self._pool.heard(_wish(connector, bucket, 0, 0.0), quota))

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        self._telling.add(task)
        task.add_done_callback(self._told)

    def _told(self, task: asyncio.Task[None]) -> None:
        self._telling.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.warning("others were not told of a vendor's limit", exc_info=error)

    async def close(self) -> None:
        """Wait for what is being told to other processes."""
        await asyncio.gather(*self._telling, return_exceptions=True)

    def usage(self, connector: Limited) -> Usage:
        """Return how much of the limit is used."""
        bucket, now = self._bucket(connector), self._now()
        used = guard.used_percent(bucket.quota, now - bucket.quota_at)
        return replace(
            bucket.usage(connector.requests_per_minute, now),
            used_percent=used,
            shed=guard.shed(used, connector.quota_guard),
        )

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
            if self._pool is not None and bucket.rate != _UNLIMITED:
                bucket.pooled, bucket.tokens = True, 0.0
            self._buckets[connector.limiter_key] = bucket
        return bucket

    def _outage(self, connector_id: object) -> Outage:
        return self._outages.setdefault(connector_id, Outage())


def _wish(connector: Limited, bucket: Bucket, calls: int, kept: float) -> Wish:
    return Wish(
        tenant_id=connector.tenant_id,
        limiter_key=connector.limiter_key,
        rate=bucket.rate,
        burst=bucket.burst,
        calls=calls,
        kept=kept,
    )
