from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError, StatementError

from hub.db.base import Base
from hub.db.engine import Database
from hub.db.tenancy import Tenant


@pytest.fixture
async def database(tmp_path: Path):
    found = Database(f"sqlite+aiosqlite:///{tmp_path / 'hub.db'}")
    async with found.engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    yield found
    await found.close()


async def test_times_are_stored_in_utc_and_come_back_aware(database: Database):
    moment = datetime(2026, 3, 29, 2, 30, 0, 123456, timezone(timedelta(hours=2)))
    async with database.writing() as session:
        session.add(Tenant(slug="acme", name="Acme", created_at=moment))

    async with database.reading() as session:
        found = await session.scalar(select(Tenant))

    assert moment == found.created_at
    assert found.created_at.tzinfo == UTC


async def test_a_naive_time_is_refused(database: Database):
    with pytest.raises(StatementError, match="without a zone"):
        async with database.writing() as session:
            session.add(Tenant(slug="acme", name="Acme", created_at=datetime(2026, 1, 1)))  # noqa: DTZ001


async def test_sqlite_is_durable_and_writes_ahead(database: Database):
    async with database.transaction() as connection:
        journal = await connection.exec_driver_sql("PRAGMA journal_mode")
        synchronous = await connection.exec_driver_sql("PRAGMA synchronous")

        assert (journal.scalar(), synchronous.scalar()) == ("wal", 2)


async def test_there_is_one_default_tenant(database: Database):
    with pytest.raises(IntegrityError):
        async with database.writing() as session:
            session.add_all(
                [
                    Tenant(slug="one", name="One", is_default=True),
                    Tenant(slug="two", name="Two", is_default=True),
                ]
            )


async def test_a_failed_writing_session_leaves_nothing(database: Database):
    async def fail() -> None:
        async with database.writing() as session:
            session.add(Tenant(slug="acme", name="Acme"))
            await session.flush()
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await fail()

    async with database.reading() as session:
        assert (await session.scalars(select(Tenant))).all() == []
