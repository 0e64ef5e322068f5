"""Hubs of real processes, one for each driver, that scenarios share."""

from collections.abc import Iterator

import pytest

from bench.faults.__main__ import Stage, a_server
from bench.faults.postgres import Server
from bench.faults.world import POSTGRES, SQLITE


@pytest.fixture(scope="module")
def own_server() -> Iterator[Server]:
    """Run a PostgreSQL that may be killed."""
    with a_server() as server:
        yield server


@pytest.fixture(scope="module")
def sqlite_stage() -> Iterator[Stage]:
    stage = Stage(SQLITE, None)
    yield stage
    stage.close()


@pytest.fixture(scope="module")
def postgres_stage(own_server: Server) -> Iterator[Stage]:
    stage = Stage(POSTGRES, own_server)
    yield stage
    stage.close()
