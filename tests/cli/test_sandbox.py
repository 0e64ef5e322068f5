import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest

from hub.sandbox.app import Stand, index
from hub.sandbox.processes import Process, ProcessFailed
from hub.settings import bare_environment

SALESFORCE = Stand(
    type="salesforce", label="Salesforce <1>", url="http://127.0.0.1:8501", settings={"a": "b"}
)


@pytest.fixture
def page() -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app=index([SALESFORCE]))
    return httpx.AsyncClient(transport=transport, base_url="http://sandbox")


async def test_the_page_lists_the_simulators(page) -> None:
    answer = await page.get("/")

    assert "http://127.0.0.1:8501/_sim/" in answer.text
    assert "Salesforce &lt;1&gt;" in answer.text


async def test_programs_get_settings_that_work(page) -> None:
    answer = await page.get("/simulators.json")

    assert answer.json()["simulators"] == [
        {
            "type": "salesforce",
            "label": "Salesforce <1>",
            "url": "http://127.0.0.1:8501",
            "page": "http://127.0.0.1:8501/_sim/",
            "settings": {"a": "b"},
        }
    ]


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening.getsockname()[1]


@pytest.mark.parametrize("command", ["serve", "sandbox"])
def test_a_taken_port_is_one_line_that_says_what_to_do(command: str, taken: int, tmp_path) -> None:
    more = ["--data", str(tmp_path)] if command == "serve" else []

    ended = subprocess.run(
        [sys.executable, "-m", "hub", command, "--port", str(taken), *more],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
        env=bare_environment(),
    )

    assert ended.returncode == 1
    assert len(ended.stderr.splitlines()) == 1
    assert f"Port {taken} on 127.0.0.1 is taken" in ended.stderr
    assert "--port" in ended.stderr


def test_an_unwritable_data_folder_is_one_line_that_says_what_to_do(tmp_path) -> None:
    (tmp_path / "file").write_text("")

    ended = subprocess.run(
        [sys.executable, "-m", "hub", "serve", "--data", str(tmp_path / "file" / "data")],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
        env=bare_environment(),
    )

    assert ended.returncode == 1
    assert len(ended.stderr.splitlines()) == 1
    assert "HUB_DATA_DIR" in ended.stderr


@pytest.fixture
async def sandbox(tmp_path: Path) -> AsyncIterator[Process]:
    found = Process(
        name="hub sandbox",
        arguments=["sandbox", "--port", "0"],
        log=tmp_path / "sandbox.log",
        environment=bare_environment(),
    )
    await found.start()
    yield found
    if found.ended is None:
        await found.kill()


async def test_the_sandbox_serves_each_simulator_and_ends_when_asked(sandbox: Process) -> None:
    url = await sandbox.said("The sandbox is ready at ")
    async with httpx.AsyncClient(trust_env=False) as http:
        listed = (await http.get(f"{url}/simulators.json")).json()["simulators"]
        states = [(await http.get(f"{one['url']}/_sim/state")).status_code for one in listed]
        pages = [(await http.get(one["page"])).status_code for one in listed]

    assert {one["type"] for one in listed} >= {"pagerduty", "salesforce"}
    assert set(states) == set(pages) == {200}
    assert await sandbox.stop() == 0


async def test_a_killed_process_is_killed(sandbox: Process) -> None:
    assert await sandbox.kill() == -signal.SIGKILL


async def test_a_process_that_ends_says_why(tmp_path: Path) -> None:
    failing = Process(
        name="hub bogus",
        arguments=["bogus"],
        log=tmp_path / "log",
        environment=bare_environment(),
    )
    await failing.start()

    with pytest.raises(ProcessFailed, match="No such command"):
        await failing.said("never")
