"""The REST client: renewal, errors, limits, paging, describe."""

import asyncio
from typing import Any

import httpx
import pytest

from hub import (
    AuthenticationFailed,
    Gone,
    OutcomeUnknown,
    QuotaExhausted,
    RateLimited,
    Rejected,
    Unavailable,
)
from hub_salesforce.client import SalesforceClient
from hub_salesforce.errors import Conflict, Duplicate
from hub_salesforce.limits import calls_a_day, quota_of
from hub_salesforce.testing import AGENT, FakeSalesforce


async def test_an_expired_session_is_renewed_and_the_call_sent_again(
    client: SalesforceClient, org: FakeSalesforce
) -> None:
    await client.get("/limits")
    org.world.expire_sessions()

    case = await client.create("Case", {"Subject": "a"})

    assert org.record("Case", case)["Subject"] == "a"
    assert [row.status for row in org.log.rows if row.method == "POST"] == [200, 401, 200, 201]


async def test_a_quiet_night_is_survived(
    client: SalesforceClient, org: FakeSalesforce, clock: Any
) -> None:
    await client.get("/limits")
    clock.advance(8 * 3600)

    await client.get("/limits")

    assert len(org.world.sessions) == 2


async def test_many_calls_with_one_expired_session_sign_in_once(
    client: SalesforceClient, org: FakeSalesforce
) -> None:
    await client.get("/limits")
    org.world.expire_sessions()

    await asyncio.gather(*(client.get("/limits") for _ in range(8)))

    assert len([row for row in org.log.rows if "oauth2/token" in row.path]) == 2


async def test_a_session_that_may_not_use_the_api_is_not_renewed_for_ever(
    client: SalesforceClient, org: FakeSalesforce
) -> None:
    org.world.switches.not_valid_for_api = True

    with pytest.raises(AuthenticationFailed, match="not valid for use"):
        await client.get("/limits")

    assert len(org.log.rows) == 4


async def test_nothing_ever_signs_out(client: SalesforceClient, org: FakeSalesforce) -> None:
    await client.get("/limits")

    assert not [row for row in org.log.rows if "revoke" in row.path]


ERRORS = {
    "lock": Unavailable,
    "unavailable": Unavailable,
    "maintenance_page": Unavailable,
    "bad_gateway": Unavailable,
    "unknown_exception": OutcomeUnknown,
    "login_page": OutcomeUnknown,
    "truncated": OutcomeUnknown,
    "concurrent_limit": RateLimited,
    "total_limit": QuotaExhausted,
}


@pytest.mark.parametrize("effect", ERRORS)
async def test_the_class_of_an_error_says_what_is_next(
    client: SalesforceClient, org: FakeSalesforce, effect: str
) -> None:
    org.faults.add(effect, method="POST", path="sobjects/Case")

    with pytest.raises(ERRORS[effect]):
        await client.create("Case", {"Subject": "a"})


async def test_a_used_up_quota_is_asked_for_again_in_a_quarter_of_an_hour(
    client: SalesforceClient, org: FakeSalesforce, clock: Any
) -> None:
    org.faults.add("total_limit", path="limits")

    with pytest.raises(QuotaExhausted, match="24 hours") as parked:
        await client.get("/limits")

    assert parked.value.until is not None
    assert (parked.value.until - clock()).total_seconds() == 900


async def test_the_real_limit_is_met_when_the_requests_are_used(
    client: SalesforceClient, org: FakeSalesforce, clock: Any
) -> None:
    org.world.daily_limit = 3
    for _ in range(3):
        await client.get("/limits")

    with pytest.raises(QuotaExhausted):
        await client.get("/limits")
    clock.advance(86_500)
    await client.get("/limits")

    assert client.usage is not None
    assert client.usage.used == 1


@pytest.mark.covers("SF-008")
async def test_an_edition_without_api_is_a_matter_for_the_administrator(
    client: SalesforceClient, org: FakeSalesforce
) -> None:
    org.world.switches.api = False

    with pytest.raises(AuthenticationFailed, match="no API access"):
        await client.get("/limits")


async def test_a_hidden_field_is_explained(client: SalesforceClient) -> None:
    with pytest.raises(Rejected, match="grant Read on it"):
        await client.query("SELECT Secret__c FROM Case")


async def test_a_deleted_record_is_gone(client: SalesforceClient, org: FakeSalesforce) -> None:
    case = org.create(AGENT, "Case", Subject="a")
    org.act(AGENT, lambda t: t.delete("Case", case))

    with pytest.raises(Gone, match="ENTITY_IS_DELETED"):
        await client.update("Case", case, {"Subject": "b"})


async def test_a_duplicate_names_the_record_that_is_there(client: SalesforceClient) -> None:
    first = await client.create("Case", {"PagerDuty_Hub_Key__c": "k"})

    with pytest.raises(Duplicate) as refused:
        await client.create("Case", {"PagerDuty_Hub_Key__c": "k"})

    assert first == refused.value.existing


async def test_a_write_unless_changed_is_refused_after_a_change(
    client: SalesforceClient, org: FakeSalesforce, clock: Any
) -> None:
    case = org.create(AGENT, "Case", Subject="a")
    before = clock()
    clock.advance(5)
    org.update(AGENT, "Case", case, Subject="b")

    with pytest.raises(Conflict):
        await client.update("Case", case, {"Subject": "c"}, unless_changed_since=before)

    assert org.record("Case", case)["Subject"] == "b"


async def test_all_pages_of_a_query_are_read(client: SalesforceClient, org: FakeSalesforce) -> None:
    org.world.page_sizes = (2, 2)
    made = [org.create(AGENT, "Account", Name=f"a{n}") for n in range(7)]

    rows = await client.query("SELECT Id FROM Account WHERE Name LIKE 'a%' ORDER BY Name")

    assert made == [row["Id"] for row in rows]


async def test_a_query_too_long_for_an_address_goes_in_a_body(
    client: SalesforceClient, org: FakeSalesforce
) -> None:
    case = org.create(AGENT, "Case", Subject="last")
    ids = ", ".join(f"'{case}'" for _ in range(700))

    rows = await client.query(f"SELECT Subject FROM Case WHERE Id IN ({ids})")

    assert [row["Subject"] for row in rows] == ["last"]
    assert org.log.rows[-1].path.endswith("/composite/batch")


async def test_a_description_is_asked_for_again_only_after_a_while_and_if_changed(
    client: SalesforceClient, org: FakeSalesforce, clock: Any
) -> None:
    first = await client.describe("case")
    await client.describe("Case")
    clock.advance(400)
    again = await client.describe("Case")
    org.world.remove_field("Case", "Reason")
    clock.advance(400)
    changed = await client.describe("Case")

    asked = [row.status for row in org.log.rows if "describe" in row.path]
    assert asked == [200, 304, 200]
    assert first.fields == again.fields
    assert again.age(clock()).total_seconds() == 400
    assert changed.field("Reason") is None


async def test_every_write_carries_our_mark(client: SalesforceClient, org: FakeSalesforce) -> None:
    await client.create("Case", {"Subject": "a"})

    assert {row.client for row in org.log.rows if "sobjects" in row.path} == {
        "client=integration-hub"
    }


async def test_the_use_of_the_quota_is_read_from_each_answer(
    client: SalesforceClient, org: FakeSalesforce
) -> None:
    org.world.daily_limit = 10
    for _ in range(9):
        await client.get("/limits")

    assert client.usage is not None
    assert (client.usage.used, client.usage.limit) == (9, 10)
    assert client.usage.slows
    assert not client.usage.sheds


def test_the_hub_reads_the_quota_from_the_same_header() -> None:
    found = quota_of({"Sforce-Limit-Info": "api-usage=18/15000"})

    assert found is not None
    assert (found.limit, found.remaining) == (15_000, 14_982)
    assert quota_of({}) is None


@pytest.mark.covers("SF-033")
def test_the_cost_of_polling_is_told() -> None:
    assert calls_a_day(30, objects=1) == 2880
    assert calls_a_day(60, objects=6, notes=100) == 2980


async def test_an_answer_that_never_came_is_left_to_the_hub(
    client: SalesforceClient, org: FakeSalesforce
) -> None:
    await client.get("/limits")
    org.faults.add("reset_after", method="POST", path="sobjects/Case")

    with pytest.raises((httpx.HTTPError, ConnectionResetError)):
        await client.create("Case", {"Subject": "was made"})

    assert "was made" in {row["Subject"] for row in org.world.rows("Case")}
