"""Vendors that fail, hang, refuse: what is tried again, what waits, what is given up."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from hub.connectors.models import Connector
from hub.testing.rig import Rig, item, posting, running_rig
from hub.testing.sink import Fault, Sink

FAST = {"retry_cap_s": 0.3, "http_timeout_s": 0.5, "heartbeat_s": 2, "sweep_s": 1}


@pytest.fixture
async def rig(engine_url: str, sink: Sink) -> AsyncIterator[Rig]:
    async with running_rig(engine_url, sink.url, dispatch=FAST, connectors=("load", "other")) as r:
        yield r


async def runs(rig: Rig, *columns: str) -> list[tuple]:
    return [tuple(row) for row in await rig.rows(f"SELECT {', '.join(columns)} FROM runs")]


async def until(found, timeout_s: float = 8.0):
    deadline = asyncio.get_running_loop().time() + timeout_s
    while not (value := await found()):
        assert asyncio.get_running_loop().time() < deadline
        await asyncio.sleep(0.02)
    return value


@pytest.mark.parametrize("status", [429, 503, 502, 408])
async def test_a_vendor_that_is_away_for_a_moment_is_asked_again(
    rig: Rig, sink: Sink, status: int
) -> None:
    rig.use(posting())
    sink.faults.append(Fault(times=2, status=status))

    await rig.send(item("a", 1), item("a", 2))
    await rig.settled()

    assert [one.seq for one in sink.counted] == [1, 2]
    assert await runs(rig, "state", "attempts") == [("done", 3), ("done", 1)]


async def test_retry_after_is_waited_for(rig: Rig, sink: Sink) -> None:
    rig.use(posting())
    sink.faults.append(Fault(status=429, headers={"retry-after": "1"}))

    began = asyncio.get_running_loop().time()
    await rig.send(item("a", 1))
    await rig.settled()

    assert asyncio.get_running_loop().time() - began >= 1.0
    assert len(sink.counted) == 1


async def test_a_retry_holds_its_lane_and_not_its_shard(rig: Rig, sink: Sink) -> None:
    rig.use(posting())
    sink.faults.append(Fault(lane="a", status=503, headers={"retry-after": "2"}))

    await rig.send(item("a", 1), *(item(f"x{number}", 1) for number in range(40)), item("a", 2))
    await rig.settled(pending=2)
    first = [one.lane for one in sink.counted]
    await rig.settled()

    assert "a" not in first
    assert len(first) == 40
    assert [one.seq for one in sink.counted if one.lane == "a"] == [1, 2]


async def test_what_is_refused_is_a_dead_letter_at_once(rig: Rig, sink: Sink) -> None:
    rig.use(posting())
    sink.faults.append(Fault(status=422))

    await rig.send(item("a", 1), item("a", 2))
    await rig.settled()

    assert await runs(rig, "state", "attempts") == [("dead", 1), ("done", 1)]
    assert await rig.rows("SELECT outcome FROM events ORDER BY id") == [("given up",), ("done",)]


async def test_later_actions_of_a_rule_stop_when_one_is_given_up(rig: Rig, sink: Sink) -> None:
    rule = posting()
    rig.use(rule | {"then": [*rule["then"], *rule["then"]]})
    sink.faults.append(Fault(status=422))

    await rig.send(item("a", 1))
    await rig.settled()

    assert await runs(rig, "state", "outcome") == [("dead", "dead"), ("skipped", "stopped")]


async def test_attempts_are_bounded(engine_url: str, sink: Sink) -> None:
    few = FAST | {"retry_attempts": 3}
    async with running_rig(engine_url, sink.url, dispatch=few, rules=[posting()]) as rig:
        sink.faults.append(Fault(times=9, status=503))
        await rig.send(item("a", 1))
        await rig.settled()

        assert await runs(rig, "state", "attempts") == [("dead", 3)]


async def test_a_plugins_bug_is_given_up_after_three_attempts(rig: Rig) -> None:
    rig.use(posting("load.fail"))

    await rig.send(item("a", 1))
    await rig.settled()

    assert await runs(rig, "state", "attempts", "error_class") == [("dead", 3, "RuntimeError")]


@pytest.mark.parametrize("arrives", [True, False])
async def test_after_an_unknown_outcome_the_vendor_is_asked_first(
    rig: Rig,
    sink: Sink,
    *,
    arrives: bool,
) -> None:
    rig.use(posting("load.post_once"))
    sink.faults.append(Fault(cut=True, counts=arrives))

    await rig.send(item("a", 1))
    await rig.settled()

    assert len(sink.counted) == 1
    assert sink.twice() == 0
    assert (await runs(rig, "state", "summary"))[0] == (
        "done",
        "Found what was sent" if arrives else "Sent a 1",
    )


async def test_an_answer_that_comes_too_late_is_not_a_second_effect(rig: Rig, sink: Sink) -> None:
    rig.use(posting("load.post_once"))
    sink.faults.append(Fault(hang_s=0.8, status=202, counts=True))

    await rig.send(item("a", 1))
    await rig.settled()

    assert len(sink.counted) == 1


async def test_refused_credentials_hold_the_connector_until_a_check_passes(
    rig: Rig, sink: Sink
) -> None:
    rig.use(posting())
    sink.faults.append(Fault(status=401))

    await rig.send(item("a", 1), item("b", 1), item("a", 2))

    async def held():
        return await rig.rows("SELECT lane FROM holds WHERE reason = 'connector'")

    await until(held)
    states = await rig.rows("SELECT state FROM connectors WHERE name = 'load'")
    assert states == [("needs_credentials",)]
    connector = await rig.connector()
    async with rig.database.transaction() as transaction:
        await rig.clients.states.good_check(transaction, rig.tenant_id, connector.id)
    await rig.settled()

    in_a = [one.seq for one in sink.counted if one.lane == "a"]
    assert in_a == [1, 2]
    assert len(sink.counted) == 3
    assert await rig.rows("SELECT count(*) FROM holds") == [(0,)]
    assert {row[0] for row in await runs(rig, "attempts")} == {1}


async def test_a_paused_connectors_events_wait_and_are_not_lost(rig: Rig, sink: Sink) -> None:
    rig.use(posting())
    connector = await rig.connector()
    async with rig.database.writing() as session:
        row = await session.get(Connector, connector.id)
        row.state = "paused"
    rig.engine.parts.connectors.changed(connector.id)

    await rig.send(item("a", 1))
    await asyncio.sleep(0.3)
    assert sink.counted == []
    async with rig.database.transaction() as transaction:
        await rig.clients.states.enabled(transaction, rig.tenant_id, connector.id)
    await rig.settled()

    assert len(sink.counted) == 1


async def test_an_outage_parks_the_connector_and_uses_up_no_attempts(rig: Rig, sink: Sink) -> None:
    rig.use(posting())
    rig.engine.parts.limits._now = lambda: clock[0]
    clock = [1000.0]
    sink.faults.append(Fault(times=1000, status=503))
    await rig.send(*(item(f"l{number}", 1) for number in range(12)))

    async def parked():
        return await rig.rows("SELECT id FROM connectors WHERE state = 'parked'")

    await until(parked)
    await asyncio.sleep(0.5)
    before = sink.refused
    await asyncio.sleep(1.0)
    assert sink.refused == before
    sink.faults.clear()
    async with rig.database.writing() as session:
        row = await session.get(Connector, (await rig.connector()).id)
        row.parked_until = None
    rig.engine.parts.connectors.changed((await rig.connector()).id)
    clock[0] += 60
    await rig.settled()

    assert len(sink.counted) == 12
    assert await rig.rows("SELECT count(*) FROM runs WHERE state = 'dead'") == [(0,)]
    assert await rig.rows("SELECT state FROM connectors WHERE name = 'load'") == [("active",)]


class Poisoned:
    """Rules that fail on one record, and are the plan's own for all else."""

    def __init__(self, plan) -> None:
        self.plan = plan

    def __getattr__(self, name):
        return getattr(self.plan, name)

    def match(self, facts):
        if facts.record.id == "a":
            raise RuntimeError("poison")
        return self.plan.match(facts)


async def test_a_poison_event_holds_only_its_lane(rig: Rig, sink: Sink) -> None:
    rig.use(posting())
    rig.plans.plan = Poisoned(rig.plans.plan)

    await rig.send(item("a", 1), *(item(f"x{number}", 1) for number in range(20)), item("a", 2))
    await rig.settled(pending=2)

    assert len(sink.counted) == 20
    held = await rig.rows("SELECT reason, detail FROM holds")
    assert [tuple(one) for one in held] == [("retry", "RuntimeError: poison")]
