"""A time becomes an id: everything of the time is found, whatever gaps ids have and clocks do."""

import sqlite3
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection, create_engine

from hub.db import moments
from hub.db.bulk import Columns, Kind, insert_rows, query
from hub.db.commits import open_store
from hub.db.moments import DELIVERIES, SLACK, since_id, until_id

AT = datetime(2025, 11, 21, 9, 0, tzinfo=UTC)
COLUMNS: Columns = {"id": Kind.INT, "received_at": Kind.TIME}
MINUTES = int(SLACK / timedelta(minutes=1))


@pytest.fixture(scope="module")
def connection() -> Iterator[Connection]:
    engine = create_engine("sqlite://", creator=lambda: sqlite3.connect(":memory:"))
    with engine.connect() as opened:
        opened.exec_driver_sql("CREATE TABLE deliveries (id INTEGER PRIMARY KEY, received_at TEXT)")
        yield opened


@given(
    steps=st.lists(st.tuples(st.integers(1, 50), st.integers(0, 120)), max_size=40),
    late=st.lists(st.integers(0, MINUTES // 2), min_size=40, max_size=40),
    asked=st.integers(-100, 2500),
)
def test_nothing_of_the_time_lies_outside_the_ids(
    connection: Connection, steps: list[tuple[int, int]], late: list[int], asked: int
) -> None:
    rows, number, minutes = [], 0, 0
    for (gap, pause), behind in zip(steps, late, strict=False):
        number, minutes = number + gap, minutes + pause
        rows.append((number, AT + timedelta(minutes=minutes - behind)))
    query(connection, "DELETE FROM deliveries")
    insert_rows(connection, "deliveries", COLUMNS, rows)
    moment = AT + timedelta(minutes=asked)

    since, until = (find(connection, DELIVERIES, moment) for find in (since_id, until_id))

    assert [one for one, at in rows if at >= moment and one < since] == []
    assert [one for one, at in rows if at < moment and one >= until] == []
    near = [one for one, at in rows if at < moment - 2 * SLACK and one >= since]
    assert near == []
    assert [one for one, at in rows if at >= moment + 2 * SLACK and one < until] == []


MOMENTS = [datetime.min.replace(tzinfo=UTC), AT, datetime.max.replace(tzinfo=UTC)]


@pytest.mark.parametrize("moment", MOMENTS)
async def test_both_databases_find_the_same(database, moment: datetime) -> None:
    store = open_store(database)
    columns: Columns = COLUMNS | {
        "tenant_id": Kind.UUID,
        "connector_id": Kind.UUID,
        "source": Kind.TEXT,
        "key": Kind.TEXT,
        "headers": Kind.JSON,
        "size": Kind.INT,
        "state": Kind.TEXT,
    }
    nobody = uuid.UUID(int=1)
    rows = [
        (n * 10, AT + timedelta(hours=n - 5), nobody, nobody, "manual", "k", "{}", 0, "ignored")
        for n in range(1, 11)
    ]
    try:
        empty = await store.read(lambda c: until_id(c, DELIVERIES, moment))
        await store.write(lambda c: insert_rows(c, "deliveries", columns, rows))
        found = await store.read(
            lambda c: [since_id(c, DELIVERIES, moment), until_id(c, DELIVERIES, moment)]
        )
        async with database.reading() as session:
            asked = await moments.ids_between(session, DELIVERIES, moment, None)
    finally:
        await store.close()

    assert empty > rows[-1][0]
    assert asked == (found[0], empty)
    inside = [row[0] for row in rows if found[0] <= row[0] < found[1]]
    assert inside == ([50] if moment == AT else [])
