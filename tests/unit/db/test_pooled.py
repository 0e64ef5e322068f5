"""Statements through a real PgBouncer in transaction mode: each may meet another session."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError

from bench.faults.pooler import Pooler, a_pooler
from hub.db.away import is_away, why_away
from hub.db.bulk import query
from hub.db.commits import open_store
from hub.db.engine import Database
from hub.errors import StartRefused

pytestmark = pytest.mark.postgres
SENT = (
    "idle_in_transaction_session_timeout,tcp_keepalives_idle,tcp_keepalives_interval,"
    "tcp_keepalives_count,tcp_user_timeout"
)


@asynccontextmanager
async def closing(database: Database) -> AsyncIterator[Database]:
    try:
        yield database
    finally:
        await database.close()


@pytest.fixture
async def pooled(pooled_url: str) -> AsyncIterator[Database]:
    async with closing(Database(pooled_url)) as opened:
        yield opened


async def several_sessions(database: Database) -> None:
    """Have the pooler open several, so that what follows goes from one to the other."""
    store = open_store(database)
    await asyncio.gather(
        *(store.read(lambda c: query(c, "SELECT pg_sleep(0.05)::text")) for _ in range(5))
    )


async def test_many_callers_get_the_answers_to_their_own_statements(
    pooled: Database,
) -> None:
    store = open_store(pooled)

    async def asked(number: int) -> bool:
        own = await store.read(lambda c: query(c, f"SELECT {number}, ?::text", str(number)))
        written = await store.write(lambda c: query(c, f"SELECT {number}, pg_backend_pid()"))
        async with pooled.reading() as session:
            orm = await session.scalar(text(f"SELECT {number}"))
        return (tuple(own[0]), written[0][0], orm) == ((number, str(number)), number, number)

    assert all(await asyncio.gather(*(asked(number % 40) for number in range(200))))


async def test_statements_of_one_caller_meet_several_sessions(pooled: Database) -> None:
    """Otherwise these tests would show nothing."""
    store = open_store(pooled)

    await several_sessions(pooled)

    met = {
        (await store.read(lambda c: query(c, "SELECT pg_backend_pid()")))[0][0] for _ in range(20)
    }

    assert len(met) > 1


async def test_no_prepared_statement_and_no_setting_stays_in_a_session(
    pooled: Database,
) -> None:
    await several_sessions(pooled)
    store = open_store(pooled)
    for _ in range(30):
        await store.write(lambda c: query(c, "SELECT count(*) FROM events"))

    left = [
        await store.read(
            lambda c: query(
                c,
                "SELECT (SELECT count(*) FROM pg_prepared_statements WHERE name <> ''), "
                "current_setting('idle_in_transaction_session_timeout'), current_setting('jit')",
            )
        )
        for _ in range(20)
    ]

    assert {(0, "0", "on")} == {tuple(rows[0]) for rows in left}


async def test_transactions_bring_along_how_long_they_may_stand_still(
    pooled: Database,
) -> None:
    show = "SHOW idle_in_transaction_session_timeout"

    async with (
        pooled.stepping.connect() as stepping,
        pooled.transaction() as other,
    ):
        assert (await stepping.exec_driver_sql(show)).scalar_one() == "3s"
        assert (await other.exec_driver_sql(show)).scalar_one() == "1min"


@pytest.mark.slow
async def test_a_step_that_stands_still_lets_go_of_its_rows(pooled: Database) -> None:
    insert = "INSERT INTO hub_meta (key, value) VALUES ('k', '1')"

    async with pooled.stepping.connect() as stands_still:
        await stands_still.exec_driver_sql(insert)
        began = time.monotonic()
        async with pooled.transaction() as waits:
            await waits.exec_driver_sql(insert)

        assert time.monotonic() - began < 5
        with pytest.raises(DBAPIError) as lost:
            await stands_still.exec_driver_sql("SELECT 1")
        assert is_away(lost.value)


@pytest.mark.parametrize(
    ("ignored", "found"),
    [
        ("", r"unsupported startup parameter: \w+"),
        (SENT, r"is not the one that was announced|prepared statement"),
    ],
)
async def test_a_pooler_that_nobody_told_of_is_refused_with_what_to_set(
    postgres_server: str, postgres_url: str, pooler: Pooler, ignored: str, found: str
) -> None:
    assert pooler.port  # it is installed
    with a_pooler(postgres_server, ignore_startup_parameters=ignored) as other:
        for _ in range(3):
            async with closing(Database(other.url(make_url(postgres_url).database or ""))) as one:
                with pytest.raises(StartRefused, match=found) as refused:
                    await why_away(one)
                assert "?pooler=true" in str(refused.value)


async def test_a_pooler_that_was_told_of_is_not_refused(pooled_url: str, postgres_url: str) -> None:
    for url in (pooled_url, f"{postgres_url}&pooler=true", postgres_url):
        async with closing(Database(url)) as database:
            assert await why_away(database) == ""
