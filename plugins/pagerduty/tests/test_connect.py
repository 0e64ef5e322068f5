"""Set-up by redirect."""

import json
from urllib.parse import parse_qs, urlsplit

import pytest

import hub
from hub_pagerduty.connect import complete, start
from hub_pagerduty.settings import PagerDutySettings, events_keys
from hub_pagerduty.testing.partners import VENDOR

CALL_BACK = "https://hub.example.com/t/acme/connectors/pd/handshake"


def settings(**more):
    return PagerDutySettings.model_validate({"vendor_key": "our-vendor", **more})


@pytest.mark.covers("PC-002")
@pytest.mark.covers("PC-005")
@pytest.mark.covers("PC-006")
def test_connect_begins_with_vendor_and_call_back():
    url = urlsplit(start(settings(), CALL_BACK))

    assert f"{url.scheme}://{url.netloc}{url.path}" == "https://connect.pagerduty.com/connect"
    query = parse_qs(url.query)
    assert query == {"vendor": ["our-vendor"], "callback": [f"{CALL_BACK}?state={{state}}"]}


def test_the_call_backs_own_query_stays():
    query = parse_qs(urlsplit(start(settings(), CALL_BACK + "?a=1&b=%26")).query)

    assert parse_qs(urlsplit(query["callback"][0]).query) == {
        "a": ["1"],
        "b": ["&"],
        "state": ["{state}"],
    }


def test_simple_install_begins_with_the_app():
    eu = PagerDutySettings(app_id="PAPP001", base_url="https://api.eu.pagerduty.com")

    url = urlsplit(start(eu, CALL_BACK))

    assert (url.netloc, url.path) == ("app.eu.pagerduty.com", "/install/integration")
    assert parse_qs(url.query) == {
        "app_id": ["PAPP001"],
        "version": ["2"],
        "redirect_url": [f"{CALL_BACK}?state={{state}}"],
    }


def test_without_vendor_key_or_app_it_does_not_begin():
    with pytest.raises(hub.Rejected, match="vendor key"):
        start(PagerDutySettings(api_key="k"), CALL_BACK)


@pytest.mark.covers("PC-007")
@pytest.mark.covers("PC-008")
@pytest.mark.covers("PC-009")
async def test_connect_ends_with_a_key_of_events_v1(http):
    query = {"account": "acme", "service_key": "e" * 32, "service_name": "Checkout"}

    done = await complete(http, settings(), query)

    keys = events_keys(done)
    assert (keys["Checkout"].version, keys["Checkout"].name) == ("v1", "Checkout")
    assert keys["Checkout"].key.get_secret_value() == "e" * 32
    assert (done.subdomain, done.events_version) == ("acme", "v1")


@pytest.mark.covers("PC-010")
async def test_a_cancelled_connect_changes_nothing(http):
    with pytest.raises(hub.Cancelled, match="You cancelled at PagerDuty; nothing was changed"):
        await complete(http, settings(), {"error": "cancelled"})
    with pytest.raises(hub.Rejected, match="cancelled"):
        await complete(http, settings(), {})
    with pytest.raises(hub.Rejected, match="other"):
        await complete(http, settings(), {"error": "other"})


async def test_simple_install_may_give_several_keys(http):
    config = {
        "integration_keys": [
            {"integration_key": "a" * 32, "Name": "Checkout", "id": "PA", "type": "service"},
            {"integration_key": "b" * 32, "name": "Search", "id": "PB", "type": "service"},
            {"integration_key": "R" * 32, "name": "Rules", "id": "PC", "type": "global_rule_set"},
        ],
        "account": {"subdomain": "acme", "name": "Acme"},
    }

    done = await complete(http, settings(), {"config": json.dumps(config)})

    keys = events_keys(done)
    assert {service: one.name for service, one in keys.items() if service} == {
        "PA": "Checkout",
        "PB": "Search",
    }
    assert keys["PA"].version == "v2"
    assert done.subdomain == "acme"


async def test_keys_that_were_there_stay(http):
    before = settings(integration_keys={"PX": "x" * 32}, integration_key="d" * 32)

    done = await complete(http, before, {"service_key": "e" * 32, "service_name": "Checkout"})

    assert set(events_keys(done)) == {"PX", "Checkout", ""}
    assert done.integration_key.get_secret_value() == "d" * 32


@pytest.mark.parametrize("config", ["nonsense", "{}", '{"integration_keys": [{"type": "x"}]}'])
async def test_a_configuration_without_keys_is_refused(http, config):
    with pytest.raises(hub.Rejected):
        await complete(http, settings(), {"config": config})


@pytest.mark.covers("PC-003")
async def test_the_simulators_pages_lead_back(http):
    local = settings(base_url="https://pagerduty.test", vendor_key=VENDOR)
    url = start(local, CALL_BACK).replace("{state}", "n0nce")
    assert "Create a new service" in (await http.get(url)).text
    chosen = urlsplit(url)._replace(path="/connect/done").geturl()

    back = await http.get(chosen + "&service=PAPI001")

    target = urlsplit(back.headers["location"])
    query = {name: values[0] for name, values in parse_qs(target.query).items()}
    assert query["state"] == "n0nce"
    done = await complete(http, local, query)
    assert done.subdomain == "demo"
