"""The client against answers transcribed from Salesforce's documentation."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from hub import Rejected
from hub_salesforce.client import SalesforceClient
from hub_salesforce.errors import Duplicate
from hub_salesforce.settings import SalesforceSettings

pytestmark = pytest.mark.vcr


@pytest.fixture(scope="module")
def vcr_config() -> dict[str, Any]:
    matched = ["method", "scheme", "host", "path", "query", "body"]
    return {"match_on": matched, "record_mode": "none"}


@pytest.fixture
def vcr_cassette_dir() -> str:
    return str(Path(__file__).resolve().parent / "cassettes")


@pytest.fixture
async def client(clock: Any) -> AsyncIterator[SalesforceClient]:
    settings = SalesforceSettings.model_validate(
        {
            "auth": "refresh_token",
            "consumer_key": "3MVG9-example",
            "consumer_secret": "app-example",
            "refresh_token": "5Aep-example",
        }
    )
    async with httpx.AsyncClient() as http:
        yield SalesforceClient(settings, http, now=clock)


@pytest.mark.default_cassette("session_renewal.yaml")
async def test_an_expired_session_is_renewed(client: SalesforceClient) -> None:
    found = await client.get("/limits")

    assert found["DailyApiRequests"]["Remaining"] == 14_982
    assert str(client.usage) == "18 of 15000 requests used in 24 hours (0%)"
    assert (await client.session.access()).token == "second"


@pytest.mark.default_cassette("query_pages.yaml")
async def test_a_query_follows_the_next_page_as_given(client: SalesforceClient) -> None:
    rows = await client.query("SELECT Name FROM Account")

    assert [row["Name"] for row in rows] == ["Test 1", "Test 2"]


@pytest.mark.default_cassette("create_duplicate.yaml")
async def test_a_duplicate_tells_the_record_that_is_there(client: SalesforceClient) -> None:
    with pytest.raises(Duplicate) as refused:
        await client.create("Case", {"Subject": "a", "PagerDuty_Hub_Key__c": "k"})

    assert refused.value.existing == "500xx000000bqjZAAQ"


@pytest.mark.default_cassette("create_refused.yaml")
async def test_a_refused_record_names_its_fields(client: SalesforceClient) -> None:
    with pytest.raises(Rejected, match=r"Required fields are missing: \[Name\]"):
        await client.create("Account", {"Phone": "1"})


@pytest.mark.default_cassette("describe_not_modified.yaml")
async def test_a_description_that_did_not_change_is_kept(
    client: SalesforceClient, clock: Any
) -> None:
    first = await client.describe("Case")
    clock.advance(600)
    again = await client.describe("Case")

    assert again.fields == first.fields
    assert again.read_at == clock()


@pytest.mark.parametrize("file", sorted((Path(__file__).parent / "cassettes").glob("*.yaml")))
def test_each_cassette_says_where_it_is_from(file: Path) -> None:
    assert file.read_text(encoding="utf-8").startswith("# source: Salesforce ")
