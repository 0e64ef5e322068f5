"""What must hold of the inbox whenever nothing is under way."""

from hub.deliveries.invariants import check
from hub.testing.rig import Rig


async def broken(rig: Rig) -> dict[str, list[str]]:
    """Return the invariants that do not hold, with the rows that break them."""
    engine = rig.engine
    found = await engine.store.read(
        lambda connection: check(connection, engine.driver, engine.clock())
    )
    return {one.name: list(one.broken) for one in found if not one.holds}
