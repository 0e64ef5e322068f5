import asyncio
import uuid
from collections.abc import AsyncIterator

import pytest
from sqlalchemy.exc import DBAPIError, IntegrityError

from hub import clock
from hub.db.bulk import Kind, insert_counted, insert_rows, query, take_ids, write_rows
from hub.db.commits import GroupCommit, Store, open_store
from hub.db.engine import Database
from hub.errors import Overloaded


@pytest.fixture
async def store(database: Database) -> AsyncIterator[Store]:
    opened = open_store(database)
    yield opened
    await opened.close()


@pytest.fixture
async def commits(store: Store) -> AsyncIterator[GroupCommit]:
    group = GroupCommit(store.write, maximum=50)
    group.start()
    yield group
    await group.stop()


def keep(connection, items):
    rows = [(key, '{"n": 1}') for key in items]
    insert_rows(connection, "hub_meta", {"key": Kind.TEXT, "value": Kind.JSON}, rows)
    return [key.upper() for key in items]


async def kept(store: Store) -> set[str]:
    rows = await store.read(lambda c: query(c, "SELECT key FROM hub_meta"))
    return {row[0] for row in rows}


async def test_callers_share_transactions_and_get_their_own_answer(commits, store) -> None:
    names = [f"k{number}" for number in range(300)]

    answers = await asyncio.gather(*(commits.submit(keep, name) for name in names))

    assert answers == [name.upper() for name in names]
    assert await kept(store) == set(names)
    assert commits.rows == 300
    assert commits.commits <= 20


async def test_only_the_broken_row_fails(commits, store) -> None:
    wanted = [commits.submit(keep, name) for name in ("a", "b", None, "c")]

    answers = await asyncio.gather(*wanted, return_exceptions=True)

    assert [answers[0], answers[1], answers[3]] == ["A", "B", "C"]
    assert isinstance(answers[2], Exception)
    assert await kept(store) == {"a", "b", "c"}


async def test_a_caller_that_goes_away_leaves_its_row(commits, store) -> None:
    task = asyncio.create_task(commits.submit(keep, "gone"))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await commits.submit(keep, "stays")

    assert await kept(store) == {"gone", "stays"}


async def test_stopping_writes_what_waits_and_refuses_the_rest(store) -> None:
    group = GroupCommit(store.write)
    group.start()
    waiting = [asyncio.create_task(group.submit(keep, f"k{number}")) for number in range(5)]
    await asyncio.sleep(0)
    await group.stop()

    with pytest.raises(Overloaded):
        await group.submit(keep, "late")
    assert len(await asyncio.gather(*waiting)) == 5
    assert len(await kept(store)) == 5


async def test_nothing_is_kept_of_a_transaction_that_fails(store) -> None:
    def half(connection) -> None:
        keep(connection, ["half"])
        raise RuntimeError

    with pytest.raises(RuntimeError):
        await store.write(half)

    assert await kept(store) == set()


async def test_rows_are_read_and_changed_in_one_statement(store) -> None:
    names = [f"k{number}" for number in range(40)]
    await store.write(lambda c: keep(c, names))
    columns = {"key": Kind.TEXT, "value": Kind.JSON}

    def change(connection):
        return write_rows(
            connection,
            "UPDATE hub_meta SET value = v.value FROM {rows} WHERE hub_meta.key = v.key "
            "RETURNING hub_meta.key",
            columns,
            [(name, '{"n": 2}') for name in [*names[:3], "unknown"]],
        )

    changed = await store.write(change)

    assert sorted(row[0] for row in changed) == names[:3]


async def test_only_rows_that_were_not_there_are_counted(store) -> None:
    columns = {"key": Kind.TEXT, "value": Kind.JSON}

    def insert(connection, names):
        return insert_counted(connection, "hub_meta", columns, [(name, "1") for name in names])

    assert await store.write(lambda c: insert(c, [f"k{n}" for n in range(70)])) == 70
    assert await store.write(lambda c: insert(c, ["k1", "new", "k2", "new", "k69"])) == 1
    assert await store.write(lambda c: insert(c, [])) == 0


async def test_ids_are_taken_once(store) -> None:
    first = await store.write(lambda c: take_ids(c, "deliveries", 3))

    assert first == sorted(first)
    assert len(set(first)) == 3
    assert await store.write(lambda c: take_ids(c, "deliveries", 0)) == []


@pytest.mark.parametrize("way", ["write", "write_many"])
async def test_after_a_commit_that_failed_the_next_one_succeeds(store, database, way) -> None:
    def fails_at_commit(connection):
        if database.is_sqlite:
            query(connection, "PRAGMA defer_foreign_keys=ON")
        else:
            query(connection, "SET CONSTRAINTS ALL DEFERRED")
        columns = {"lane": Kind.TEXT, "tenant_id": Kind.UUID, "shard": Kind.INT}
        more = {"reason": Kind.TEXT, "since": Kind.TIME}
        nobody = uuid.UUID(int=404)
        rows = [("lane", nobody, 1, "person", clock.now())]
        insert_rows(connection, "holds", columns | more, rows)

    with pytest.raises(IntegrityError):
        await getattr(store, way)(fails_at_commit)
    await getattr(store, way)(lambda connection: keep(connection, ["after"]))

    assert await kept(store) == {"after"}


async def test_a_writer_waits_for_another_connection_without_stopping_the_loop(
    store, database
) -> None:
    ticks = 0

    async def tick():
        nonlocal ticks
        while True:
            await asyncio.sleep(0.005)
            ticks += 1

    ticking = asyncio.create_task(tick())
    async with database.transaction() as other:
        await other.run_sync(lambda connection: keep(connection, ["first"]))
        second = asyncio.create_task(
            store.write_many(lambda connection: keep(connection, ["second"]))
        )
        await asyncio.sleep(0.2)
        assert not (database.is_sqlite and second.done())
    await second
    ticking.cancel()

    assert await kept(store) == {"first", "second"}
    assert ticks >= 3


@pytest.mark.parametrize("count", [0, 1, 3, 63, 64, 65, 200])
async def test_rows_of_any_number_are_written_and_returned_in_order(store, count) -> None:
    names = [f"k{number:03d}" for number in range(count)]
    columns = {"key": Kind.TEXT, "value": Kind.JSON}
    rows = [(name, f'"{name}"') for name in names]

    found = await store.write(
        lambda connection: insert_rows(
            connection, "hub_meta", columns, rows, suffix="RETURNING key"
        )
    )

    assert [row[0] for row in found] == names


class Deadlock(Exception):
    """As PostgreSQL tells one of two transactions that wait for each other."""

    sqlstate = "40P01"


async def test_what_the_database_ended_for_another_is_tried_again_as_a_whole(store) -> None:
    tried = []

    async def hindered_twice(work):
        tried.append(work)
        if len(tried) <= 2:
            raise DBAPIError("UPDATE shards", {}, Deadlock())
        return await store.write(work)

    group = GroupCommit(hindered_twice)
    group.start()
    answers = await asyncio.gather(*(group.submit(keep, name) for name in ("a", "b")))
    await group.stop()

    assert answers == ["A", "B"]
    assert len(tried) == 3


async def test_what_is_hindered_for_ever_fails(store) -> None:
    async def hindered(work):
        del work
        raise DBAPIError("UPDATE shards", {}, Deadlock())

    group = GroupCommit(hindered)
    group.start()

    with pytest.raises(DBAPIError):
        await group.submit(keep, "a")
    await group.stop()
