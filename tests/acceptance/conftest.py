"""The whole hub with its vendors, for scenarios."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.acceptance.webhooks import SECRET
from tests.acceptance.world import World, at_work


@pytest.fixture
async def empty_world(tmp_path: Path) -> AsyncIterator[World]:
    """A hub whose tenant has no connectors yet."""
    async with at_work(tmp_path) as world:
        yield world


@pytest.fixture
async def world(empty_world: World) -> World:
    """A hub with a PagerDuty and a Salesforce connector, webhook and push."""
    await empty_world.connect()
    return empty_world


@pytest.fixture
async def hooked(empty_world: World) -> World:
    """A hub with a PagerDuty connector whose webhook secret the test knows."""
    await empty_world.connect_pagerduty(webhook=False, webhook_secret=SECRET)
    return empty_world
