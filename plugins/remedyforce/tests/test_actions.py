"""What rules do in Remedyforce, on the simulated org."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from hub import ActionCall, ActionResult, FieldType, OutcomeUnknown, Rejected
from hub_remedyforce.names import (
    ACTION_API,
    CATEGORY_API,
    HISTORY_API,
    INCIDENT_API,
    STATUS_API,
    api,
)
from hub_remedyforce.objects import INCIDENT
from hub_remedyforce.testing import id_of
from hub_salesforce.kit import SalesforceClient
from hub_salesforce.testing import AGENT, INTEGRATION, SECOND_AGENT, FakeSalesforce
from plugins.remedyforce.tests.conftest import ACTIONS

Run = Callable[..., Awaitable[ActionResult]]
STATUS, CATEGORY = "remedyforce.incident.status", "remedyforce.incident.category"


def row_of(org: FakeSalesforce, id: str, *names: str) -> tuple[Any, ...]:
    row = org.record(INCIDENT_API, id)
    return tuple(row[api(name)] for name in names)


def history_of(org: FakeSalesforce, id: str) -> list[dict[str, Any]]:
    rows = org.world.rows(HISTORY_API)
    return [one for one in rows if one[api("FKIncident__c")] == id]


# ------------------------------------------------------------------ fields by name or by id


@pytest.mark.parametrize("word", ["ASSIGNED", "assigned", " Assigned "])
async def test_a_status_is_set_by_name(
    run: Run, org: FakeSalesforce, incident: str, word: str
) -> None:
    result = await run("set_field", incident, field=STATUS, value=word)

    assert (id_of(org, STATUS_API, "ASSIGNED"), "ASSIGNED") == row_of(
        org, incident, "FKStatus__c", "Status_ID__c"
    )
    assert result.record is not None
    assert result.summary.startswith("Set Status to a3w")


async def test_a_status_is_set_by_id_of_either_length(
    run: Run, org: FakeSalesforce, incident: str
) -> None:
    own = id_of(org, STATUS_API, "WAITING")

    await run("set_field", incident, field=STATUS, value=own[:15])
    short = row_of(org, incident, "Status_ID__c")
    await run("set_field", incident, field=STATUS, value=id_of(org, STATUS_API, "ASSIGNED"))

    assert short == ("WAITING",)
    assert row_of(org, incident, "Status_ID__c") == ("ASSIGNED",)


async def test_a_name_that_looks_like_an_id_is_a_name(
    run: Run, org: FakeSalesforce, incident: str
) -> None:
    values = {api("state__c"): True, api("appliesToIncident__c"): True}
    org.create(AGENT, STATUS_API, Name="WaitingForParts", **values)

    await run("set_field", incident, field=STATUS, value="WaitingForParts")

    assert row_of(org, incident, "Status_ID__c") == ("WaitingForParts",)


async def test_impact_urgency_and_category_by_name_in_one_write(
    run: Run, org: FakeSalesforce, incident: str
) -> None:
    await run(
        "update_record",
        incident,
        fields={
            "impact": "High",
            "urgency": "Medium",
            CATEGORY: "Database",
            "service": "Order intake",
        },
    )

    names = ("Impact_Id__c", "Urgency_ID__c", "Priority_ID__c", "Category_ID__c")
    assert row_of(org, incident, *names) == ("High", "Medium", "2", "Database")


async def test_a_lookup_is_cleared(run: Run, org: FakeSalesforce, incident: str) -> None:
    await run("update_record", incident, fields={"category": None, "source": "Event"})

    assert row_of(org, incident, "FKCategory__c", "Category_ID__c") == (None, None)


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("status", "ASIGNED", "no status 'ASIGNED' that may be used here; did you mean 'ASSIGNED'"),
        ("status", "IMPLEMENTED", "no status 'IMPLEMENTED'"),
        ("category", "Telex", "no category 'Telex'"),
        ("template", "Server change", "no template 'Server change'"),
        ("staff", "Hub Integration", "no staff member 'Hub Integration'"),
    ],
)
async def test_a_name_that_is_not_offered_is_refused_before_it_is_sent(
    run: Run, org: FakeSalesforce, incident: str, field: str, value: str, said: str
) -> None:
    with pytest.raises(Rejected, match=said):
        await run("update_record", incident, fields={field: value})

    assert row_of(org, incident, "Status_ID__c") == ("OPENED",)


async def test_a_name_of_two_records_wants_an_id(
    run: Run, org: FakeSalesforce, incident: str
) -> None:
    twin = org.create(
        AGENT, CATEGORY_API, Name="Hardware", **{api("AvailableForIncidents__c"): True}
    )

    with pytest.raises(Rejected, match="more than one category is called 'Hardware': give its id"):
        await run("set_field", incident, field=CATEGORY, value="Hardware")
    await run("set_field", incident, field=CATEGORY, value=twin)

    assert (twin,) == row_of(org, incident, "FKCategory__c")


async def test_names_are_asked_for_once_an_hour(
    run: Run, org: FakeSalesforce, incident: str, clock: Any
) -> None:
    def asked() -> int:
        return sum("Status__c" in one.path and "/query" in one.path for one in org.log.rows)

    for value in ("ASSIGNED", "WAITING", "ASSIGNED"):
        await run("set_field", incident, field=STATUS, value=value)
    within = asked()
    clock.advance(3700)
    await run("set_field", incident, field=STATUS, value="WAITING")

    assert (within, asked()) == (2, 3)


async def test_a_status_that_was_replaced_is_looked_up_anew(
    run: Run, org: FakeSalesforce, incident: str
) -> None:
    await run("set_field", incident, field=STATUS, value="ASSIGNED")
    await run("set_field", incident, field=STATUS, value="WAITING")
    old = id_of(org, STATUS_API, "ASSIGNED")
    org.update(AGENT, STATUS_API, old, Name="ASSIGNED (old)", **{api("inactive__c"): True})
    values = {api("state__c"): True, api("appliesToIncident__c"): True}
    new = org.create(AGENT, STATUS_API, Name="ASSIGNED", **values)

    await run("set_field", incident, field=STATUS, value="ASSIGNED")

    assert (new,) == row_of(org, incident, "FKStatus__c")


def test_writes_are_told_as_remedyforce_will_report_them() -> None:
    def writes(verb: str, **params: Any) -> dict[str, Any]:
        action = ACTIONS[verb]
        assert action.writes is not None
        return dict(action.writes(action.params.model_validate(params)))

    own = "a3wxx000000TN1FAAW"
    assert writes("set_field", field=STATUS, value="CLOSED") == {"status_name": "CLOSED"}
    assert {"status": own} == writes("set_field", field=STATUS, value=own)
    assert writes("set_field", field=STATUS, value="") == {"status": None}
    assert writes("set_field", field="remedyforce.incident.staff", value="Agent One") == {}
    assert writes("close_incident", status="CLOSED", resolution="Done") == {
        "status_name": "CLOSED",
        "resolution": "Done",
    }
    assert writes("reopen_incident", fields={"urgency": "High"}) == {"urgency_name": "High"}


# ------------------------------------------------------------------ creating


async def test_an_incident_is_made_once(
    run: Run, org: FakeSalesforce, call_of: Callable[..., ActionCall[Any, Any]]
) -> None:
    fields = {"short_description": "Line 3 down", "category": "Hardware", "status": "OPENED"}
    org.faults.add(method="POST", path=".*/composite$", effect="timeout_after", times=1, seconds=0)

    with pytest.raises((OutcomeUnknown, ConnectionError)):
        await run("create_record", object=INCIDENT.name, fields=fields)
    found = await ACTIONS["create_record"].find(
        call_of("create_record", object=INCIDENT.name, fields=fields)
    )
    again = await run("create_record", object=INCIDENT.name, fields=fields)

    made = [
        r for r in org.world.rows(INCIDENT_API) if r[api("shortDescription__c")] == "Line 3 down"
    ]
    assert [found.record.id] == [one["Id"] for one in made] == [again.record.id]
    assert found.record.human_id == made[0]["Name"]


async def test_what_the_package_requires_is_said_with_a_remedy(run: Run) -> None:
    with pytest.raises(Rejected, match=r"Template, or Request Definition.*give the category") as no:
        await run("create_record", object=INCIDENT.name, fields={"short_description": "a"})

    assert "FIELD_CUSTOM_VALIDATION_EXCEPTION" in str(no.value)


async def test_a_template_copies_its_values(run: Run, org: FakeSalesforce) -> None:
    made = await run(
        "create_record",
        object=INCIDENT.name,
        fields={"short_description": "Line 3 down", "template": "Line down"},
    )

    names = ("Category_ID__c", "Priority_ID__c", "TemplateAlreadyApplied__c", "TemplateName__c")
    assert row_of(org, made.record.id, *names) == ("Hardware", "1", True, "Line down")


async def test_the_clients_own_rule_is_explained(org: FakeSalesforce, run: Run) -> None:
    from hub_remedyforce.testing.rules import _one_client  # noqa: PLC0415 - the optional rule

    org.world.automation.rules[INCIDENT_API].append(_one_client)

    with pytest.raises(Rejected, match=r"Client ID, Contact or Lead.*exactly one of client"):
        await run("create_record", object=INCIDENT.name, fields={"source": "Event"})


# ------------------------------------------------------------------ assigning


async def test_an_incident_is_assigned_to_a_queue_and_to_staff(
    run: Run, org: FakeSalesforce, incident: str
) -> None:
    queued = await run("assign_owner", incident, owner="Service Desk")
    in_queue = row_of(org, incident, "Queue__c", "queueName__c")
    await run("assign_owner", incident, owner=SECOND_AGENT)
    await run("set_field", incident, field="remedyforce.incident.staff", value="Agent Two")

    own = org.world.users[SECOND_AGENT].id
    assert queued.summary == "Assigned to Service Desk"
    assert in_queue == ("Service Desk", "Service Desk")
    assert own == org.record(INCIDENT_API, incident)["OwnerId"]
    assert (own, "", "Service Desk", 2.0) == row_of(
        org, incident, "FKOpenBy__c", "Queue__c", "queueName__c", "Reassigned_Count__c"
    )


# ------------------------------------------------------------------ closing and reopening


async def test_closing_is_one_save_with_all_that_the_org_demands(
    run: Run, org: FakeSalesforce, incident: str
) -> None:
    before = len(org.log.rows)

    result = await run(
        "close_incident",
        incident,
        resolution="Replaced the belt",
        closure_category="Resolved",
        fields={"note": "Spare part 7"},
    )

    writes = [one for one in org.log.rows[before:] if one.method == "PATCH"]
    assert len(writes) == 1
    assert result.summary.startswith("Closed the incident")
    assert row_of(
        org, incident, "Status_ID__c", "state__c", "incidentResolution__c", "ClosureCategory__c",
        "note__c",
    ) == ("CLOSED", False, "Replaced the belt", "Resolved", "Spare part 7")  # fmt: skip
    assert (org.world.users[INTEGRATION].id,) == row_of(org, incident, "FKClosedBy__c")


async def test_a_closed_incident_stays_as_it_is(
    run: Run, org: FakeSalesforce, incident: str
) -> None:
    await run("close_incident", incident, status="COMPLETED", resolution="First")

    again = await run("close_incident", incident, status="COMPLETED", resolution="Second")

    assert (again.summary, again.changed) == ("The incident is closed already", False)
    assert row_of(org, incident, "incidentResolution__c") == ("First",)


@pytest.mark.parametrize("closed", ["ON HOLD", "closed by nobody"])
async def test_closing_needs_a_status_that_incidents_may_have(
    run: Run, incident: str, closed: str
) -> None:
    with pytest.raises(Rejected, match="there is no status"):
        await run("close_incident", incident, status=closed)


async def test_closing_passes_on_other_refusals(
    run: Run, org: FakeSalesforce, incident: str
) -> None:
    with pytest.raises(Rejected, match=r"Outage Start Date is required\..*together with its end"):
        await run("close_incident", incident, fields={"outage_to": "2026-11-20T10:00:00Z"})


async def test_an_org_without_a_closing_status_says_so(
    run: Run, org: FakeSalesforce, incident: str
) -> None:
    for row in org.world.rows(STATUS_API):
        row[api("state__c")] = True

    with pytest.raises(Rejected, match="no active status of incidents that means closed"):
        await run("close_incident", incident)


async def test_a_change_after_closing_is_refused_with_the_way_out(
    run: Run, org: FakeSalesforce, incident: str
) -> None:
    await run("close_incident", incident)

    with pytest.raises(Rejected, match=r"This incident is closed\..*Reopen the incident"):
        await run("set_field", incident, field="remedyforce.incident.urgency", value="High")


async def test_reopening_is_one_save_with_the_changes(
    run: Run, org: FakeSalesforce, incident: str
) -> None:
    await run("close_incident", incident)
    before = len(org.log.rows)

    result = await run("reopen_incident", incident, fields={"urgency": "High", "resolution": None})

    assert sum(one.method == "PATCH" for one in org.log.rows[before:]) == 1
    assert result.summary.startswith("Reopened the incident")
    assert row_of(
        org, incident, "Status_ID__c", "state__c", "Urgency_ID__c", "incidentResolution__c",
        "closeDateTime__c",
    ) == ("OPENED", True, "High", None, None)  # fmt: skip


async def test_reopening_an_open_incident_leaves_its_status(
    run: Run, org: FakeSalesforce, incident: str
) -> None:
    await run("set_field", incident, field=STATUS, value="ASSIGNED")

    nothing = await run("reopen_incident", incident)
    changed = await run("reopen_incident", incident, status="WAITING", fields={"urgency": "High"})

    assert (nothing.summary, nothing.changed) == ("The incident is open already", False)
    assert changed.changed
    assert row_of(org, incident, "Status_ID__c", "Urgency_ID__c") == ("ASSIGNED", "High")


async def test_reopening_to_a_chosen_status(run: Run, org: FakeSalesforce, incident: str) -> None:
    await run("close_incident", incident)

    await run("update_record", incident, fields={"status": "WAITING", "urgency": "Medium"})

    assert row_of(org, incident, "Status_ID__c", "Urgency_ID__c") == ("WAITING", "Medium")


# ------------------------------------------------------------------ notes


async def test_a_note_is_a_row_of_the_history(run: Run, org: FakeSalesforce, incident: str) -> None:
    result = await run("add_note", incident, body="Ana: looking\nat it")

    row = org.record(HISTORY_API, str(result.note))
    assert result.summary == "Added a note to the incident history"
    assert (
        row[api("note__c")].replace("\r\n", "\n"),
        row[api("description__c")],
        row[api("actionId__c")],
        row[api("system__c")],
    ) == ("Ana: looking\nat it", "PagerDuty note", "Notes", False)
    assert row["Name"] == f"{org.record(INCIDENT_API, incident)['Name'].lstrip('0')}_0"
    assert row[api("date__c")] == "2026-11-20T09:15:00.000+0000"


async def test_a_note_that_was_written_is_found_again(
    run: Run, incident: str, call_of: Callable[..., ActionCall[Any, Any]]
) -> None:
    find = ACTIONS["add_note"].find
    assert find is not None
    call = call_of("add_note", incident, body="looking\nat it")

    before = await find(call)
    made = await run("add_note", incident, body="looking\nat it")
    after = await find(call)

    assert before is None
    assert after is not None
    assert made.note == after.note


async def test_the_action_of_notes_is_the_connectors_or_the_rules(
    run: Run, org: FakeSalesforce, incident: str, client: SalesforceClient
) -> None:
    client.settings.note_action = "Self Service Note"

    by_setting = await run("add_note", incident, body="a")
    by_rule = await run("add_note", incident, body="b", action="Email Sent")
    together = await run("update_record", incident, fields={"urgency": "High"}, comment="c")

    kinds = [org.record(HISTORY_API, str(one.note))[api("actionId__c")]
             for one in (by_setting, by_rule, together)]  # fmt: skip
    assert kinds == ["Self Service Note", "Email Sent", "Self Service Note"]


async def test_a_missing_action_of_notes_is_named(
    run: Run, org: FakeSalesforce, incident: str
) -> None:
    notes = id_of(org, ACTION_API, "Notes")
    org.update(AGENT, ACTION_API, notes, **{api("inactive__c"): True})

    with pytest.raises(Rejected, match="no action of the incident history 'Notes'"):
        await run("add_note", incident, body="a")


async def test_a_long_note_is_cut_and_says_so(run: Run, org: FakeSalesforce, incident: str) -> None:
    result = await run("add_note", incident, body="é" * 70_000)

    assert "cut to the longest" in result.summary
    assert len(org.record(HISTORY_API, str(result.note))[api("note__c")].encode()) <= 131_072


async def test_a_note_on_a_closed_incident_is_refused_once_with_the_reason(
    run: Run, org: FakeSalesforce, incident: str
) -> None:
    await run("close_incident", incident)
    count = len(history_of(org, incident))

    with pytest.raises(Rejected, match=r"This incident is closed\..*retried after that"):
        await run("add_note", incident, body="too late")
    await run("reopen_incident", incident)
    written = await run("add_note", incident, body="too late")

    assert written.note
    assert count + 2 == len(history_of(org, incident))


def test_notes_have_one_action_of_their_own() -> None:
    assert "add_comment" not in ACTIONS
    assert "close_case" not in ACTIONS
    assert ACTIONS["add_note"].target == "remedyforce.incident"
    assert INCIDENT.by_key["comment_kind"].type == FieldType.TEXT
