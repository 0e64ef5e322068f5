"""`hub serve` and the folder it works in: its address, its lock, its database and its key."""

import shutil
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from hub.crypto import KEY_FILE
from hub.sandbox.processes import Process
from hub.settings import bare_environment


def refused(folder: Path) -> str:
    """Return what a `hub serve` says that may not start."""
    ended = subprocess.run(
        [sys.executable, "-m", "hub", "serve", "--data", str(folder), "--port", "0"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env=bare_environment(),
    )
    assert ended.returncode == 1, ended.stderr
    return ended.stderr


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Process]:
    process = Process(
        name="hub serve",
        arguments=["serve", "--data", str(tmp_path / "data"), "--port", "0"],
        log=tmp_path / "serve.log",
        environment=bare_environment(),
    )
    await process.start()
    await process.said("Integration Hub")
    yield process
    if process.ended is None:
        await process.kill()


async def test_a_refused_second_hub_leaves_the_address_of_the_running_one(
    served: Process, tmp_path: Path
) -> None:
    file = tmp_path / "data" / "serve.url"
    url = file.read_text()

    told = refused(tmp_path / "data")

    assert len(told.splitlines()) == 1
    assert file.read_text() == url
    assert await served.stop() == 0
    assert not file.exists()


async def test_a_database_that_comes_without_its_key_is_refused_and_no_key_is_made(
    served: Process, tmp_path: Path
) -> None:
    url = (tmp_path / "data" / "serve.url").read_text().strip()
    token = (tmp_path / "data" / "operator.token").read_text().strip()
    body = {"type": "pagerduty", "name": "pd", "settings": {"api_key": "s3cret"}}
    async with httpx.AsyncClient(base_url=url, trust_env=False) as http:
        made = await http.post(
            "/api/v1/tenants/default/connectors",
            json=body,
            headers={"Authorization": f"Bearer {token}"},
        )
    assert made.status_code == 201, made.text
    await served.stop()
    restored = tmp_path / "restored"
    restored.mkdir()
    shutil.copy(tmp_path / "data" / "hub.db", restored)

    told = refused(restored)

    assert len(told.splitlines()) == 1
    assert "HUB_SECRETS__KEY" in told
    assert KEY_FILE in told
    assert not (restored / KEY_FILE).exists()


@pytest.mark.parametrize("start", [b"", b"SQLite format 3\x00"])
def test_a_damaged_database_is_one_line_that_says_what_to_do(start: bytes, tmp_path: Path) -> None:
    (tmp_path / "hub.db").write_bytes(start + bytes(range(1, 256)) * 64)

    told = refused(tmp_path)

    assert len(told.splitlines()) == 1
    assert "damaged" in told
    assert "backup" in told
