"""All scenarios, by driver."""

from collections.abc import Callable
from dataclasses import dataclass

from bench.faults import crashes, databases, hosts, machines, poolers, vendors
from bench.faults.verdict import Verdict
from bench.faults.world import POSTGRES, SQLITE, World

Run = Callable[[World, int], Verdict]
_MODULES = (crashes, databases, hosts, machines, poolers, vendors)
_DRIVERS = (SQLITE, POSTGRES)


@dataclass(frozen=True, slots=True)
class Scenario:
    """One thing that fails, on one driver. `least`: fewer events would not show it."""

    name: str
    driver: str
    run: Run

    @property
    def alone(self) -> bool:
        """Whether it needs a hub of its own."""
        return getattr(self.run, "alone", False)

    def size(self, asked: int) -> int:
        """Return how many events it is run with."""
        return max(asked, getattr(self.run, "least", 0))


def all_of() -> list[Scenario]:
    """Return the scenarios, those on SQLite first."""
    found = []
    for driver in _DRIVERS:
        for module in _MODULES:
            chosen = {**module.BOTH, **module.ONLY.get(driver, {})}
            found += [Scenario(name, driver, run) for name, run in chosen.items()]
    return found
