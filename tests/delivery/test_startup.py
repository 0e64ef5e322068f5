"""What is checked before work begins, and changing the number of shards."""

import pytest

from hub import clock
from hub.deliveries.resharding import reshard
from hub.errors import StartRefused
from hub.testing.rig import item, posting, running_rig
from hub.testing.sink import Sink


async def test_another_number_of_shards_is_refused_until_the_inbox_is_filed_anew(
    engine_url: str, sink: Sink
) -> None:
    async with running_rig(engine_url, sink.url, works=False) as rig:
        await rig.send(*(item(f"l{lane}", 0) for lane in range(30)))

    with pytest.raises(StartRefused, match="hub migrate --reshard 4"):
        async with running_rig(engine_url, sink.url, dispatch={"shards": 4}):
            pass
    async with running_rig(engine_url, sink.url, started=False) as rig:
        lanes = await rig.engine.store.write(lambda c: reshard(c, 4, clock.now()))
    dispatch = {"shards": 4, "sweep_s": 1}
    async with running_rig(engine_url, sink.url, dispatch=dispatch, rules=[posting()]) as rig:
        await rig.settled()

        assert lanes == 30
        assert {row[0] for row in await rig.rows("SELECT shard FROM events")} <= {0, 1, 2, 3}
    assert sink.effects == 30


async def test_a_second_process_does_not_get_the_file(sqlite_url: str, sink: Sink) -> None:
    async with running_rig(sqlite_url, sink.url):
        with pytest.raises(StartRefused, match="Another hub process"):
            async with running_rig(sqlite_url, sink.url):
                pass


@pytest.mark.postgres
async def test_without_the_queues_tables_it_says_what_to_run(postgres_url: str, sink: Sink) -> None:
    with pytest.raises(StartRefused, match="hub migrate"):
        async with running_rig(postgres_url, sink.url):
            pass
