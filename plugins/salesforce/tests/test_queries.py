"""What a person asks while setting up."""

import pytest
from cryptography import x509

import hub
from hub_salesforce.case import CASE
from hub_salesforce.client import SalesforceClient
from hub_salesforce.connector_type import SALESFORCE
from hub_salesforce.keys import load_private_key, tidy_private_key
from hub_salesforce.requirements import missing, required_of
from hub_salesforce.testing import FakeSalesforce
from hub_salesforce.testing.schema import field

QUERIES = {one.name: one for one in SALESFORCE.queries}


@pytest.mark.covers("RF-033")
async def test_a_key_pair_is_made_whose_halves_belong_together(client: SalesforceClient) -> None:
    query = QUERIES["key_pair"]

    found = await query.run(client, query.params())

    certificate = x509.load_pem_x509_certificate(found["certificate"].encode())
    key = load_private_key(tidy_private_key(found["private_key"]))
    assert certificate.public_key() == key.public_key()
    assert (certificate.not_valid_after_utc - client.now()).days > 3600


@pytest.mark.covers("SF-014", "RF-023")
async def test_the_apex_calls_the_named_credential(client: SalesforceClient) -> None:
    query = QUERIES["apex"]

    plain = await query.run(client, query.params())
    object.__setattr__(client.settings, "named_credential", "Integration_Hub")
    renamed = await query.run(client, query.params(objects=["Account"]))

    assert "'callout:PagerDuty_API'" in plain["files"]["HubSync.cls"]
    assert "'callout:Integration_Hub'" in renamed["files"]["HubSync.cls"]
    assert "trigger HubAccount on Account" in renamed["files"]["HubAccount.trigger"]


@pytest.mark.covers("SF-029", "SF-030")
async def test_an_object_mapping_offers_fields_values_and_its_cost(
    client: SalesforceClient, org: FakeSalesforce
) -> None:
    org.world.layout_required["Case"] = ("Subject",)
    query = QUERIES["object_mapping"]

    found = await query.run(client, query.params())

    assert {"key": "subject", "label": "Subject", "api_name": "Subject"} in found["title_fields"]
    assert "description" in {one["key"] for one in found["description_fields"]}
    assert "description" not in {one["key"] for one in found["title_fields"]}
    assert found["picklists"]["status"] == ["New", "Working", "Escalated", "Closed"]
    assert found["calls_a_day"] == 1440
    assert [one["key"] for one in found["required"]] == ["subject"]
    assert found["syncs_comments"]
    assert "comment costs one; 2 of 15000 requests used" in found["comments_warning"]
    types = {one["key"]: one["custom_field_type"] for one in found["custom_fields"]}
    assert (types["subject"], types["priority"]) == ("text", "single select")
    assert not {"number", "owner", "is_closed"} & set(types)


@pytest.mark.covers("SF-056")
async def test_required_fields_come_from_describe_layout_and_refusals(
    client: SalesforceClient, org: FakeSalesforce
) -> None:
    org.world.add_field("Case", field("Region__c", "Region", nillable=False))
    org.world.layout_required["Case"] = ("Subject", "Origin")
    client.learned["Case"] = {"SuppliedEmail"}

    required = await required_of(client, CASE)

    assert {one.key: one.source for one in required} == {
        "Region__c": "describe",
        "subject": "layout",
        "origin": "layout",
        "web_email": "learned",
    }
    assert [one.label for one in missing(required, ["subject", "Origin", "Region__c"])] == [
        "Email Address"
    ]


async def test_an_object_without_a_layout_still_tells_what_is_enforced(
    client: SalesforceClient, org: FakeSalesforce
) -> None:
    org.faults.add(
        "answer", path="layouts", status=404, body=[{"errorCode": "NOT_FOUND", "message": ""}]
    )

    required = await required_of(client, CASE)

    assert required == []


async def test_a_query_about_an_object_that_is_not_there_says_so(client: SalesforceClient) -> None:
    query = QUERIES["object_mapping"]

    with pytest.raises(hub.Gone):
        await query.run(client, query.params(object="Nothing__c"))
