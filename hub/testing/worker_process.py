"""A worker as a process of its own, so that it can be killed.

`python -m hub.testing.worker_process` reads a JSON object from its first argument: url, sink,
rules, dispatch; and, to be killed at a step, `kill_at` with the how-manieth pass of it. It
prints "ready" when it works and ends when standard input is closed.
"""

import asyncio
import json
import os
import signal
import sys
from collections.abc import Callable
from typing import Any

from hub.testing.rig import running_rig


def killer(step: str, times: int) -> Callable[[str], None]:
    """Return what kills this process at the n-th pass of a step."""
    left = times

    def passing(name: str) -> None:
        nonlocal left
        if name != step:
            return
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    return passing


async def main(told: dict[str, Any]) -> None:
    """Work until standard input ends."""
    async with running_rig(
        told["url"],
        told["sink"],
        rules=told["rules"],
        dispatch=told.get("dispatch"),
        connectors=told.get("connectors", ("load",)),
        passing=killer(told.get("kill_at", ""), told.get("times", 1)),
    ):
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        loop = asyncio.get_running_loop()
        reader = asyncio.StreamReader()
        await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
        await reader.read()


if __name__ == "__main__":
    asyncio.run(main(json.loads(sys.argv[1])))
