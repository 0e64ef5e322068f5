"""Moving a hub from SQLite to PostgreSQL: everything arrives, and work goes on there."""

import asyncio
from pathlib import Path

import pytest
from sqlalchemy import make_url, text

from hub.connectors.models import Connector
from hub.db.engine import Database
from hub.dispatch.embedded import FileLock
from hub.errors import StartRefused
from hub.migrations.moving import move
from hub.migrations.run import migrate
from hub.migrations.tables import metadata
from hub.migrations.version import check_version
from hub.testing.rig import item, posting, running_rig
from hub.testing.sink import Sink

pytestmark = pytest.mark.postgres


@pytest.fixture
def file_url(tmp_path: Path) -> str:
    return f"sqlite+aiosqlite:///{tmp_path / 'hub.db'}"


async def counts(database: Database) -> dict[str, int]:
    async with database.engine.connect() as connection:
        return {
            name: await connection.scalar(text(f"SELECT count(*) FROM {name}")) or 0
            for name in metadata.tables
        }


async def moved(source: Database, target: str) -> int:
    return await move(source, target, lambda *_: None)


async def counts_with_a_hold(source: Database) -> dict[str, int]:
    """Return the rows of each table once the paused connector holds its lane."""
    async with asyncio.timeout(10):
        while not (found := await counts(source))["holds"]:  # noqa: ASYNC110 - a row in a database
            await asyncio.sleep(0.05)
    return found


async def test_everything_arrives_and_work_goes_on(file_url: str, empty_postgres_url: str) -> None:
    source = Database(file_url)
    await migrate(source)
    async with Sink() as sink:
        async with running_rig(file_url, sink.url, rules=[posting()]) as rig:
            await rig.send(item("a", 1), item("b", 1))
            await rig.settled()
            async with rig.database.writing() as session:
                row = await session.get(Connector, (await rig.connector()).id)
                row.state = "paused"
            rig.engine.parts.connectors.changed((await rig.connector()).id)
            await rig.send(item("a", 2), key="held")
            before = await counts_with_a_hold(source)
        rows = await moved(source, empty_postgres_url)
        target = Database(empty_postgres_url)

        after = await counts(target)
        kept = before | {"workers": after["workers"]}
        assert kept == after
        assert rows == sum(after.values())
        async with target.writing() as session:
            await session.execute(text("UPDATE connectors SET state = 'active'"))
        async with running_rig(empty_postgres_url, sink.url, rules=[posting()]) as rig:
            await rig.send(item("a", 2), key="held")
            await rig.send(item("a", 3))
            await rig.settled()

        assert [one.seq for one in sink.counted if one.lane == "a"] == [1, 2, 3]
    await target.close()
    with pytest.raises(StartRefused, match="moved to PostgreSQL"):
        await check_version(source)
    await source.close()


@pytest.fixture(params=["straight", "through a pooler"])
def target_url(request: pytest.FixtureRequest, empty_postgres_url: str) -> str:
    if request.param == "straight":
        return empty_postgres_url
    pooler = request.getfixturevalue("pooler")
    return f"{pooler.url(make_url(empty_postgres_url).database)}?direct=hub:secret@127.0.0.1:1"


async def test_ids_of_deleted_rows_are_not_given_again(file_url: str, target_url: str) -> None:
    source = Database(file_url)
    await migrate(source)
    async with source.writing() as session:
        await session.execute(
            text("INSERT INTO tenants (id, slug, name, time_zone, is_default, rules_version, "
                 "settings, created_at, row_version) VALUES "
                 "('00000000000000000000000000000001', 'a', 'A', 'UTC', false, 0, '{}', "
                 "'2025-01-01T00:00:00.000000Z', 1)")
        )  # fmt: skip
        await session.execute(text("INSERT INTO sqlite_sequence (name, seq) VALUES ('runs', 41)"))
    await moved(source, target_url)
    with pytest.raises(StartRefused, match="moved to PostgreSQL") as refused:
        await check_version(source)
    await source.close()

    target = Database(target_url)
    async with target.engine.connect() as connection:
        following = await connection.scalar(
            text("SELECT nextval(pg_get_serial_sequence('runs', 'id'))")
        )
        slug = await connection.scalar(text("SELECT slug FROM tenants"))
    await target.close()
    assert (following, slug) == (42, "a")
    assert "secret" not in str(refused.value)


async def test_a_target_that_was_used_is_refused_and_left_alone(
    file_url: str, empty_postgres_url: str
) -> None:
    source, target = Database(file_url), Database(empty_postgres_url)
    await migrate(source)
    await migrate(target)
    async with target.writing() as session:
        await session.execute(text("INSERT INTO hub_meta (key, value) VALUES ('x', '1')"))
    before = await counts(target)

    with pytest.raises(StartRefused, match="rows in 'hub_meta' already"):
        await moved(source, empty_postgres_url)

    assert await counts(target) == before
    await check_version(source)
    await source.close()
    await target.close()


async def test_a_move_that_broke_off_leaves_nothing_and_can_be_repeated(
    file_url: str, empty_postgres_url: str
) -> None:
    source = Database(file_url)
    await migrate(source)
    async with source.writing() as session:
        await session.execute(text("INSERT INTO hub_meta (key, value) VALUES ('x', '1')"))

    def breaks_off(table: str, rows: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        await move(source, empty_postgres_url, breaks_off)

    assert await moved(source, empty_postgres_url) == 1
    await source.close()


async def test_a_running_hub_is_not_moved(file_url: str, empty_postgres_url: str) -> None:
    source = Database(file_url)
    await migrate(source)
    lock = FileLock.of(source.engine.url)
    lock.acquire()

    with pytest.raises(StartRefused, match="Another hub process"):
        await moved(source, empty_postgres_url)

    lock.release()
    await source.close()


async def test_only_sqlite_is_moved_and_only_to_postgresql(
    file_url: str, postgres_database: Database
) -> None:
    source = Database(file_url)
    with pytest.raises(StartRefused, match="Move to PostgreSQL"):
        await moved(source, "sqlite+aiosqlite:///elsewhere.db")
    with pytest.raises(StartRefused, match="nothing to move"):
        await moved(postgres_database, "postgresql+asyncpg://hub@127.0.0.1/hub")
    await source.close()
