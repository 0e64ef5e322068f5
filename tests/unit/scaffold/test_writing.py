"""A new plugin passes the contract kit before its author has written a line."""

import subprocess
import sys

import pytest

from hub.scaffold import ScaffoldRefused, write_plugin


def test_the_files_of_a_distribution_are_written(tmp_path):
    written = write_plugin("snow_desk", tmp_path)

    names = {str(one.relative_to(tmp_path)) for one in written}
    assert "hub-snow-desk/pyproject.toml" in names
    assert "hub-snow-desk/src/hub_snow_desk/__init__.py" in names
    assert "hub-snow-desk/tests/payloads/ticket_created.json" in names
    assert not any("$" in one.read_text() for one in written)


@pytest.mark.parametrize("name", ["", "Zendesk", "9lives", "a b", "../up", "a" * 41, "hub", "im"])
def test_a_name_that_cannot_be_one_is_refused(tmp_path, name):
    with pytest.raises(ScaffoldRefused):
        write_plugin(name, tmp_path)

    assert list(tmp_path.iterdir()) == []


def test_what_is_there_is_never_overwritten(tmp_path):
    write_plugin("acme", tmp_path)

    with pytest.raises(ScaffoldRefused, match="is there already"):
        write_plugin("acme", tmp_path)


def done(folder, *command):
    return subprocess.run(
        [sys.executable, "-m", *command], cwd=folder, capture_output=True, text=True, check=False
    )


@pytest.mark.slow
def test_a_new_plugin_passes_the_kit_and_strict_typing(tmp_path):
    folder = write_plugin("snow_desk", tmp_path)[0].parent

    tested = done(folder, "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:randomly")
    typed = done(folder, "mypy", "--cache-dir", str(tmp_path / "cache"))
    formatted = done(folder, "ruff", "format", "--check", "--isolated", "--line-length", "100", ".")

    assert tested.returncode == 0, tested.stdout
    assert typed.returncode == 0, typed.stdout
    assert formatted.returncode == 0, formatted.stdout + formatted.stderr


WARNINGS = """
import warnings

import pytest


def test_others_warnings_are_theirs():
    warnings.warn_explicit("old", DeprecationWarning, "anyio.py", 1, module="anyio.pytest_plugin")


def test_warnings_of_the_plugin_are_errors():
    with pytest.raises(DeprecationWarning):
        warnings.warn_explicit("old", DeprecationWarning, "x.py", 1, module="hub_snow_desk.actions")
"""


@pytest.mark.slow
def test_a_new_plugins_tests_fail_for_its_own_warnings_only(tmp_path):
    folder = write_plugin("snow_desk", tmp_path)[0].parent
    (folder / "tests" / "test_warnings.py").write_text(WARNINGS)

    tested = done(folder, "pytest", "-q", "-p", "no:cacheprovider", "tests/test_warnings.py")

    assert tested.returncode == 0, tested.stdout
