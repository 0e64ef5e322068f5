"""The figures of the front door: import, start, memory, and the way from commit to request.

    python -m bench.main [--rounds 5]

Real processes and real HTTP: `hub serve` on a fresh SQLite file, the sandbox beside it.
`main.commit_to_request_ms` is the median over single Cases on an idle hub, from the moment
the hub received the push (so the COMMIT is inside) to the arrival of the request that makes
the incident at PagerDuty's simulator; both clocks are this machine's.
"""

import argparse
import asyncio
import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import httpx

from hub.sandbox.processes import Process, running
from hub.sandbox.setting_up import set_up
from hub.sandbox.story import CASE_TYPE, World

IMPORT = "import time; t = time.perf_counter(); import hub; print(time.perf_counter() - t)"
SETTLE_S = 3.0


def figure(name: str, value: float, unit: str, limit: float) -> None:
    """Print a figure with its limit."""
    line = {"figure": name, "value": round(value, 3), "unit": unit, "limit": limit}
    print(json.dumps(line | {"ok": value <= limit}), flush=True)


def import_s(rounds: int) -> float:
    """Return how long `import hub` takes in a fresh interpreter, in seconds."""
    taken = [
        float(
            subprocess.run([sys.executable, "-c", IMPORT], capture_output=True, check=True).stdout
        )
        for _ in range(rounds)
    ]
    return statistics.median(taken)


@contextlib.contextmanager
def folder() -> Iterator[Path]:
    """Return a folder that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="hub-bench-") as made:
        yield Path(made)


async def start_once(place: Path) -> tuple[float, float]:
    """Return seconds from exec to an answer, and MiB resident when idle."""
    hub = Process(
        name="hub serve",
        arguments=["serve", "--data", str(place / "data"), "--port", "0"],
        log=place / "hub.log",
        environment=dict(os.environ),
    )
    hub.log.touch()
    began = time.perf_counter()
    await hub.start()
    try:
        ready = await hub.said("Integration Hub ")
        url = next(word for word in ready.split() if word.startswith("http"))
        await hub.answers(f"{url}/readyz")
        taken = time.perf_counter() - began
        await asyncio.sleep(SETTLE_S)
        return taken, resident_mib(hub.pid)
    finally:
        await hub.stop()


def resident_mib(pid: int) -> float:
    """Return a process's resident memory in MiB."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise ProcessLookupError(pid)


async def commit_to_request(rounds: int) -> float:
    """Return the median of milliseconds from the hub's reception to the vendor's."""
    taken = []
    with folder() as place:
        async with running(place, dict(os.environ)) as both, httpx.AsyncClient(timeout=10) as http:
            world = await set_up(both, http, lambda _: None)
            for number in range(rounds):
                await asyncio.sleep(0.3)
                taken.append(await one_case(world, number))
    return statistics.median(taken)


async def one_case(world: World, number: int) -> float:
    """Create a Case and follow it; return milliseconds."""
    subject = f"Bench {number}:"
    await world.salesforce.create_case(
        Subject=subject, Priority="High", Type=CASE_TYPE, Origin="Web"
    )
    arrived = await arrival(world, subject)
    return (arrived - await reception(world, subject)).total_seconds() * 1000


async def arrival(world: World, subject: str) -> datetime:
    """Return when PagerDuty got the request for this Case's incident."""
    url = f"{world.pagerduty.url}/_sim/requests"
    for _ in range(200):
        for one in (await world.pagerduty.http.get(url)).json():
            if one["method"] == "POST" and subject in json.dumps(one["body"]):
                return datetime.fromisoformat(one["at"])
        await asyncio.sleep(0.05)
    raise TimeoutError(f"No incident for {subject!r}.")


async def reception(world: World, subject: str) -> datetime:
    """Return when the hub received the push of this Case's creation."""
    async for trace in world.hub.traces():
        created = any(one["trigger"].endswith(".created") for one in trace["events"])
        if created and subject in json.dumps(trace):
            return datetime.fromisoformat(trace["received_at"])
    raise LookupError(subject)


async def main(rounds: int) -> None:
    """Measure and print."""
    figure("main.import_s", import_s(rounds), "s", 0.2)
    starts = []
    for _ in range(rounds):
        with folder() as place:
            starts.append(await start_once(place))
    figure("main.ready_s", statistics.median(one for one, _ in starts), "s", 3)
    figure("main.idle_rss_mib", statistics.median(mib for _, mib in starts), "MiB", 150)
    figure("main.commit_to_request_ms", await commit_to_request(20), "ms", 25)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    asyncio.run(main(parser.parse_args().rounds))
