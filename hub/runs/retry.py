"""What happens after an attempt failed; pure."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal, TypeAlias

from hub.sdk.errors import (
    AuthenticationFailed,
    ConnectorError,
    Gone,
    OutcomeUnknown,
    QuotaExhausted,
    RateLimited,
    Unavailable,
)

SHORTEST: Final = timedelta(seconds=0.2)
BUG_ATTEMPTS: Final = 3
_QUOTA_WAIT: Final = timedelta(minutes=15)
_PASSING: Final = (Unavailable, OutcomeUnknown, RateLimited)


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """How long a run is tried."""

    attempts: int = 12
    age: timedelta = timedelta(hours=24)
    cap: timedelta = timedelta(minutes=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class Again:
    """The run is tried again; its lane waits until then."""

    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Park:
    """The connector waits as a whole; the attempt does not count."""

    state: Literal["needs_credentials", "parked"]
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Dead:
    """The run is given up."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Skip:
    """There is nothing left to do: the record is gone, its link is broken."""

    reason: str


Next: TypeAlias = Again | Park | Dead | Skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """An attempt that failed: the how-manieth, when the first one was."""

    error: Exception
    attempt: int
    first_at: datetime
    now: datetime


def decide(failure: Failure, policy: Policy, random: Callable[[], float]) -> Next:
    """Tell what happens next; `random` gives numbers from 0 to 1."""
    error = failure.error
    if isinstance(error, AuthenticationFailed):
        return Park(state="needs_credentials")
    if isinstance(error, QuotaExhausted):
        return Park(state="parked", until=error.until or failure.now + _QUOTA_WAIT)
    if isinstance(error, Gone):
        return Skip(reason=str(error))
    known = isinstance(error, ConnectorError)
    if isinstance(error, _PASSING) or (not known and failure.attempt < BUG_ATTEMPTS):
        return _again(failure, policy, random)
    return Dead(reason=str(error) if known else f"{type(error).__name__}: {error}")


def _again(failure: Failure, policy: Policy, random: Callable[[], float]) -> Next:
    if failure.attempt >= policy.attempts:
        return Dead(reason=f"given up after {failure.attempt} attempts: {failure.error}")
    if failure.now - failure.first_at >= policy.age:
        hours = policy.age.total_seconds() / 3600
        return Dead(reason=f"given up after {hours:g} h: {failure.error}")
    return Again(at=failure.now + wait(failure, policy, random))


def wait(failure: Failure, policy: Policy, random: Callable[[], float]) -> timedelta:
    """Return how long to wait: what the vendor asks for, else a random part of a growing time."""
    longest = min(policy.cap.total_seconds(), 2.0 ** min(failure.attempt, 30))
    asked = getattr(failure.error, "retry_after", None) or 0.0
    return max(SHORTEST, timedelta(seconds=max(asked, random() * longest)))
