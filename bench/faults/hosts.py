"""Scenarios: several hosts on one PostgreSQL, one cut off and back."""

import contextlib
import time
from collections.abc import Callable, Iterator

from bench.faults import network
from bench.faults.crashes import all_go_on, lateness
from bench.faults.verdict import Verdict, takeover_s
from bench.faults.world import HEARTBEAT_S, POSTGRES, World, at_work, wait_for


def host_cut_off(world: World, size: int) -> Verdict:
    """Two hosts with workers; one loses the database, then everything, and comes back each time.

    While it has lost only the database it could still reach the vendor: it must not.
    """
    with _two_hosts(world) as cuts:
        with world.load(size, lanes=16):
            pass
        world.vendor.late(lateness(size))
        taken, began = [], world.vendor.count() - world.before
        for number, cut in enumerate(cuts):
            world.until(began + size * (number + 1) // (len(cuts) + 2))
            since = time.monotonic()
            heal = cut()
            wait_for(lambda since=since: all_go_on(world, since), "a takeover", 60, 0.2)
            taken.append(takeover_s(world.requests(), since))
            time.sleep(max(0.0, since + HEARTBEAT_S + 2 - time.monotonic()))
            heal()
        found = world.verdict()
        found.more |= {"takeover_s": max(taken), "namespaces": network.may_have_namespaces()}
        world.stop()
    return found


Cut = Callable[[], Callable[[], None]]


@contextlib.contextmanager
def _two_hosts(world: World) -> Iterator[list[Cut]]:
    """Start a door here and a worker on each of two hosts; give the ways to cut one off."""
    if network.may_have_namespaces() and world.server.listens_to(network.DATABASE):
        with network.hosts(2) as made:
            at_work(world, workers=0, host=network.VENDOR)
            for host in made:
                url = world.url(network.DATABASE)
                world.worker(prefix=host.prefix, wait=False, HUB_DATABASE__URL=url)
            _said(world)
            yield [lambda: _cut(made[0], vendor=False), lambda: _cut(made[1], vendor=True)]
            world.stop()
        return
    relays = [network.Relay(world.server.port) for _ in range(2)]
    at_work(world, workers=0)
    for relay in relays:
        relay.open()
        url = world.server.url(world.database, port=relay.port)
        world.worker(wait=False, HUB_DATABASE__URL=url)
    _said(world)
    yield [lambda: _stall(relays[0]), lambda: _stall(relays[1])]
    world.stop()
    for relay in relays:
        relay.close()


def _said(world: World) -> None:
    for one in world.workers:
        one.said(one.ready)


def _cut(host: network.Host, *, vendor: bool) -> Callable[[], None]:
    host.cut(vendor=vendor)
    return host.heal


def _stall(relay: network.Relay) -> Callable[[], None]:
    relay.cut()
    return relay.heal


host_cut_off.alone = True

BOTH: dict[str, object] = {}
ONLY = {POSTGRES: {"host_cut_off": host_cut_off}}
