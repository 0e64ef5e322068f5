"""Operators that fail and indexes that err are told to the tenant, counted, and got around."""

from collections.abc import AsyncIterator

import pytest

from hub.rulesets import operators_off
from hub.sdk.hookspecs import hookimpl
from hub.sdk.operators import AccessKey, KeyKind, Operator
from hub.sdk.vocabulary import FieldType
from hub.testing.rig import Rig, item, posting, running_rig
from hub.testing.sink import Sink
from hub.testing.workload import LoadPlugin


def _raises(operand, field):
    def met(actual, prior, at):
        raise RuntimeError("out of order")

    return met


class Faulty(LoadPlugin):
    """Brings one operator that raises, and one whose keys lie."""

    @hookimpl
    def hub_register_operators(self):
        text = frozenset({FieldType.TEXT})
        return [
            Operator(
                name="load.raises",
                label="raises",
                sentence="{field} raises {value}",
                types=text,
                compile=_raises,
            ),
            Operator(
                name="load.begins",
                label="begins",
                sentence="{field} begins {value}",
                types=text,
                compile=lambda operand, _: lambda now, *_: now is not None and operand in now,
                keys=lambda operand, name: [AccessKey(KeyKind.EQUAL, name, operand)],
            ),
        ]


def when(op: str) -> dict:
    return {"all": [{"field": "load.item.lane", "op": op, "value": "a"}]}


@pytest.fixture
async def rig(sqlite_url: str, sink: Sink) -> AsyncIterator[Rig]:
    async with running_rig(sqlite_url, sink.url, plugin=Faulty()) as rig:
        yield rig


async def told(rig: Rig) -> list[str]:
    await rig.engine.parts.care.tick()
    return [row[0] for row in await rig.rows("SELECT text FROM activity WHERE kind = 'rule'")]


async def test_an_operator_that_fails_is_told_once_and_counted(rig: Rig, sink: Sink) -> None:
    rig.use(posting(when=when("load.raises")))

    for number in range(3):
        await rig.send(item("a", number))
        await rig.settled()
        await rig.engine.parts.care.tick()

    (line,) = await told(rig)
    assert "The operator load.raises failed on load.item.lane" in line
    assert "out of order" in line
    assert sink.counted == []
    figures = rig.engine.counters.text()
    assert 'hub_operator_failures_total{operator="load.raises"} 3' in figures


async def test_an_operator_that_fails_too_often_is_switched_off_everywhere(
    rig: Rig, sink: Sink
) -> None:
    rig.use(posting(when=when("load.raises")), posting(name="other", when=when("load.raises")))

    await rig.send(*(item("a", number) for number in range(99)))
    await rig.settled()
    assert not [line for line in await told(rig) if "operator is off" in line]
    await rig.send(item("a", 99))
    await rig.settled()
    (line,) = [line for line in await told(rig) if "operator is off" in line]

    assert "'load.raises' of the plugin load" in line
    assert "failed on 100 events within 5 minutes (RuntimeError)" in line
    async with rig.database.reading() as session:
        (off,) = await operators_off.listed(session, rig.catalog)
    assert (off.operator, off.failures, off.error) == ("load.raises", 100, "RuntimeError")
    assert 'hub_operators_off_total{operator="load.raises"} 1' in rig.engine.counters.text()


async def test_an_index_that_errs_is_noticed_told_and_got_around(rig: Rig, sink: Sink) -> None:
    rig.use(posting(when=when("load.begins")))
    rig.engine.parts.care.compared_every = 2

    await rig.send(item("abc", 1))
    await rig.settled()
    await rig.send(item("abc", 2))
    await rig.settled()
    await rig.send(item("abc", 3))
    await rig.settled()

    (line,) = await told(rig)
    assert "The index did not find the rule" in line
    assert "(load.begins)" in line
    assert "hub_index_disagreements_total 1" in rig.engine.counters.text()
    assert [one.seq for one in sink.counted] == [2, 3]


async def test_what_is_over_is_forgotten_by_housekeeping(rig: Rig) -> None:
    await rig.rows("SELECT 1")
    async with rig.database.transaction() as connection:
        await connection.exec_driver_sql(
            "INSERT INTO request_keys (key_hash, request_hash, created_at) "
            "VALUES (x'01', x'02', '2020-01-01T00:00:00.000000Z')"
        )

    await rig.engine.housekeeping.forget()

    assert await rig.rows("SELECT count(*) FROM request_keys") == [(0,)]
