"""The client against answers as PagerDuty documents them, and against the simulator."""

import httpx
import pytest

import hub
from hub_pagerduty import errors, events_api
from hub_pagerduty.client import PagerDutyClient, quota_of
from hub_pagerduty.settings import PagerDutySettings

INCIDENT = "Q1A2B3C4D5E6F7"
MADE = {
    "incident": {
        "type": "incident",
        "title": "Database performance issue",
        "service": {"id": "PDAT001", "type": "service_reference"},
        "incident_key": "h" + "a" * 32,
    }
}
ACKNOWLEDGE = {"incident": {"type": "incident_reference", "status": "acknowledged"}}


@pytest.fixture(scope="module")
def vcr_config():
    return {
        "record_mode": "none",
        "match_on": ["method", "scheme", "host", "path", "query", "body"],
    }


@pytest.fixture
async def real():
    """Give a client that speaks to PagerDuty's own address: cassettes answer."""
    settings = PagerDutySettings(api_key="k" * 20, from_email="ops@company.com")
    async with httpx.AsyncClient() as http:
        yield PagerDutyClient(settings, http)


@pytest.mark.vcr
async def test_an_incident_is_made_as_documented(real, vcr):
    made = await real.post_one("/incidents", "incident", MADE)

    assert made["incident_number"] == 123
    sent = vcr.requests[0] if vcr.requests else None
    assert sent is not None
    assert real.quota == hub.Quota(limit=960, remaining=958, resets_in=31.0)


@pytest.mark.vcr
async def test_a_duplicate_is_refused_in_the_words_that_were_seen(real):
    with pytest.raises(errors.Refused) as refused:
        await real.post("/incidents", MADE)

    assert refused.value.answer.is_duplicate_key


@pytest.mark.vcr
async def test_a_note_is_answered_with_200(real):
    body = {"note": {"content": "Locks cleared"}}

    note = await real.post_one(f"/incidents/{INCIDENT}/notes", "note", body)

    assert note["id"] == "PNOTE01"


@pytest.mark.vcr
async def test_a_change_names_the_acting_user(real):
    changed = await real.put_one(f"/incidents/{INCIDENT}", "incident", ACKNOWLEDGE)

    assert changed["status"] == "acknowledged"


@pytest.mark.vcr
async def test_pages_go_on_by_what_was_received(real):
    person = await real.person("ops@company.com")

    assert person is not None
    assert person.id == "OPS"


@pytest.mark.vcr
async def test_a_429_tells_the_seconds_to_wait(real):
    with pytest.raises(hub.RateLimited) as limited:
        await real.get("/abilities")

    assert limited.value.retry_after == 20.0
    assert real.quota == hub.Quota(limit=960, remaining=0, resets_in=20.0)


@pytest.mark.vcr
async def test_a_429_may_say_nothing(real):
    with pytest.raises(hub.RateLimited) as limited:
        await real.get("/abilities")

    assert limited.value.retry_after is None


@pytest.mark.vcr
async def test_an_account_key_has_no_user(real):
    with pytest.raises(hub.Rejected, match="user-level token"):
        await real.get("/users/me")


@pytest.mark.vcr
async def test_an_unknown_from_falls_back_to_the_integration_user(real):
    changed = await real.put_one(
        f"/incidents/{INCIDENT}", "incident", ACKNOWLEDGE, by="gone@company.com"
    )

    assert changed["status"] == "acknowledged"


@pytest.mark.vcr
async def test_an_event_is_accepted_without_an_incident(real):
    event = events_api.v2_event("0" * 32, "resolve", "disk", {})

    assert await events_api.send_v2(real, event) == "disk"


# --------------------------------------------------------------------- simulator


async def test_each_request_says_who_asks_and_what_it_accepts(client, sim):
    await client.put_one("/incidents/QDEMO000000123", "incident", ACKNOWLEDGE)

    (sent,) = sim.requests
    assert sent["headers"]["accept"] == "application/vnd.pagerduty+json;version=2"
    assert sent["headers"]["from"] == "ops@company.com"
    assert sent["violations"] == []


async def test_a_user_who_is_known_acts_as_that_user(client):
    assert await client.acting_as("John.Doe@Company.com") == "john.doe@company.com"
    assert await client.acting_as("nobody@company.com") == "ops@company.com"
    assert await client.acting_as(None) == "ops@company.com"


async def test_people_are_looked_up_once(client, sim):
    for _ in range(3):
        await client.person("jane.smith@company.com")

    assert len(sim.requests) == 1


async def test_pages_that_shift_give_each_object_once(client, sim):
    sim.world.switches.page_limit = 2

    found = [one["id"] async for one in client.pages("/services", "services")]

    assert list(sim.world.services) == found


async def test_a_list_ends_at_pagerdutys_cap(client, sim, monkeypatch):
    monkeypatch.setattr("hub_pagerduty.client.DEEPEST", 300)
    service = sim.world.services["PXXXXXX"]
    sim.world.services = {f"P{number}": service for number in range(350)}

    async for _ in client.pages("/services", "services"):
        pass

    assert [one["query"] for one in sim.requests] == [
        f"limit=100&offset={offset}" for offset in (0, 100, 200)
    ]


@pytest.mark.parametrize("effect", ["html", "wrong_type", "truncated", "rate_limited_bare"])
async def test_odd_answers_are_connector_errors(client, sim, effect):
    sim.faults.add(effect)

    with pytest.raises(hub.ConnectorError):
        await client.get("/abilities")


async def test_a_write_with_a_lost_answer_may_have_happened(client, sim):
    sim.faults.add("wrong_type", method="PUT")

    with pytest.raises(hub.OutcomeUnknown):
        await client.put_one("/incidents/QDEMO000000123", "incident", ACKNOWLEDGE)

    assert sim.world.incidents["QDEMO000000123"].status == "acknowledged"


async def test_no_secret_is_in_an_error(client, sim):
    sim.faults.add("status", status=400, body="your-api-key-here is wrong")

    with pytest.raises(hub.Rejected) as refused:
        await client.get("/abilities")

    assert "Token token" not in str(refused.value)


def test_headers_without_a_limit_say_nothing():
    assert quota_of({}) is None
    assert quota_of({"RateLimit-Limit": "960", "ratelimit-remaining": "x"}) == hub.Quota(limit=960)


# ------------------------------------------------------------------------- OAuth


@pytest.fixture
def app_client(http):
    settings = PagerDutySettings(
        client_id="demo-client",
        client_secret="demo-client-secret",
        subdomain="demo",
        base_url="https://pagerduty.test",
        from_email="ops@company.com",
    )
    return PagerDutyClient(settings, http)


async def test_an_app_fetches_one_token_for_many_requests(app_client, sim):
    await app_client.get("/abilities")
    await app_client.get("/abilities")

    assert [one["path"] for one in sim.requests] == ["/oauth/token", "/abilities", "/abilities"]
    assert app_client.missing_scopes() == []


async def test_a_token_that_ended_is_replaced_once(app_client, sim):
    await app_client.get("/abilities")
    sim.clock.advance(90_000)

    await app_client.get("/abilities")

    assert [one["status"] for one in sim.requests] == [200, 200, 401, 200, 200]


async def test_a_wrong_secret_is_a_matter_of_credentials(http):
    settings = PagerDutySettings(
        client_id="demo-client",
        client_secret="x",
        subdomain="demo",
        base_url="https://pagerduty.test",
    )

    with pytest.raises(hub.AuthenticationFailed):
        await PagerDutyClient(settings, http).get("/abilities")


async def test_scopes_that_were_dropped_are_named(http):
    settings = PagerDutySettings(
        client_id="demo-client",
        client_secret="demo-client-secret",
        subdomain="demo",
        base_url="https://pagerduty.test",
        scopes="incidents.read made.up",
    )
    client = PagerDutyClient(settings, http)

    with pytest.raises(hub.Rejected, match="scope"):
        await client.get("/abilities")

    assert client.missing_scopes() == ["made.up"]
