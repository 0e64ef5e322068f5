"""The package's records of the simulated org: statuses, priorities, categories, people, queues."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Any

from hub_remedyforce.names import ACTION_API, CATEGORY_API, INCIDENT_API, STATUS_API, api
from hub_remedyforce.settings import CATEGORY_SERVICE
from hub_remedyforce.testing.behaviour import Package
from hub_salesforce.testing import AGENT, INTEGRATION, SECOND_AGENT, FakeSalesforce
from hub_salesforce.testing.schema import field as described
from hub_salesforce.testing.standard import custom_case_fields

LEVELS = ("High", "Medium", "Low")
_PRIORITY = {0: "1", 1: "2", 2: "3", 3: "4", 4: "5"}
_STATUSES: Sequence[tuple[str, bool, bool, bool]] = (
    ("OPENED", True, True, False),
    ("ASSIGNED", True, True, False),
    ("WAITING", True, True, False),
    ("COMPLETED", False, True, False),
    ("CLOSED", False, True, False),
    ("ON HOLD", True, True, True),
    ("IMPLEMENTED", True, False, False),
)
_ACTIONS = (
    ("Notes", "NOTES", False),
    ("Email Received", "EMAILIN", False),
    ("Email Sent", "EMAILOUT", False),
    ("Status Change", "STATUS", True),
    ("Self Service Note", "SSNOTE", False),
)


@dataclass(frozen=True, kw_only=True)
class Seed:
    """What differs between orgs. `category_service` is "present", "absent" or "hidden"."""

    category_service: str = "present"
    services: tuple[tuple[str, str], ...] = (("Database", "PDAT001"), ("Web shop", " pweb001 "))
    package: Package = field(default_factory=Package)


def seed(org: FakeSalesforce, how: Seed) -> None:
    """Fill the package's tables."""
    _customer_fields(org, how)
    for name, is_open, for_incidents, inactive in _STATUSES:
        _make(
            org, STATUS_API, Name=name, state__c=is_open, appliesToIncident__c=for_incidents,
            inactive__c=inactive, defaultStatus__c=name == "OPENED",
            appliesToChange__c=not for_incidents,
        )  # fmt: skip
    for name, short, system in _ACTIONS:
        _make(org, ACTION_API, Name=name, Abbreviation__c=short, system__c=system)
    _priorities(org)
    _categories(org, how)
    _templates(org, how.package)
    _elements(org)
    _people(org)
    _queues(org)
    _incidents(org)


def id_of(org: FakeSalesforce, object: str, name: str) -> str:
    """Return the id of a record by its name."""
    return next(str(row["Id"]) for row in org.world.rows(object) if row["Name"] == name)


def _customer_fields(org: FakeSalesforce, how: Seed) -> None:
    for one in custom_case_fields():
        if one["name"] != "PagerDuty_Hub_Key__c":
            org.world.add_field(INCIDENT_API, one)
    if how.category_service != "absent":
        own = described(CATEGORY_SERVICE, "PagerDuty Service ID", length=40)
        org.world.add_field(CATEGORY_API, own)
    if how.category_service == "hidden":
        org.world.users[INTEGRATION].hidden.add((CATEGORY_API, CATEGORY_SERVICE))


def _priorities(org: FakeSalesforce) -> None:
    impacts = [_make(org, api("Impact__c"), Name=name) for name in LEVELS]
    urgencies = [_make(org, api("Urgency__c"), Name=name) for name in LEVELS]
    for at, below in product(range(3), range(3)):
        _make(
            org, api("Priority__c"), Name=_PRIORITY[at + below],
            description__c=f"{LEVELS[at]} impact, {LEVELS[below]} urgency",
            FKImpact__c=impacts[at], FKUrgency__c=urgencies[below],
        )  # fmt: skip


def _categories(org: FakeSalesforce, how: Seed) -> None:
    services = dict(how.services) if how.category_service != "absent" else {}
    parent = None
    for name, inactive, offered in (
        ("Applications", False, True),
        ("Database", False, True),
        ("Web shop", False, True),
        ("Hardware", False, True),
        ("Telex", True, True),
        ("Change board", False, False),
    ):
        values: dict[str, Any] = {"FKParentCategory__c": parent} if name in services else {}
        own = _make(
            org, CATEGORY_API, Name=name, inactive__c=inactive, AvailableForIncidents__c=offered,
            **values,
        )  # fmt: skip
        parent = parent or own
        if name in services:
            org.record(CATEGORY_API, own)[CATEGORY_SERVICE] = services[name]


def _templates(org: FakeSalesforce, package: Package) -> None:
    for name, kind in (("Line down", "Incident"), ("Server change", "Change Request")):
        _make(org, api("SYSTemplate__c"), Name=name, templateFor__c=kind)
    values = {
        api("FKCategory__c"): id_of(org, CATEGORY_API, "Hardware"),
        api("FKImpact__c"): id_of(org, api("Impact__c"), "High"),
        api("FKUrgency__c"): id_of(org, api("Urgency__c"), "High"),
    }
    package.templates[id_of(org, api("SYSTemplate__c"), "Line down")] = values


def _elements(org: FakeSalesforce) -> None:
    for name, kind in (("Order intake", "BMC_BUSINESSSERVICE"), ("srv-042", "BMC_COMPUTERSYSTEM")):
        _make(org, api("BMC_BaseElement__c"), Name=name, ClassID__c=kind)


def _people(org: FakeSalesforce) -> None:
    for username in (INTEGRATION, AGENT, SECOND_AGENT):
        own = org.world.users[username].id
        org.record("User", own)[api("IsStaffUser__c")] = username != INTEGRATION


def _queues(org: FakeSalesforce) -> None:
    world = org.world
    like = next(row for row in world.rows("Group") if row["Type"] == "Queue")
    relation = world.rows("QueueSobject")[0]
    for name in ("Service Desk", "Plant IT"):
        queue = {
            **like,
            "Id": world.mint("00G"),
            "Name": name,
            "DeveloperName": name.replace(" ", "_"),
        }
        world.records["Group"][queue["Id"]] = queue
        link = {**relation, "Id": world.mint("03g"), "QueueId": queue["Id"]}
        link["SobjectType"] = INCIDENT_API
        world.records["QueueSobject"][link["Id"]] = link


def _incidents(org: FakeSalesforce) -> None:
    for words, category in (("Label printer offline", "Hardware"), ("Slow queries", "Database")):
        _make(
            org, INCIDENT_API, shortDescription__c=words, incidentDescription__c=f"{words}.",
            FKCategory__c=id_of(org, CATEGORY_API, category),
            FKImpact__c=id_of(org, api("Impact__c"), "Medium"),
            FKUrgency__c=id_of(org, api("Urgency__c"), "Medium"),
            FKClient__c=org.world.users[SECOND_AGENT].id, contactType__c="Phone",
        )  # fmt: skip


def _make(org: FakeSalesforce, object: str, **values: Any) -> str:  # noqa: ANN401 - field values
    given = {(api(name) if name.endswith("__c") else name): value for name, value in values.items()}
    return org.create(AGENT, object, **given)
