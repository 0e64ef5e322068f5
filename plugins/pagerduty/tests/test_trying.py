"""The test event."""

import pytest

import hub
from hub_pagerduty.client import PagerDutyClient
from hub_pagerduty.settings import PagerDutySettings
from hub_pagerduty.testing import settings_for
from hub_pagerduty.trying import TITLE, send_test

V1, V2 = f"1{1:031x}", f"2{1:031x}"


@pytest.fixture
def with_settings(http):
    def make(**more):
        given = {**settings_for("https://pagerduty.test"), **more}
        return PagerDutyClient(PagerDutySettings.model_validate(given), http)

    return make


@pytest.mark.parametrize(("key", "version"), [(V1, "v1"), (V2, "v2")])
async def test_it_goes_by_the_events_key(with_settings, sim, key, version):
    client = with_settings(api_key=None, integration_key=key, events_version=version)

    said = await send_test(client, "")

    assert "acknowledge and resolve it in PagerDuty" in said
    assert sim.events[-1]["outcome"].startswith("opened")


async def test_it_is_an_incident_of_low_urgency_where_there_is_no_events_key(with_settings, sim):
    said = await send_test(with_settings(integration_key=None), "PWEB001")

    made = next(one for one in sim.world.incidents.values() if one.title == TITLE)
    assert (made.service, made.urgency) == ("PWEB001", "low")
    assert f"#{made.number}" in said


async def test_a_service_that_is_not_there_is_told(with_settings):
    with pytest.raises(hub.ConnectorError):
        await send_test(with_settings(integration_key=None), "PNOTHERE")
