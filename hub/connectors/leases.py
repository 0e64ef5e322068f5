"""One account's requests, shared by all processes: blocks of tokens, leased from the database."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Protocol
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Select, func, literal, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from hub.clock import Clock
from hub.clock import now as present
from hub.connectors.models import RateBucket
from hub.db import dialects
from hub.db.base import Timestamp
from hub.db.engine import Database
from hub.sdk.connector_types import Quota

_BLOCK_S: Final = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """Tokens that a process wants; the bucket keeps `kept` for what is more urgent."""

    tenant_id: UUID
    limiter_key: str
    rate: float
    burst: float
    calls: int
    kept: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """Tokens that a process got; `wait` s until there are enough. What others heard of a quota."""

    tokens: float
    wait: float = 0.0
    blocked: float = 0.0
    quota: Quota | None = None


class Pool(Protocol):
    """Where processes share tokens."""

    async def lease(self, wish: Wish) -> Lease:
        """Take a block of tokens, as many as a second makes."""
        ...

    async def block(self, wish: Wish, seconds: float) -> None:
        """Give nobody anything for a time."""
        ...

    async def heard(self, wish: Wish, quota: Quota) -> None:
        """Tell all what the vendor says is left."""
        ...


class SharedBuckets:
    """The table `rate_buckets`; one row is locked for the time of one small statement."""

    def __init__(self, database: Database, clock: Clock = present) -> None:
        self._database = database
        self._clock = clock

    async def lease(self, wish: Wish) -> Lease:
        """Take a block of tokens, as many as a second makes."""
        async with self._database.writing() as session:
            row = await self._locked(session, wish)
            have, now = _refilled(row, wish), row.now
            blocked = _seconds_until(row.blocked_until, now)
            took = 0.0 if blocked else _granted(have, wish)
            later = max(now, row.refilled_at)  # no moment is counted twice
            await self._set(session, wish, {"tokens": have - took, "refilled_at": later})
        missing = wish.calls + wish.kept - have
        wait = blocked or (0.0 if took >= wish.calls else max(0.05, missing / wish.rate))
        return Lease(tokens=took, wait=wait, blocked=blocked, quota=_quota(row))

    async def block(self, wish: Wish, seconds: float) -> None:
        """Give nobody anything for a time."""
        async with self._database.writing() as session:
            row = await self._locked(session, wish)
            until = row.now + timedelta(seconds=seconds)
            if row.blocked_until is None or row.blocked_until < until:
                await self._set(session, wish, {"blocked_until": until})

    async def heard(self, wish: Wish, quota: Quota) -> None:
        """Tell all what the vendor says is left."""
        if quota.remaining is None:
            return
        async with self._database.writing() as session:
            row = await self._locked(session, wish)
            resets = None if quota.resets_in is None else timedelta(seconds=quota.resets_in)
            values: dict[str, Any] = {
                "limit_seen": quota.limit,
                "remaining_seen": quota.remaining,
                "reset_at": None if resets is None else row.now + resets,
                "tokens": min(_refilled(row, wish), float(quota.remaining)),
                "refilled_at": max(row.now, row.refilled_at),
            }
            if quota.remaining <= 0 and resets is not None:
                values["blocked_until"] = row.now + resets
            await self._set(session, wish, values)

    async def _locked(self, session: AsyncSession, wish: Wish) -> Row[Any]:
        found = (await session.execute(self._query(session, wish))).one_or_none()
        if found is None:
            name = session.get_bind().dialect.name
            full = {"tokens": wish.burst, "refilled_at": self._now(session)}
            mine = {"tenant_id": wish.tenant_id, "limiter_key": wish.limiter_key}
            statement = dialects.insert(name, RateBucket).values(**mine, **full)
            await session.execute(statement.on_conflict_do_nothing())
            found = (await session.execute(self._query(session, wish))).one()
        row: Row[Any] = found
        return row

    def _query(self, session: AsyncSession, wish: Wish) -> Select[Any]:
        columns = [column for column in RateBucket.__table__.c if column.name != "tenant_id"]
        return (
            select(*columns, self._now(session).label("now")).where(*_this(wish)).with_for_update()
        )

    def _now(self, session: AsyncSession) -> ColumnElement[datetime]:
        """Return the database's clock, the same for all processes."""
        if session.get_bind().dialect.name == "postgresql":
            return func.clock_timestamp()
        return literal(self._clock(), Timestamp())

    async def _set(self, session: AsyncSession, wish: Wish, values: Mapping[str, Any]) -> None:
        await session.execute(
            update(RateBucket)
            .where(*_this(wish))
            .values(**values)
            .execution_options(synchronize_session=False)
        )


def _this(wish: Wish) -> tuple[Any, ...]:
    return (
        RateBucket.tenant_id == wish.tenant_id,
        RateBucket.limiter_key == wish.limiter_key,
    )


def _refilled(row: Row[Any], wish: Wish) -> float:
    passed: timedelta = row.now - row.refilled_at
    tokens: float = row.tokens
    return min(wish.burst, tokens + max(0.0, passed.total_seconds()) * wish.rate)


def _granted(have: float, wish: Wish) -> float:
    """Return how many tokens are given: all that were asked for at least, or none."""
    free = math.floor(have - wish.kept + 1e-9)
    if free < wish.calls:
        return 0.0
    return float(min(free, max(wish.calls, math.ceil(wish.rate * _BLOCK_S))))


def _seconds_until(moment: datetime | None, now: datetime) -> float:
    return 0.0 if moment is None else max(0.0, (moment - now).total_seconds())


def _quota(row: Row[Any]) -> Quota | None:
    if row.remaining_seen is None:
        return None
    resets = None if row.reset_at is None else (row.reset_at - row.now).total_seconds()
    if resets is not None and resets <= 0:
        return None
    return Quota(limit=row.limit_seen, remaining=row.remaining_seen, resets_in=resets)
