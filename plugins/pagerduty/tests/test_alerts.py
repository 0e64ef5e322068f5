"""Events sent as a monitoring tool would."""

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

import hub
from hub_pagerduty.actions.alerts import find_change
from hub_pagerduty.client import PagerDutyClient
from hub_pagerduty.events_api import v1_event, v2_event
from hub_pagerduty.settings import PagerDutySettings

V1, V2 = f"1{1:031x}", f"2{1:031x}"


def client_with(http, **more):
    given = {"integration_key": V2, "base_url": "https://pagerduty.test", **more}
    return PagerDutyClient(PagerDutySettings.model_validate(given), http)


@pytest.mark.covers("PC-011")
@pytest.mark.parametrize("version", ["v1", "v2"])
async def test_an_alert_lives_by_its_key(http, sim, do_with, version):
    run = do_with(
        client_with(http, integration_key=V1 if version == "v1" else V2, events_version=version)
    )

    for action in ("trigger", "acknowledge", "resolve"):
        await run("send_event", action=action, summary="Disk full", dedup_key="disk")

    outcomes = [one["outcome"].split()[0] for one in sim.events]
    assert outcomes == ["opened", "acknowledged", "resolved"]


@pytest.mark.covers("PC-016")
@pytest.mark.covers("PC-012")
async def test_the_guides_event_is_sent_field_by_field(http, sim, do_with):
    run = do_with(
        client_with(http, integration_key=V1, events_version="v1", vendor_key="your-vendor-id")
    )

    await run(
        "send_event",
        summary="Server www15 running low on memory",
        client="your-app-name",
        client_url="a-link-to-the-event-source",
        custom_details={"server_name": "www15", "memory_usage": "98%", "threshold": "90%"},
        dedup_key="memory",
    )

    assert sim.requests[-1]["body"] == {
        "vendor": "your-vendor-id",
        "description": "Server www15 running low on memory",
        "service_key": "***",
        "client": "your-app-name",
        "client_url": "a-link-to-the-event-source",
        "details": {"server_name": "www15", "memory_usage": "98%", "threshold": "90%"},
        "event_type": "trigger",
        "incident_key": "memory",
    }


@pytest.mark.covers("PC-013")
@pytest.mark.covers("PC-015")
async def test_client_and_link_are_the_hubs_and_the_records_otherwise(http, sim, do_with):
    await do_with(client_with(http))("send_event", summary="Disk full")

    body = sim.requests[-1]["body"]
    assert (body["client"], body["client_url"]) == ("Integration Hub", "https://sf.test/500x")


@pytest.mark.parametrize(("version", "key"), [("v1", V1), ("v2", V2)])
async def test_too_many_events_are_asked_to_wait(http, sim, do_with, version, key):
    sim.world.switches.events_limit = 1
    run = do_with(client_with(http, integration_key=key, events_version=version))
    await run("send_event", summary="One")

    with pytest.raises(hub.RateLimited):
        await run("send_event", summary="Two")


async def test_a_resolve_without_a_key_would_be_lost_and_is_refused(http, do_with):
    with pytest.raises(hub.Rejected, match="dedup key"):
        await do_with(client_with(http))("send_event", action="resolve")


async def test_a_trigger_needs_a_summary(http, do_with):
    with pytest.raises(hub.Rejected, match="summary"):
        await do_with(client_with(http))("send_event")


async def test_a_change_is_told(http, sim, do_with):
    await do_with(client_with(http))(
        "send_change_event", summary="Deployed 1.2", links=[{"href": "https://ci.test/1"}]
    )

    (change,) = sim.world.changes
    assert change["payload"]["summary"] == "Deployed 1.2"
    assert change["links"] == [{"href": "https://ci.test/1"}]


async def test_a_change_whose_answer_was_lost_is_found(client, http, sim, do_with, call_for):
    given = {"summary": "Deployed 1.2", "custom_details": {"build": "7"}}
    both = client_with(http, api_key="demo-key")
    sim.faults.add("cut_after", method="POST")
    with pytest.raises(httpx.ReadError):
        await do_with(both)("send_change_event", **given)
    assert len(sim.world.changes) == 1

    found = await find_change(call_for("send_change_event", both, **given))
    other = await find_change(call_for("send_change_event", both, summary="Deployed 1.2"))

    assert found.summary == "Found the change event, sent before"
    assert other is None


async def test_where_changes_can_not_be_listed_they_are_sent_again(http, sim, do_with, call_for):
    events_only = client_with(http)
    await do_with(events_only)("send_change_event", summary="Deployed 1.2")
    refused = client_with(http, api_key="demo-key")

    unlisted = call_for("send_change_event", events_only, summary="Deployed 1.2")
    assert await find_change(unlisted) is None
    sim.faults.add("status", method="GET", status=403)
    forbidden = call_for("send_change_event", refused, summary="Deployed 1.2")
    assert await find_change(forbidden) is None


async def test_without_a_key_nothing_is_sent(client, do_with):
    settings = PagerDutySettings(api_key="demo-key", base_url="https://pagerduty.test")

    with pytest.raises(hub.Rejected, match="no Events API key"):
        await do_with(PagerDutyClient(settings, client._http))("send_event", summary="x")


@given(st.text(max_size=3000), st.text(max_size=400), st.dictionaries(st.text(), st.integers()))
def test_events_are_never_too_long(summary, key, details):
    payload = {"summary": summary, "custom_details": details, "links": [{"href": "x"}] * 60}
    v2 = v2_event("k", "trigger", key, payload)
    v1 = v1_event("k", "trigger", key, payload)

    assert len(v2["payload"]["summary"]) <= 1024
    assert len(v2["dedup_key"]) <= 255
    assert len(v2["links"]) == 50
    assert len(v1.get("description", "")) <= 1024
