"""A worker as a process of its own, so that it can be killed.

`python -m hub.testing.worker_process` reads a JSON object from its first argument: url, sink,
rules, dispatch; and, to be killed at a step, `kill_at` with the how-manieth pass of it. It
prints "ready" when it works and ends when standard input is closed. With `accept` it accepts
so many deliveries instead, works none, and ends.
"""

import asyncio
import json
import os
import signal
import sys
from collections.abc import Callable
from typing import Any

from hub.testing.rig import Rig, item, running_rig


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


async def accept(rig: Rig, count: int) -> None:
    """Accept deliveries as fast as 32 callers can; write each key once it was answered."""
    numbers = iter(range(count))

    async def call() -> None:
        for number in numbers:
            await rig.send(item(f"l{number % 50}", number // 50))
            sys.stdout.write(f"l{number % 50}/{number // 50}\n")
            sys.stdout.flush()

    await asyncio.gather(*(call() for _ in range(32)))


async def main(told: dict[str, Any]) -> None:
    """Work until standard input ends."""
    async with running_rig(
        told["url"],
        told["sink"],
        rules=told["rules"],
        dispatch=told.get("dispatch"),
        connectors=told.get("connectors", ("load",)),
        passing=killer(told.get("kill_at", ""), told.get("times", 1)),
        works="accept" not in told,
    ) as rig:
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        if "accept" in told:
            await accept(rig, told["accept"])
            return
        loop = asyncio.get_running_loop()
        reader = asyncio.StreamReader()
        await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
        await reader.read()


if __name__ == "__main__":
    asyncio.run(main(json.loads(sys.argv[1])))
