"""The incident's fields, labels and triggers; live lists; an org's own fields."""

from collections.abc import Sequence

import pytest

from hub import FieldSchema, FieldType
from hub_remedyforce.connector_type import REMEDYFORCE
from hub_remedyforce.names import CATEGORY_API, INCIDENT_API, STATUS_API, api
from hub_remedyforce.objects import INCIDENT
from hub_remedyforce.testing import id_of
from hub_salesforce import kit
from hub_salesforce.kit import SalesforceClient
from hub_salesforce.testing import AGENT, FakeSalesforce

CHOICES = {one.name: one for one in REMEDYFORCE.choices}


def fields() -> dict[str, FieldSchema]:
    return {one.key: one for one in kit.fields(INCIDENT)}


def labels(listed: Sequence[object]) -> list[str]:
    return [one.label for one in listed]


def test_triggers_are_those_of_an_incident_with_notes() -> None:
    assert [one.name for one in kit.triggers(INCIDENT)] == [
        "remedyforce.incident.created",
        "remedyforce.incident.updated",
        "remedyforce.incident.deleted",
        "remedyforce.incident.commented",
    ]


def test_fields_say_what_they_are_at_the_vendor() -> None:
    found = fields()

    status = found["status"]
    assert status.name == "remedyforce.incident.status"
    assert (
        status.label, status.type, status.choice_source, status.writable,
    ) == ("Status", FieldType.REFERENCE, "statuses", True)  # fmt: skip
    assert status.vendor_name == "BMCServiceDesk__FKStatus__c"
    assert found["is_open"].type == FieldType.BOOLEAN
    assert not found["is_open"].writable
    assert not found["priority"].writable
    assert found["short_description"].max_length == 255


def test_what_the_package_counts_by_itself_is_no_change() -> None:
    noise = {key for key, one in fields().items() if one.noise}

    assert {"update_count", "status_changed_at", "work_minutes", "locked_stamp"} < noise
    assert {"stamped_at", "changed_at", "minutes_in_status", "time_remaining"} < noise
    assert not noise & {"status", "status_name", "is_open", "owner", "queue"}


async def test_every_declared_field_is_one_of_the_package(client: SalesforceClient) -> None:
    describe = await client.describe(INCIDENT_API)

    for one in INCIDENT.fields:
        if one.api_name and "." not in one.api_name:
            info = describe.field(one.api_name)
            assert info is not None, one.api_name
            assert one.writable <= info.updateable, one.api_name
            assert one.computed <= (not info.updateable), one.api_name


async def test_an_orgs_own_fields_are_discovered(client: SalesforceClient) -> None:
    discovery = REMEDYFORCE.discovery
    assert discovery is not None

    found = await discovery.fields(client, INCIDENT.source_object)

    keys = {one.key for one in found}
    assert {"PagerDuty_Incident_Id__c", api("ACSeverity__c")} <= keys
    assert api("FKStatus__c") not in keys


async def test_any_other_object_of_the_org_gets_the_types_prefix(client: SalesforceClient) -> None:
    discovery = REMEDYFORCE.discovery
    assert discovery is not None

    found = await discovery.objects(client, "")

    names = {one.name: one.label for one in found}
    assert names["remedyforce.incident"] == "Incident"
    assert {"remedyforce.case", "remedyforce.account"} <= names.keys()


async def test_statuses_say_which_ones_close(client: SalesforceClient) -> None:
    found = await CHOICES["statuses"].fetch(client, "")

    assert (labels(found)) == [
        "ASSIGNED",
        "CLOSED (closed)",
        "COMPLETED (closed)",
        "OPENED (default)",
        "WAITING",
    ]


async def test_lists_offer_what_the_packages_own_forms_offer(client: SalesforceClient) -> None:
    async def listed(name: str, search: str = "") -> list[str]:
        return labels(await CHOICES[name].fetch(client, search))

    assert await listed("categories") == [
        "Applications",
        "Applications > Database (Database)",
        "Hardware",
        "Applications > Web shop (Web shop)",
    ]
    assert await listed("categories", "hard") == ["Hardware"]
    assert await listed("templates") == ["Line down"]
    assert ["High", "Low", "Medium"] == await listed("impacts") == await listed("urgencies")
    assert "1 - High impact, High urgency" in await listed("priorities")
    assert await listed("services") == ["Order intake"]
    assert await listed("elements") == ["Order intake", "srv-042"]
    assert await listed("staff", "one") == ["Agent One (agent@acme.example)"]
    assert "Event" in await listed("source")
    assert "Workaround" in await listed("closure_category")
    assert {"Service Desk (queue)", "Plant IT (queue)"} == set(await listed("queues"))
    assert "Notes" in await listed("note_actions")


async def test_what_is_deactivated_is_no_longer_offered(
    client: SalesforceClient, org: FakeSalesforce
) -> None:
    own = id_of(org, STATUS_API, "WAITING")
    org.update(AGENT, STATUS_API, own, **{api("inactive__c"): True})

    found = await CHOICES["statuses"].fetch(client, "wait")

    assert found == []


@pytest.mark.covers("RF-102")
@pytest.mark.parametrize("object", [CATEGORY_API, api("SYSTemplate__c")])
async def test_the_guides_queries_run_as_written(client: SalesforceClient, object: str) -> None:
    query = next(one for one in REMEDYFORCE.queries if one.name == "soql")
    statement = f"SELECT Name, Id from {object}"

    plain = await query.run(client, query.params(statement=statement))
    ended = await query.run(client, query.params(statement=f"{statement} ;"))

    assert plain["rows"]
    assert {"Name", "Id"} == plain["rows"][0].keys()
    assert plain["rows"] == ended["rows"]
    assert "left out" in ended["note"]
    assert "note" not in plain
