"""Processes that the demo starts don't outlive it."""

import asyncio
import os
import sys
from pathlib import Path

import pytest

STARTS_ONE = """
import asyncio, os, sys
from pathlib import Path
from hub.sandbox.processes import Process

async def main():
    one = Process(
        name="sandbox",
        arguments=["sandbox", "--port", "0"],
        log=Path(sys.argv[1]),
        environment=dict(os.environ),
    )
    await one.start()
    print(one.pid, flush=True)
    await asyncio.sleep(60)

asyncio.run(main())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's death signal is Linux's")
async def test_what_a_demo_started_ends_when_the_demo_is_killed(tmp_path: Path) -> None:
    starter = await asyncio.create_subprocess_exec(
        sys.executable, "-c", STARTS_ONE, str(tmp_path / "log"), stdout=asyncio.subprocess.PIPE
    )
    pid = int(await starter.stdout.readline())
    assert runs(pid)

    starter.kill()
    await starter.communicate()

    async with asyncio.timeout(20):
        while runs(pid):  # noqa: ASYNC110 - the kernel tells nobody else
            await asyncio.sleep(0.05)


def runs(pid: int) -> bool:
    """Whether a process is there and not a zombie."""
    try:
        os.kill(pid, 0)
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text()
    except (ProcessLookupError, FileNotFoundError):
        return False
