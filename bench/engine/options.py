"""How much is measured: the whole, or a short run."""

import argparse
import os
from typing import NamedTuple


class Options(NamedTuple):
    """Sizes of a run. Figures of a short one are for finding faults, not for gates."""

    rounds: int
    seconds: float
    events: int
    steady: int
    probes: int
    postgres: bool
    only: tuple[str, ...]


def read_options(parts: tuple[str, ...]) -> Options:
    """Read the command line; SCALE and ROUNDS of the environment are its defaults."""
    parser = argparse.ArgumentParser(description="Measure the delivery engine.")
    parser.add_argument("only", nargs="*", help=f"parts to measure: {' '.join(parts)}")
    parser.add_argument("--scale", default=os.environ.get("SCALE") or "full", choices=SCALES)
    parser.add_argument("--rounds", type=int, default=int(os.environ.get("ROUNDS") or 0))
    parser.add_argument("--no-postgres", action="store_true")
    asked = parser.parse_args()
    unknown = sorted(set(asked.only) - set(parts))
    if unknown:
        parser.error(f"no part {', '.join(unknown)}; known: {', '.join(parts)}")
    rounds, seconds, events, steady, probes = SCALES[asked.scale]
    return Options(
        rounds=asked.rounds or rounds,
        seconds=seconds,
        events=events,
        steady=steady,
        probes=probes,
        postgres=not asked.no_postgres,
        only=tuple(asked.only) or parts,
    )


SCALES = {"small": (1, 1.0, 1500, 4000, 30), "full": (3, 3.0, 6000, 100_000, 200)}
"""rounds, seconds of load, events to drain, events for memory, probes of an idle hub."""
