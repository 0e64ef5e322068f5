"""Connect and Simple Install through a whole hub: from the button to an incident in PagerDuty."""

import re
from urllib.parse import urlsplit

import pytest

from hub_pagerduty.testing.partners import APP_ID, VENDOR
from tests.acceptance.world import CASE_CREATED, act, at_work, rule


@pytest.fixture
async def world(tmp_path):
    async with at_work(tmp_path) as made:
        yield made


async def partner(world, **settings):
    """Add a connector that knows only how to connect; return what its webhook URL begins with."""
    given = {"base_url": world.paging.url, **settings}
    body = {"type": "pagerduty", "name": "partner", "settings": given, "enabled_webhook": False}
    await world.post("connectors", body)


async def begin(world):
    return (await world.post("connectors/partner/handshake"))["url"]


async def hidden(world, url):
    """Open PagerDuty's page; return the address its forms lead to, with what they keep."""
    page = await world.http.get(url)
    assert page.status_code == 200
    kept = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', page.text))
    target = re.search(r'<form action="([^"]+)"', page.text).group(1)
    return f"{world.paging.url}{target}", {k: v.replace("&amp;", "&") for k, v in kept.items()}


async def choose(world, url, **chosen):
    """Do what a person does on PagerDuty's page; return the hub's page they come back to."""
    target, kept = await hidden(world, url)
    sent = await world.http.get(target, params={**kept, **chosen})
    assert urlsplit(sent.headers["location"]).netloc == urlsplit(world.url).netloc
    return await world.http.get(sent.headers["location"])


@pytest.mark.covers("PC-002", "PC-004", "PC-007", "PC-008", "PC-009", "PC-011", "PC-015")
async def test_connect_ends_with_a_key_that_pages(world):
    await partner(world, vendor_key=VENDOR)

    page = await choose(world, await begin(world), service="PAPI001")

    assert "taken where no service mapping says else" in page.text
    assert "hub connector send-test partner" in page.text
    (row,) = await world.get("service-mappings", connector="partner")
    name = row["service_name"]
    assert (row["default"], row["service"]) == (True, name)
    shown = await world.get("connectors/partner")
    assert shown["settings"]["subdomain"] == "demo"
    assert shown["settings"]["integration_keys"]["set"] is True

    await world.post("connectors/partner/test-event", {"service": name})
    await world.the_incident("Test event of the Integration Hub")

    await world.connect_salesforce(poll_enabled=False)
    send = act(
        "pagerduty.create_incident",
        service={"$service": "outbound"},
        title="{{ salesforce.case.subject }}",
    ) | {"connector": "partner"}
    await world.rules(rule("Page", CASE_CREATED, send))
    await world.salesforce.create_case(Subject="By Connect", Priority="High")

    incident = await world.the_incident("By Connect")
    assert incident["service"]["id"] == "PAPI001"
    (_, event) = await world.paging.requests("/generic/2010-04-15/create_event.json")
    assert (event["body"]["vendor"], event["body"]["client"]) == (VENDOR, "Integration Hub")


@pytest.mark.covers("PC-003")
async def test_connect_may_make_the_service(world):
    await partner(world, vendor_key=VENDOR, api_key="demo-key")

    await choose(world, await begin(world), name="Made while connecting")

    (row,) = await world.get("service-mappings", connector="partner")
    services = {one["name"]: one["id"] for one in (await world.paging.state())["services"]}
    assert row["service"] == services["Made while connecting"]


async def test_simple_install_stores_a_key_for_each_service(world):
    await partner(world, app_id=APP_ID)

    page = await choose(world, await begin(world), service=["PAPI001", "PWEB001"])

    assert page.text.count("stored") == 2
    assert "no service mapping names it yet" in page.text
    rows = await world.get("service-mappings", connector="partner")
    assert [(row["service"], row["default"]) for row in rows] == [("PAPI001", True)]


async def test_keys_are_attached_to_the_rows_that_are_there(world):
    await partner(world, app_id=APP_ID)
    await world.post(
        "service-mappings",
        {
            "connector": "partner",
            "name": "web",
            "object": "salesforce.case",
            "field": "origin",
            "value": "Web",
            "service": "PWEB001",
        },
    )

    page = await choose(world, await begin(world), service="PWEB001")

    assert "stored for the service mapping web" in page.text
    (row,) = await world.get("service-mappings", connector="partner")
    assert (row["service"], bool(row["service_name"])) == ("PWEB001", True)


@pytest.mark.covers("PC-010")
async def test_who_cancels_changes_nothing(world):
    await partner(world, vendor_key=VENDOR)

    page = await choose(world, await begin(world), cancel="1")

    assert (page.status_code, "nothing was changed" in page.text) == (200, True)
    assert await world.get("service-mappings", connector="partner") == []
    shown = await world.get("connectors/partner")
    assert shown["settings"].get("integration_keys", {"set": False}) == {"set": False}


@pytest.mark.covers("PC-017")
async def test_an_answer_counts_once_and_for_its_own_connector_only(world):
    await partner(world, vendor_key=VENDOR)
    target, kept = await hidden(world, await begin(world))
    sent = await world.http.get(target, params={**kept, "service": "PAPI001"})
    back = sent.headers["location"]

    elsewhere = await world.http.get(back.replace("/partner/", "/pagerduty/"))
    foreign = await world.http.get(back.replace("/t/acme/", "/t/other/"))
    first = await world.http.get(back)
    again = await world.http.get(back)
    without = await world.http.get(re.sub(r"state=[^&]+&?", "", back))

    statuses = [one.status_code for one in (elsewhere, foreign, first, again, without)]
    assert statuses == [404, 404, 200, 403, 404]
    assert all("location" not in one.headers for one in (elsewhere, foreign, first, again))


@pytest.mark.covers("PC-001", "PC-005")
async def test_without_a_vendor_key_the_button_says_why_it_is_off(world):
    await partner(world, integration_key="2" + "0" * 30 + "1")

    url = f"/t/{world.tenant}/connectors/partner/connect/button"
    page = await world.ask("GET", url)

    assert "Alert With PagerDuty" in page.text
    assert ('aria-disabled="true"' in page.text, "vendor key" in page.text) == (True, True)
    await world.api("PATCH", "connectors/partner", {"settings": {"vendor_key": VENDOR}})
    page = await world.ask("GET", url)
    assert '<a class="button" href="../connect">Alert With PagerDuty</a>' in page.text


@pytest.mark.covers("PC-002")
async def test_the_connectors_own_address_leads_to_pagerduty(world):
    await partner(world, vendor_key=VENDOR)

    sent = await world.ask("GET", f"/t/{world.tenant}/connectors/partner/connect")

    assert sent.status_code == 302
    assert sent.headers["location"].startswith(
        f"{world.paging.url}/connect?vendor={VENDOR}&callback=http%3A%2F%2F"
    )
