"""The simulated package against the facts about the real one."""

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from hub_remedyforce.names import (
    ACTION_API,
    CATEGORY_API,
    HISTORY_API,
    INCIDENT_API,
    STATUS_API,
    api,
)
from hub_remedyforce.testing import Package, Seed, id_of, install, simulator
from hub_remedyforce.validation import REMEDIES
from hub_salesforce.kit import SalesforceClient
from hub_salesforce.testing import AGENT, SECOND_AGENT, FakeSalesforce
from hub_salesforce.testing.answers import Refused

EVENT = {api("contactType__c"): "Event"}
_TYPES = {
    "Checkbox": "boolean", "Date": "date", "DateTime": "datetime", "Html": "textarea",
    "LongTextArea": "textarea", "Lookup": "reference", "MasterDetail": "reference",
    "Number": "double", "Summary": "double", "Phone": "phone", "Picklist": "picklist",
    "Text": "string", "TextArea": "textarea",
}  # fmt: skip


def facts() -> Mapping[str, Any]:
    given = os.environ.get("VENDOR_DATA", "")
    file = Path(given) / "salesforce" / "remedyforce" / "remedyforce_object_facts.json"
    if not given or not file.is_file():
        pytest.skip("VENDOR_DATA does not name the folder of the facts")
    found: Mapping[str, Any] = json.loads(file.read_bytes())
    return found


def make(org: FakeSalesforce, object: str, **values: Any) -> str:
    return org.create(AGENT, object, **{_api(name): value for name, value in values.items()})


def change(org: FakeSalesforce, object: str, id: str, **values: Any) -> None:
    org.update(AGENT, object, id, **{_api(name): value for name, value in values.items()})


def _api(name: str) -> str:
    return api(name) if name.endswith("__c") and not name.startswith("PagerDuty") else name


def status(org: FakeSalesforce, name: str) -> str:
    return id_of(org, STATUS_API, name)


def row(org: FakeSalesforce, id: str) -> dict[str, Any]:
    return org.record(INCIDENT_API, id)


# ------------------------------------------------------------------ against the facts


def test_each_field_is_as_the_facts_say(org: FakeSalesforce) -> None:
    differ = [
        problem
        for name, known in facts().items()
        for one in known["fields"]
        for problem in _differences(org.world.definitions[name], one)
    ]

    assert differ == []


def _differences(definition: Mapping[str, Any], fact: Mapping[str, Any]) -> Iterator[str]:
    found = {one["name"]: one for one in definition["fields"]}.get(fact["name"])
    if found is None:
        yield f"{definition['name']}.{fact['name']} is missing"
        return
    computed = "computed" in fact
    wanted: dict[str, Any] = {
        "label": fact["label"],
        "type": _TYPES[fact["type"]],
        "calculated": computed,
        "externalId": fact.get("externalId", False),
        "unique": fact.get("unique", False),
    }
    if "length" in fact and not computed:
        wanted["length"] = fact["length"]
    if "referenceTo" in fact:
        wanted["referenceTo"] = [fact["referenceTo"]]
    for name, value in wanted.items():
        if found[name] != value:
            where = f"{definition['name']}.{fact['name']}"
            yield f"{where}: {name} is {found[name]!r}, not {value!r}"
    values = [one["value"] for one in fact.get("values", ())]
    if values and values != [one["value"] for one in found["picklistValues"]]:
        yield f"{fact['name']}: other values"


def test_each_object_has_the_facts_fields_and_no_others_of_the_package(
    org: FakeSalesforce,
) -> None:
    for name, known in facts().items():
        wanted = {one["name"] for one in known["fields"]}
        made = {one["name"] for one in org.world.definitions[name]["fields"]}
        assert wanted == {one for one in made if one.startswith("BMCServiceDesk__")}


def test_each_message_of_incident_rules_has_a_remedy() -> None:
    rules = facts()[INCIDENT_API]["validationRules"] + facts()[HISTORY_API]["validationRules"]

    assert {one["message"] for one in rules} <= REMEDIES.keys()


def test_the_simulator_says_every_message_of_the_facts(org: FakeSalesforce) -> None:
    said = {one["message"] for known in facts().values() for one in known["validationRules"]}
    never = {"A record with this Category already exists. Enter a unique Category."}
    optional = next(one for one in REMEDIES if "Client ID" in one)

    assert said - never - {optional} == {message for message, _ in BROKEN}


# ------------------------------------------------------------------ validation rules

_NEW: Mapping[str, Any] = {"contactType__c": "Event"}
_LATER, _EARLIER = "2026-11-21T09:00:00Z", "2026-11-19T09:00:00Z"
_UNCATEGORISED = (
    "To save the incident, select a value in any one of the following fields: Category, "
    "Template, or Request Definition."
)
BROKEN: list[tuple[str, tuple[str, Mapping[str, Any]]]] = [
    (
        _UNCATEGORISED,
        (INCIDENT_API, {"contactType__c": None}),
    ),
    ("Outage Start Date is required.", (INCIDENT_API, {**_NEW, "outageTo__c": _LATER})),
    (
        "Outage End Date must be later than Outage Start Date",
        (INCIDENT_API, {**_NEW, "outageFrom__c": _LATER, "outageTo__c": _EARLIER}),
    ),
    ("Please enter the Follow Up Date.", (INCIDENT_API, {**_NEW, "followUp__c": True})),
    (
        "The Follow Up Date must be later than the Close Date. Select a new Follow Up Date.",
        (INCIDENT_API, {**_NEW, "followUpDateTime__c": _EARLIER, "closed": True}),
    ),
    (
        "The Due Date must be later than the Opened Date",
        (INCIDENT_API, {**_NEW, "dueDateTime__c": _EARLIER}),
    ),
    ("You can not edit Request Definition.", (INCIDENT_API, {**_NEW, "request": True})),
    (
        "This incident is closed. Reopen the incident to modify it.",
        (INCIDENT_API, {**_NEW, "locked": True}),
    ),
    ("Please enter Action.", (HISTORY_API, {})),
    (
        "Please enter duration in the format hh:mm",
        (HISTORY_API, {"action": "Notes", "duration__c": "5"}),
    ),
    ("Please enter Category.", (CATEGORY_API, {"Name": None})),
    ("Please enter Template Name", (api("SYSTemplate__c"), {"templateFor__c": "Incident"})),
    ("Please select Template For.", (api("SYSTemplate__c"), {"Name": "New"})),
    (
        "Duplicate Name",
        (api("SYSTemplate__c"), {"Name": "line down", "templateFor__c": "Incident"}),
    ),
    (
        "A record with this Status already exists. Enter unique Status.",
        (STATUS_API, {"Name": "closed"}),
    ),
    ("Please enter value in Status field.", (STATUS_API, {})),
    (
        "An action record with this Action already exists. Enter a unique Action.",
        (ACTION_API, {"Name": "notes"}),
    ),
    ("Please enter value in Action field.", (ACTION_API, {})),
    (
        "An Urgency record with this Urgency already exists. Enter unique Urgency.",
        (api("Urgency__c"), {"Name": "HIGH"}),
    ),
    ("Please enter Urgency.", (api("Urgency__c"), {})),
    (
        "An record with this Impact already exists. Enter unique Impact.",
        (api("Impact__c"), {"Name": "low"}),
    ),
    ("Please enter Impact.", (api("Impact__c"), {})),
    ("Please enter a numeric value in the Priority field.", (api("Priority__c"), {"Name": "one"})),
    ("Please enter Description.", (api("Priority__c"), {"Name": "6"})),
]  # fmt: skip


@pytest.mark.parametrize(("message", "case"), BROKEN)
def test_a_broken_rule_is_refused_in_the_packages_words(
    org: FakeSalesforce, message: str, case: tuple[str, Mapping[str, Any]]
) -> None:
    name, values = case

    with pytest.raises(Refused) as no:
        _save(org, name, dict(values))

    assert {"FIELD_CUSTOM_VALIDATION_EXCEPTION"} == {one["errorCode"] for one in no.value.errors}
    assert message in {one["message"] for one in no.value.errors}


def _save(org: FakeSalesforce, object: str, values: dict[str, Any]) -> None:
    marks = {name: values.pop(name, None) for name in ("closed", "request", "locked", "action")}
    if object == HISTORY_API:
        values["FKIncident__c"] = make(org, INCIDENT_API, **_NEW)
    if marks["action"]:
        values["FKAction__c"] = id_of(org, ACTION_API, str(marks["action"]))
    if marks["closed"]:
        values["FKStatus__c"] = status(org, "CLOSED")
    if marks["request"]:
        one, other = (make(org, api("SRM_RequestDefinition__c"), Name=n) for n in "ab")
        made = make(org, object, **values, FKRequestDefinition__c=one)
        change(org, object, made, FKRequestDefinition__c=other)
    elif marks["locked"]:
        made = make(org, object, **values, FKStatus__c=status(org, "CLOSED"))
        change(org, object, made, shortDescription__c="late")
    else:
        make(org, object, **values)


def test_a_priority_wants_impact_and_urgency(org: FakeSalesforce) -> None:
    with pytest.raises(Refused) as no:
        make(org, api("Priority__c"), Name="6", description__c="d")

    said = {one["message"] for one in no.value.errors}
    assert said == {"Please enter Impact.", "Please enter Urgency."}


@pytest.mark.parametrize("name", ["ON HOLD", "IMPLEMENTED"])
def test_the_filter_of_statuses_is_enforced(org: FakeSalesforce, name: str) -> None:
    with pytest.raises(Refused) as no:
        make(org, INCIDENT_API, **_NEW, FKStatus__c=status(org, name))

    (error,) = no.value.errors
    assert error["errorCode"] == "FIELD_FILTER_VALIDATION_EXCEPTION"
    assert error["message"] == "Select an active status that applies to incidents."


def test_the_rule_of_one_client_can_be_switched_on() -> None:
    org = FakeSalesforce(profile=lambda made: install(made, client_needed=False))
    strict = FakeSalesforce(profile=_strict)

    make(org, INCIDENT_API, **_NEW)
    with pytest.raises(Refused, match="Client ID, Contact or Lead"):
        make(strict, INCIDENT_API, **_NEW)


def _strict(org: FakeSalesforce) -> None:
    install(org)
    from hub_remedyforce.testing.rules import _one_client  # noqa: PLC0415 - the optional rule

    org.world.automation.rules[INCIDENT_API].append(_one_client)


def test_a_closed_incident_takes_what_the_package_lets_through(org: FakeSalesforce) -> None:
    made = make(org, INCIDENT_API, **_NEW, FKStatus__c=status(org, "CLOSED"))

    change(org, INCIDENT_API, made, Feedback__c="thank you", shortDescription__c="with it")
    change(org, INCIDENT_API, made, dueDateTime__c=_LATER)
    org.world.advance(60)
    with pytest.raises(Refused):
        change(org, INCIDENT_API, made, dueDateTime__c="2026-11-22T09:00:00Z")


# ------------------------------------------------------------------ what the package does itself


def test_status_decides_what_is_open(org: FakeSalesforce) -> None:
    made = make(org, INCIDENT_API, **_NEW)
    opened = dict(row(org, made))
    org.world.advance(60)
    change(org, INCIDENT_API, made, FKStatus__c=status(org, "COMPLETED"))
    closed = dict(row(org, made))
    change(org, INCIDENT_API, made, FKStatus__c=status(org, "OPENED"))

    assert (opened[api("Status_ID__c")], opened[api("state__c")]) == ("OPENED", True)
    assert opened[api("openDateTime__c")]
    assert closed[api("state__c")] is False
    assert closed[api("closeDateTime__c")] == closed[api("StatusChangeDate__c")]
    assert org.world.users[AGENT].id == closed[api("FKClosedBy__c")]
    assert closed[api("Closed_By__c")] == AGENT
    again = row(org, made)
    assert (
        again[api("state__c")], again[api("closeDateTime__c")], again[api("FKClosedBy__c")],
        again[api("UpdateCount__c")],
    ) == (True, None, None, 2)  # fmt: skip


@pytest.mark.parametrize(
    ("impact", "urgency", "priority"),
    [("High", "High", "1"), ("Low", "High", "3"), ("Medium", "Low", "4"), ("Low", "Low", "5")],
)
def test_priority_follows_from_impact_and_urgency(
    org: FakeSalesforce, impact: str, urgency: str, priority: str
) -> None:
    made = make(
        org,
        INCIDENT_API,
        **_NEW,
        FKImpact__c=id_of(org, api("Impact__c"), impact),
        FKUrgency__c=id_of(org, api("Urgency__c"), urgency),
    )

    assert priority == row(org, made)[api("Priority_ID__c")]


def test_a_renamed_status_moves_no_incident(org: FakeSalesforce) -> None:
    made = make(org, INCIDENT_API, **_NEW)
    stamp = row(org, made)["SystemModstamp"]
    org.world.advance(60)
    org.update(AGENT, STATUS_API, status(org, "OPENED"), Name="NEW")

    assert ("NEW", stamp) == (row(org, made)[api("Status_ID__c")], row(org, made)["SystemModstamp"])


def test_changes_of_status_and_owner_are_rows_of_the_package(org: FakeSalesforce) -> None:
    made = make(org, INCIDENT_API, **_NEW)
    other = org.world.users[SECOND_AGENT].id
    change(org, INCIDENT_API, made, FKStatus__c=status(org, "CLOSED"), OwnerId=other)

    rows = org.world.rows(HISTORY_API)
    texts = [(one[api("description__c")], one[api("system__c")]) for one in rows]
    assert texts == [("Status changed to CLOSED", True), ("Owner changed to Agent Two", True)]
    number = row(org, made)["Name"].lstrip("0")
    assert [f"{number}_0", f"{number}_1"] == [one["Name"] for one in rows]


def test_tracked_fields_have_old_and_new_values_by_id_and_by_name(org: FakeSalesforce) -> None:
    made = make(org, INCIDENT_API, **_NEW)
    change(org, INCIDENT_API, made, FKStatus__c=status(org, "WAITING"), note__c="untracked")

    rows = org.world.rows("BMCServiceDesk__Incident__History")
    told = [(one["Field"], one["OldValue"], one["NewValue"]) for one in rows]
    name = api("FKStatus__c")
    assert (name, status(org, "OPENED"), status(org, "WAITING")) in told
    assert (name, "OPENED", "WAITING") in told
    assert (api("UpdateCount__c"), 0, 1) in told
    assert api("note__c") not in {one["Field"] for one in rows}


@pytest.mark.parametrize(("wins", "category"), [(True, "Hardware"), (False, "Database")])
def test_who_wins_when_a_template_is_applied_is_an_option(*, wins: bool, category: str) -> None:
    how = Seed(package=Package(template_wins=wins))
    org = FakeSalesforce(profile=lambda made: install(made, how))
    made = make(
        org,
        INCIDENT_API,
        FKTemplate__c=id_of(org, api("SYSTemplate__c"), "Line down"),
        FKCategory__c=id_of(org, CATEGORY_API, "Database"),
    )

    assert category == row(org, made)[api("Category_ID__c")]


def test_event_ids_are_unique_whatever_their_letter_case(org: FakeSalesforce) -> None:
    make(org, INCIDENT_API, **_NEW, Event_ID__c="pagerduty:PABC123")

    with pytest.raises(Refused, match="DUPLICATE_VALUE"):
        make(org, INCIDENT_API, **_NEW, Event_ID__c="PAGERDUTY:pabc123")


def test_formulas_are_those_of_the_package(org: FakeSalesforce) -> None:
    made = make(org, INCIDENT_API, **_NEW, FKClient__c=org.world.users[SECOND_AGENT].id)
    make(
        org,
        HISTORY_API,
        FKIncident__c=made,
        FKAction__c=id_of(org, ACTION_API, "Notes"),
        duration__c="01:10",
    )
    change(org, INCIDENT_API, made, note__c="a")

    found = row(org, made)
    assert SECOND_AGENT == found[api("clientId__c")] == found[api("clientEmail__c")]
    assert (
        found[api("Type__c")], found[api("ServiceRequest__c")], found[api("isServiceRequest__c")],
    ) == ("Incident", "No", False)  # fmt: skip
    assert found[api("Total_Duration__c")] == 70.0
    assert found[api("Compliant__c")] == "YES"


def test_time_alone_changes_the_clocks(org: FakeSalesforce) -> None:
    made = make(org, INCIDENT_API, **_NEW, dueDateTime__c="2026-11-20T10:15:00Z")
    org.world.advance(1800)
    change(org, INCIDENT_API, made, FKStatus__c=status(org, "WAITING"))
    org.world.advance(3600)
    change(org, INCIDENT_API, made, note__c="a")

    found = row(org, made)
    assert (
        found[api("TimeSpentInCurrentStatus__c")],
        found[api("Time_Remaining_Percentage__c")],
        found[api("Compliant__c")],
    ) == (60.0, 0.0, "NO")


# ------------------------------------------------------------------ its own REST, its page


async def test_its_own_rest_says_success_beside_200(
    client: SalesforceClient, org: FakeSalesforce
) -> None:
    root = "/services/apexrest/BMCServiceDesk/1.0"
    body = {"Description": "Line 3 down", "IncidentSource": "Event"}

    version = (await client.send("GET", f"{root}/ServiceUtil/Version")).data
    user = (await client.send("GET", f"{root}/ServiceUtil/UserDetail")).data
    made = (await client.send("POST", f"{root}/Incident", body=body)).data
    refused = (await client.send("POST", f"{root}/Incident", body={"Description": "a"})).data
    odd = (await client.send("GET", f"{root}/Incident")).data

    assert isinstance(json.loads(version["Result"]), dict)
    assert user["Success"]
    assert {"Id", "Number", "CreatedDate"} == made["Result"].keys()
    assert row(org, made["Result"]["Id"])[api("incidentDescription__c")] == "Line 3 down"
    assert refused["Success"] is odd["Success"] is False
    assert "Category, Template, or Request Definition" in refused["ErrorMessage"]


async def test_a_person_creates_and_edits_incidents_on_a_page() -> None:
    import httpx  # noqa: PLC0415 - beside its use

    made = simulator()
    transport = httpx.ASGITransport(app=made.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://sim.test") as http:
        page = await http.get("/_sim/")
        saved = await http.post(
            "/_sim/incidents", data={"shortDescription__c": "Line 3 <down>", "FKCategory__c": ""}
        )
        org: Any = made.app
        hardware = id_of(org, CATEGORY_API, "Hardware")
        form = {"shortDescription__c": "Line 3 <down>", "FKCategory__c": hardware}
        made_one = await http.post("/_sim/incidents", data=form)
        own = made_one.headers["location"].partition("=")[2]
        noted = await http.post("/_sim/notes", data={"Id": own, "note": "Looking"})
        edited = await http.post("/_sim/incidents", data={"Id": own, "shortDescription__c": "Up"})
        shown = await http.get(f"/lightning/r/{INCIDENT_API}/{own}/view")
        state = (await http.get("/_sim/state")).json()
        reset = await http.post("/_sim/reset", json={})

    assert "Label printer offline" in page.text
    assert saved.status_code == 400
    assert "Category, Template, or Request Definition" in saved.text
    assert (noted.status_code, edited.status_code, reset.status_code) == (303, 303, 204)
    assert "Looking" in shown.text
    assert "Line 3 &lt;down&gt;" not in shown.text
    assert own in {one["Id"] for one in state["records"][INCIDENT_API]}
    assert own not in org.world.records[INCIDENT_API]
    assert len(org.world.records[INCIDENT_API]) == 2
