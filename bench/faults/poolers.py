"""Scenarios: everything goes through a pooler in transaction mode."""

import time

from bench.faults.crashes import kill_a_worker
from bench.faults.pooler import a_pooler, program
from bench.faults.verdict import Verdict
from bench.faults.world import POSTGRES, World

_LASTS_S = 4
_AWAY_S = 1.0


def behind_a_pooler(world: World, size: int) -> Verdict:
    """Through PgBouncer: kill -9 of a worker, then the pooler goes away and comes back."""
    assert world.server is not None
    with a_pooler(world.server.url("postgres")) as pooler:
        world.pooler = pooler
        try:
            killed = kill_a_worker(world, size)
            with world.load(size, rate=size / _LASTS_S):
                world.until(size + size // 4)
                pooler.stop()
                time.sleep(_AWAY_S)
                pooler.start()
            found = world.verdict()
        finally:
            world.stop()
    found.more |= killed.more
    return found


behind_a_pooler.alone = True

BOTH: dict[str, object] = {}
ONLY = {POSTGRES: {"behind_a_pooler": behind_a_pooler} if program() else {}}
