"""What rules do in Salesforce."""

from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub import ActionCall, ActionResult, Event, Gone, Record, RecordRef, Rejected
from hub_salesforce.actions.notes import fitted
from hub_salesforce.case import CASE
from hub_salesforce.client import SalesforceClient
from hub_salesforce.connector_type import SALESFORCE
from hub_salesforce.kit import actions
from hub_salesforce.testing import AGENT, INTEGRATION, FakeSalesforce
from hub_salesforce.testing.schema import field

Run = Callable[..., Awaitable[ActionResult]]
CallOf = Callable[..., ActionCall[Any, Any]]
ACTIONS = {one.verb: one for one in actions(SALESFORCE, CASE)}


@pytest.fixture
def case(org: FakeSalesforce) -> str:
    return org.create(AGENT, "Case", Subject="Line 3 down", Priority="High")


@pytest.mark.covers("SF-002")
async def test_a_record_is_made_with_its_key(run: Run, org: FakeSalesforce) -> None:
    result = await run(
        "create_record",
        object="salesforce.case",
        fields={"salesforce.case.subject": "From PagerDuty", "Origin": "Web"},
    )

    assert result.record is not None
    row = org.record("Case", result.record.id)
    assert row["Subject"] == "From PagerDuty"
    assert row["PagerDuty_Hub_Key__c"] == "h" + "a" * 32
    assert result.summary == f"Created Case {row['CaseNumber']}"
    assert result.record.url == f"http://127.0.0.1/lightning/r/Case/{row['Id']}/view"
    assert result.record.human_id == row["CaseNumber"]
    assert len([one for one in org.log.rows if one.method == "POST"]) == 2


async def test_an_answer_lost_after_the_commit_makes_no_second_record(
    run: Run, org: FakeSalesforce
) -> None:
    org.faults.add("reset_after", method="POST", path="composite")
    with pytest.raises((httpx.HTTPError, ConnectionResetError)):
        await run("create_record", object="salesforce.case", fields={"subject": "once"})

    result = await run("create_record", object="salesforce.case", fields={"subject": "once"})

    made = [row for row in org.world.rows("Case") if row["Subject"] == "once"]
    assert [result.record and result.record.id] == [row["Id"] for row in made]


async def test_an_agents_edits_survive_a_repeated_create(run: Run, org: FakeSalesforce) -> None:
    first = await run(
        "create_record", object="salesforce.case", fields={"subject": "once", "priority": "Low"}
    )
    assert first.record is not None
    org.update(AGENT, "Case", first.record.id, Priority="High")

    again = await run(
        "create_record", object="salesforce.case", fields={"subject": "once", "priority": "Low"}
    )

    assert again.record is not None
    assert again.record.id == first.record.id
    assert again.record.values["priority"] == "High"


async def test_without_a_key_field_the_record_is_found_by_who_when_and_what(
    call_of: CallOf, org: FakeSalesforce
) -> None:
    org.world.remove_field("Case", "PagerDuty_Hub_Key__c")
    action = ACTIONS["create_record"]
    call = call_of(
        "create_record",
        object="salesforce.case",
        fields={"subject": "it's down", "description": "long text"},
    )
    assert action.find is not None

    before = await action.find(call)
    made = await action.perform(call)
    found = await action.find(call)

    assert before is None
    assert found is not None
    assert found.record is not None
    assert made.record is not None
    assert found.record.ref == made.record.ref


@pytest.mark.covers("SF-056")
async def test_missing_fields_and_broken_rules_are_told_in_salesforces_words(
    run: Run, org: FakeSalesforce, client: SalesforceClient
) -> None:
    org.world.add_field("Case", field("Region__c", "Region", nillable=False))
    with pytest.raises(Rejected, match=r"Required fields are missing: \[Region__c\]"):
        await run("create_record", object="salesforce.case", fields={"subject": "a"})

    org.world.automation.rules["Case"] = [
        lambda new, _old: (
            ("Web needs an e-mail", ["SuppliedEmail"]) if new["Origin"] == "Web" else None
        )
    ]
    with pytest.raises(Rejected, match="Web needs an e-mail"):
        await run(
            "create_record", object="salesforce.case", fields={"Region__c": "EU", "origin": "Web"}
        )

    assert client.learned == {"Case": {"Region__c", "SuppliedEmail"}}


async def test_an_unknown_field_suggests_the_one_that_was_meant(
    run: Run, org: FakeSalesforce, case: str
) -> None:
    org.world.add_field("Case", field("BMCServiceDesk__Region__c", "Region"))

    with pytest.raises(Rejected, match="did you mean BMCServiceDesk__Region__c"):
        await run("update_record", case, fields={"Region__c": "EU"})


@pytest.mark.covers("RF-008")
async def test_any_object_can_be_made(run: Run, org: FakeSalesforce) -> None:
    result = await run(
        "create_record",
        object="salesforce.account",
        fields={"Name": "Northwind", "AnnualRevenue": "12.5"},
    )

    assert result.record is not None
    assert result.record.source_object == "salesforce.account"
    assert org.record("Account", result.record.id)["AnnualRevenue"] == 12.5
    assert "/lightning/r/Account/" in str(result.record.url)


async def test_the_object_of_an_action_may_be_given_by_either_name(run: Run) -> None:
    by_name = await run("create_record", object="salesforce.account", fields={"Name": "a"})
    by_api_name = await run("create_record", object="Account", fields={"Name": "b"})

    assert by_name.record is not None
    assert by_api_name.record is not None
    assert by_name.record.source_object == by_api_name.record.source_object


@pytest.mark.covers("SF-051")
async def test_a_field_is_set_by_its_whole_name(run: Run, org: FakeSalesforce, case: str) -> None:
    result = await run("set_field", case, field="salesforce.case.status", value="Working")

    assert org.record("Case", case)["Status"] == "Working"
    assert result.summary == "Set Status to Working"


async def test_an_empty_value_clears_a_field(run: Run, org: FakeSalesforce, case: str) -> None:
    await run("set_field", case, field="salesforce.case.priority", value=None)

    assert org.record("Case", case)["Priority"] is None


async def test_a_field_of_another_object_is_set_on_that_objects_record(
    call_of: CallOf, org: FakeSalesforce
) -> None:
    account = org.create(AGENT, "Account", Name="Northwind")
    call = call_of(
        "set_field",
        account,
        source_object="salesforce.account",
        field="salesforce.account.Website",
        value="https://northwind.example",
    )

    await ACTIONS["set_field"].perform(call)

    assert org.record("Account", account)["Website"] == "https://northwind.example"


@pytest.mark.parametrize("verb", ["set_field", "update_record"])
def test_writes_speaks_in_field_keys(verb: str) -> None:
    action = ACTIONS[verb]
    assert action.writes is not None
    given = {
        "set_field": {"field": "salesforce.case.Status", "value": "Working"},
        "update_record": {"fields": {"Status": "Working"}},
    }

    assert action.writes(action.params.model_validate(given[verb])) == {"status": "Working"}


def test_writes_of_text_is_what_salesforce_will_report() -> None:
    action = ACTIONS["set_field"]
    assert action.writes is not None
    params = action.params.model_validate({"field": "salesforce.case.subject", "value": " a\r\nb "})

    assert action.writes(params) == {"subject": "a\nb"}


async def test_without_a_record_there_is_nothing_to_act_on(run: Run) -> None:
    with pytest.raises(Rejected, match="no record to act on"):
        await run("set_field", field="salesforce.case.status", value="Working")


async def test_a_deleted_record_is_gone(run: Run, org: FakeSalesforce, case: str) -> None:
    org.act(AGENT, lambda t: t.delete("Case", case))

    with pytest.raises(Gone):
        await run("set_field", case, field="salesforce.case.status", value="Working")


async def _guarded(
    call_of: CallOf, org: FakeSalesforce, clock: Any, case: str, **theirs: Any
) -> ActionResult:
    """Set the status only if unchanged, after somebody changed something."""
    told = Record(source_object=CASE.name, id=case, values={"status": "New", "priority": "High"})
    event = Event(
        trigger="salesforce.case.updated", record=told, occurred_at=clock(), key="e", before=None
    )
    clock.advance(5)
    org.update(AGENT, "Case", case, **theirs)
    call = call_of(
        "set_field",
        case,
        event=event,
        field="salesforce.case.status",
        value="Working",
        only_if_unchanged=True,
    )
    return await ACTIONS["set_field"].perform(call)


async def test_a_field_that_somebody_changed_meanwhile_is_left_alone(
    call_of: CallOf, org: FakeSalesforce, clock: Any, case: str
) -> None:
    result = await _guarded(call_of, org, clock, case, Status="Escalated")

    assert not result.changed
    assert result.summary == "Left as it is: Status changed since"
    assert org.record("Case", case)["Status"] == "Escalated"


async def test_a_change_of_another_field_does_not_keep_us_from_writing(
    call_of: CallOf, org: FakeSalesforce, clock: Any, case: str
) -> None:
    result = await _guarded(call_of, org, clock, case, Priority="Low")

    assert result.changed
    assert org.record("Case", case)["Status"] == "Working"
    assert org.record("Case", case)["Priority"] == "Low"


async def test_fields_and_a_comment_are_saved_by_one_call_or_not_at_all(
    run: Run, org: FakeSalesforce, case: str
) -> None:
    result = await run("update_record", case, fields={"status": "Working"}, comment="On it")
    before = len(org.world.rows("CaseComment"))
    with pytest.raises(Rejected, match="Owner"):
        await run("update_record", case, fields={"OwnerId": case}, comment="never")

    assert result.note in org.world.records["CaseComment"]
    assert org.record("Case", case)["Status"] == "Working"
    assert before == len(org.world.rows("CaseComment"))


@pytest.mark.covers("SF-003")
async def test_a_comment_is_written_and_found_again(
    call_of: CallOf, org: FakeSalesforce, case: str
) -> None:
    action, call = ACTIONS["add_comment"], call_of("add_comment", case, body="a\nb", public=True)
    assert action.find is not None

    before = await action.find(call)
    made = await action.perform(call)
    found = await action.find(call)

    assert before is None
    assert found is not None
    assert found.note == made.note
    row = org.record("CaseComment", str(made.note))
    assert (row["ParentId"], row["IsPublished"]) == (case, True)


async def test_a_long_comment_is_cut_and_says_so(run: Run, org: FakeSalesforce, case: str) -> None:
    result = await run("add_comment", case, body="é" * 3000)

    text = org.record("CaseComment", str(result.note))["CommentBody"]
    assert len(text.encode()) <= 4000
    assert text.endswith("… (cut)")
    assert "cut to the longest" in result.summary


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])), st.integers(20, 60))
def test_a_cut_text_fits_and_stays_readable(text: str, longest: int) -> None:
    cut = fitted(text, longest=longest)

    assert len(cut.encode()) <= longest
    assert text.startswith(cut.removesuffix("… (cut)"))


async def test_a_post_goes_into_the_feed(run: Run, org: FakeSalesforce, case: str) -> None:
    result = await run("post_to_feed", case, body="Paged", visibility="AllUsers")

    row = org.record("FeedItem", str(result.note))
    assert (row["ParentId"], row["Body"], row["Visibility"]) == (case, "Paged", "AllUsers")


async def test_an_object_without_comments_says_what_else_to_do(
    call_of: CallOf, org: FakeSalesforce
) -> None:
    account = org.create(AGENT, "Account", Name="Northwind")
    call = call_of("add_comment", account, source_object="salesforce.account", body="a")

    with pytest.raises(Rejected, match="post in the feed"):
        await ACTIONS["add_comment"].perform(call)


async def test_the_link_goes_into_the_fields_that_are_there(
    run: Run, org: FakeSalesforce, case: str
) -> None:
    result = await run(
        "link_back",
        case,
        incident_id="PABC123",
        incident_url="https://acme.example/PABC123",
        incident_number="42",
        number_field="Number__c",
    )

    row = org.record("Case", case)
    assert row["PagerDuty_Incident_Id__c"] == "PABC123"
    assert row["PagerDuty_Incident_URL__c"] == "https://acme.example/PABC123"
    assert "there is no field Number__c" in result.summary


async def test_an_org_without_the_fields_is_left_alone(
    run: Run, org: FakeSalesforce, case: str
) -> None:
    org.world.remove_field("Case", "PagerDuty_Incident_Id__c")

    result = await run("link_back", case, incident_id="PABC123")

    assert not result.changed


@pytest.mark.parametrize("owner", ["Support Queue", AGENT, "Agent One"])
async def test_a_case_is_assigned_by_name(
    run: Run, org: FakeSalesforce, case: str, owner: str
) -> None:
    org.update(AGENT, "Case", case, OwnerId=org.world.users[INTEGRATION].id)

    await run("assign_owner", case, owner=owner)

    assert org.record("Case", case)["OwnerId"] != org.world.users[INTEGRATION].id


@pytest.mark.parametrize(
    ("owner", "why"), [("Nobody", "no active user"), ("Agent Gone", "no active")]
)
async def test_an_owner_that_is_not_there_is_refused(
    run: Run, case: str, owner: str, why: str
) -> None:
    with pytest.raises(Rejected, match=why):
        await run("assign_owner", case, owner=owner)


async def test_a_case_is_closed_by_the_orgs_own_status(
    run: Run, org: FakeSalesforce, case: str
) -> None:
    await run("close_case", case)

    assert org.record("Case", case)["IsClosed"]


async def test_upsert_makes_and_then_changes(run: Run, org: FakeSalesforce) -> None:
    how = {
        "object": "salesforce.case",
        "external_id_field": "PagerDuty_Hub_Key__c",
        "external_id": "P/1",
    }
    made = await run("upsert_record", **how, fields={"subject": "a"})
    changed = await run("upsert_record", **how, fields={"subject": "b"})

    assert made.record is not None
    assert changed.record is not None
    assert made.record.id == changed.record.id
    assert made.summary.startswith("Created")
    assert changed.summary.startswith("Updated")
    assert org.record("Case", made.record.id)["Subject"] == "b"


async def test_upsert_by_a_field_that_is_no_external_id_says_so(run: Run) -> None:
    with pytest.raises(Rejected, match="must be an External ID"):
        await run(
            "upsert_record",
            object="salesforce.case",
            external_id_field="Subject",
            external_id="x",
            fields={"priority": "Low"},
        )


@pytest.mark.covers("SF-048", "RF-054")
async def test_an_event_is_forwarded_to_apex_rest(run: Run, org: FakeSalesforce, case: str) -> None:
    await run("forward_event", case, path="/services/apexrest/pagerdutyrf/pagerduty/webhook")

    (received,) = org.world.apex_rest["pagerdutyrf/pagerduty/webhook"]
    assert received["messages"][0]["event"] == "incident.trigger"
    assert received["messages"][0]["incident"]["id"] == "PABC123"


async def test_forwarding_to_a_class_that_is_not_there_says_so(run: Run, case: str) -> None:
    with pytest.raises(Rejected, match="no Apex REST class at nowhere"):
        await run("forward_event", case, path="nowhere")


async def test_a_record_given_by_15_characters_is_the_same(
    call_of: CallOf, org: FakeSalesforce, case: str
) -> None:
    call = call_of("set_field", case[:15], field="salesforce.case.status", value="Working")

    result = await ACTIONS["set_field"].perform(call)

    assert result.record is not None
    assert result.record.ref == RecordRef(source_object=CASE.name, id=case)
