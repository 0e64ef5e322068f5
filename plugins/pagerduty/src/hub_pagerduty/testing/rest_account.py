"""The REST API's account: services, people, on-call, priorities, abilities."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, Final

from hub_pagerduty.testing import rota
from hub_pagerduty.testing.lifecycle import Refusal
from hub_pagerduty.testing.model import Integration, Json, Policy, Rule, Service, Target
from hub_pagerduty.testing.references import stamp
from hub_pagerduty.testing.rota import Shift
from hub_pagerduty.testing.routes import Answer, Asked, cursor_page, matching, page, route

_FAR: Final = timedelta(days=90)


def _found(stored: dict[str, Any], asked: Asked) -> Any:  # noqa: ANN401 - any kind of object
    found = stored.get(asked.params["id"])
    if found is None:
        raise Refusal(404, 2100, "Not Found")
    return found


# -------------------------------------------------------------------------- services


@route("GET", "/services", scope="services.read")
def list_services(asked: Asked) -> Answer:
    """List services."""
    show, include = asked.sim.show, asked.include()
    rows = [show.account.service(one, include) for one in asked.sim.world.services.values()]
    rows = matching(rows, asked.first("query"), "name")
    if asked.first("name"):
        rows = [row for row in rows if row["name"] == asked.first("name")]
    return page(asked, "services", rows)


@route("GET", "/services/{id}", scope="services.read")
def get_service(asked: Asked) -> Answer:
    """Show a service."""
    it = _found(asked.sim.world.services, asked)
    return 200, {"service": asked.sim.show.account.service(it, asked.include())}


@route("POST", "/services", scope="services.write")
def create_service(asked: Asked) -> Answer:
    """Make a service."""
    given, world = asked.content("service"), asked.sim.world
    policy = str((given.get("escalation_policy") or {}).get("id"))
    if policy not in world.policies or not given.get("name"):
        raise Refusal(400, 2001, "Invalid Input Provided", "name and escalation_policy required")
    it = Service(
        id=world.ids.short(),
        name=str(given["name"]),
        policy=policy,
        description=str(given.get("description") or ""),
        created_at=asked.sim.clock.now(),
    )
    world.services[it.id] = it
    asked.sim.emit_service("service.created", it, asked.actor)
    return 201, {"service": asked.sim.show.account.service(it)}


@route("PUT", "/services/{id}", scope="services.write")
def update_service(asked: Asked) -> Answer:
    """Change a service."""
    it: Service = _found(asked.sim.world.services, asked)
    given = asked.content("service")
    for name in ("name", "description", "status", "acknowledgement_timeout"):
        if name in given:
            setattr(it, name, given[name])
    if "auto_resolve_timeout" in given:
        it.auto_resolve_timeout = given["auto_resolve_timeout"]
    asked.sim.emit_service("service.updated", it, asked.actor)
    return 200, {"service": asked.sim.show.account.service(it)}


@route("DELETE", "/services/{id}", scope="services.write")
def delete_service(asked: Asked) -> Answer:
    """Remove a service that has no incidents."""
    it: Service = _found(asked.sim.world.services, asked)
    asked.sim.emit_service("service.deleted", it, asked.actor)
    it.status = "disabled"
    return 204, None


@route("POST", "/services/{id}/integrations", scope="services.write")
def create_integration(asked: Asked) -> Answer:
    """Make an integration; the answer holds its key."""
    service: Service = _found(asked.sim.world.services, asked)
    given, world = asked.content("integration"), asked.sim.world
    it = Integration(
        id=world.ids.short(),
        service=service.id,
        name=str(given.get("name") or given.get("summary") or "Events API"),
        type=str(given.get("type")).removesuffix("_reference"),
        key=world.ids.hexadecimal(),
    )
    world.integrations[it.key] = it
    return 201, {"integration": asked.sim.show.account.integration(it)}


@route("GET", "/services/{id}/integrations/{integration_id}", scope="services.read")
def get_integration(asked: Asked) -> Answer:
    """Show an integration."""
    for one in asked.sim.world.integrations.values():
        if (one.service, one.id) == (asked.params["id"], asked.params["integration_id"]):
            return 200, {"integration": asked.sim.show.account.integration(one)}
    raise Refusal(404, 2100, "Not Found")


@route("GET", "/maintenance_windows", scope="services.read")
def list_windows(asked: Asked) -> Answer:
    """List maintenance windows."""
    return page(asked, "maintenance_windows", list(asked.sim.world.windows.values()))


@route("POST", "/maintenance_windows", scope="services.write", needs_from=True)
def create_window(asked: Asked) -> Answer:
    """Put services into maintenance."""
    given, world = asked.content("maintenance_window"), asked.sim.world
    services = [str(one.get("id")) for one in given.get("services") or []]
    for one in services:
        if one in world.services:
            world.services[one].status = "maintenance"
    shown: Json = {
        "id": world.ids.short(),
        "type": "maintenance_window",
        "summary": given.get("description"),
        "self": None,
        "html_url": None,
        "sequence_number": len(world.windows) + 1,
        "start_time": given.get("start_time"),
        "end_time": given.get("end_time"),
        "description": given.get("description"),
        "services": asked.sim.show.refs("service", services),
        "teams": [],
        "created_by": asked.sim.show.agent(asked.actor),
    }
    world.windows[shown["id"]] = shown
    return 201, {"maintenance_window": shown}


# ---------------------------------------------------------------------------- people


@route("GET", "/users", scope="users.read")
def list_users(asked: Asked) -> Answer:
    """List users; the query matches parts of name or e-mail."""
    rows = [asked.sim.show.account.user(one) for one in asked.sim.world.users.values()]
    return page(asked, "users", matching(rows, asked.first("query"), "name", "email"))


@route("GET", "/users/me", scope="users.read")
def get_me(asked: Asked) -> Answer:
    """Show the key's own user."""
    if not asked.key.user:
        return 400, {
            "error": "Because this request was made using an account-level access token, we were "
            "unable to determine the user's identity. Please use a user-level token."
        }
    return 200, {"user": asked.sim.show.account.user(asked.sim.world.users[asked.key.user])}


@route("GET", "/users/{id}", scope="users.read")
def get_user(asked: Asked) -> Answer:
    """Show a user."""
    return 200, {"user": asked.sim.show.account.user(_found(asked.sim.world.users, asked))}


@route("GET", "/teams", scope="teams.read")
def list_teams(asked: Asked) -> Answer:
    """List teams."""
    if "teams" not in asked.sim.world.abilities:
        raise Refusal(402, 2014, "Account does not have the teams ability")
    rows = [
        {
            **(asked.sim.show.ref("team", one.id) or {}),
            "type": "team",
            "name": one.name,
            "description": one.description,
        }
        for one in asked.sim.world.teams.values()
    ]
    return page(asked, "teams", matching(rows, asked.first("query"), "name"))


@route("GET", "/escalation_policies", scope="escalation_policies.read")
def list_policies(asked: Asked) -> Answer:
    """List escalation policies."""
    include = asked.include()
    rows = [
        asked.sim.show.account.policy(one, include) for one in asked.sim.world.policies.values()
    ]
    return page(asked, "escalation_policies", matching(rows, asked.first("query"), "name"))


@route("GET", "/escalation_policies/{id}", scope="escalation_policies.read")
def get_policy(asked: Asked) -> Answer:
    """Show an escalation policy."""
    it = _found(asked.sim.world.policies, asked)
    return 200, {"escalation_policy": asked.sim.show.account.policy(it, asked.include())}


@route("POST", "/escalation_policies", scope="escalation_policies.write")
def create_policy(asked: Asked) -> Answer:
    """Make an escalation policy."""
    given, world = asked.content("escalation_policy"), asked.sim.world
    it = Policy(
        id=world.ids.short(),
        name=str(given.get("name")),
        num_loops=int(given.get("num_loops") or 0),
        rules=[_rule(asked, row) for row in given.get("escalation_rules") or []],
    )
    world.policies[it.id] = it
    return 201, {"escalation_policy": asked.sim.show.account.policy(it)}


@route("PUT", "/escalation_policies/{id}", scope="escalation_policies.write")
def update_policy(asked: Asked) -> Answer:
    """Change an escalation policy."""
    it: Policy = _found(asked.sim.world.policies, asked)
    given = asked.content("escalation_policy")
    it.name = str(given.get("name") or it.name)
    if given.get("escalation_rules"):
        it.rules = [_rule(asked, row) for row in given["escalation_rules"]]
    return 200, {"escalation_policy": asked.sim.show.account.policy(it)}


def _rule(asked: Asked, row: Json) -> Rule:
    targets = [
        Target("schedule" if "schedule" in str(one.get("type")) else "user", str(one.get("id")))
        for one in row.get("targets") or []
    ]
    delay = int(row.get("escalation_delay_in_minutes") or 30)
    return Rule(id=asked.sim.world.ids.short(), delay=delay, targets=targets)


@route("GET", "/schedules", scope="schedules.read")
def list_schedules(asked: Asked) -> Answer:
    """List schedules."""
    rows = [asked.sim.show.account.schedule(one) for one in asked.sim.world.schedules.values()]
    return page(asked, "schedules", matching(rows, asked.first("query"), "name"))


@route("GET", "/schedules/{id}", scope="schedules.read")
def get_schedule(asked: Asked) -> Answer:
    """Show a schedule with its turns."""
    it = _found(asked.sim.world.schedules, asked)
    since, until = _window(asked)
    turns, at = [], since
    while at <= until:
        user, start, end = rota.turn_at(it, at)
        turns.append(
            {
                "start": stamp(start),
                "end": stamp(end),
                "user": asked.sim.show.ref("user", user),
                "id": None,
            }
        )
        at = end
    final = {
        "name": "Final Schedule",
        "rendered_schedule_entries": turns,
        "rendered_coverage_percentage": 100.0,
    }
    shown = asked.sim.show.account.schedule(it)
    shown |= {
        "final_schedule": final,
        "overrides_subschedule": {"name": "Overrides"},
        "schedule_layers": [],
    }
    return 200, {"schedule": shown}


@route("GET", "/oncalls", scope="oncalls.read", slow_lane=True)
def list_oncalls(asked: Asked) -> Answer:
    """List who is on call."""
    world, (since, until) = asked.sim.world, _window(asked)
    policies = asked.all("escalation_policy_ids")
    found = [
        shift
        for policy in world.policies.values()
        if not policies or policy.id in policies
        for shift in rota.shifts(world, policy, since, until)
    ]
    found = _narrowed(asked, found)
    if asked.first("earliest") in {"true", "1"}:
        found = _earliest(found)
    include = asked.include()
    return page(asked, "oncalls", [_oncall(asked, one, include) for one in found])


def _narrowed(asked: Asked, found: list[Shift]) -> list[Shift]:
    schedules, users = asked.all("schedule_ids"), asked.all("user_ids")
    if schedules:
        found = [one for one in found if (one.schedule or "null") in schedules]
    return [one for one in found if not users or one.user in users]


def _earliest(found: Iterable[Shift]) -> list[Shift]:
    first: dict[tuple[str, int, str], Shift] = {}
    for one in found:
        first.setdefault((one.policy, one.level, one.user), one)
    return list(first.values())


def _oncall(asked: Asked, it: Shift, include: set[str]) -> Json:
    show = asked.sim.show
    user = asked.sim.world.users[it.user]
    return {
        "user": show.account.user(user) if "users" in include else show.ref("user", it.user),
        "schedule": show.ref("schedule", it.schedule),
        "escalation_policy": show.ref("escalation_policy", it.policy),
        "escalation_level": it.level,
        "start": stamp(it.start),
        "end": stamp(it.end),
    }


def _window(asked: Asked) -> tuple[datetime, datetime]:
    now = asked.sim.clock.now()
    try:
        since = datetime.fromisoformat(asked.first("since")) if asked.first("since") else now
        until = datetime.fromisoformat(asked.first("until")) if asked.first("until") else since
    except ValueError as fault:
        raise Refusal(400, 2004, "Invalid since or until") from fault
    if until - since > _FAR + timedelta(days=1):
        raise Refusal(400, 2005, "Invalid Date Range")
    return since, max(since, until)


# --------------------------------------------------------------------------- account


@route("GET", "/priorities", scope="priorities.read")
def list_priorities(asked: Asked) -> Answer:
    """List priorities, most severe first."""
    world = asked.sim.world
    if not world.switches.priorities:
        raise Refusal(402, 2014, "Account does not have the priorities ability")
    rows = [asked.sim.show.priority(one.id) or {} for one in world.priorities]
    return page(asked, "priorities", rows)


@route("GET", "/abilities", scope="abilities.read")
def list_abilities(asked: Asked) -> Answer:
    """List what the plan allows."""
    return 200, {"abilities": asked.sim.world.abilities}


@route("GET", "/abilities/{id}", scope="abilities.read")
def has_ability(asked: Asked) -> Answer:
    """Say whether the plan allows something."""
    if asked.params["id"] in asked.sim.world.abilities:
        return 204, None
    raise Refusal(402, 2014, "Missing Account Ability")


@route("GET", "/vendors", scope="vendors.read")
def list_vendors(asked: Asked) -> Answer:
    """List kinds of integration."""
    row = {**(asked.sim.show.ref("vendor", "PVENDOR") or {}), "type": "vendor", "name": "Hub"}
    return page(asked, "vendors", [row])


@route("GET", "/audit/records", scope="audit_records.read")
def list_audit(asked: Asked) -> Answer:
    """List what changed in the account: nothing is kept here."""
    return cursor_page(asked, "records", [])
