"""The validation rules of the simulated package, in its own words."""

import re
from collections.abc import Mapping, Sequence

from hub_remedyforce.names import ACTION_API, HISTORY_API, INCIDENT_API, STATUS_API, api
from hub_salesforce.testing import FakeSalesforce
from hub_salesforce.testing.answers import save_refused
from hub_salesforce.testing.world import Row, Rule, World
from hub_salesforce.values import instant

Broken = tuple[str, list[str]] | None
_STILL_OPEN = (
    "Is_New_Record__c", "Total_Duration__c", "Feedback__c", "Compliments_and_Complaints__c",
    "Feedback_Last_Submitted__c", "FKBroadcast__c", "RF_TimeToClose__c",
)  # fmt: skip
_CLOSED = "This incident is closed. Reopen the incident to modify it."
_AFTER_S, _BEFORE_S = 26, 2.4 * 3600


def add_rules(org: FakeSalesforce, *, client_needed: bool = False) -> None:
    """Switch the package's rules on; `client_needed` is the one that is delivered inactive."""
    world = org.world
    rules: dict[str, list[Rule]] = {
        INCIDENT_API: [*_INCIDENT, _locked(world), *([_one_client] if client_needed else [])],
        HISTORY_API: [_action_needed, _duration, _locked_history(world)],
        api("Category__c"): [_needs("Name", "Please enter Category.")],
        api("SYSTemplate__c"): [
            _needs("Name", "Please enter Template Name"),
            _needs(api("templateFor__c"), "Please select Template For."),
            _unique(world, api("SYSTemplate__c"), "Duplicate Name"),
        ],
        api("Priority__c"): [
            _numeric_priority,
            _needs(api("description__c"), "Please enter Description."),
            _needs(api("FKImpact__c"), "Please enter Impact."),
            _needs(api("FKUrgency__c"), "Please enter Urgency."),
        ],
    }
    for name, word, said, taken in _NAMED:
        rules[name] = [_needs("Name", said), _unique(world, name, taken.format(word))]
    for name, own in rules.items():
        world.automation.rules.setdefault(name, []).extend(own)
    world.automation.before.setdefault(INCIDENT_API, []).append(_active_status)


_NAMED: Sequence[tuple[str, str, str, str]] = (
    (STATUS_API, "Status", "Please enter value in Status field.",
     "A record with this {0} already exists. Enter unique {0}."),
    (ACTION_API, "Action", "Please enter value in Action field.",
     "An action record with this {0} already exists. Enter a unique {0}."),
    (api("Urgency__c"), "Urgency", "Please enter Urgency.",
     "An Urgency record with this {0} already exists. Enter unique {0}."),
    (api("Impact__c"), "Impact", "Please enter Impact.",
     "An record with this {0} already exists. Enter unique {0}."),
)  # fmt: skip


def _active_status(world: World, row: Row, _old: Row | None) -> None:
    """Refuse a status outside the lookup's filter; the only filter that is enforced."""
    status = world.find(STATUS_API, str(row[api("FKStatus__c")]))
    if status and (status[api("inactive__c")] or not status[api("appliesToIncident__c")]):
        words = "Select an active status that applies to incidents."
        raise save_refused("FIELD_FILTER_VALIDATION_EXCEPTION", words, api("FKStatus__c"))


def _categorised(row: Row, _old: Row | None) -> Broken:
    names = ("contactType__c", "FKCategory__c", "FKRequestDefinition__c", "FKTemplate__c")
    if any(row[api(name)] for name in names):
        return None
    words = (
        "To save the incident, select a value in any one of the following fields: Category, "
        "Template, or Request Definition."
    )
    return words, []


def _outage_start(row: Row, _old: Row | None) -> Broken:
    lacks = row[api("outageTo__c")] and not row[api("outageFrom__c")]
    return ("Outage Start Date is required.", []) if lacks else None


def _outage_end(row: Row, _old: Row | None) -> Broken:
    late = _not_after(row, "outageTo__c", "outageFrom__c")
    return ("Outage End Date must be later than Outage Start Date", []) if late else None


def _follow_up_date(row: Row, _old: Row | None) -> Broken:
    lacks = row[api("followUp__c")] and not row[api("followUpDateTime__c")]
    return ("Please enter the Follow Up Date.", []) if lacks else None


def _follow_up_after_close(row: Row, _old: Row | None) -> Broken:
    words = "The Follow Up Date must be later than the Close Date. Select a new Follow Up Date."
    return (words, []) if _before(row, "followUpDateTime__c", "closeDateTime__c") else None


def _due_after_opened(row: Row, old: Row | None) -> Broken:
    opened = api("openDateTime__c")
    moved = old is not None and old[opened] != row[opened]
    early = _before(row, "dueDateTime__c", "openDateTime__c") and not moved
    return ("The Due Date must be later than the Opened Date", []) if early else None


def _request_definition(row: Row, old: Row | None) -> Broken:
    name = api("FKRequestDefinition__c")
    before, now = (old or {}).get(name), row[name]
    detail = (old or {}).get(api("FKRequestDetail__c"))
    moved = before and before != now and (now or detail)
    return ("You can not edit Request Definition.", [name]) if moved else None


_INCIDENT: Sequence[Rule] = (
    _categorised,
    _outage_start,
    _outage_end,
    _follow_up_date,
    _follow_up_after_close,
    _due_after_opened,
    _request_definition,
)


def _one_client(row: Row, _old: Row | None) -> Broken:
    given = [row[api(name)] for name in ("FKClient__c", "FKContact__c", "FKLead__c")]
    words = (
        "To save the incident, select a value in any one of the following fields: Client ID, "
        "Contact or Lead."
    )
    return None if sum(map(bool, given)) == 1 else (words, [])


def _locked(world: World) -> Rule:
    """Return the rule that closed incidents stay as they are."""

    def rule(row: Row, old: Row | None) -> Broken:
        state = api("state__c")
        if old is None or row[state] or old[state]:
            return None
        if any(row[api(name)] != old[api(name)] for name in _STILL_OPEN):
            return None
        return None if _due_at_closing(world, row, old) else (_CLOSED, [])

    return rule


def _due_at_closing(world: World, row: Row, old: Row) -> bool:
    due, closed = api("dueDateTime__c"), row[api("closeDateTime__c")]
    if row[due] == old[due] or not closed:
        return False
    since = (world.now() - instant(closed)).total_seconds()
    return -_BEFORE_S <= since <= _AFTER_S


def _locked_history(world: World) -> Rule:
    """Return the rule that closed incidents get no notes but the package's own."""

    def rule(row: Row, _old: Row | None) -> Broken:
        incident = world.find(INCIDENT_API, str(row[api("FKIncident__c")]))
        locked = incident and not incident[api("state__c")] and not row[api("system__c")]
        return (_CLOSED, []) if locked else None

    return rule


def _action_needed(row: Row, _old: Row | None) -> Broken:
    return None if row[api("FKAction__c")] else ("Please enter Action.", [])


def _duration(row: Row, _old: Row | None) -> Broken:
    given = row[api("duration__c")]
    fits = not given or re.fullmatch(r"\d\d:\d\d", given)
    return None if fits else ("Please enter duration in the format hh:mm", [])


def _numeric_priority(row: Row, _old: Row | None) -> Broken:
    fits = str(row["Name"] or "").isdigit()
    return None if fits else ("Please enter a numeric value in the Priority field.", [])


def _needs(name: str, words: str) -> Rule:
    return lambda row, _old: None if row[name] else (words, [])


def _unique(world: World, object: str, words: str) -> Rule:
    def rule(row: Row, _old: Row | None) -> Broken:
        name = str(row["Name"] or "").lower()
        others = (one for one in world.rows(object) if one["Id"] != row["Id"])
        taken = any(str(one["Name"]).lower() == name and not one["IsDeleted"] for one in others)
        return (words, []) if taken else None

    return rule


def _before(row: Mapping[str, str | None], one: str, other: str) -> bool:
    first, second = row[api(one)], row[api(other)]
    return bool(first and second and instant(first) < instant(second))


def _not_after(row: Mapping[str, str | None], one: str, other: str) -> bool:
    first, second = row[api(one)], row[api(other)]
    return bool(first and second and instant(first) <= instant(second))
