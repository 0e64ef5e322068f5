"""How soon an idle hub acts, and how soon one under a steady load.

`engine.dispatch_*`: from the moment the delivery is durable to its request at the sink.
`engine.effect_*`: from the due time of a webhook to its request, at 50 a second with a
vendor that takes 20 ms to answer.
"""

import asyncio
import random
import time

from bench.accept import serving
from bench.engine.options import Options
from bench.engine.workers import DISPATCH, running
from bench.load import closed, opened
from bench.places import figure, http_request, median, postgres, sqlite
from bench.servers import PATH
from bench.sink import Running as Sink
from bench.sink import sink
from hub.testing.rig import item, posting, request_of, running_rig

WEBHOOK = "/t/load/connectors/load/webhook"
A_SECOND = 50


def measure(options: Options, server_url: str | None) -> None:
    """Measure on both databases."""
    places = {"": sqlite}
    if server_url:
        places["_postgres"] = lambda: postgres(server_url)
    for mark, place in places.items():
        with place() as url, sink() as there:
            waited = asyncio.run(idle(url, there, options.probes))
        figure(f"engine.dispatch_p50_ms{mark}", at(waited, 0.5), "ms", 10, least=False)
        figure(f"engine.dispatch_p95_ms{mark}", at(waited, 0.95), "ms", 30, least=False)
        figure(f"engine.dispatch_p99_ms{mark}", at(waited, 0.99), "ms")
    steady(options)
    end_to_end(options)


async def idle(url: str, there: Sink, probes: int) -> list[float]:
    """Return the milliseconds that deliveries waited in a hub with nothing else to do."""
    durable, chance = {}, random.Random(5)
    async with running_rig(url, there.url, rules=[posting()], dispatch=DISPATCH) as rig:
        for number in range(probes + 5):
            await asyncio.sleep(0.08 + chance.random() * 0.1)
            await rig.send(item(f"l{number}", 0))
            durable[f"l{number}"] = time.monotonic()
        await rig.settled()
    times = [(when - durable[lane]) * 1000 for lane, _, when in there.take().times]
    return times[5:]


def webhooks(count: int) -> list[bytes]:
    """Return signed deliveries of the load connector, each for a lane of its own."""
    made = []
    for number in range(count):
        request = request_of([item(f"l{number}", 0)])
        made.append(http_request(WEBHOOK, request.body, dict(request.headers)))
    return made


def steady(options: Options) -> None:
    """Measure event to effect under a steady load."""
    seconds = max(3.0, options.seconds * 3)
    requests = webhooks(int(A_SECOND * seconds) + 10)
    with (
        sqlite() as url,
        sink(after_s=0.02) as there,
        running(role="whole", url=url, sink=there.url) as hub,
    ):
        loaded = opened(int(hub.said), requests, A_SECOND, seconds)
        while there.count() < loaded.answered:
            time.sleep(0.02)
        times = there.take().times
    waits = [(when - loaded.began - int(lane[1:]) / A_SECOND) * 1000 for lane, _, when in times]
    figure("engine.effect_p50_ms_at_50", at(waits, 0.5), "ms")
    figure("engine.effect_p95_ms_at_50", at(waits, 0.95), "ms", 250, least=False)


def end_to_end(options: Options) -> None:
    """Measure webhooks in and effects out in one process, as a share of a bare 202 server."""
    shares, rates = [], []
    requests = webhooks(int(9000 * options.seconds) + 500)
    for _ in range(options.rounds):
        with serving("bare") as bare:
            plain = [one.replace(WEBHOOK.encode(), PATH.encode(), 1) for one in requests]
            ceiling = closed(bare.port, plain, 16, options.seconds)
        with (
            sqlite() as url,
            sink() as there,
            running(role="whole", url=url, sink=there.url) as hub,
        ):
            loaded = closed(int(hub.said), requests, 16, options.seconds)
            while there.count() < loaded.answered:
                time.sleep(0.02)
            taken = there.take()
        rates.append(taken.count / taken.seconds)
        shares.append(rates[-1] / ceiling.rate)
    figure("engine.end_to_end_embedded", median(rates), "1/s")
    figure("engine.end_to_end_ratio_embedded", median(shares), "ratio", 0.2)


def at(values: list[float], share: float) -> float:
    """Return a percentile."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else 0.0
