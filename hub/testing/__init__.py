"""What plugin authors test with: the contract kit.

A plugin's whole `test_contract.py`::

    from hub.testing import PluginContract

    class TestZendesk(PluginContract):
        plugin = hub_zendesk
        settings = {"subdomain": "acme", "api_token": "t0ken-value"}

The tests need no database, no network and no running hub.
"""

import pytest

pytest.register_assert_rewrite("hub.testing.contract")

from hub.testing.contract import PluginContract  # noqa: E402 - rewritten before it is imported
from hub.testing.payloads import Payload, event_json, load_payloads  # noqa: E402

__all__ = ["Payload", "PluginContract", "event_json", "load_payloads"]
