"""What stays the same however much there was, and however many tenants there are.

`engine.memory_ratio`: the process's memory after all events over that after a fifth of them.
`engine.tenants_*`: CPU of one event, from the webhook's reading to its effect, when the same
events come from 1, 100 and 1,000 tenants; each tenant's first event (connecting) not counted.
"""

import asyncio
import os
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from bench.engine.options import Options
from bench.engine.workers import DISPATCH
from bench.places import figure, sqlite
from bench.sink import Running as Sink
from bench.sink import sink
from hub.connectors.models import Connector
from hub.db.tenancy import Tenant
from hub.testing.rig import SECRET, Rig, item, posting, request_of, running_rig

AT_ONCE = 32
RATE = 1_000_000


def measure(options: Options, _: str | None) -> None:
    """Measure memory, then tenants."""
    with sqlite() as url, sink() as there:
        early, late = asyncio.run(memory(url, there, options.steady))
    figure("engine.memory_mib", late, "MiB")
    figure("engine.memory_ratio", late / early, "ratio", 1.25, least=False)
    costs = {}
    for tenants in (1, 100, 1000):
        with sqlite() as url, sink() as there:
            costs[tenants] = asyncio.run(of_tenants(url, there, tenants, options.events))
        figure(f"engine.tenants_{tenants}_cpu_ms", costs[tenants], "ms")
    figure("engine.tenants_ratio_1000_over_1", costs[1000] / costs[1], "ratio", 1.5, least=False)


async def memory(url: str, there: Sink, count: int) -> tuple[float, float]:
    """Accept and work so many events; return the memory after a fifth and at the end, in MiB."""
    async with running_rig(url, there.url, rules=[posting()], dispatch=DISPATCH) as rig:
        await worked(rig, there, [("load", "load")], range(count // 5))
        early = resident_mib()
        await worked(rig, there, [("load", "load")], range(count // 5, count))
        return early, resident_mib()


async def of_tenants(url: str, there: Sink, tenants: int, count: int) -> float:
    """Return the CPU milliseconds of an event when so many tenants have some each."""
    async with running_rig(url, there.url, rules=[posting()], dispatch=DISPATCH) as rig:
        slugs = [f"t{n}" for n in range(tenants)]
        async with rig.database.writing() as session:
            await add_tenants(rig, session, slugs, there.url)
        places = [(slug, "load") for slug in slugs]
        await worked(rig, there, places, range(max(count, tenants)))
        began = time.process_time()
        await worked(rig, there, places, range(max(count, tenants), 2 * max(count, tenants)))
        return (time.process_time() - began) / max(count, tenants) * 1000


async def add_tenants(rig: Rig, session, slugs: list[str], url: str) -> None:
    """Add tenants with one connector each."""
    for slug in slugs:
        tenant = Tenant(id=uuid.uuid4(), slug=slug, name=slug)
        session.add(tenant)
        await session.flush()
        row = Connector(
            tenant_id=tenant.id, name="load", type="load", settings={"url": url}, ingress_rate=RATE
        )
        session.add(row)
        await session.flush()
        kept = rig.clients.store(session, tenant.id)
        await kept.put(row.id, "webhook_secret", SECRET, by="bench", backends={})


async def worked(rig: Rig, there: Sink, places: list[tuple[str, str]], numbers: range) -> None:
    """Send each number to the next place, wait until all are worked."""
    left = iter(numbers)
    before = await asyncio.to_thread(there.count)
    async with sending(rig, left, places) as done:
        await done
    await rig.settled(600)
    assert await asyncio.to_thread(there.count) == before + len(numbers)
    await asyncio.to_thread(there.take)


@asynccontextmanager
async def sending(rig: Rig, left, places) -> AsyncIterator[asyncio.Future]:
    """Send all numbers, a few at a time."""

    async def call() -> None:
        for number in left:
            slug, name = places[number % len(places)]
            lane = number % max(300, len(places))
            connector = await rig.clients.by_name(slug, name)
            event = item(f"l{lane}", number, key=f"k{number}")
            await rig.engine.intake.accept(connector, request_of([event]))

    yield asyncio.gather(*(call() for _ in range(AT_ONCE)))


def resident_mib() -> float:
    """Return this process's resident memory."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20
