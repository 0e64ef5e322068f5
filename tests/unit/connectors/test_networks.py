"""Which addresses may send to a connector."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.connectors.networks import admits

OFFICE = ("192.0.2.0/24", "2001:db8::/32", "203.0.113.7/32")


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("192.0.2.200", True),
        ("192.0.3.1", False),
        ("203.0.113.7", True),
        ("203.0.113.8", False),
        ("2001:db8:1::5", True),
        ("2001:db9::5", False),
        ("::ffff:192.0.2.1", True),
        ("fe80::1%eth0", False),
        ("", False),
        ("somewhere", False),
        (None, False),
    ],
)
def test_only_listed_networks_are_admitted(address: str | None, expected: bool) -> None:
    assert admits(OFFICE, address) is expected


@given(st.one_of(st.none(), st.text(), st.ip_addresses().map(str)))
def test_without_a_list_everything_is_admitted_and_nothing_ever_raises(
    address: str | None,
) -> None:
    assert admits((), address)
    assert admits(OFFICE, address) in {True, False}
