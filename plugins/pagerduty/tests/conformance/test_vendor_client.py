"""PagerDuty's own Python client finds what it expects at the simulator."""

import pytest

vendor = pytest.importorskip(
    "pd_vendor_client", reason="PagerDuty's own client and a2wsgi are not installed"
)


def test_the_vendors_own_client_is_content():
    calls, faults = vendor.drive()

    assert faults == []
    assert calls >= 20
