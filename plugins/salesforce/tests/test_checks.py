"""The connector's test: what is well, and what to do where it is not."""

import contextlib

import pytest

import hub
from hub_salesforce.client import SalesforceClient
from hub_salesforce.connector_type import SALESFORCE
from hub_salesforce.settings import SalesforceSettings
from hub_salesforce.testing import FakeSalesforce
from hub_salesforce.testing.schema import field_of

CHECKS = {one.name: one for one in SALESFORCE.checks}


def change(settings: SalesforceSettings, **values: object) -> None:
    for name, value in values.items():
        object.__setattr__(settings, name, value)


@pytest.mark.covers("SF-025")
async def test_the_first_line_says_that_the_connection_is_ok(client: SalesforceClient) -> None:
    said = await CHECKS["sign_in"].run(client)

    assert said == "Connection OK: signed in to Acme (NA42) as integration@acme.example"


@pytest.mark.covers("SF-047")
async def test_the_password_flow_is_warned_of(
    client: SalesforceClient, settings: SalesforceSettings
) -> None:
    await client.session.access()
    change(client.settings, auth=type(settings.auth)("password"))

    assert "1 June 2027" in await CHECKS["sign_in"].run(client)


@pytest.mark.parametrize("name", CHECKS)
async def test_each_check_tells_what_is_well(client: SalesforceClient, name: str) -> None:
    assert await CHECKS[name].run(client)


@pytest.mark.parametrize("name", CHECKS)
def test_each_check_has_a_remedy(name: str) -> None:
    assert len(CHECKS[name].fix) > 20


@pytest.mark.covers("SF-049")
async def test_a_sandbox_taken_for_production_is_found(
    client: SalesforceClient, org: FakeSalesforce
) -> None:
    change(client.settings, login_url="")
    row = next(iter(org.world.records["Organization"].values()))
    await _signed_in_before(client, org)
    row["IsSandbox"] = True

    with pytest.raises(hub.Rejected, match="the org is a sandbox"):
        await CHECKS["sandbox"].run(client)


async def test_a_trial_says_when_it_ends(client: SalesforceClient, org: FakeSalesforce) -> None:
    row = next(iter(org.world.records["Organization"].values()))
    row["TrialExpirationDate"] = "2026-12-31T00:00:00.000+0000"

    assert "ends on 2026-12-31" in await CHECKS["sandbox"].run(client)


@pytest.mark.covers("RF-041")
async def test_a_token_without_the_api_scope_is_found(
    client: SalesforceClient, org: FakeSalesforce
) -> None:
    next(iter(org.world.apps.values())).scopes = "refresh_token"

    with pytest.raises(hub.Rejected, match="not api"):
        await CHECKS["scopes"].run(client)


@pytest.mark.covers("SF-007", "RF-013")
async def test_an_edition_without_apex_recommends_polling(
    client: SalesforceClient, org: FakeSalesforce
) -> None:
    row = next(iter(org.world.records["Organization"].values()))
    row["OrganizationType"] = "Professional Edition"

    assert "read by polling" in await CHECKS["edition"].run(client)


@pytest.mark.covers("RF-014")
async def test_an_org_without_api_is_told_by_every_check(
    client: SalesforceClient, org: FakeSalesforce
) -> None:
    org.world.switches.api = False

    with pytest.raises(hub.AuthenticationFailed, match="no API access"):
        await CHECKS["api_access"].run(client)


async def test_a_user_without_api_access_is_told_from_an_org_without(
    client: SalesforceClient, org: FakeSalesforce
) -> None:
    org.world.users["integration@acme.example"].api_enabled = False

    with pytest.raises(hub.AuthenticationFailed, match=r"'API Enabled' .* \(guide, step 2\)"):
        await CHECKS["api_access"].run(client)


async def test_an_object_that_the_user_may_not_change_is_told_from_one_that_is_not_there(
    client: SalesforceClient, org: FakeSalesforce
) -> None:
    org.world.definitions["Case"]["updateable"] = False
    org.world.definitions["Case"]["createable"] = False

    with pytest.raises(hub.Rejected, match="Case is not createable and not updateable"):
        await CHECKS["objects"].run(client)
    assert "permission" in CHECKS["objects"].fix


async def test_a_field_that_the_user_cannot_write_is_named(
    client: SalesforceClient, org: FakeSalesforce
) -> None:
    org.world.users["integration@acme.example"].hidden.add(("Case", "Priority"))

    with pytest.raises(hub.Rejected, match=r"Case\.Priority"):
        await CHECKS["fields"].run(client)


async def test_an_object_that_is_not_there_is_named(client: SalesforceClient) -> None:
    change(client.settings, objects=["Case", "Machine__c"])

    with pytest.raises(hub.Rejected, match="Machine__c is not there"):
        await CHECKS["objects"].run(client)


async def test_a_key_field_that_is_not_unique_is_found(
    client: SalesforceClient, org: FakeSalesforce
) -> None:
    info = field_of(org.world.definitions["Case"], "PagerDuty_Hub_Key__c")
    assert info is not None
    info["unique"] = False

    with pytest.raises(hub.Rejected, match="not an External ID, unique and writable"):
        await CHECKS["key_field"].run(client)


async def test_no_key_field_is_allowed(client: SalesforceClient, org: FakeSalesforce) -> None:
    org.world.remove_field("Case", "PagerDuty_Hub_Key__c")

    assert "searches" in await CHECKS["key_field"].run(client)


@pytest.mark.covers("SF-033")
async def test_requests_running_out_fail_the_check(
    client: SalesforceClient, org: FakeSalesforce
) -> None:
    org.world.daily_limit = 10
    org.world.calls = [org.world.now()] * 8

    with pytest.raises(hub.Rejected, match="only 1 of 10 requests left"):
        await CHECKS["limit"].run(client)


async def test_neither_polling_nor_pushes_is_a_fault(client: SalesforceClient) -> None:
    change(client.settings, poll_enabled=False, webhook_secret=None)

    with pytest.raises(hub.Rejected, match="no change would be seen"):
        await CHECKS["push"].run(client)


async def test_a_missing_apex_rest_class_is_found(client: SalesforceClient) -> None:
    change(client.settings, rest_resource_url="nowhere")

    with pytest.raises(hub.Rejected, match="no Apex REST class at nowhere"):
        await CHECKS["rest_resource"].run(client)


async def test_a_refused_sign_in_is_tried_once_by_a_whole_test(
    client: SalesforceClient, org: FakeSalesforce
) -> None:
    org.world.users["integration@acme.example"].approved = False

    for check in CHECKS.values():
        with contextlib.suppress(hub.AuthenticationFailed):
            await check.run(client)

    assert len(org.log.rows) == 1


async def _signed_in_before(client: SalesforceClient, org: FakeSalesforce) -> None:
    """Open a session by hand: the settings of the test would ask a real host."""
    session = org.world.open_session(org.world.users["integration@acme.example"])
    from hub_salesforce.auth.access import Access  # noqa: PLC0415 - only here

    client.session._access = Access(token=session.token, instance_url="http://127.0.0.1")
