"""Leaves out the long runs unless they are asked for: `pytest -m nightly tests/unit/rules`."""

import pytest


def pytest_configure(config):
    config.addinivalue_line("markers", "nightly: long runs, only with `-m nightly`")


def pytest_collection_modifyitems(config, items):
    if "nightly" in config.option.markexpr:
        return
    for item in items:
        if item.get_closest_marker("nightly"):
            item.add_marker(pytest.mark.skip(reason="asked for with -m nightly"))
