"""What others wrote agrees with plugin and simulator; skipped where it is not here."""

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

PROGRAM = Path(__file__).resolve().parent / "conformance" / "run.py"
pytestmark = pytest.mark.slow


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """The program that judges."""
    monkeypatch.setattr(sys, "path", [*sys.path])
    spec = importlib.util.spec_from_file_location("rf_run", PROGRAM)
    assert spec is not None
    assert spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    yield made
    for name in [one for one in sys.modules if one.startswith(("sf_", "rf_"))]:
        del sys.modules[name]


@pytest.mark.covers("RF-057", "RF-059")
def test_the_public_parser_reads_our_soql_and_apex(run: ModuleType) -> None:
    why = run.sf_foreign.missing_node()
    if why:
        pytest.skip(why)

    found = run.texts()

    assert found["apex_files"] == (5, [])
    assert found["soql"][1] == []
    assert found["soql"][0] > 30


def test_simple_salesforce_makes_incidents_and_notes(run: ModuleType) -> None:
    why = run.sf_foreign.missing_python()
    if why:
        pytest.skip(why)

    calls, failures = run.drive()

    assert failures == []
    assert calls == 7


async def test_the_simulators_answers_have_the_shape_of_recorded_ones(run: ModuleType) -> None:
    folder = run.recordings_folder()
    if folder is None:
        pytest.skip("VENDOR_DATA does not name the folder of the recorded answers")

    steps = await run.shapes(folder)

    assert steps.failures == []
    assert steps.calls == 8


async def test_every_query_of_the_plugin_passes_the_simulators_reader(run: ModuleType) -> None:
    from hub_salesforce.testing.query import parse  # noqa: PLC0415 - beside its use

    found = await run.rf_soql.statements()

    for text in found:
        parse(text)
    assert len(found) > 30
