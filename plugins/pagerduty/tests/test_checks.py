"""The lines of a connector's test."""

import httpx
import pytest

import hub
from hub_pagerduty.checks import CHECKS
from hub_pagerduty.client import PagerDutyClient
from hub_pagerduty.settings import PagerDutySettings
from hub_pagerduty.testing import settings_for

RUN = {check.name: check.run for check in CHECKS}


@pytest.fixture
def with_settings(http):
    def make(**more):
        given = {**settings_for("https://pagerduty.test"), **more}
        return PagerDutyClient(PagerDutySettings.model_validate(given), http)

    return make


@pytest.mark.covers("IM-025")
async def test_the_api_is_reached(client):
    assert await RUN["api"](client) == "Connected to PagerDuty API"


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ({"effect": "status", "status": 500}, hub.Unavailable),
        ({"effect": "html"}, hub.Unavailable),
        ({"effect": "rate_limited", "seconds": 20}, hub.RateLimited),
    ],
)
async def test_trouble_with_the_api_is_told(client, sim, fault, kind):
    sim.faults.add(**fault)

    with pytest.raises(kind):
        await RUN["api"](client)


async def test_a_wrong_key_is_told(with_settings):
    with pytest.raises(hub.AuthenticationFailed):
        await RUN["api"](with_settings(api_key="wrong"))


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("demo-key", "Valid account API key"),
        ("user-key-puser01", "Valid API key of user ops@company.com (admin)"),
        (
            "user-key-puser02",
            "Valid API key of user john.doe@company.com (user): webhooks may need a higher role",
        ),
    ],
)
async def test_the_kind_of_key_is_told(with_settings, key, said):
    assert await RUN["authentication"](with_settings(api_key=key)) == said


async def test_an_apps_missing_scopes_are_told(with_settings):
    app = {"api_key": None, "client_id": "demo-client", "client_secret": "demo-client-secret"}

    assert "all scopes" in await RUN["authentication"](with_settings(**app))
    with pytest.raises(hub.Rejected, match="nonsense"):
        await RUN["authentication"](with_settings(**app, scopes="abilities.read nonsense"))


@pytest.mark.covers("SF-009")
async def test_what_the_plan_lacks_is_named(client, sim):
    sim.world.abilities.remove("teams")
    sim.world.switches.priorities = False

    assert "teams, priorities" in await RUN["plan"](client)


@pytest.mark.covers("IM-026")
@pytest.mark.covers("IM-113")
async def test_a_service_is_found_or_the_nearest_named(with_settings, client):
    assert await RUN["service"](client) == "Service PXXXXXX accessible"
    with pytest.raises(hub.Gone, match="Nearest: PAPI001 API Service, "):
        await RUN["service"](with_settings(service_id="PAPI010"))
    with pytest.raises(hub.Gone, match="Nearest: PWEB001 Web Service, "):
        await RUN["service"](with_settings(service_id="web"))


@pytest.mark.covers("IM-026")
async def test_a_disabled_service_is_told(client, sim):
    sim.world.services["PXXXXXX"].status = "disabled"

    with pytest.raises(hub.Rejected, match="disabled"):
        await RUN["service"](client)


@pytest.mark.covers("IM-011")
@pytest.mark.covers("IM-027")
async def test_the_from_user_must_match_exactly(with_settings, client):
    assert await RUN["from_user"](client) == "User ops@company.com valid"
    with pytest.raises(hub.Rejected, match="is no user"):
        await RUN["from_user"](with_settings(from_email="ops@company.co"))


async def test_the_policy_is_found(with_settings):
    client = with_settings(escalation_policy_id="PXXXXXX")

    assert await RUN["escalation_policy"](client) == "Escalation policy PXXXXXX found"
    with pytest.raises(hub.Gone, match="no escalation policy"):
        await RUN["escalation_policy"](with_settings(escalation_policy_id="PNOTHERE"))


async def test_a_webhook_without_a_secret_is_told(with_settings, client):
    run = RUN["webhook_secret"]
    assert await run(client) == "Webhook secret set"
    assert "switched off" in await run(with_settings(enable_webhook=False))
    legacy = with_settings(webhook_secret=None, webhook_legacy=True, webhook_token="t")
    assert "no secret for v3" in await run(legacy)
    with pytest.raises(hub.Rejected, match="No webhook secret"):
        await run(with_settings(webhook_secret=None))


def account_at(host, **settings):
    """Return a client of an account whose pages lie at this host."""

    def answer(_request):
        return httpx.Response(200, json={"users": [{"html_url": f"https://{host}/users/P1"}]})

    own = PagerDutySettings.model_validate({"api_key": "k", **settings})
    return PagerDutyClient(own, httpx.AsyncClient(transport=httpx.MockTransport(answer)))


@pytest.mark.parametrize(
    ("host", "settings", "said"),
    [
        ("acme.pagerduty.com", {}, "Account acme (US)"),
        ("acme.pagerduty.com", {"subdomain": "acme"}, "Account acme (US)"),
        (
            "acme.eu.pagerduty.com",
            {"base_url": "https://api.eu.pagerduty.com"},
            "Account acme (EU)",
        ),
        ("localhost", {"subdomain": "acme"}, "PagerDuty tells no address of the account"),
    ],
)
async def test_the_account_is_named_by_its_own_address(host, settings, said):
    assert await RUN["account"](account_at(host, **settings)) == said


@pytest.mark.parametrize(
    ("host", "settings", "said"),
    [
        ("acme.pagerduty.com", {"subdomain": "other"}, "belongs to account 'acme'"),
        ("acme.eu.pagerduty.com", {}, "lives in the EU"),
        (
            "acme.pagerduty.com",
            {"base_url": "https://api.eu.pagerduty.com"},
            "lives in the US",
        ),
    ],
)
async def test_another_account_or_region_is_told(host, settings, said):
    with pytest.raises(hub.Rejected, match=said):
        await RUN["account"](account_at(host, **settings))


async def test_events_keys_alone_need_nothing_of_the_rest_api(with_settings):
    client = with_settings(api_key=None, service_id="", from_email="", enable_webhook=False)

    for run in RUN.values():
        assert await run(client)


async def test_a_disabled_subscription_is_told(client, sim, subscribed):
    subscription = sim.world.subscriptions[subscribed.id]
    subscription.disabled_until = sim.clock.now().replace(year=2030)

    with pytest.raises(hub.Rejected, match=subscribed.id):
        await RUN["subscriptions"](client)


async def test_an_old_extension_on_the_same_url_is_told(client, subscribed):
    body = {
        "extension": {
            "name": "Old integration",
            "endpoint_url": "https://hub.test/webhook",
            "extension_schema": {"id": "PJFWPEP", "type": "extension_schema_reference"},
            "extension_objects": [{"id": "PDAT001", "type": "service_reference"}],
        }
    }
    await client.post("/extensions", body)

    with pytest.raises(hub.Rejected, match="Old integration"):
        await RUN["subscriptions"](client)


async def test_a_key_of_the_wrong_length_is_told(with_settings):
    with pytest.raises(hub.Rejected, match="PDAT001"):
        await RUN["events_key"](with_settings(integration_keys={"PDAT001": "tooshort"}))


@pytest.mark.parametrize("version", ["v1", "v2"])
async def test_a_key_that_pagerduty_does_not_know_is_told(with_settings, sim, version):
    wrong = {"PDAT001": {"key": "0" * 32, "version": version}}

    with pytest.raises(hub.Rejected, match="PDAT001 is not valid"):
        await RUN["events_key"](with_settings(integration_keys=wrong))


async def test_trying_a_key_changes_nothing(with_settings, sim):
    keys = {"PDAT001": {"key": f"1{3:031x}", "version": "v1"}, "PAPI001": f"2{2:031x}"}
    before = len(sim.world.incidents)

    assert await RUN["events_key"](with_settings(integration_keys=keys)) == (
        "Events API keys: 3, all valid"
    )
    assert len(sim.world.incidents) == before
    assert {one["outcome"] for one in sim.events} == {"dropped: no open alert with this key"}


async def test_rate_limit_usage_is_told(client, sim):
    sim.world.switches.rate_limit = 10

    assert await RUN["rate_limit"](client) == "Rate limit usage 10% of 10 a minute"


async def test_a_connector_with_an_events_key_only_passes(http):
    settings = PagerDutySettings(
        integration_key=f"2{1:031x}", enable_webhook=False, base_url="https://pagerduty.test"
    )
    client = PagerDutyClient(settings, http)

    for check in CHECKS:
        await check.run(client)


def test_each_failure_says_what_to_do():
    assert [check.name for check in CHECKS if not check.fix] == []
