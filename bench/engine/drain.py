"""How fast a backlog is worked, as a share of the hub's own HTTP client alone.

Events are preloaded round robin over 300 lanes; the time is that from the first to the last
request at the sink. A run in which a request is missing, doubled or out of order is no figure.
"""

import asyncio
import contextlib
import time
from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

from bench.engine.options import Options
from bench.engine.workers import running
from bench.places import cpu_s, figure, median, postgres, sqlite
from bench.sink import Running as Sink
from bench.sink import sink
from hub.testing.rig import item, running_rig

LANES = 300
A_DELIVERY = 200
LONGEST_S = 300
BACKLOG = {"max_pending": 10**9}


class Drained(NamedTuple):
    """Requests a second, and CPU of an event in ms: the hub's, and PostgreSQL's."""

    rate: float
    cpu_ms: float
    database_ms: float = 0.0


async def preload(url: str, there: str, count: int, lanes: int) -> None:
    """File so many events, round robin over the lanes."""
    async with running_rig(url, there, works=False, dispatch=BACKLOG) as rig:
        for start in range(0, count, A_DELIVERY):
            numbers = range(start, min(start + A_DELIVERY, count))
            await rig.send(*(item(f"l{n % lanes}", n // lanes) for n in numbers))


def alone(role: str, there: Sink, count: int, at_once: int = 64) -> Drained:
    """Let a client send without an engine."""
    with running(role=role, sink=there.url, count=count, at_once=at_once) as one:
        before = cpu_s(one.process.pid)
        one.go()
        arrived(there, count)
        cpu = cpu_s(one.process.pid) - before
    return Drained(count / there.take().seconds, cpu / count * 1000)


def drained(url: str, there: Sink, count: int, *, lanes: int = LANES, workers: int = 1) -> Drained:
    """Preload, let the workers drain, and check what arrived."""
    asyncio.run(preload(url, there.url, count, lanes))
    there.take()
    with contextlib.ExitStack() as stack:
        listed = [
            stack.enter_context(running(role="work", url=url, sink=there.url))
            for _ in range(workers)
        ]
        pids = [one.process.pid for one in listed]
        before, database = sum(map(cpu_s, pids)), postgres_cpu_s()
        for one in listed:
            one.go()
        arrived(there, count)
        cpu, database = sum(map(cpu_s, pids)) - before, postgres_cpu_s() - database
    taken = there.take()
    if taken.effects != count or taken.twice or taken.disordered:
        raise SystemExit(
            f"{count - taken.effects} lost, {taken.twice} twice, {taken.disordered} disordered"
        )
    return Drained(count / taken.seconds, cpu / count * 1000, database / count * 1000)


def arrived(there: Sink, count: int) -> None:
    """Wait until so many requests were counted."""
    deadline = time.monotonic() + LONGEST_S
    while there.count() < count:
        if time.monotonic() > deadline:
            raise SystemExit(f"only {there.count()} of {count} requests arrived")
        time.sleep(0.05)


def postgres_cpu_s() -> float:
    """Return the CPU seconds of all PostgreSQL processes that run now."""
    total = 0.0
    for place in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if (place / "comm").read_text().strip() == "postgres":
                total += cpu_s(int(place.name))
    return total


def contenders(name: str, there: Sink, options: Options, server_url: str | None) -> Drained:
    """Measure one contender."""
    if name in {"client", "aiohttp"}:
        return alone(name, there, options.events)
    kind, _, database = name.partition("_")
    place = sqlite() if database == "embedded" else postgres(server_url or "")
    workers = 2 if kind == "two" else 1
    lanes = options.events if kind == "lanes" else LANES
    with place as url:
        return drained(url, there, options.events, lanes=lanes, workers=workers)


def measure(options: Options, server_url: str | None) -> None:
    """Measure all contenders in turn, round by round, and print."""
    names = ["client", "aiohttp", "full_embedded", "lanes_embedded"]
    names += ["full_postgres", "two_postgres"] if server_url else []
    found: dict[str, list[Drained]] = defaultdict(list)
    with sink() as there:
        for _ in range(options.rounds):
            for name in names:
                found[name].append(contenders(name, there, options, server_url))
    for name in names:
        rates = [one.rate for one in found[name]]
        figure(f"engine.effects_{name}", median(rates), "1/s")
        figure(f"engine.cpu_effect_{name}", median([one.cpu_ms for one in found[name]]), "ms")
        if name.endswith("postgres"):
            database = median([one.database_ms for one in found[name]])
            figure(f"engine.database_cpu_effect_{name}", database, "ms")
    shares(found)


def shares(found: dict[str, list[Drained]]) -> None:
    """Print the ratios, each the median over rounds."""
    for figured, above, below, limit in (
        ("engine.process_ratio_embedded", "full_embedded", "client", 0.6),
        ("engine.process_ratio_postgres", "full_postgres", "client", 0.6),
        ("engine.process_ratio_2_workers_over_1", "two_postgres", "full_postgres", 0.7),
        ("engine.process_ratio_own_lanes", "lanes_embedded", "full_embedded", 0.6),
        ("engine.process_ratio_aiohttp", "full_embedded", "aiohttp", None),
    ):
        if above in found and below in found:
            pairs = zip(found[above], found[below], strict=True)
            figure(figured, median([one.rate / two.rate for one, two in pairs]), "ratio", limit)
