"""`import hub` is for plugin authors: it loads what the contract needs and nothing else."""

import json
import subprocess
import sys

import pytest

from tests.architecture.tree import ROOT

HEAVY = ("fastapi", "starlette", "sqlalchemy", "httpx", "aiohttp", "structlog", "typer", "uvicorn")
LOADED = "import {module}, json, sys; print(json.dumps(sorted(sys.modules)))"


def loaded_by(module: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", LOADED.format(module=module)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return set(json.loads(done.stdout))


def test_importing_the_hub_loads_nothing_heavy():
    assert loaded_by("hub") & set(HEAVY) == set()


def test_importing_the_hub_loads_only_its_contract():
    inside = {name for name in loaded_by("hub") if name.startswith("hub.")}

    assert {name for name in inside if not name.startswith("hub.sdk")} == {"hub._version"}


@pytest.mark.parametrize("plugin", ["hub_pagerduty", "hub_salesforce"])
def test_importing_a_plugin_loads_no_server(plugin):
    assert loaded_by(plugin) & {"fastapi", "starlette", "sqlalchemy", "uvicorn"} == set()


@pytest.mark.slow
def test_the_layers_hold():
    done = subprocess.run(
        [sys.executable, "-c", "from importlinter.cli import lint_imports_command as run; run()",
         "--no-cache"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stdout
