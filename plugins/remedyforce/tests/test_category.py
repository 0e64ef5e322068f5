"""The category's own PagerDuty service, in both directions."""

from typing import Any

import pytest

from hub import Record, Rejected
from hub_remedyforce.category import (
    RESOLVER,
    category_for,
    mapped_categories,
    service_for,
    service_of,
)
from hub_remedyforce.names import CATEGORY_API, api
from hub_remedyforce.objects import INCIDENT
from hub_remedyforce.settings import CATEGORY_SERVICE
from hub_remedyforce.testing import Seed, id_of
from hub_salesforce.kit import SalesforceClient
from hub_salesforce.testing import AGENT, INTEGRATION, FakeSalesforce


def record(category: str | None) -> Record:
    return Record(source_object=INCIDENT.name, id="a2J", values={"category": category})


@pytest.mark.parametrize(
    ("raw", "service"),
    [
        ("PDAT001", "PDAT001"),
        (" pdat001\n", "PDAT001"),
        ("", None),
        (None, None),
        ("DATA01", None),
        ("PagerDuty service", None),
        ("P' OR Name != '", None),
    ],
)
def test_a_stored_value_is_tidied_or_ignored(raw: object, service: str | None) -> None:
    assert service == service_of(raw)


async def test_a_records_category_names_its_service(
    client: SalesforceClient, org: FakeSalesforce
) -> None:
    async def service(name: str) -> str | None:
        return await service_for(client, record(id_of(org, CATEGORY_API, name)))

    assert await service("Database") == "PDAT001"
    assert await service("Web shop") == "PWEB001"
    assert await service("Hardware") is None
    assert await service("Applications") is None


@pytest.mark.parametrize("category", [None, "", "Database", "a21xx000000ZZZZAAA"])
async def test_without_a_category_there_is_no_answer(
    client: SalesforceClient, category: str | None
) -> None:
    assert await service_for(client, record(category)) is None


async def test_a_service_names_its_category(client: SalesforceClient, org: FakeSalesforce) -> None:
    assert {"category": id_of(org, CATEGORY_API, "Database")} == await category_for(
        client, "PDAT001"
    )
    assert await category_for(client, "PNOBODY") is None
    assert await category_for(client, "no id") is None


async def test_of_several_categories_the_first_by_name_is_set(
    client: SalesforceClient, org: FakeSalesforce
) -> None:
    values = {CATEGORY_SERVICE: "PDAT001", api("AvailableForIncidents__c"): True}
    first = org.create(AGENT, CATEGORY_API, Name="Cluster", **values)

    assert {"category": first} == await category_for(client, "PDAT001")
    with pytest.raises(Rejected, match=r"PDAT001 is named by Cluster, Database: .* get Cluster"):
        await mapped_categories(client)


async def test_categories_that_incidents_cannot_have_are_left_out(
    client: SalesforceClient, org: FakeSalesforce
) -> None:
    own = id_of(org, CATEGORY_API, "Database")
    org.update(AGENT, CATEGORY_API, own, **{api("inactive__c"): True})

    assert await category_for(client, "PDAT001") is None


async def test_a_category_that_moves_to_another_service_is_seen_after_some_minutes(
    client: SalesforceClient, org: FakeSalesforce, clock: Any
) -> None:
    own = id_of(org, CATEGORY_API, "Database")
    before = await service_for(client, record(own))
    org.update(AGENT, CATEGORY_API, own, **{CATEGORY_SERVICE: "POTHER1"})

    remembered = await service_for(client, record(own))
    clock.advance(301)
    after = await service_for(client, record(own))

    assert (before, remembered, after) == ("PDAT001", "PDAT001", "POTHER1")


async def test_malformed_values_are_named_by_the_check(
    client: SalesforceClient, org: FakeSalesforce
) -> None:
    own = id_of(org, CATEGORY_API, "Hardware")
    org.update(AGENT, CATEGORY_API, own, **{CATEGORY_SERVICE: "ask Jo"})

    with pytest.raises(Rejected, match=r"no PagerDuty service ID: Hardware \(ask Jo\)"):
        await mapped_categories(client)
    assert await service_for(client, record(own)) is None


async def test_the_check_counts_the_mapped_categories(client: SalesforceClient) -> None:
    assert (await mapped_categories(client)).startswith("2 categories name their PagerDuty service")


@pytest.mark.parametrize("how", [Seed(category_service="absent"), Seed(category_service="hidden")])
async def test_without_the_field_the_resolver_is_silent_and_the_check_says_so(
    client: SalesforceClient, org: FakeSalesforce
) -> None:
    own = id_of(org, CATEGORY_API, "Database")

    assert await service_for(client, record(own)) is None
    assert await category_for(client, "PDAT001") is None
    assert (await mapped_categories(client)).startswith("Alternate mapping not set up")


async def test_without_the_object_the_resolver_is_silent(
    client: SalesforceClient, org: FakeSalesforce
) -> None:
    own = id_of(org, CATEGORY_API, "Database")
    del org.world.definitions[CATEGORY_API]

    assert await service_for(client, record(own)) is None
    assert INTEGRATION in org.world.users


def test_the_resolver_is_the_incidents() -> None:
    assert (
        RESOLVER.name, RESOLVER.source_object,
    ) == ("remedyforce.category", "remedyforce.incident")  # fmt: skip
