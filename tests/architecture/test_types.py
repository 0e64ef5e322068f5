"""The plugin of the tutorial is as strictly typed as the hub itself."""

import subprocess
import sys

import pytest

from tests.architecture.tree import ROOT


@pytest.mark.slow
def test_the_tutorials_plugin_is_strictly_typed(tmp_path):
    theirs = ROOT / "tests" / "thirdparty"  # codespell:ignore thirdparty
    sample = theirs / "zendesk" / "hub_zendesk.py"

    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(tmp_path), str(sample)],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stdout
