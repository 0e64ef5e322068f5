"""Who is on call, by policies, schedules, overrides and direct users."""

from datetime import datetime, timedelta
from typing import NamedTuple

from hub_pagerduty.testing.model import Policy, Schedule, World


class Shift(NamedTuple):
    """Somebody's turn; a direct user's has neither schedule nor end."""

    user: str
    schedule: str | None
    policy: str
    level: int
    start: datetime | None
    end: datetime | None


def turn_at(schedule: Schedule, at: datetime) -> tuple[str, datetime, datetime]:
    """Return who has the turn at a time, and from when until when."""
    for override in schedule.overrides:
        if override.start <= at < override.end:
            return override.user, override.start, override.end
    seconds = (at - schedule.start).total_seconds()
    number = int(seconds // schedule.turn)
    start = schedule.start + timedelta(seconds=number * schedule.turn)
    end = start + timedelta(seconds=schedule.turn)
    cuts = [one.start for one in schedule.overrides if at < one.start < end]
    return schedule.users[number % len(schedule.users)], start, min([end, *cuts])


def shifts(world: World, policy: Policy, since: datetime, until: datetime) -> list[Shift]:
    """Return every turn of a policy that touches the time between."""
    found: list[Shift] = []
    for level, rule in enumerate(policy.rules, 1):
        for target in rule.targets:
            if target.kind == "user":
                found.append(Shift(target.id, None, policy.id, level, None, None))
                continue
            schedule = world.schedules.get(target.id)
            if not schedule or not schedule.users:
                continue
            at = since
            while at <= until:
                user, start, end = turn_at(schedule, at)
                found.append(Shift(user, schedule.id, policy.id, level, start, end))
                at = end
    return found


def now_on_call(world: World, policy: str, level: int, at: datetime) -> list[str]:
    """Return the users of a policy's level, each once; a level nobody holds passes to the next."""
    found = [one for one in shifts(world, world.policies[policy], at, at) if one.level >= level]
    first = min((one.level for one in found), default=0)
    return list(dict.fromkeys(one.user for one in found if one.level == first))
