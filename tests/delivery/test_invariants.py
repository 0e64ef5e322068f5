"""`hub check inbox`: each broken invariant is told, and nothing else is."""

import pytest

from hub.db.bulk import query
from hub.deliveries.invariants import NAMES
from hub.testing.invariants import broken
from hub.testing.rig import Rig, item, posting, running_rig
from hub.testing.sink import Sink
from tests.delivery.app import api_of

BREAKING = {
    "an event that can be worked is in a shard that is awake": (
        "UPDATE events SET state = 'pending', created_at = '2020-01-01 00:00:00+00:00' "
        "WHERE id = (SELECT max(id) FROM events)"
    ),
    "a scheduled shard has a wake-up": (
        "UPDATE shards SET scheduled = true, updated_at = '2020-01-01 00:00:00+00:00' "
        "WHERE id = (SELECT min(id) FROM shards)"
    ),
    "an event that ended has no action under way": (
        "UPDATE runs SET state = 'sent' WHERE id = (SELECT min(id) FROM runs)"
    ),
    "no event of a lane ended before an older one": (
        "UPDATE events SET state = 'pending' WHERE id = (SELECT min(id) FROM events)"
    ),
    "an accepted delivery has all its events": "UPDATE deliveries SET events = events + 1",
}


async def worked(rig: Rig) -> None:
    rig.use(posting())
    await rig.send(*(item("a", seq) for seq in range(3)))
    await rig.settled()


async def test_after_ordinary_work_all_invariants_hold(rig: Rig) -> None:
    await worked(rig)

    async with api_of(rig) as api:
        told = (await api.get("/api/v1/inbox/check")).json()

    assert [one["name"] for one in told["invariants"]] == list(NAMES)
    assert told["holds"] is True


@pytest.mark.parametrize("name", BREAKING)
async def test_a_broken_invariant_is_told_with_what_breaks_it(
    engine_url: str, sink: Sink, name: str
) -> None:
    async with running_rig(engine_url, sink.url) as rig:
        await worked(rig)
    async with running_rig(engine_url, sink.url, started=False) as rig:
        await rig.engine.store.write(lambda connection: query(connection, BREAKING[name]))

        found = await broken(rig)

    assert name in found
    assert found[name] != []
