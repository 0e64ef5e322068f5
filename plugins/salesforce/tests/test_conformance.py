"""What others wrote agrees with plugin and simulator; skipped where it is not here."""

import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

FOLDER = Path(__file__).resolve().parent / "conformance"
pytestmark = pytest.mark.slow


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """The program that judges, imported from its folder."""
    monkeypatch.syspath_prepend(str(FOLDER))
    import run  # noqa: PLC0415 - lies in a folder of its own

    yield run
    for name in [one for one in sys.modules if one == "run" or one.startswith("sf_")]:
        del sys.modules[name]


def test_recorded_answers_are_read_and_the_simulators_have_their_shape(run: ModuleType) -> None:
    folder = run.vendor_folder()
    if folder is None:
        pytest.skip("VENDOR_DATA does not name the folder of the recorded answers")

    found = run.sf_recordings.judged(folder)

    assert found.failures == []
    assert found.calls > 100


def test_simple_salesforce_drives_the_simulator(run: ModuleType) -> None:
    why = run.sf_foreign.missing_python()
    if why:
        pytest.skip(why)
    import sf_simple  # noqa: PLC0415 - only where it is installed

    with run.served() as org:
        steps = sf_simple.drive(org)

    assert steps.failures == []


def test_jsforce_drives_the_simulator(run: ModuleType) -> None:
    why = run.sf_foreign.missing_node()
    if why:
        pytest.skip(why)

    with run.served() as org:
        found = run.sf_foreign.run_jsforce(org)

    assert found["failures"] == []
    assert found["calls"] > 20


def test_the_public_parser_reads_our_soql_and_apex(run: ModuleType) -> None:
    why = run.sf_foreign.missing_node()
    if why:
        pytest.skip(why)
    report = run.Report()

    run._texts(report)

    assert report.failures == []
    assert report.figures["apex_files"] == 6


async def test_every_query_of_the_plugin_passes_the_simulators_reader(run: ModuleType) -> None:
    from hub_salesforce.testing.query import parse  # noqa: PLC0415 - beside its use

    found = await run.sf_soql.statements()

    for text in [*found, *run.sf_soql.ACCEPTED]:
        parse(text)
    assert len(found) > 15
