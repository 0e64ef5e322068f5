"""The REST API's incidents."""

from datetime import datetime, timedelta
from typing import Any, Final

from hub_pagerduty.testing.lifecycle import Refusal
from hub_pagerduty.testing.model import Incident, Json, Ref
from hub_pagerduty.testing.routes import Answer, Asked, page, route

_MONTH: Final = timedelta(days=31)
_HALF_YEAR: Final = timedelta(days=185)
_TITLE: Final = 1024
_WRITABLE: Final = {
    "id",
    "type",
    "status",
    "resolution",
    "title",
    "urgency",
    "priority",
    "escalation_level",
    "escalation_policy",
    "assignments",
    "conference_bridge",
    "incident_type",
    "service",
}
_DUPLICATE: Final = "Open incident with matching dedup key already exists on this service"


@route("GET", "/incidents", scope="incidents.read")
def list_incidents(asked: Asked) -> Answer:
    """List incidents; without a date range, those of the last month."""
    found = [one for one in asked.sim.world.incidents.values() if _is_asked(asked, one)]
    _sort(found, asked.first("sort_by", "incident_number:asc"))
    include = asked.include()
    return page(asked, "incidents", [asked.sim.show.incident(one, include) for one in found])


def _is_asked(asked: Asked, it: Incident) -> bool:
    key = asked.first("incident_key")
    if key and key != it.key and key not in {alert.key for alert in it.alerts}:
        return False
    people = set(asked.all("user_ids"))
    filters = (
        (asked.all("statuses"), it.status),
        (asked.all("urgencies"), it.urgency),
        (asked.all("service_ids"), it.service),
    )
    if any(wanted and value not in wanted for wanted, value in filters):
        return False
    if people and (not it.is_open or not people & {user for _, user in it.assigned}):
        return False
    teams = set(asked.all("team_ids"))
    if teams and not teams & set(asked.sim.world.services[it.service].teams):
        return False
    return asked.first("date_range") == "all" or _in_window(asked, it)


def _in_window(asked: Asked, it: Incident) -> bool:
    since, until = _time(asked.first("since")), _time(asked.first("until"))
    if since is None and until is None:
        since = asked.sim.clock.now() - _MONTH
    if since and until and until - since > _HALF_YEAR:
        raise Refusal(400, 2005, "Invalid Date Range")
    since = since or (until - _MONTH if until else None)
    until = until or (since + _MONTH if since else None)
    return bool(since and until and since <= it.created_at <= until + timedelta(days=1))


def _time(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text) if text else None
    except ValueError as fault:
        raise Refusal(400, 2004, "Invalid since or until") from fault


def _sort(found: list[Incident], order: str) -> None:
    for part in reversed(order.split(",")):
        name, _, direction = part.partition(":")
        keys: dict[str, Any] = {
            "created_at": lambda one: one.created_at,
            "resolved_at": lambda one: str(one.resolved_at),
            "urgency": lambda one: one.urgency,
        }
        by = keys.get(name, lambda one: one.number)
        found.sort(key=by, reverse=direction == "desc")


@route("POST", "/incidents", scope="incidents.write", needs_from=True, slow_lane=True)
def create_incident(asked: Asked) -> Answer:
    """Open an incident."""
    given, world = asked.content("incident"), asked.sim.world
    missing = [name for name in ("title", "service", "type") if not given.get(name)]
    if missing:
        raise Refusal(400, 2001, "Invalid Input Provided", *(f"{m} is required" for m in missing))
    service = world.services.get(str(given["service"].get("id")))
    if service is None:
        raise Refusal(404, 5002, "Service Not Found")
    if given.get("assignments") and given.get("escalation_policy"):
        text = "assignments and escalation_policy cannot both be given"
        raise Refusal(400, 2001, "Invalid Input Provided", text)
    key = given.get("incident_key") or world.ids.hexadecimal()
    if any(
        o.is_open and o.key == key and o.service == service.id for o in world.incidents.values()
    ):
        raise Refusal(400, 2002, "Arguments Caused Error", _DUPLICATE)
    bridge = given.get("conference_bridge") or {}
    made = asked.sim.lifecycle.open(
        asked.user(),
        service,
        _title(asked, given["title"]),
        key=key,
        assignees=_assignees(asked, given),
        policy=_policy(asked, given),
        urgency=_urgency(given),
        priority=_priority(asked, given),
        details=_details(asked, given),
        type=_type(asked, given),
        conference_number=bridge.get("conference_number"),
        conference_url=bridge.get("conference_url"),
    )
    return 201, {"incident": asked.sim.show.incident(made, {"body", "conference_bridge"})}


@route("GET", "/incidents/{id}", scope="incidents.read")
def get_incident(asked: Asked) -> Answer:
    """Show an incident."""
    return 200, {"incident": asked.sim.show.incident(asked.incident(), asked.include())}


@route("PUT", "/incidents/{id}", scope="incidents.write", needs_from=True)
def update_incident(asked: Asked) -> Answer:
    """Change an incident."""
    it = asked.incident()
    _change(asked, it, asked.content("incident"))
    return 200, {"incident": asked.sim.show.incident(it, {"conference_bridge"})}


@route("PUT", "/incidents", scope="incidents.write", needs_from=True, slow_lane=True)
def update_incidents(asked: Asked) -> Answer:
    """Change many incidents, all or none."""
    rows = asked.body.get("incidents")
    if not isinstance(rows, list):
        raise Refusal(400, 2003, "Missing Arguments", "incidents is required")
    if len(rows) > 250:
        raise Refusal(413, 2001, "Too many incidents")
    found = []
    for row in rows:
        asked.params = {"id": str(row.get("id"))}
        found.append(asked.incident())
    for it, row in zip(found, rows, strict=True):
        _change(asked, it, {name: value for name, value in row.items() if name != "service"})
    return page(asked, "incidents", [asked.sim.show.incident(one) for one in found])


def _change(asked: Asked, it: Incident, given: Json) -> None:
    unknown = sorted(set(given) - _WRITABLE)
    if unknown:
        asked.violations.append(f"ignored fields: {', '.join(unknown)}")
    agent, life = asked.user(), asked.sim.lifecycle
    policy, people = _policy(asked, given), _assignees(asked, given)
    _change_fields(asked, it, given, agent)
    _change_status(asked, it, given, people)
    if policy:
        life.delegate(it, agent, policy)
    elif people and given.get("status") != "triggered":
        life.reassign(it, agent, people)
    if given.get("escalation_level") is not None:
        life.escalate(it, agent, int(given["escalation_level"]))


def _change_status(asked: Asked, it: Incident, given: Json, people: list[str]) -> None:
    status, agent, life = given.get("status"), asked.user(), asked.sim.lifecycle
    if status == "acknowledged":
        life.acknowledge(it, agent)
    elif status == "resolved":
        life.resolve(it, agent, str(given.get("resolution") or ""))
    elif status == "triggered":
        life.trigger(it, agent, people)
    elif status is not None:
        raise Refusal(400, 1003, "Invalid Status Provided")


def _change_fields(asked: Asked, it: Incident, given: Json, agent: Ref) -> None:
    life = asked.sim.lifecycle
    if given.get("title"):
        life.set_field(it, agent, None, title=_title(asked, given["title"]))
    if given.get("urgency"):
        life.set_field(it, agent, None, urgency=_urgency(given))
    if given.get("priority"):
        life.set_field(it, agent, "incident.priority_updated", priority=_priority(asked, given))
    if given.get("incident_type"):
        life.set_field(it, agent, "incident.incident_type.changed", type=_type(asked, given))
    if given.get("service"):
        life.set_field(it, agent, "incident.service_updated", service=_service(asked, given))
    if given.get("conference_bridge"):
        _change_bridge(asked, it, given["conference_bridge"], agent)


def _change_bridge(asked: Asked, it: Incident, bridge: Json, agent: Ref) -> None:
    number, url = bridge.get("conference_number"), bridge.get("conference_url")
    if (number, url) == (it.conference_number, it.conference_url):
        return
    life = asked.sim.lifecycle
    life.set_field(it, agent, None, conference_number=number, conference_url=url)
    data = {
        "type": "incident_conference_bridge",
        "conference_numbers": [{"label": "", "number": number}] if number else [],
        "conference_url": url,
    }
    life.happen("incident.conference_bridge.updated", it, agent, data)


def _service(asked: Asked, given: Json) -> str:
    service = str(given["service"].get("id"))
    if service not in asked.sim.world.services:
        raise Refusal(400, 2001, "Invalid Input Provided", "Service not found")
    return service


def _title(asked: Asked, title: object) -> str:
    text = str(title)
    if len(text) > _TITLE and asked.sim.world.switches.title_refused:
        raise Refusal(400, 2001, "Invalid Input Provided", "Title is too long")
    return text[:_TITLE]


def _urgency(given: Json) -> str | None:
    urgency = given.get("urgency")
    if urgency not in {None, "high", "low"}:
        raise Refusal(400, 2001, "Invalid Input Provided", "Urgency is invalid")
    return urgency


def _priority(asked: Asked, given: Json) -> str | None:
    wanted = given.get("priority")
    if not wanted:
        return None
    world = asked.sim.world
    if not world.switches.priorities:
        raise Refusal(402, 2014, "Account does not have the priorities ability")
    if isinstance(wanted, str):
        named = [one.id for one in world.priorities if one.name == wanted]
        if named:
            return named[0]
    elif world.priority(str(wanted.get("id"))):
        return str(wanted["id"])
    raise Refusal(400, 1020, "Invalid Priority")


def _policy(asked: Asked, given: Json) -> str | None:
    wanted = given.get("escalation_policy")
    if not wanted:
        return None
    policy = str(wanted.get("id"))
    if policy not in asked.sim.world.policies:
        raise Refusal(400, 1014, "Escalation Policy Not Found")
    return policy


def _assignees(asked: Asked, given: Json) -> list[str]:
    users = [str((one.get("assignee") or {}).get("id")) for one in given.get("assignments") or []]
    if any(user not in asked.sim.world.users for user in users):
        raise Refusal(400, 1007, "Assigned To User Not Found")
    return users


def _type(asked: Asked, given: Json) -> str:
    name = (given.get("incident_type") or {}).get("name") or "incident_default"
    if name not in {one.name for one in asked.sim.world.types}:
        raise Refusal(400, 2001, "Invalid Input Provided", "Incident type not found")
    return str(name)


def _details(asked: Asked, given: Json) -> str | None:
    details = (given.get("body") or {}).get("details")
    if details is not None and not isinstance(details, str):
        asked.violations.append("body.details is not a string")
    return str(details) if details is not None else None
