"""What plugin authors test with: the contract kit.

A plugin's whole `test_contract.py`::

    from hub.testing import PluginContract

    class TestZendesk(PluginContract):
        plugin = hub_zendesk
        settings = {"subdomain": "acme", "api_token": "t0ken-value"}

The tests need no database, no network and no running hub.
"""

from importlib import import_module
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from hub.testing.contract import PluginContract
    from hub.testing.payloads import Payload, event_json, load_payloads

__all__ = ["Payload", "PluginContract", "event_json", "load_payloads"]

pytest.register_assert_rewrite("hub.testing.contract")
_HOMES = {
    "Payload": "payloads",
    "PluginContract": "contract",
    "event_json": "payloads",
    "load_payloads": "payloads",
}


def __getattr__(name: str) -> object:
    """Import a public name when it is first used: pytest loads this package in every run."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found: object = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    return found
