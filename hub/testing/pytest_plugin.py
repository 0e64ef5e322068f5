"""What pytest learns from the installed kit: a marker, and the network guard."""

from collections.abc import Iterator

import pytest


def pytest_configure(config: pytest.Config) -> None:
    """Make the kit's marker known."""
    config.addinivalue_line("markers", "contract: a check of the hub's plugin contract")


@pytest.fixture
def no_network() -> Iterator[None]:
    """Fail a test that opens a connection to another machine or to this one."""
    from hub.testing.network import refused_network  # noqa: PLC0415 - loaded only where used

    with refused_network():
        yield
