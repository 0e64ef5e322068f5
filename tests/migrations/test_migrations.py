import pkgutil
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, text

import hub
from hub.db.engine import Database
from hub.errors import StartRefused
from hub.migrations import run, version
from hub.migrations.tables import metadata

QUEUE = "hub_pgqueuer"  # the queue's own tables, which its library makes and upgrades


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
async def empty(request: pytest.FixtureRequest, tmp_path: Path):
    if request.param == "sqlite":
        database = Database(f"sqlite+aiosqlite:///{tmp_path / 'hub.db'}")
    else:
        database = Database(request.getfixturevalue("empty_postgres_url"))
    yield database
    await database.close()


def tables(connection: Connection) -> set[str]:
    found = set(inspect(connection).get_table_names()) - {"alembic_version"}
    return {name for name in found if not name.startswith(QUEUE)}


def drift(connection: Connection) -> list:
    opts = {"compare_type": True, "include_object": _is_ours}
    context = MigrationContext.configure(connection, opts=opts)
    return compare_metadata(context, metadata)


def _is_ours(item, name: str, kind: str, *_: object) -> bool:
    table = name if kind == "table" else getattr(getattr(item, "table", None), "name", "")
    return not str(table).startswith(QUEUE)


async def on(database: Database, work):
    async with database.engine.connect() as connection:
        return await connection.run_sync(work)


async def test_up_down_and_up_again(empty: Database):
    await run.migrate(empty)
    await run.downgrade(empty, "base")

    assert set() == await on(empty, tables)

    await run.migrate(empty)

    assert set(metadata.tables) <= await on(empty, tables)


async def test_the_migrated_schema_is_the_models(empty: Database):
    await run.migrate(empty)

    assert await on(empty, drift) == []


async def test_an_empty_database_names_the_command_to_run(empty: Database):
    with pytest.raises(StartRefused, match="hub migrate"):
        await version.check_version(empty)


async def test_a_migrated_database_is_accepted(empty: Database):
    await run.migrate(empty)

    assert await version.check_version(empty) is None


async def test_a_newer_database_is_refused_untouched(empty: Database):
    await run.migrate(empty)
    async with empty.transaction() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))

    with pytest.raises(StartRefused, match="newer hub"):
        await run.migrate(empty)


def test_the_versions_known_without_alembic_are_alembic_s():
    scripts = ScriptDirectory.from_config(run.configured())

    assert set(version.KNOWN) == {script.revision for script in scripts.walk_revisions()}
    assert scripts.get_current_head() == version.HEAD


def test_every_domain_s_tables_are_known():
    root = Path(hub.__path__[0])
    found = {
        f"hub.{package.name}.models"
        for package in pkgutil.iter_modules(hub.__path__)
        if (root / package.name / "models.py").exists()
    }
    named = (root / "migrations" / "tables.py").read_text()

    assert {name for name in found if f"import {name}" not in named} == set()
