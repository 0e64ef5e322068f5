"""The simulated Remedyforce org: Salesforce's simulator with the package in it."""

from collections.abc import Mapping
from typing import Any

from hub import Simulator
from hub_remedyforce.names import INCIDENT_API
from hub_remedyforce.testing.apex_rest import add_calls
from hub_remedyforce.testing.behaviour import Package, add_behaviour
from hub_remedyforce.testing.definitions import define_package
from hub_remedyforce.testing.page import control
from hub_remedyforce.testing.rules import add_rules
from hub_remedyforce.testing.seed import Seed, id_of, seed
from hub_salesforce.testing import FakeSalesforce
from hub_salesforce.testing import settings_for as salesforce_settings

__all__ = ["Package", "Seed", "id_of", "install", "settings_for", "simulator"]


def install(org: FakeSalesforce, how: Seed | None = None, *, client_needed: bool = False) -> None:
    """Install the package in an org: objects, rules, behaviour, records, its own REST calls."""
    chosen = how or Seed()
    define_package(org)
    add_behaviour(org, chosen.package)
    add_rules(org, client_needed=client_needed)
    add_calls(org)
    seed(org, chosen)
    org.world.calls.clear()


def simulator() -> Simulator:
    """Return a fresh simulated org with its control API under /_sim."""
    org = FakeSalesforce(profile=install, fresh=True)
    org.control = control(org)
    return Simulator(app=org, settings=lambda base_url: settings_for(org, base_url))


def settings_for(org: FakeSalesforce, base_url: str) -> Mapping[str, Any]:
    """Return settings of a connector that work with the org at that address."""
    return {**salesforce_settings(org, base_url), "objects": [INCIDENT_API]}
