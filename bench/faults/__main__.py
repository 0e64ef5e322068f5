"""Run the scenarios and print what came of them, one JSON object a line."""

import argparse
import json
import os
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator
from pathlib import Path

from bench.faults.postgres import Server
from bench.faults.scenarios import Scenario, all_of
from bench.faults.verdict import Verdict
from bench.faults.world import POSTGRES, SQLITE, world

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


def one(scenario: Scenario, server: Server | None, size: int) -> Verdict | None:
    """Run one scenario on a hub of its own; None: it did not come to its end."""
    began = time.monotonic()
    try:
        with world(scenario.driver, server, seed=hash(scenario.name)) as made:
            try:
                found = scenario.run(made, size)
            except BaseException:
                for process in made.processes:
                    print(process.text()[-3000:], file=sys.stderr)
                raise
    except Exception:  # noqa: BLE001 - told, counted as failed, and the others still run
        print(f"{scenario.name} ({scenario.driver}) failed:", file=sys.stderr)
        traceback.print_exc()
        return None
    _tell(scenario, found, time.monotonic() - began)
    return found


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


def main() -> int:
    """Run what is asked for."""
    parser = argparse.ArgumentParser(description="What happens when something fails.")
    parser.add_argument("names", nargs="*", help="scenarios; all by default")
    parser.add_argument("--scale", choices=SIZES, default=os.environ.get("SCALE") or "full")
    parser.add_argument("--driver", choices=(SQLITE, POSTGRES))
    asked = parser.parse_args()
    chosen = [
        scenario
        for scenario in all_of()
        if (not asked.names or scenario.name in asked.names)
        and asked.driver in (None, scenario.driver)
    ]
    server, found = None, []
    try:
        for scenario in chosen:
            if scenario.driver == POSTGRES and server is None:
                server = Server(Path(tempfile.mkdtemp(prefix="hub-faults-pg-")), listen="*")
                server.start()
            found.append(one(scenario, server, scenario.size(SIZES[asked.scale])))
    finally:
        if server is not None:
            server.stop()
    figure("faults.scenarios", len(found), "count")
    figure("faults.events", sum(one.events for one in found if one is not None), "events")
    kept = [
        figure(f"faults.{name}", value, _UNITS.get(name, "count"), LIMITS[name])
        for name, value in summed(found)
    ]
    return 0 if all(kept) and found else 1


if __name__ == "__main__":
    raise SystemExit(main())
