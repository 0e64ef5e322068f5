"""The time, in one place, so that tests and replays can bring their own."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeAlias

Clock: TypeAlias = Callable[[], datetime]


def now() -> datetime:
    """Return the present time, aware, in UTC."""
    return datetime.now(UTC)  # noqa: TID251 - this is the one place
