"""Leaves out the long runs unless they are asked for: `pytest -m nightly tests/unit/rules`."""


def pytest_configure(config):
    config.addinivalue_line("markers", "nightly: long runs, only with `-m nightly`")


def pytest_collection_modifyitems(config, items):
    if "nightly" in config.option.markexpr:
        return
    long = [one for one in items if one.get_closest_marker("nightly")]
    if long:
        config.hook.pytest_deselected(items=long)
        items[:] = [one for one in items if not one.get_closest_marker("nightly")]
