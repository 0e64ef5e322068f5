"""Who is on call for a service, now and next, and whom it escalates to."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field

import hub
from hub import Query
from hub_pagerduty import lookups
from hub_pagerduty.client import Json, PagerDutyClient
from hub_pagerduty.payloads.values import as_object, as_objects, id_of, moment

_MOMENT: Final = timedelta(seconds=1)


class OnCall(BaseModel):
    """Parameters of the query `on_call`."""

    model_config = ConfigDict(defer_build=True, extra="forbid")

    service: str = Field(
        default="",
        title="Service",
        description="Whose escalation policy is asked; the default service otherwise.",
        json_schema_extra={"x-hub": {"source": "services"}},
    )
    escalation_policy: str = Field(
        default="",
        title="Escalation policy",
        description="Instead of a service.",
        json_schema_extra={"x-hub": {"source": "escalation_policies"}},
    )


class Log(BaseModel):
    """Parameters of the query `log`."""

    model_config = ConfigDict(defer_build=True, extra="forbid")

    incident: str = Field(
        min_length=1, title="Incident", description="Id or number of the incident."
    )


async def on_call(client: PagerDutyClient, params: OnCall) -> Mapping[str, Any]:
    """Answer who is on call: `current`, `next`, and `escalation` level by level.

    People are {"name", "email", "schedule", "from", "until"}; `until` is null for somebody who
    is always on call.
    """
    service = await _service(client, params)
    policy_id = params.escalation_policy or str(id_of(service.get("escalation_policy")) or "")
    policy = await client.get_one(f"/escalation_policies/{policy_id}", "escalation_policy")
    now = await _now(client, policy_id)
    first = [one for one in now if one.get("escalation_level") == 1]
    answer: Json = {
        "service": {"id": service.get("id"), "name": service.get("name")} if service else None,
        "escalation_policy": {"id": policy.get("id"), "name": policy.get("name")},
        "current": _people(first),
        "next": _people(await _next(client, policy_id, first)),
        "escalation": _escalation(policy, now),
        "repeats": policy.get("num_loops") or 0,
    }
    return {**answer, "text": as_text(answer)}


def as_text(answer: Mapping[str, Any]) -> str:
    """Return the answer as people read it."""
    about = as_object(answer["service"]) or as_object(answer["escalation_policy"])
    lines = [
        f"{'Service' if answer['service'] else 'Escalation policy'}: {about.get('name')}",
        f"Current On-Call: {_named(answer['current'], 'until')}",
    ]
    if answer["next"]:
        lines.append(f"Next On-Call: {_named(answer['next'], 'from')}")
    if answer["escalation"]:
        lines.append("Escalation:")
    for step in answer["escalation"]:
        minutes = step["after_minutes"]
        unit = "minute" if minutes == 1 else "minutes"
        lines.append(f"  After {minutes} {unit} → {_named(step['to'], '')}")
    return "\n".join(lines)


def _named(people: Sequence[Mapping[str, Any]], moment_of: str) -> str:
    if not people:
        return "nobody"
    return ", ".join(_person(one, moment_of) for one in people)


def _person(one: Mapping[str, Any], moment_of: str) -> str:
    name = one.get("name") or one.get("email") or "?"
    address = f" ({one['email']})" if one.get("email") and one["email"] != name else ""
    when = moment(one.get(moment_of)) if moment_of else None
    until = f" {moment_of} {when.strftime('%Y-%m-%d %H:%M UTC')}" if when else ""
    return f"{name}{address}{until}"


async def log(client: PagerDutyClient, params: Log) -> Mapping[str, Any]:
    """Answer what happened to an incident, oldest first, with PagerDuty's own times."""
    path = f"/incidents/{params.incident}/log_entries"
    query = [("include[]", "channels")]
    rows = [one async for one in client.pages(path, "log_entries", query)]
    return {"entries": [_line(row) for row in reversed(rows)]}


async def _service(client: PagerDutyClient, params: OnCall) -> Json:
    if params.escalation_policy:
        return {}
    wanted = params.service or client.settings.service_id
    if not wanted:
        raise hub.Rejected("Name a service or an escalation policy.")
    return await lookups.service(client, wanted)


async def _now(client: PagerDutyClient, policy: str) -> list[Json]:
    query = [("escalation_policy_ids[]", policy), ("include[]", "users")]

    async def look() -> list[Json]:
        return await _oncalls(client, query)

    return await client.remembered(f"oncalls:{policy}", look)


async def _next(client: PagerDutyClient, policy: str, first: Sequence[Json]) -> list[Json]:
    """Return who comes after the shift that ends first."""
    ends = [end for one in first if (end := moment(one.get("end")))]
    if not ends:
        return []
    since = min(ends) + _MOMENT
    query = [
        ("escalation_policy_ids[]", policy),
        ("include[]", "users"),
        ("since", _stamp(since)),
        ("until", _stamp(since + _MOMENT)),
    ]

    async def look() -> list[Json]:
        return await _oncalls(client, query)

    found = await client.remembered(f"oncalls:{policy}:{_stamp(since)}", look)
    scheduled = [one for one in found if one.get("escalation_level") == 1 and one.get("end")]
    return sorted(scheduled, key=lambda one: str(one.get("start")))


async def _oncalls(client: PagerDutyClient, query: list[tuple[str, str]]) -> list[Json]:
    found = await client.get("/oncalls", [*query, ("limit", "100")])
    return [dict(one) for one in as_objects(found.get("oncalls"))]


def _people(oncalls: Sequence[Json]) -> list[Json]:
    people: dict[str, Json] = {}
    for one in oncalls:
        user = as_object(one.get("user"))
        email = str(user.get("email") or user.get("summary") or user.get("id"))
        people.setdefault(
            email,
            {
                "name": user.get("name") or user.get("summary"),
                "email": user.get("email"),
                "schedule": as_object(one.get("schedule")).get("summary"),
                "from": one.get("start"),
                "until": one.get("end"),
            },
        )
    return list(people.values())


def _escalation(policy: Json, now: Sequence[Json]) -> list[Json]:
    steps, minutes = [], 0
    for level, rule in enumerate(as_objects(policy.get("escalation_rules")), 1):
        if level > 1:
            people = [one for one in now if one.get("escalation_level") == level]
            steps.append({"level": level, "after_minutes": minutes, "to": _people(people)})
        minutes += int(rule.get("escalation_delay_in_minutes") or 0)
    return steps


def _line(row: Json) -> Json:
    return {
        "id": row.get("id"),
        "at": row.get("created_at"),
        "type": str(row.get("type", "")).removesuffix("_log_entry"),
        "summary": row.get("summary"),
        "agent": as_object(row.get("agent")).get("summary"),
        "user": as_object(row.get("user")).get("summary"),
        "channel": as_object(row.get("channel")).get("type"),
    }


def _stamp(when: datetime) -> str:
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


QUERIES: Final[tuple[Query[PagerDutyClient, Any], ...]] = (
    Query(name="on_call", label="Who is on call", params=OnCall, run=on_call),
    Query(name="log", label="Log of an incident", params=Log, run=log),
)
