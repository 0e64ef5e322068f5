"""What a database's error means for the one who met it."""

import pytest
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from hub.db.away import in_conflict, is_away, why_away
from hub.db.engine import Database
from hub.errors import StartRefused


class Raised(Exception):
    def __init__(self, sqlstate: str = "") -> None:
        super().__init__(sqlstate)
        self.sqlstate = sqlstate


@pytest.mark.parametrize(
    "error",
    [
        DBAPIError("SELECT 1", None, Raised("57P01")),
        DBAPIError("SELECT 1", None, Raised("57P03")),
        DBAPIError("SELECT 1", None, Raised("53300")),
        DBAPIError("SELECT 1", None, Raised("25P03")),
        DBAPIError("SELECT 1", None, Raised(), connection_invalidated=True),
        OperationalError("BEGIN", None, Raised()),
        PoolTimeout(),
        ConnectionRefusedError(),
        TimeoutError(),
    ],
    ids=str,
)
def test_a_database_that_stops_starts_or_hangs_is_away(error: Exception) -> None:
    assert is_away(error)
    assert not in_conflict(error)


@pytest.mark.parametrize(
    "error",
    [
        DBAPIError("SELECT 1", None, Raised("42703")),
        ValueError(),
        IntegrityError("", None, Raised()),
    ],
    ids=str,
)
def test_a_wrong_statement_is_not_away(error: Exception) -> None:
    assert not is_away(error)


@pytest.mark.parametrize("sqlstate", ["40001", "40P01"])
def test_a_deadlock_is_a_conflict_which_is_tried_again_soon(sqlstate: str) -> None:
    assert in_conflict(DBAPIError("UPDATE", None, Raised(sqlstate)))


async def test_a_database_that_answers_is_not_away(sqlite_database: Database) -> None:
    assert await why_away(sqlite_database) == ""


@pytest.mark.postgres
async def test_a_server_that_is_not_there_is_away() -> None:
    database = Database("postgresql+asyncpg://postgres@127.0.0.1:1/hub")

    assert "Connect call failed" in await why_away(database)
    await database.close()


@pytest.mark.postgres
async def test_a_database_that_does_not_exist_is_not_waited_for(postgres_url: str) -> None:
    nobodys = make_url(postgres_url).set(database="of_nobody")
    database = Database(nobodys.render_as_string(hide_password=False))

    with pytest.raises(StartRefused, match=r"does not exist\. Check HUB_DATABASE__URL"):
        await why_away(database)
    await database.close()


@pytest.mark.postgres
async def test_a_step_that_stands_still_lets_go_of_its_rows(postgres_url: str) -> None:
    database = Database(postgres_url)
    async with database.stepping.connect() as connection:
        told = await connection.exec_driver_sql("SHOW idle_in_transaction_session_timeout")

        assert told.scalar_one() == "3s"
    await database.close()
