"""What happens to deliveries when something fails, at a small size; in full: `make faults`."""

import pytest

from bench.faults.__main__ import Stage
from bench.faults.scenarios import Scenario, all_of
from bench.faults.world import POSTGRES, SQLITE

SIZE = 120
CHOSEN_NAMES = {
    SQLITE: {
        "kill_the_door",
        "two_on_one_file",
        "disk_full",
        "parse_raises",
        "replay_of_what_is_gone",
    },
    POSTGRES: {
        "stop_and_start",
        "kill_a_worker",
        "kill_the_database",
        "pause_a_worker",
        "database_away_in_flight",
        "wakeups_lost",
        "host_cut_off",
    },
}
"""`make faults` runs all of them, on both drivers."""
CHOSEN = [one for one in all_of() if one.name in CHOSEN_NAMES[one.driver]]


def of(driver: str) -> list[object]:
    ordered = sorted((one for one in CHOSEN if one.driver == driver), key=lambda one: one.alone)
    return [pytest.param(one, id=one.name) for one in ordered]


def assert_kept(stage: Stage, scenario: Scenario) -> None:
    found = stage.run(scenario, SIZE)

    assert found is not None, "it did not come to its end; see its output"
    assert (found.lost, found.duplicated, found.disordered) == (0, 0, 0)
    assert found.broken == []
    assert found.server_errors == 0
    assert found.more.get("takeover_s", 0) <= 5


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("scenario", of(SQLITE))
def test_the_embedded_hub_keeps_its_promises(sqlite_stage: Stage, scenario: Scenario) -> None:
    assert_kept(sqlite_stage, scenario)


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.postgres
@pytest.mark.parametrize("scenario", of(POSTGRES))
def test_a_hub_on_several_hosts_keeps_its_promises(
    postgres_stage: Stage, scenario: Scenario
) -> None:
    assert_kept(postgres_stage, scenario)
