"""The simulated Salesforce org: for tests of this and other plugins, and for the sandbox."""

from collections.abc import Mapping
from typing import Any

from hub import Simulator
from hub_salesforce.testing.app import FakeSalesforce
from hub_salesforce.testing.control import control
from hub_salesforce.testing.seed import (
    AGENT,
    CONSUMER_KEY,
    CONSUMER_SECRET,
    INTEGRATION,
    PUSH_KEY,
    REFRESH_TOKEN,
    SECOND_AGENT,
)

__all__ = [
    "AGENT",
    "CONSUMER_KEY",
    "CONSUMER_SECRET",
    "INTEGRATION",
    "PUSH_KEY",
    "REFRESH_TOKEN",
    "SECOND_AGENT",
    "FakeSalesforce",
    "settings_for",
    "simulator",
]


def simulator() -> Simulator:
    """Return a fresh simulated org with its control API under /_sim."""
    org = FakeSalesforce(fresh=True)
    org.control = control(org)
    return Simulator(app=org, settings=lambda base_url: settings_for(org, base_url))


def settings_for(org: FakeSalesforce, base_url: str) -> Mapping[str, Any]:
    """Return settings of a connector that work with the org at that address."""
    return {
        "auth": "jwt",
        "username": INTEGRATION,
        "consumer_key": CONSUMER_KEY,
        "private_key": org.credentials.keys.private_key,
        "login_url": base_url.rstrip("/"),
        "webhook_secret": PUSH_KEY,
        "organization_id": org.world.id,
        "objects": ["Case"],
    }
