"""Setting a connector up: settings, checks, the Apex to install, templates."""

from typing import Any

import pytest
from pydantic import ValidationError

from hub import Rejected
from hub_remedyforce.connector_type import REMEDYFORCE
from hub_remedyforce.installing import sources
from hub_remedyforce.names import ACTION_API, HISTORY_API, INCIDENT_API, STATUS_API, api
from hub_remedyforce.settings import RemedyforceSettings
from hub_remedyforce.templates import (
    IncidentAndPagerDuty,
    IncidentForService,
    incident_and_pagerduty,
    incident_for_service,
    templates,
)
from hub_remedyforce.testing import id_of
from hub_salesforce.kit import SalesforceClient
from hub_salesforce.testing import AGENT, FakeSalesforce

CHECKS = {one.name: one for one in REMEDYFORCE.checks}
CONNECTORS = {"itsm": "prod-rf", "paging": "prod-pd"}


def test_settings_are_salesforces_with_remedyforces_objects() -> None:
    made = RemedyforceSettings.model_validate(
        {"auth": "password", "username": "a@acme.example", "password": "b"}
    )

    assert made.objects == [INCIDENT_API]
    assert api("Event_ID__c") == made.hub_key_field
    assert made.note_action == "Notes"


# ------------------------------------------------------------------ checks


async def test_checks_name_statuses_and_the_action_of_notes(client: SalesforceClient) -> None:
    assert (
        await CHECKS["statuses"].run(client)
    ) == "Incidents are opened as OPENED and closed as CLOSED, unless a rule says else"
    assert await CHECKS["note_action"].run(client) == "Notes are written with the action 'Notes'"
    assert "BMCServiceDesk__Event_ID__c is there" in await CHECKS["key_field"].run(client)


async def test_a_hidden_field_of_the_package_is_named(
    client: SalesforceClient, org: FakeSalesforce
) -> None:
    for user in org.world.users.values():
        user.hidden.add((INCIDENT_API, api("FKCategory__c")))

    with pytest.raises(Rejected, match="BMCServiceDesk__FKCategory__c"):
        await CHECKS["fields"].run(client)


async def test_a_missing_action_of_notes_fails_the_check(
    client: SalesforceClient, org: FakeSalesforce
) -> None:
    own = id_of(org, ACTION_API, "Notes")
    org.update(AGENT, ACTION_API, own, Name="Remarks")

    with pytest.raises(Rejected, match="no action of the incident history 'Notes'"):
        await CHECKS["note_action"].run(client)


async def test_an_org_without_open_statuses_fails_the_check(
    client: SalesforceClient, org: FakeSalesforce
) -> None:
    for row in org.world.rows(STATUS_API):
        row[api("state__c")] = False

    with pytest.raises(Rejected, match="means open"):
        await CHECKS["statuses"].run(client)


@pytest.mark.covers("RF-014")
async def test_an_org_without_api_access_is_told_from_a_wrong_password(
    client: SalesforceClient, org: FakeSalesforce
) -> None:
    org.world.switches.api = False

    with pytest.raises(Exception, match="trial has no API access"):
        await CHECKS["api_access"].run(client)


# ------------------------------------------------------------------ the Apex


@pytest.mark.covers("RF-023")
async def test_the_apex_is_filled_in_for_the_connector(client: SalesforceClient) -> None:
    client.settings.objects.append("Account")
    query = next(one for one in REMEDYFORCE.queries if one.name == "apex")

    made = await query.run(client, query.params())

    assert made["named_credential"] == "PagerDuty_API"
    files = made["files"]
    assert {
        "PagerDutyIncidentTrigger.trigger", "PagerDutyIncidentHistoryTrigger.trigger",
        "HubSync.cls", "HubEngineLauncher.cls", "HubRemedyforceTest.cls", "HubAccount.trigger",
    } == files.keys()  # fmt: skip
    assert "callout:PagerDuty_API" in files["HubSync.cls"]
    incident, history = (files[f"PagerDutyIncident{one}Trigger.trigger"] for one in ("", "History"))
    assert f"on {INCIDENT_API} (after insert, after update)" in incident
    assert "launchByTrigger(oldStr, newStr, Trigger.isInsert, UserInfo.getUserEmail())" in incident
    assert f"on {HISTORY_API} (after insert)" in history
    assert "launchByCaseCommentTrigger(ids, UserInfo.getUserEmail())" in history
    for text in (incident, history):
        assert "!System.isFuture() && !System.isBatch()" in text
        assert "!Test.isRunningTest()" in text


def test_the_apex_calls_another_named_credential_where_the_connector_says_so() -> None:
    assert "callout:My_Hub" in sources("My_Hub")["HubSync.cls"]


# ------------------------------------------------------------------ templates


def keys(params: IncidentAndPagerDuty) -> list[str]:
    return [one["key"] for one in incident_and_pagerduty(params, CONNECTORS)]


def test_the_direction_decides_which_rules_there_are() -> None:
    out, back = ["close", "notes_out"], ["notes_in", "resolved", "reopened"]

    assert ["page", *out, *back] == keys(IncidentAndPagerDuty())
    assert ["page", *out] == keys(IncidentAndPagerDuty(direction="to_pagerduty"))
    assert ["page", *back] == keys(IncidentAndPagerDuty(direction="to_remedyforce"))
    assert keys(IncidentAndPagerDuty(sync_notes=False, acknowledged_status="ASSIGNED")) == [
        "page",
        "close",
        "acknowledged",
        "resolved",
        "reopened",
    ]


def test_only_the_configured_actions_are_notes() -> None:
    params = IncidentAndPagerDuty(note_actions=["Notes", "Email Received"])
    rules = {one["key"]: one for one in incident_and_pagerduty(params, CONNECTORS)}

    assert rules["notes_out"]["when"] == {
        "all": [
            {
                "field": "remedyforce.incident.comment_kind",
                "op": "is_any_of",
                "value": ["Notes", "Email Received"],
            }
        ]
    }


def test_statuses_are_parameters() -> None:
    params = IncidentAndPagerDuty(resolved_status="COMPLETED", reopened_status="WAITING")
    rules = {one["key"]: one for one in incident_and_pagerduty(params, CONNECTORS)}

    assert rules["resolved"]["then"][0]["with"]["status"] == "COMPLETED"
    assert rules["reopened"]["then"][0]["with"] == {"status": "WAITING"}
    assert "with" not in incident_and_pagerduty(IncidentAndPagerDuty(), CONNECTORS)[-1]["then"][0]


def test_an_incident_for_a_service_always_gets_what_maps_it_back() -> None:
    def fields(**params: Any) -> dict[str, Any]:
        made = IncidentForService(service_name="XYZ", **params)
        (rule,) = incident_for_service(made, CONNECTORS)
        found: dict[str, Any] = rule["then"][0]["with"]["fields"]
        return found

    assert fields()["$service"] == "inbound"
    assert "$service" not in fields(by_mapping=False, category="Database")
    assert fields(by_mapping=False, category="Database")["category"] == "Database"
    assert fields(by_mapping=False, template="Line down")["template"] == "Line down"
    assert fields(fields={"a__c": "b"})["a__c"] == "b"
    with pytest.raises(ValidationError, match="finds no service on the way back"):
        IncidentForService(service_name="XYZ", by_mapping=False)


def test_templates_are_named_for_both_sides() -> None:
    assert [(one.name, dict(one.roles)) for one in templates()] == [
        ("remedyforce.incident_and_pagerduty", {"itsm": "remedyforce", "paging": "pagerduty"}),
        ("remedyforce.incident_for_service", {"itsm": "remedyforce", "paging": "pagerduty"}),
    ]
