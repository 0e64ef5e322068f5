"""Points in time, as people read them."""

from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from hub.cli.failure import Usage

_STEPS = ((60, "s", 1), (3600, "m", 60), (86400, "h", 3600))


def zone_named(name: str) -> tzinfo:
    """Return the time zone of that IANA name; UTC where this machine does not know it."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return UTC


def read(text: str) -> datetime:
    """Read the API's form of a point in time."""
    return datetime.fromisoformat(text)


def moment(text: str | None, zone: tzinfo) -> str:
    """Return `2025-08-23 15:30:00` in that zone."""
    return read(text).astimezone(zone).strftime("%Y-%m-%d %H:%M:%S") if text else "never"


def clock_time(text: str, zone: tzinfo) -> str:
    """Return `15:30:00` in that zone."""
    return read(text).astimezone(zone).strftime("%H:%M:%S")


def ago(text: str | None, now: datetime) -> str:
    """Return `30s ago`, `2m ago`, `5h ago` or `3d ago`; `never` for nothing."""
    if not text:
        return "never"
    passed = max(0, int((now - read(text)) / timedelta(seconds=1)))
    for limit, unit, seconds in _STEPS:
        if passed < limit:
            return f"{passed // seconds}{unit} ago"
    return f"{passed // 86400}d ago"


def point(text: str, zone: tzinfo) -> str:
    """Return the API's form of a day or a point in time; without a zone it is in that one."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        told = f"{text!r} is no point in time such as 2025-01-01 or 2025-01-01T09:00."
        raise Usage(told) from error
    return (found if found.tzinfo else found.replace(tzinfo=zone)).isoformat()
