"""Workers as real processes, to be killed and stopped."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any


class Worker:
    """A process that accepts or works deliveries."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process

    def kill(self) -> None:
        """End it as `kill -9` does."""
        self.process.kill()

    def pause(self) -> None:
        """Stop it where it is, as a suspended host does."""
        os.kill(self.process.pid, signal.SIGSTOP)

    def go_on(self) -> None:
        """Let a paused one go on."""
        os.kill(self.process.pid, signal.SIGCONT)

    async def died(self, timeout_s: float = 30) -> int:
        """Wait until it ended; return its exit status (-9: killed)."""
        return await asyncio.wait_for(self.process.wait(), timeout_s)

    async def line(self, timeout_s: float = 30) -> str:
        """Return the next line that it writes."""
        assert self.process.stdout is not None
        said = await asyncio.wait_for(self.process.stdout.readline(), timeout_s)
        return said.decode().strip()

    async def lines(self) -> list[str]:
        """Return what it wrote until it ended."""
        assert self.process.stdout is not None
        return (await self.process.stdout.read()).decode().splitlines()


@asynccontextmanager
async def worker(**told: Any) -> AsyncIterator[Worker]:  # noqa: ANN401 - JSON
    """Start `hub.testing.worker_process` and wait until it is ready."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "hub.testing.worker_process",
        json.dumps(told),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        assert process.stdout is not None
        await asyncio.wait_for(process.stdout.readline(), 30)
        yield Worker(process)
    finally:
        if process.returncode is None and process.stdin is not None:
            process.stdin.close()
            try:
                await asyncio.wait_for(process.wait(), 15)
            except TimeoutError:
                process.kill()
                await process.wait()
