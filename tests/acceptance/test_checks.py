"""A connector's test in a whole hub: what is well, and cause and remedy where it is not."""

import pytest

from tests.acceptance.world import (
    CASE_CREATED,
    JOHN,
    OPS,
    Json,
    World,
    listen,
    page,
    rule,
    url_of,
)

PASSWORD = {"auth": "password", "password": "correct horse", "private_key": None}


def user_key(user: str) -> str:
    return f"user-key-{user.lower()}"


async def line(world: World, connector: str, name: str, **settings: object) -> Json:
    """Change settings of a connector, run its checks, and return one line."""
    if settings:
        await world.api("PATCH", f"connectors/{connector}", {"settings": settings})
    return (await world.checks(connector))[name]


@pytest.fixture
async def pagerduty(empty_world: World) -> World:
    await empty_world.connect_pagerduty()
    return empty_world


@pytest.fixture
async def salesforce(empty_world: World) -> World:
    await empty_world.connect_salesforce(push=False, poll_enabled=False)
    return empty_world


# ------------------------------------------------------------------------- PagerDuty


@pytest.mark.covers("IM-025")
async def test_a_good_connector_is_told_line_by_line(pagerduty: World) -> None:
    report = await pagerduty.post("connectors/pagerduty/checks")

    texts = [one["text"] for one in report["checks"]]
    assert report["ok"] is True
    assert texts[0].startswith("Connected to PagerDuty API")
    assert {"Service PXXXXXX accessible", "User ops@company.com valid"} <= set(texts)
    assert any(one.startswith("Webhook endpoint configured") for one in texts)
    kept = await pagerduty.get("connectors/pagerduty/checks")
    assert [one["name"] for one in kept["checks"]] == [one["name"] for one in report["checks"]]


@pytest.mark.covers("IM-110")
async def test_a_refused_key_is_explained_with_the_line_to_try_it(pagerduty: World) -> None:
    found = await line(pagerduty, "pagerduty", "api", api_key="not-a-key")

    assert (found["ok"], found["text"]) == (False, "401: Authentication failed")
    assert "curl -H" in found["fix"]
    assert "https://api.pagerduty.com/users" in found["fix"]
    assert "hub connector update pagerduty --set api_key=-" in found["fix"]


async def test_a_vendor_that_is_away_is_not_blamed_on_the_key(pagerduty: World) -> None:
    nowhere = url_of(listening := listen())
    listening.close()

    found = await line(pagerduty, "pagerduty", "api", base_url=nowhere)

    assert found["ok"] is False
    assert f"base_url is {nowhere}" in found["fix"]
    assert "firewall" in found["fix"]
    assert "key" not in found["fix"]


async def test_an_address_that_is_none_is_refused_when_it_is_set(pagerduty: World) -> None:
    change = {"settings": {"base_url": "htp:/x"}}

    answer = await pagerduty.ask("PATCH", "connectors/pagerduty", change)

    [fault] = answer.json()["errors"]
    assert (answer.status_code, fault["pointer"]) == (422, "/settings/base_url")
    assert fault["detail"] == "'htp:/x' is no web address; one looks like https://api.example.com."


@pytest.mark.covers("SF-009")
async def test_what_the_plan_lacks_is_named_by_the_test_and_by_a_402(pagerduty: World) -> None:
    sim = pagerduty.paging.app.sim
    sim.world.abilities.remove("teams")
    assert "teams" in (await line(pagerduty, "pagerduty", "plan"))["text"]

    body = {"error": {"code": 2014, "message": "Required ability unavailable: teams"}}
    await pagerduty.paging.fault("status", path="^/services$", status=402, body=body)
    answer = await pagerduty.ask("GET", "connectors/pagerduty/choices/services")

    assert "plan lacks" in answer.text
    assert "teams" in answer.text


@pytest.mark.covers("SF-010")
async def test_the_role_of_a_users_key_is_read_and_an_account_key_passes(pagerduty: World) -> None:
    account = await line(pagerduty, "pagerduty", "authentication")
    admin = await line(pagerduty, "pagerduty", "authentication", api_key=user_key(OPS))
    responder = await line(pagerduty, "pagerduty", "authentication", api_key=user_key(JOHN))

    assert (account["ok"], account["text"]) == (True, "Valid account API key")
    assert admin["text"] == "Valid API key of user ops@company.com (admin)"
    assert "higher role" in responder["text"]


@pytest.mark.covers("SF-010", "IM-014")
async def test_a_403_names_the_role_that_services_and_webhooks_need(pagerduty: World) -> None:
    forbidden = {"effect": "status", "status": 403, "body": {"error": {"message": "Forbidden"}}}
    await pagerduty.paging.sim("POST", "faults", {**forbidden, "path": "^/services", "times": 9})
    service = await line(pagerduty, "pagerduty", "service")
    await pagerduty.paging.no_faults()
    await pagerduty.paging.sim("POST", "faults", {**forbidden, "path": "^/webhook_sub", "times": 9})
    webhook = await pagerduty.ask("PUT", "connectors/pagerduty/subscription")

    assert service["ok"] is False
    assert "Manager or Admin" in service["text"]
    assert "Manager or Admin" in webhook.text


@pytest.mark.covers("IM-015")
async def test_a_403_on_an_incident_names_the_role_that_responders_need(world: World) -> None:
    await world.rules(rule("All page", CASE_CREATED, page()))
    forbidden = {"status": 403, "body": {"error": {"message": "Forbidden"}}}
    await world.paging.fault("status", path="^/incidents$", method="POST", **forbidden)

    case = await world.salesforce.create_case(Subject="Not allowed")

    [run] = (await world.event("salesforce.case.created", case, state="done"))["runs"]
    assert run["state"] == "dead"
    assert "Responder at least" in run["error"]


@pytest.mark.covers("IM-010", "IM-112")
async def test_a_service_that_is_not_there_is_answered_with_the_nearest(pagerduty: World) -> None:
    found = await line(pagerduty, "pagerduty", "service", service_id="PAPI010")

    assert found["ok"] is False
    assert found["text"].startswith("404, no such service. Nearest: PAPI001 API Service")
    assert "hub connector choices" in found["fix"]
    assert "https://api.pagerduty.com/services" in found["fix"]
    offered = await pagerduty.items("connectors/pagerduty/choices/services")
    assert "PAPI001" in [one["value"] for one in offered]


@pytest.mark.covers("IM-011", "SF-031", "RF-061")
async def test_a_user_that_is_not_there_is_told(pagerduty: World) -> None:
    good = await line(pagerduty, "pagerduty", "from_user")
    bad = await line(pagerduty, "pagerduty", "from_user", from_email="ops@company.co")

    assert (good["ok"], good["text"]) == (True, "User ops@company.com valid")
    assert bad["ok"] is False
    assert "ops@company.co is no user" in bad["text"]


@pytest.mark.covers("IM-028")
async def test_an_escalation_policy_is_found_or_told(pagerduty: World) -> None:
    good = await line(
        pagerduty, "pagerduty", "escalation_policy", escalation_policy_id="PAPI_ESCALATION"
    )
    bad = await line(pagerduty, "pagerduty", "escalation_policy", escalation_policy_id="PNONE")

    assert (good["ok"], good["text"]) == (True, "Escalation policy PAPI_ESCALATION found")
    assert (bad["ok"], bad["text"]) == (False, "404, no escalation policy PNONE.")


# ------------------------------------------------------------------------- Salesforce


@pytest.mark.covers("SF-008", "RF-014")
async def test_an_org_without_api_access_is_explained_in_one_line(salesforce: World) -> None:
    await salesforce.crm.sim("POST", "switches", {"api": False})

    lines = await salesforce.checks("salesforce")
    failed = next(one for one in lines.values() if one["ok"] is False)

    assert "API access" in failed["text"]
    assert "trial" in failed["text"].lower()
    assert "\n" not in failed["text"]
    assert failed["fix"]


@pytest.mark.covers("SF-007", "RF-013")
async def test_an_edition_without_apex_is_advised_to_poll(salesforce: World) -> None:
    [organization] = salesforce.crm.app.world.records["Organization"].values()
    before = await line(salesforce, "salesforce", "edition")
    organization["OrganizationType"] = "Professional Edition"
    after = await line(salesforce, "salesforce", "edition")

    assert "Apex pushes and polling" in before["text"]
    assert "Professional Edition" in after["text"]
    assert "polling" in after["text"]


@pytest.mark.covers("SF-043", "SF-045", "SF-046", "SF-047")
async def test_a_connector_signs_in_with_password_and_security_token(empty_world: World) -> None:
    await empty_world.connect_salesforce(push=False, **PASSWORD, security_token="TOKEN")
    found = await line(empty_world, "salesforce", "sign_in")

    assert found["ok"] is True
    assert found["text"].startswith("Connection OK")
    assert "1 June 2027" in found["text"]
    wrong = await line(empty_world, "salesforce", "sign_in", security_token="WRONG")
    assert wrong["ok"] is False
    [request] = (await empty_world.crm.requests("/services/Soap/u/"))[:1]
    assert "correct horse" not in str(request["body"])


@pytest.mark.covers("SF-049")
async def test_a_sandbox_that_is_taken_for_production_is_told(salesforce: World) -> None:
    [organization] = salesforce.crm.app.world.records["Organization"].values()
    organization["IsSandbox"] = True

    found = await line(salesforce, "salesforce", "sandbox", login_url=salesforce.crm.url)

    assert "sandbox" in found["text"]


@pytest.mark.covers("RF-040", "RF-042", "RF-044", "RF-045")
@pytest.mark.parametrize(
    ("change", "said", "fix"),
    [
        ({"approved": False}, "approved", "pre-authorized"),
        ({"active": False}, "inactive", ""),
    ],
)
async def test_a_refused_sign_in_is_explained(
    salesforce: World, change: Json, said: str, fix: str
) -> None:
    user = salesforce.crm.app.world.users["integration@acme.example"]
    for name, value in change.items():
        setattr(user, name, value)

    found = await line(salesforce, "salesforce", "sign_in")

    assert found["ok"] is False
    assert said in found["text"].lower()
    assert fix in found["text"] + found["fix"]
    assert "2-10 minutes" in found["fix"]
    assert (await salesforce.get("connectors/salesforce"))["state"] == "needs_credentials"
