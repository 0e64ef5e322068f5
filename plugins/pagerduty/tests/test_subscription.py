"""Subscriptions are found, made, woken, tested and removed."""

import pytest

import hub
from hub_pagerduty import subscription
from hub_pagerduty.client import PagerDutyClient
from hub_pagerduty.settings import PagerDutySettings
from hub_pagerduty.subscription import EVENTS, ensure, inspect, ping, remove, wake
from hub_pagerduty.testing import settings_for

URL = "https://hub.test/webhook"


async def test_it_is_made_once_with_its_secret(client, sim):
    first, second = await ensure(client, URL), await ensure(client, URL)

    assert first.id == second.id
    assert first.secret is not None
    assert second.secret is None
    assert set(sim.world.subscriptions[first.id].events) == set(EVENTS)


async def test_a_made_one_is_active_and_complete(client):
    await ensure(client, URL)

    found = await inspect(client, URL)

    assert (found.active, found.detail) == (True, "")


async def test_nothing_is_found_where_nothing_is(client):
    assert await inspect(client, URL) is None
    with pytest.raises(hub.Gone):
        await ping(client, URL)


async def test_a_disabled_one_is_woken(client, sim, subscribed):
    it = sim.world.subscriptions[subscribed.id]
    it.disabled_until, it.active = sim.clock.now().replace(year=2030), False

    state = await ensure(client, URL)

    assert state.active
    assert it.disabled_until is None


@pytest.mark.covers("IM-070")
async def test_one_made_by_hand_is_kept_and_what_is_missing_is_named(client, sim, subscribed):
    sim.world.subscriptions[subscribed.id].events = ["incident.triggered"]

    found = await inspect(client, URL)

    assert found.detail.startswith("Not subscribed: incident.acknowledged, ")


async def test_only_what_pagerduty_disabled_is_woken(client, sim, subscribed):
    it = sim.world.subscriptions[subscribed.id]
    it.disabled_until = sim.clock.now().replace(year=2030)
    assert (await inspect(client, URL)).active is False
    assert (await wake(client, URL)).active is True

    it.active = False
    still = await wake(client, URL)

    assert (still.active, still.detail) == (False, "Somebody switched it off in PagerDuty.")
    assert await wake(client, f"{URL}/other") is None


async def test_a_ping_arrives_signed(client, sim, receiver, subscribed):
    assert await ping(client, URL) == "Test event sent"
    await sim.dispatcher.settle()

    assert [one["status"] for one in sim.dispatcher.deliveries[0].attempts] == [202]
    assert receiver.events == []


async def test_all_of_ours_are_removed(client, sim, subscribed):
    await remove(client, URL)

    assert sim.world.subscriptions == {}


@pytest.mark.covers("RF-050")
@pytest.mark.parametrize(("scope", "id"), [("service", "PDAT001"), ("team", "PTEAM01")])
async def test_it_may_be_of_one_service_or_team(http, sim, scope, id):
    given = {
        **settings_for("https://pagerduty.test"),
        "webhook_scope": scope,
        "webhook_scope_id": id,
    }
    client = PagerDutyClient(PagerDutySettings.model_validate(given), http)

    state = await ensure(client, URL)

    assert sim.world.subscriptions[state.id].filter == {"type": f"{scope}_reference", "id": id}


async def test_one_without_a_secret_is_taken_back(client, sim, monkeypatch):
    sim.faults.add("empty", method="POST")

    with pytest.raises(hub.ConnectorError):
        await ensure(client, URL)


async def test_the_limit_is_told_in_pagerdutys_words(client):
    for number in range(10):
        await ensure(client, f"{URL}/{number}")

    with pytest.raises(hub.Rejected, match="limit exceeded"):
        await ensure(client, URL)


def test_a_state_without_a_method_is_read():
    assert subscription.state_of({"id": "P1"}).active
