"""PagerDuty's stateful stand-in: `simulator()` for the hub, `FakePagerDuty` for tests."""

from collections.abc import Mapping
from typing import Any

import hub
from hub_pagerduty.testing.app import SimulatorApp
from hub_pagerduty.testing.seed import ACCOUNT_KEYS, user_key
from hub_pagerduty.testing.sim import FakePagerDuty

__all__ = ["FakePagerDuty", "SimulatorApp", "settings_for", "simulator", "user_key"]


def settings_for(base_url: str) -> Mapping[str, Any]:
    """Return settings of a connector that works with the demo account at this address."""
    return {
        "api_key": ACCOUNT_KEYS[0],
        "base_url": base_url,
        "service_id": "PXXXXXX",
        "from_email": "ops@company.com",
        "subdomain": "demo",
        "integration_key": f"2{1:031x}",
        "webhook_secret": "replaced-when-the-webhook-is-enabled",
    }


def simulator() -> hub.Simulator:
    """Return a stand-in with a small plausible account."""
    sim = FakePagerDuty(fresh=True)
    sim.world.switches.event_delay = 2.0
    return hub.Simulator(app=SimulatorApp(sim), settings=settings_for)
