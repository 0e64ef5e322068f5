"""Which processes there are: one that does everything, one that accepts, one that works."""

from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from bench.faults.postgres import Server
from bench.faults.world import POSTGRES, world
from hub.cli.main import run
from hub.http.gate import Gate


def refused(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    assert run(arguments) == 1
    return capsys.readouterr().err


def test_a_worker_needs_postgresql(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = refused(["worker", "--data", str(tmp_path)], capsys)

    assert "hub worker needs PostgreSQL: with SQLite, one hub serve does everything." in told
    assert "HUB_DATABASE__URL=postgresql+asyncpg://" in told


def test_with_sqlite_a_hub_that_only_accepts_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HUB_DISPATCH__WORKS", "false")

    told = refused(["serve", "--data", str(tmp_path), "--port", "0"], capsys)

    assert "HUB_DISPATCH__WORKS=false needs PostgreSQL" in told


@pytest.mark.postgres
def test_a_worker_on_an_empty_database_says_what_to_run(
    empty_postgres_url: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HUB_DATABASE__URL", empty_postgres_url)

    told = refused(["worker", "--data", str(tmp_path)], capsys)

    assert "Run: hub migrate" in told


async def test_a_hub_that_waits_for_its_database_lives_and_refuses_for_now() -> None:
    app = FastAPI()
    gate = Gate(app)
    gate.shut("its database")
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(gate), base_url="http://hub.test"
    ) as client:
        alive = await client.get("/healthz")
        ready = await client.get("/readyz")
        posted = await client.post("/t/default/connectors/pd/webhook")
        gate.open()
        opened = await client.get("/readyz")

    assert alive.status_code == 200
    assert (ready.status_code, posted.status_code) == (503, 503)
    assert posted.headers["retry-after"] == "5"
    assert posted.json()["detail"] == "The hub waits for its database."
    assert opened.status_code == 404


@pytest.mark.slow
@pytest.mark.postgres
def test_a_worker_tells_how_it_does(own_server: Server) -> None:
    with world(POSTGRES, own_server) as made:
        working = made.worker(options=("--port", "0"))
        url = working.text().rpartition("metrics at ")[2].strip()

        ready = httpx.get(f"{url}/readyz", trust_env=False)
        counted = httpx.get(f"{url}/metrics", trust_env=False).text
        absent = httpx.get(f"{url}/api/v1/tenants", trust_env=False)
        working.terminate()

        assert working.wait() == 0
    assert ready.json()["status"] == "ready"
    assert "hub_events_pending 0" in counted
    assert absent.status_code == 404
