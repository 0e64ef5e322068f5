"""The program `hub`, its processes and commands behind a real PgBouncer in transaction mode."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.faults.__main__ import Stage
from bench.faults.pooler import MISSING, Pooler, a_pooler, program
from bench.faults.postgres import Server, free_port
from bench.faults.processes import run
from bench.faults.scenarios import all_of
from bench.faults.world import POSTGRES

pytestmark = [
    pytest.mark.postgres,
    pytest.mark.slow,
    pytest.mark.timeout(300),
    pytest.mark.skipif(not program(), reason=MISSING),
]
SIZE = 120


@pytest.fixture
def pooler(own_server: Server) -> Iterator[Pooler]:
    with a_pooler(own_server.url("postgres")) as running:
        yield running


def environment(url: str, folder: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("HUB_")}
    return kept | {"HUB_DATABASE__URL": url, "HUB_DATA_DIR": str(folder)}


def test_a_hub_behind_a_pooler_keeps_its_promises(own_server: Server) -> None:
    scenario = next(one for one in all_of() if one.name == "behind_a_pooler")

    found = Stage(POSTGRES, own_server).run(scenario, SIZE)

    assert found is not None, "it did not come to its end; see its output"
    assert (found.lost, found.duplicated, found.disordered) == (0, 0, 0)
    assert found.broken == []
    assert found.server_errors == 0
    assert found.more["takeover_s"] <= 5


def test_the_schema_is_made_through_a_pooler(
    own_server: Server, pooler: Pooler, tmp_path: Path
) -> None:
    name = own_server.database(empty=True)
    url = f"{pooler.url(name)}?pooler=true"

    for _ in range(2):
        done = run(["migrate"], environment(url, tmp_path))

        assert (done.returncode, done.stderr) == (0, "")
    assert own_server.ask("SELECT 1 FROM pg_locks WHERE locktype = 'advisory'", database=name) == []


@pytest.mark.parametrize("command", ["serve", "worker", "migrate"])
def test_a_pooler_that_the_url_does_not_tell_of_is_refused(
    own_server: Server, pooler: Pooler, tmp_path: Path, command: str
) -> None:
    url = pooler.url(own_server.database())
    more = ["--port", str(free_port())] if command == "serve" else []

    refused = run([command, *more], environment(url, tmp_path))

    assert refused.returncode == 1
    assert "There is a pooler between the hub and PostgreSQL" in refused.stderr
    assert "Add ?pooler=true to HUB_DATABASE__URL" in refused.stderr
    assert len(refused.stderr.splitlines()) <= 2


@pytest.mark.parametrize("direct", ["nobody@{}", "{}/of_nobody"])
def test_a_way_past_that_refuses_the_hub_is_told(
    own_server: Server, pooler: Pooler, tmp_path: Path, direct: str
) -> None:
    past = direct.format(f"127.0.0.1:{own_server.port}")
    url = f"{pooler.url(own_server.database())}?direct={past}"
    key = {"HUB_SECRETS__KEY": "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc="}

    refused = run(["worker"], environment(url, tmp_path) | key)

    assert refused.returncode == 1
    assert "The way past the pooler refuses this hub" in refused.stderr
    assert "does not exist" in refused.stderr
