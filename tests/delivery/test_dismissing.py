"""A person gives up a run of which nobody knows whether it arrived; never one that is worked."""

import asyncio

import pytest

from hub.testing.rig import Rig, item, posting, running_rig
from hub.testing.sink import Fault, Sink
from tests.delivery.app import api_of

HOME = "/api/v1/tenants/load"
BY_HAND = {"json": {"reason": "done by hand"}}
STUCK = "UPDATE runs SET state = 'sent', sent_at = created_at, error_class = NULL, error = NULL"
LONG_AGO = "'2020-01-01T00:00:00.000000Z'"
NOW = "(SELECT created_at FROM runs)"
NOTING = {
    "object": "load.item",
    "on": ["load.item.created"],
    "then": [{"do": "load.set_status", "connector": "load", "with": {"status": "taken"}}],
}


async def until_held(rig: Rig) -> None:
    for _ in range(400):
        if await rig.rows("SELECT 1 FROM holds"):
            return
        await asyncio.sleep(0.02)
    raise AssertionError("no lane waits")


async def change(rig: Rig, *statements: str) -> None:
    async with rig.database.transaction() as connection:
        for one in statements:
            await connection.exec_driver_sql(one)


async def stuck(rig: Rig, sink: Sink, rule: dict) -> None:
    """Leave a run in the state "sent" in a lane that waits, and an event behind it."""
    rig.use(rule)
    sink.faults.append(Fault(status=503, headers={"retry-after": "600"}))
    await rig.send(item("a", 1), item("a", 2))
    await until_held(rig)
    await change(rig, STUCK)


async def told(rig: Rig) -> list[str]:
    return [
        row[0] for row in await rig.rows("SELECT text FROM activity WHERE text LIKE '%dismissed%'")
    ]


async def test_a_run_that_was_sent_is_given_up_in_a_lane_that_waits(rig: Rig, sink: Sink) -> None:
    await stuck(rig, sink, posting("load.post_once"))
    async with api_of(rig) as api:
        (run,) = (await api.get(f"{HOME}/runs?state=sent")).json()["items"]
        given_up = await api.post(f"{HOME}/runs/{run['id']}/dismiss", **BY_HAND)
        await rig.settled()
        again = await api.post(f"{HOME}/runs/{run['id']}/dismiss", **BY_HAND)

    assert given_up.status_code == 200, given_up.text
    shown = given_up.json()
    assert (shown["state"], shown["outcome"]) == ("skipped", "dismissed")
    assert shown["summary"] == (
        "Dismissed by Ana: done by hand. Whether it arrived at the vendor is not known."
    )
    assert [one.seq for one in sink.counted] == [2]
    (line,) = await told(rig)
    assert "dismissed: done by hand. Whether it arrived at the vendor is not known. (Ana)" in line
    assert again.status_code == 409


async def test_what_may_have_arrived_stays_expected_and_is_no_change_of_a_person(
    rig: Rig, sink: Sink
) -> None:
    await stuck(rig, sink, NOTING)
    async with api_of(rig) as api:
        (run,) = (await api.get(f"{HOME}/runs?state=sent")).json()["items"]
        await api.post(f"{HOME}/runs/{run['id']}/dismiss", **BY_HAND)
    number = int(run["id"].removeprefix("run_"))

    (kept,) = await rig.rows(f"SELECT count(*) FROM echoes WHERE run_id = {number}")

    assert kept[0] == 1


async def test_a_run_on_its_way_can_not_be_called_back_and_the_answer_says_so(
    rig: Rig, sink: Sink
) -> None:
    rig.use(posting("load.post_once"))
    sink.faults.append(Fault(hang_s=1.0, status=202, counts=True))
    await rig.send(item("a", 1))
    while not sink.in_flight:  # noqa: ASYNC110 - the sink tells nobody
        await asyncio.sleep(0.01)

    async with api_of(rig) as api:
        (run,) = (await api.get(f"{HOME}/runs")).json()["items"]
        refused = await api.post(f"{HOME}/runs/{run['id']}/dismiss", **BY_HAND)
        await rig.settled()
        (after,) = (await api.get(f"{HOME}/runs")).json()["items"]

    assert refused.status_code == 409
    assert "is being worked at the moment" in refused.json()["detail"]
    assert "once its lane waits (hub hold list)" in refused.json()["detail"]
    assert after["state"] == "done"


@pytest.mark.parametrize("beat", [None, "fresh", "old"])
async def test_the_run_of_a_process_that_is_gone_is_given_up_and_it_is_fenced(
    engine_url: str, sink: Sink, beat: str | None
) -> None:
    async with running_rig(engine_url, sink.url) as rig:
        await stuck(rig, sink, posting("load.post_once"))
    async with running_rig(engine_url, sink.url, started=False) as rig:
        owned = f"UPDATE shards SET owner = 'gone:1:a', scheduled = true, updated_at = {LONG_AGO}"
        await change(rig, "DELETE FROM holds", owned)
        if beat is not None:
            at = NOW if beat == "fresh" else LONG_AGO
            await change(
                rig,
                "INSERT INTO workers (id, host, version, started_at, beat_at, role, plan_versions) "
                f"VALUES ('gone:1:a', 'h', '1', {at}, {at}, 'worker', '{{}}')",
            )
        [(number, before)] = await rig.rows(
            "SELECT id, epoch FROM shards WHERE id = (SELECT shard FROM events LIMIT 1)"
        )
        async with api_of(rig) as api:
            (run,) = (await api.get(f"{HOME}/runs?state=sent")).json()["items"]
            answer = await api.post(f"{HOME}/runs/{run['id']}/dismiss", **BY_HAND)
        [(after,)] = await rig.rows(f"SELECT epoch FROM shards WHERE id = {number}")

    assert answer.status_code == (409 if beat == "fresh" else 200), answer.text
    assert after == (before if beat == "fresh" else before + 1)
