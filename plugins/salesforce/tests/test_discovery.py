"""What an org has, and the lists for forms."""

from typing import Any

import pytest

from hub import FieldType, SourceObject
from hub_salesforce.case import CASE
from hub_salesforce.client import SalesforceClient
from hub_salesforce.connector_type import SALESFORCE
from hub_salesforce.testing import FakeSalesforce
from hub_salesforce.testing.schema import define, field, picklist, reference

DISCOVERY = SALESFORCE.discovery
assert DISCOVERY is not None
CHOICES = {one.name: one for one in SALESFORCE.choices}


@pytest.mark.covers("RF-008")
async def test_any_object_of_the_org_can_be_adopted(
    client: SalesforceClient, org: FakeSalesforce
) -> None:
    org.world.define(
        define("Machine__c", "Machine", "a01", [field("Name", "Machine Name", nameField=True)])
    )

    found = await DISCOVERY.objects(client, "mach")

    assert found == [
        SourceObject(name="salesforce.machine__c", label="Machine", vendor_name="Machine__c")
    ]


async def test_objects_that_rules_cannot_use_are_left_out(client: SalesforceClient) -> None:
    found = {one.vendor_name for one in await DISCOVERY.objects(client, "")}

    assert {"Case", "Account", "Contact"} <= found
    assert not {"Organization", "CaseStatus"} & found


async def test_the_orgs_own_fields_are_found_beside_the_declared_ones(
    client: SalesforceClient, org: FakeSalesforce
) -> None:
    org.world.add_field("Case", picklist("Region__c", "Region", ("EU", "US")))
    org.world.add_field("Case", field("Tags__c", "Tags", "multipicklist"))
    org.world.add_field("Case", field("Amount__c", "Amount", "currency"))
    org.world.add_field("Case", field("Where__c", "Where", "location"))
    org.world.add_field("Case", reference("Machine__c", "Machine", "Account"))

    found = {one.key: one for one in await DISCOVERY.fields(client, CASE.source_object)}

    assert not {"Status", "Subject", "Where__c", "Id"} & set(found)
    assert found["Region__c"].name == "salesforce.case.Region__c"
    assert [choice.value for choice in found["Region__c"].choices] == ["EU", "US"]
    assert found["Tags__c"].type is FieldType.LIST
    assert found["Amount__c"].type is FieldType.DECIMAL
    assert found["Machine__c"].type is FieldType.REFERENCE
    assert found["PagerDuty_Hub_Key__c"].writable


async def test_a_declared_field_is_told_where_the_org_requires_it(
    client: SalesforceClient, org: FakeSalesforce
) -> None:
    org.world.remove_field("Case", "Origin")
    org.world.add_field("Case", field("Origin", "Case Origin", nillable=False))
    org.world.layout_required["Case"] = ("Subject", "Origin")

    found = await DISCOVERY.fields(client, CASE.source_object)
    required = [one for one in found if one.required]

    assert [(one.key, one.vendor_name, one.choices) for one in required] == [
        ("origin", "Origin", ())
    ]
    assert [one.key for one in found if one.expected] == ["subject"]


@pytest.mark.covers("SF-028")
async def test_an_adopted_objects_fields_are_all_discovered(client: SalesforceClient) -> None:
    (account,) = await DISCOVERY.objects(client, "account")

    found = {one.key: one for one in await DISCOVERY.fields(client, account)}

    assert found["Name"].required
    assert found["SystemModstamp"].noise
    assert found["NumberOfEmployees"].type is FieldType.INTEGER


async def test_a_field_hidden_from_the_user_is_not_offered(
    client: SalesforceClient, org: FakeSalesforce
) -> None:
    org.world.users["integration@acme.example"].hidden.add(("Case", "PagerDuty_Hub_Key__c"))

    found = {one.key for one in await DISCOVERY.fields(client, CASE.source_object)}

    assert "PagerDuty_Hub_Key__c" not in found


@pytest.mark.parametrize(
    ("name", "search", "labels"),
    [
        ("case_status", "", ["New", "Working", "Escalated", "Closed (closed)"]),
        ("case_priority", "hi", ["High"]),
        ("queues", "", ["Support Queue (queue)"]),
        ("users", "two", ["Agent Two (agent.two@acme.example)"]),
        ("external_ids", "", ["PagerDuty Hub Key (PagerDuty_Hub_Key__c)"]),
        ("record_types", "", ["Master"]),
        ("objects", "contact", ["Contact (Contact)"]),
        ("source_objects", "account", ["Account (Account)"]),
        ("fields", "prior", ["Priority (Priority)"]),
        ("text_fields", "descr", ["Description (Description)"]),
    ],
)
async def test_lists_are_the_orgs_own(
    client: SalesforceClient, name: str, search: str, labels: list[str]
) -> None:
    found: Any = await CHOICES[name].fetch(client, search)

    assert labels == [choice.label for choice in found]


async def test_owners_are_queues_and_users(client: SalesforceClient) -> None:
    found = await CHOICES["owners"].fetch(client, "")

    assert found[0].value.startswith("00G")
    assert {choice.value[:3] for choice in found} == {"00G", "005"}
