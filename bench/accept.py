"""How fast deliveries are accepted, as shares of a bare FastAPI 202 in the same round.

    python -m bench.accept [--rounds 3] [--seconds 3] [--no-postgres]

One server at a time, the load generator beside it, contenders interleaved, a fresh database
for each. `engine.store_ratio_*`: the raw body as one row; `engine.accept_ratio_*`: the hub's
own ingress with signature, parse, delivery and event rows. Beside each rate stands the CPU a
request took of the server, which other load on the machine changes less.
"""

import argparse
import contextlib
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from typing import NamedTuple

from bench.load import Loaded, closed
from bench.places import cpu_s, figure, median, pagerduty_requests, postgres, server, sqlite
from bench.servers import PATH

LIMITS = {"store": 0.6, "accept": 0.5}
CONNECTIONS = [1, 16, 64]


class Server(NamedTuple):
    """A server that runs."""

    port: int
    pid: int


class Measured(NamedTuple):
    """A load, and the server's CPU a request, in ms."""

    loaded: Loaded
    cpu_ms: float


@contextlib.contextmanager
def serving(kind: str, url: str = "") -> Iterator[Server]:
    """Run one server."""
    with subprocess.Popen(
        [sys.executable, "-m", "bench.servers", kind, url], stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            line = process.stdout.readline()
            if not line.strip():
                raise SystemExit(f"the server {kind} did not start")
            yield Server(int(line), process.pid)
        finally:
            process.terminate()
            process.wait()


@contextlib.contextmanager
def contender(name: str, server_url: str | None) -> Iterator[Server]:
    """Run a contender by name: kind, or kind_database."""
    kind, _, database = name.partition("_")
    if not database:
        with serving(kind) as running:
            yield running
        return
    place = sqlite() if database == "sqlite" else postgres(server_url or "")
    with place as url, serving(kind, url) as running:
        yield running


def measure(running: Server, connections: int, seconds: float, requests: list[bytes]) -> Measured:
    """Warm up, then measure; every answer has to be a 202."""
    closed(running.port, requests[:500], connections, 1.0)
    before = cpu_s(running.pid)
    loaded = closed(running.port, requests[500:], connections, seconds)
    cpu = cpu_s(running.pid) - before
    wrong = {status: count for status, count in loaded.statuses.items() if status != 202}
    if wrong:
        raise SystemExit(f"answers other than 202: {wrong}")
    return Measured(loaded, cpu / loaded.answered * 1000)


Found = dict[tuple[str, int], list[Measured]]


def rounds_of(names: list[str], options, server_url: str | None, loads: list[int]) -> Found:
    """Measure all contenders, interleaved."""
    found: Found = defaultdict(list)
    requests = pagerduty_requests(PATH, int(9000 * options.seconds) + 500)
    for _ in range(options.rounds):
        for connections in loads:
            for name in names:
                with contender(name, server_url) as running:
                    one = measure(running, connections, options.seconds, requests)
                found[(name, connections)].append(one)
    return found


def report(found: Found, name: str, connections: int) -> None:
    """Print a contender's rate, latencies, CPU, and its share of the bare server."""
    listed, bare = found[(name, connections)], found[("bare", connections)]
    mark = f"{name}_c{connections}"
    figure(f"engine.rate_{mark}", median([one.loaded.rate for one in listed]), "req/s")
    figure(f"engine.p50_{mark}", median([one.loaded.at(0.5) for one in listed]), "ms")
    figure(f"engine.p99_{mark}", median([one.loaded.at(0.99) for one in listed]), "ms")
    figure(f"engine.cpu_{mark}", median([one.cpu_ms for one in listed]), "ms/req")
    if name == "bare":
        return
    pairs = list(zip(listed, bare, strict=True))
    share = median([one.loaded.rate / base.loaded.rate for one, base in pairs])
    kind, _, database = name.partition("_")
    word = {"hub": "accept", "store": "store"}.get(kind)
    if word is None:
        figure(f"engine.share_{mark}", share, "ratio")
        return
    if word == "accept" and connections == 64:
        spread = median([one.loaded.at(0.99) / one.loaded.at(0.5) for one in listed])
        figure(f"engine.p99_over_p50_{mark}", spread, "ratio", 10, least=False)
    limit = LIMITS[word] if connections == 64 else None
    figure(f"engine.{word}_ratio_{database}_c{connections}", share, "ratio", limit)


def measure_all(options, server_url: str | None, only: tuple[str, ...] = ()) -> None:
    """Measure all servers, interleaved, and print."""
    names = ["bare", "parsed", "store_sqlite", "single_sqlite", "hub_sqlite"]
    if server_url:
        names += ["store_postgres", "single_postgres", "hub_postgres"]
    names = [one for one in names if not only or one in {"bare", *only}]
    connections = getattr(options, "connections", CONNECTIONS)
    found = rounds_of(names, options, server_url, connections)
    for number in connections:
        for name in names:
            report(found, name, number)


def main() -> None:
    """Measure what was asked for."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--connections", type=int, nargs="*", default=CONNECTIONS)
    parser.add_argument("--only", nargs="*", default=[])
    parser.add_argument("--no-postgres", action="store_true")
    options = parser.parse_args()
    with contextlib.ExitStack() as stack:
        server_url = None if options.no_postgres else stack.enter_context(server())
        measure_all(options, server_url, tuple(options.only))


if __name__ == "__main__":
    main()
