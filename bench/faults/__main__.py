"""Run the scenarios and print what came of them, one JSON object a line."""

import argparse
import contextlib
import json
import os
import shutil
import signal
import sys
import tempfile
import time
import traceback
import zlib
from collections.abc import Iterator
from pathlib import Path

from bench.faults import network
from bench.faults.postgres import Server
from bench.faults.scenarios import Scenario, all_of
from bench.faults.verdict import Verdict
from bench.faults.world import POSTGRES, SQLITE, World, world

SIZES = {"full": 10_000, "small": 1_000, "tiny": 300}
LIMITS = {"lost": 0, "duplicated": 0, "disordered": 0, "broken": 0, "failed": 0, "takeover_s": 5}
_UNITS = {"takeover_s": "s"}


def figure(name: str, value: float, unit: str, limit: float | None = None) -> bool:
    """Print a figure; with a limit, whether it keeps it."""
    line = {"figure": name, "value": round(value, 3), "unit": unit}
    if limit is not None:
        line |= {"limit": limit, "ok": value <= limit}
    print(json.dumps(line), flush=True)
    return limit is None or value <= limit


class Stage:
    """Runs scenarios of one driver, on one hub as long as it stays well."""

    def __init__(self, driver: str, server: Server | None) -> None:
        self._driver, self._server = driver, server
        self._shared = contextlib.ExitStack()
        self._world: World | None = None

    def run(self, scenario: Scenario, size: int) -> Verdict | None:
        """Run one scenario; None: it did not come to its end."""
        began = time.monotonic()
        try:
            found = self._alone(scenario, size) if scenario.alone else self._among(scenario, size)
        except Exception:  # noqa: BLE001 - told, counted as failed, and the others still run
            print(f"{scenario.name} ({scenario.driver}) failed:", file=sys.stderr)
            traceback.print_exc()
            self.close()
            return None
        _tell(scenario, found, time.monotonic() - began)
        return found

    def close(self) -> None:
        """Stop the hub."""
        self._shared.close()
        self._world = None

    def _alone(self, scenario: Scenario, size: int) -> Verdict:
        self.close()  # two hubs at once would share the cores
        with world(self._driver, self._server, seed=_seed(scenario)) as made:
            return _played(made, scenario, size)

    def _among(self, scenario: Scenario, size: int) -> Verdict:
        if self._world is None:
            made = world(self._driver, self._server, seed=_seed(scenario))
            self._world = self._shared.enter_context(made)
        self._world.begin()
        return _played(self._world, scenario, size)


def _played(made: World, scenario: Scenario, size: int) -> Verdict:
    try:
        return scenario.run(made, size)
    except BaseException:
        for process in made.processes:
            print(process.text()[-3000:], file=sys.stderr)
        raise


def _seed(scenario: Scenario) -> int:
    return zlib.crc32(f"{scenario.driver} {scenario.name}".encode())


def _tell(scenario: Scenario, found: Verdict, seconds: float) -> None:
    told = {
        "scenario": scenario.name,
        "driver": scenario.driver,
        "ok": found.good,
        "events": found.events,
        "lost": found.lost,
        "duplicated": found.duplicated,
        "disordered": found.disordered,
        "requests_again": found.repeated,
        "seconds": round(seconds, 1),
        **{name: round(value, 3) for name, value in found.more.items()},
    }
    if found.server_errors:
        told["server_errors"] = found.server_errors
    if found.broken:
        told["broken"] = found.broken
    print(json.dumps(told), flush=True)


def summed(found: list[Verdict | None]) -> Iterator[tuple[str, float]]:
    """Return the figures over all scenarios."""
    ended = [one for one in found if one is not None]
    yield "lost", sum(one.lost for one in ended)
    yield "duplicated", sum(one.duplicated for one in ended)
    yield "disordered", sum(one.disordered for one in ended)
    yield "broken", sum(len(one.broken) + (one.server_errors > 0) for one in ended)
    yield "takeover_s", max((one.more.get("takeover_s", 0.0) for one in ended), default=0.0)
    yield "failed", len(found) - len(ended)


def played(chosen: list[Scenario], server: Server | None, size: int) -> list[Verdict | None]:
    """Run scenarios, by driver, and tell of each."""
    found = []
    for driver in (SQLITE, POSTGRES):
        with contextlib.closing(Stage(driver, server)) as stage:
            mine = [one for one in chosen if one.driver == driver]
            ordered = sorted(mine, key=lambda one: one.alone)
            found += [stage.run(one, one.size(size)) for one in ordered]
    return found


@contextlib.contextmanager
def a_server(*, needed: bool = True) -> Iterator[Server | None]:
    """Run a PostgreSQL, reachable from hosts of their own where this user may make such."""
    with contextlib.ExitStack() as stack:
        if not needed:
            yield None
            return
        more = []
        if network.may_have_namespaces():
            stack.enter_context(network.addresses())
            more = [network.DATABASE]
        folder = Path(tempfile.mkdtemp(prefix="hub-faults-pg-"))
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        server = Server(folder, *more)
        server.start()
        stack.callback(server.stop)
        yield server


def main() -> int:
    """Run what is asked for."""
    parser = argparse.ArgumentParser(description="What happens when something fails.")
    parser.add_argument("names", nargs="*", help="scenarios; all by default")
    parser.add_argument("--scale", choices=SIZES, default=os.environ.get("SCALE") or "full")
    parser.add_argument("--driver", choices=(SQLITE, POSTGRES))
    asked = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that what was started is stopped
    chosen = [
        scenario
        for scenario in all_of()
        if (not asked.names or scenario.name in asked.names)
        and asked.driver in (None, scenario.driver)
    ]
    with a_server(needed=any(each.driver == POSTGRES for each in chosen)) as server:
        found = played(chosen, server, SIZES[asked.scale])
    figure("faults.scenarios", len(found), "count")
    figure("faults.events", sum(one.events for one in found if one is not None), "events")
    kept = [
        figure(f"faults.{name}", value, _UNITS.get(name, "count"), LIMITS[name])
        for name, value in summed(found)
    ]
    return 0 if all(kept) and found else 1


if __name__ == "__main__":
    raise SystemExit(main())
