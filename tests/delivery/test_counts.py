"""What an accepted batch and a worked event cost in statements and commits.

Counts, not seconds: they hold on any machine, and grow when a statement slips into a loop.
"""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import event

from hub.connectors.clients import SEEN_FOR_S
from hub.db import bulk
from hub.deliveries.reading import AT_ONCE
from hub.testing.rig import Rig, item, posting, running_rig
from hub.testing.sink import Sink

BATCH = 64
LANES, EACH = 40, 5
STATEMENTS_A_BATCH = {"sqlite": 40, "postgresql": 5}
"""On SQLite a table's rows take up to six; a statement a delivery would make it more than 64."""
BESIDE = 2
"""The hub counts what is pending each second, whatever comes."""
STATEMENTS_AN_EVENT = 10
COMMITS_AN_EVENT = 1.5


class Statements:
    """How many statements the inbox and the ledger ran."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.count = 0
        for name in ("_run", "_returned"):
            patch.setattr(bulk, name, self._counted(getattr(bulk, name)))

    def _counted(self, run: Callable[..., list[Any]]) -> Callable[..., list[Any]]:
        def counted(*args: Any, **more: Any) -> list[Any]:
            self.count += 1
            return run(*args, **more)

        return counted


@pytest.fixture
def statements(monkeypatch: pytest.MonkeyPatch) -> Statements:
    return Statements(monkeypatch)


async def accept_together(rig: Rig, count: int, seq: int) -> None:
    await asyncio.gather(*(rig.send(item(f"l{n}", seq)) for n in range(count)))


async def test_deliveries_that_come_together_share_one_commit(
    engine_url: str, sink: Sink, statements: Statements
) -> None:
    async with running_rig(engine_url, sink.url, works=False) as rig:
        await rig.send(item("first", 0))
        commits, before = rig.engine.intake.commits.commits, statements.count
        await accept_together(rig, BATCH, 0)
        batches = rig.engine.intake.commits.commits - commits
    assert batches <= BATCH / AT_ONCE + 1
    most = batches * STATEMENTS_A_BATCH[rig.database.dialect] + BESIDE
    assert statements.count - before <= most


async def test_a_delivery_of_many_events_costs_hardly_more_statements_than_one_of_one(
    engine_url: str, sink: Sink, statements: Statements
) -> None:
    async with running_rig(engine_url, sink.url, works=False) as rig:
        await rig.send(item("first", 0))
        before = statements.count
        await rig.send(item("second", 0))
        single, before = statements.count - before, statements.count
        await rig.send(*(item(f"l{n}", 0) for n in range(BATCH)))
        whole = statements.count - before
    assert whole <= 2 * single


async def test_a_worked_event_takes_few_statements_and_commits(
    engine_url: str, sink: Sink, statements: Statements
) -> None:
    async with running_rig(engine_url, sink.url, works=False) as rig:
        for seq in range(EACH):
            await rig.send(*(item(f"l{n}", seq) for n in range(LANES)))
    events, before = LANES * EACH, statements.count
    async with running_rig(engine_url, sink.url, rules=[posting()]) as rig:
        await rig.settled()
        commits = rig.engine.parts.commits.commits
    assert sink.effects == events
    assert sink.twice() == sink.disordered() == 0
    assert commits <= events * COMMITS_AN_EVENT
    assert statements.count - before <= events * STATEMENTS_AN_EVENT


async def test_many_connectors_are_looked_at_by_one_query(sqlite_url: str, sink: Sink) -> None:
    names = [f"load{number}" for number in range(30)]
    selects: list[str] = []
    async with running_rig(sqlite_url, sink.url, connectors=names, started=False) as rig:
        opened = [await rig.connector(name) for name in names]
        await asyncio.sleep(SEEN_FOR_S + 0.05)
        event.listen(
            rig.database.engine.sync_engine,
            "before_cursor_execute",
            lambda _, __, sql, *___: selects.append(sql) if sql.startswith("SELECT") else None,
        )
        again = [await rig.connector(name) for name in names]
    assert [one.id for one in again] == [one.id for one in opened]
    assert len(selects) == 1
