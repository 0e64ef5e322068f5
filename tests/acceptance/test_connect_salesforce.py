"""Salesforce connected by an approval in the browser; its refresh tokens turn while it works."""

from typing import Any

import httpx
import pytest

from hub_salesforce.testing import CONSUMER_KEY, CONSUMER_SECRET, INTEGRATION
from tests.acceptance.world import CASE_CREATED, World, page, rule


async def _approved(world: World, name: str) -> httpx.Response:
    """Go from the hub to the consent page, allow, and come back with what it gave."""
    begun = (await world.post(f"connectors/{name}/handshake"))["url"]
    chosen = {"decision": "allow", "username": INTEGRATION}
    allowed = await world.http.get(httpx.URL(begun).copy_merge_params(chosen))
    return await world.http.get(allowed.headers["location"])


@pytest.mark.slow
async def test_an_approval_connects_and_a_turned_token_outlives_the_process(
    empty_world: World,
) -> None:
    world = empty_world
    org: Any = world.crm.app.world
    org.apps[CONSUMER_KEY].rotates = True
    await world.connect_pagerduty()
    settings = {
        "auth": "refresh_token",
        "consumer_key": CONSUMER_KEY,
        "consumer_secret": CONSUMER_SECRET,
        "login_url": world.crm.url,
        "webhook_secret": world.push_key,
    }
    made = await world.post(
        "connectors", {"type": "salesforce", "name": "salesforce", "settings": settings}
    )
    before = (await world.checks("salesforce"))["sign_in"]

    back = await _approved(world, "salesforce")
    after = (await world.checks("salesforce"))["sign_in"]
    first = dict(org.apps[CONSUMER_KEY].refresh_tokens)
    org.expire_sessions()
    clients = world.app.state.clients
    opened = await clients.by_name(world.tenant, "salesforce")
    clients._kept[opened.id].good_until = float("-inf")
    again = (await world.checks("salesforce"))["sign_in"]
    await world.salesforce.install_trigger(made["webhook_url"], world.push_key)
    await world.rules(rule("Page", CASE_CREATED, page()))
    await world.salesforce.create_case(Subject="Line 3 down", Priority="High")

    assert not before["ok"]
    assert "approve the connected app in the browser" in before["text"]
    assert back.status_code == 200
    assert after["ok"]
    assert again["ok"]
    assert set(org.apps[CONSUMER_KEY].refresh_tokens) != set(first)
    assert await world.the_incident("Line 3 down")
