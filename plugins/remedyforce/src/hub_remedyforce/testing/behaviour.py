"""What the simulated package does by itself: derived values, formulas, history rows, templates."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from hub_remedyforce.names import (
    ACTION_API,
    CATEGORY_API,
    HISTORY_API,
    INCIDENT_API,
    PREFIX,
    STATUS_API,
    api,
)
from hub_remedyforce.testing.definitions import computed_paths
from hub_salesforce.testing import FakeSalesforce
from hub_salesforce.testing.saving import Saver, save, stamped
from hub_salesforce.testing.world import Change, Row, User, World
from hub_salesforce.values import instant

_STATUS, _STATE, _OWNER = api("FKStatus__c"), api("state__c"), "OwnerId"
_TRACKED = (
    "AllTaskCloseController__c", "FKCategory__c", "FKClient__c", "FKImpact__c", "FKPriority__c",
    "FKStatus__c", "FKUrgency__c", "UpdateCount__c", "call__c", "dueDateTime__c",
    "outageFrom__c", "outageTo__c",
)  # fmt: skip
_SHOWN_BY_OTHERS = (STATUS_API, CATEGORY_API, api("Urgency__c"), api("Impact__c"))


@dataclass(kw_only=True)
class Package:
    """How this org's package is set up. `templates` are the values that a template copies."""

    template_wins: bool = True
    templates: dict[str, Row] = field(default_factory=dict)


def add_behaviour(org: FakeSalesforce, package: Package) -> None:
    """Let an org's package keep its values, its history and its formulas."""
    automation = org.world.automation
    before = automation.before.setdefault(INCIDENT_API, [])
    before += [_begun, _by_status, _prioritised, _owned, _counted]
    automation.before.setdefault(HISTORY_API, []).append(_numbered)
    automation.before.setdefault(CATEGORY_API, []).append(_placed)
    for name in computed_paths():
        automation.before.setdefault(name, []).append(_computing(name))
    after = automation.after.setdefault(INCIDENT_API, [])
    after += [_closed_by, _recorded, _applying(package)]
    for name in (*_SHOWN_BY_OTHERS, ACTION_API):
        automation.after.setdefault(name, []).append(_shown_anew)
    automation.on_commit.append(_tracking(org.world))


def pointed(world: World, row: Row, lookup: str) -> Row | None:
    """Return the record that a lookup of a row points at."""
    own = row.get(lookup)
    target = world.by_prefix(own) if isinstance(own, str) else None
    return world.find(target, str(own)) if target else None


def _begun(world: World, row: Row, old: Row | None) -> None:
    if old is not None:
        return
    row[api("openDateTime__c")] = row[api("openDateTime__c")] or stamped(world)
    if not row[_STATUS]:
        default = api("defaultStatus__c")
        row[_STATUS] = next((s["Id"] for s in world.rows(STATUS_API) if s[default]), None)


def _by_status(world: World, row: Row, old: Row | None) -> None:
    status = world.find(STATUS_API, str(row[_STATUS]))
    row[_STATE] = bool(status[_STATE]) if status else True
    if old is not None and old[_STATUS] != row[_STATUS]:
        row[api("StatusChangeDate__c")] = stamped(world)
    if row[_STATE]:
        row[api("closeDateTime__c")] = row[api("FKClosedBy__c")] = None
    elif not row[api("closeDateTime__c")]:
        row[api("closeDateTime__c")] = stamped(world)


def _prioritised(world: World, row: Row, _old: Row | None) -> None:
    pair = (row[api("FKImpact__c")], row[api("FKUrgency__c")])
    for one in world.rows(api("Priority__c")):
        if all(pair) and (one[api("FKImpact__c")], one[api("FKUrgency__c")]) == pair:
            row[api("FKPriority__c")] = one["Id"]


def _owned(world: World, row: Row, old: Row | None) -> None:
    queue = world.find("Group", str(row[_OWNER])) if str(row[_OWNER]).startswith("00G") else None
    if queue:
        row[api("queueName__c")] = queue["Name"]
    if old is not None and old[_OWNER] != row[_OWNER]:
        row[api("Reassigned_Count__c")] = (row[api("Reassigned_Count__c")] or 0) + 1


def _counted(_world: World, row: Row, old: Row | None) -> None:
    if old is not None:
        row[api("UpdateCount__c")] = (row[api("UpdateCount__c")] or 0) + 1


def _numbered(world: World, row: Row, old: Row | None) -> None:
    """Name a row of the history after its incident: 123_0."""
    if old is None:
        parent = row[api("FKIncident__c")]
        incident = world.find(INCIDENT_API, str(parent)) or {"Name": ""}
        rows = [one for one in world.rows(HISTORY_API) if one[api("FKIncident__c")] == parent]
        row["Name"] = f"{incident['Name'].lstrip('0')}_{len(rows)}"
        row[api("date__c")] = row[api("date__c")] or stamped(world)


def _placed(world: World, row: Row, _old: Row | None) -> None:
    parent = world.find(CATEGORY_API, str(row[api("FKParentCategory__c")]))
    tree = (parent[api("parentTree__c")] or parent["Name"]) if parent else ""
    row[api("parentTree__c")] = f"{tree} > {row['Name']}" if tree else None


def _computing(object: str) -> Callable[[World, Row, Row | None], None]:
    def hook(world: World, row: Row, _old: Row | None) -> None:
        compute(world, object, row)

    return hook


def compute(world: World, object: str, row: Row) -> None:
    """Work out the formula fields of a row."""
    for name, (lookup, leaf) in computed_paths().get(object, {}).items():
        found = pointed(world, row, lookup)
        row[name] = found.get(leaf) if found else None
    if object == INCIDENT_API:
        row.update(_incident_formulas(world, row))


def _incident_formulas(world: World, row: Row) -> Row:
    request = bool(row[api("FKRequestDefinition__c")])
    in_queue = str(row[_OWNER]).startswith("00G")
    outage = row[api("actualOutageDuration__c")]
    minutes = sum(
        _minutes(one[api("duration__c")])
        for one in world.rows(HISTORY_API)
        if row["Id"] and one[api("FKIncident__c")] == row["Id"]
    )
    return {
        api("Type__c"): "Service Request" if request else "Incident",
        api("isServiceRequest__c"): request,
        api("ServiceRequest__c"): "Yes" if request else "No",
        api("Queue__c"): (row[api("queueName__c")] or "") if in_queue else "",
        api("Approval_Status__c"): "",
        api("Actual_Outage_Time_Hours__c"): outage / 60 if outage else None,
        api("Total_Duration__c"): float(minutes),
        api("Launch_console__c"): '<a href="/apex/console" target="_blank">Launch Console</a>',
        **_clocks(world, row),
    }


def _clocks(world: World, row: Row) -> Row:
    """Return the formulas that time alone changes."""
    now, due, closed = world.now(), row[api("dueDateTime__c")], row[api("closeDateTime__c")]
    until = instant(closed) if closed else now
    opened = instant(row[api("openDateTime__c")])
    since = row[api("StatusChangeDate__c")]
    spent = (now - instant(since)).total_seconds() // 60 if since else 0.0
    left = 100.0
    if due and not closed:
        whole = max((instant(due) - opened).total_seconds(), 1.0)
        left = max(0.0, (instant(due) - now).total_seconds() / whole * 100)
    return {
        api("Compliant__c"): "YES" if not due or until <= instant(due) else "NO",
        api("Clock_Status__c"): "Running" if row[_STATE] else "Stopped",
        api("Due_Date_Progress__c"): f'<img src="/progress.png" alt="{left:.0f}"/>',
        api("TimeSpentInCurrentStatus__c"): min(spent, 100_000.0),
        api("Time_Remaining_Percentage__c"): round(left, 1),
    }


def _minutes(duration: str | None) -> int:
    hours, _, rest = (duration or "00:00").partition(":")
    return int(hours) * 60 + int(rest)


def _closed_by(world: World, change: Change) -> None:
    new = change.new or {}
    if not new.get(_STATE) and (change.old is None or change.old[_STATE]):
        for row in (new, world.records[INCIDENT_API][str(new["Id"])]):
            row[api("FKClosedBy__c")] = change.user.id
            compute(world, INCIDENT_API, row)


def _recorded(world: World, change: Change) -> None:
    """Write the rows that the package itself adds to the history."""
    if change.old is None or change.new is None:
        return
    for name, said in ((_STATUS, "Status changed to {}"), (_OWNER, "Owner changed to {}")):
        if change.old[name] != change.new[name]:
            found = pointed(world, change.new, name) or {}
            add_row(
                world,
                change.user,
                change.new["Id"],
                "Status Change",
                said.format(found.get("Name")),
            )


def add_row(world: World, user: User, incident: str, action: str, text: str) -> None:
    """Add a row of the package's own to an incident's history."""
    row = next((one for one in world.rows(ACTION_API) if one["Name"] == action), None)
    if row is None:
        return
    values: Row = {
        api("FKIncident__c"): incident,
        api("FKAction__c"): row["Id"],
        api("description__c"): text,
        api("note__c"): text,
        api("system__c"): True,
    }
    saver = Saver(world=world, user=user, context="flow")
    save(saver, lambda t: t.create(HISTORY_API, values))


def _applying(package: Package) -> Callable[[World, Change], None]:
    def hook(world: World, change: Change) -> None:
        template = (change.new or {}).get(api("FKTemplate__c"))
        if change.old is None and change.new and template:
            _apply(world, change, package, str(template))

    return hook


def _apply(world: World, change: Change, package: Package, template: str) -> None:
    """Copy a template's values into the new incident, by a save of the package's own."""
    new = change.new or {}
    values: Row = {
        name: value
        for name, value in package.templates.get(template, {}).items()
        if package.template_wins or not new[name]
    }
    found = world.find(api("SYSTemplate__c"), template) or {"Name": None}
    values |= {api("TemplateAlreadyApplied__c"): True, api("TemplateName__c"): found["Name"]}
    saver = Saver(world=world, user=change.user, context="flow")
    save(saver, lambda t: t.update(INCIDENT_API, new["Id"], values))


def _shown_anew(world: World, _change: Change) -> None:
    """Work out again what other records show of a changed one; that moves no stamp of theirs."""
    for name in computed_paths():
        for row in world.rows(name):
            compute(world, name, row)


def _tracking(world: World) -> Callable[[list[Change]], None]:
    def told(changes: list[Change]) -> None:
        for change in changes:
            if change.object == INCIDENT_API and change.old and change.new:
                _track(world, change, change.old, change.new)

    return told


def _track(world: World, change: Change, old: Row, new: Row) -> None:
    for name in map(api, _TRACKED):
        if old[name] == new[name]:
            continue
        _tracked(world, change, name, (old[name], new[name]))
        before, now = (pointed(world, row, name) for row in (old, new))
        if before or now:
            names = (before and before["Name"], now and now["Name"])
            _tracked(world, change, name, names)


def _tracked(world: World, change: Change, name: str, values: tuple[Any, Any]) -> None:
    table = f"{PREFIX}Incident__History"
    at, own = stamped(world), world.mint("017")
    row: Mapping[str, Any] = {
        "Id": own, "IsDeleted": False, "ParentId": (change.new or {})["Id"], "Field": name,
        "OldValue": values[0], "NewValue": values[1], "CreatedDate": at, "SystemModstamp": at,
        "LastModifiedDate": at, "CreatedById": change.user.id, "LastModifiedById": change.user.id,
    }  # fmt: skip
    world.records[table][own] = dict(row)
