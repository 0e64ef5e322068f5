"""What happens to deliveries when something fails, at a small size; in full: `make faults`."""

import pytest

from bench.faults.__main__ import Stage
from bench.faults.scenarios import Scenario, all_of
from bench.faults.world import POSTGRES, SQLITE

SIZE = 120
LEFT_OUT = {
    # long by their nature: `make faults` runs them
    (SQLITE, "hot_lane"),
    (SQLITE, "handler_raises"),
    (SQLITE, "clock_jumps"),
    (SQLITE, "replay_of_what_is_gone"),
    (SQLITE, "another_schema"),
    (POSTGRES, "hot_lane"),
    (POSTGRES, "vendor_fails"),
    (POSTGRES, "handler_raises"),
    (POSTGRES, "parse_raises"),
    (POSTGRES, "kill_all_workers"),
    (POSTGRES, "kill_the_door"),
    (POSTGRES, "pause_while_it_accepts"),
    (POSTGRES, "database_away_at_start"),
    (POSTGRES, "clock_jumps"),
    (POSTGRES, "another_schema"),
}
CHOSEN = [one for one in all_of() if (one.driver, one.name) not in LEFT_OUT]


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
@pytest.mark.parametrize("scenario", of(SQLITE))
def test_the_embedded_hub_keeps_its_promises(sqlite_stage: Stage, scenario: Scenario) -> None:
    assert_kept(sqlite_stage, scenario)


@pytest.mark.slow
@pytest.mark.postgres
@pytest.mark.parametrize("scenario", of(POSTGRES))
def test_a_hub_on_several_hosts_keeps_its_promises(
    postgres_stage: Stage, scenario: Scenario
) -> None:
    assert_kept(postgres_stage, scenario)
