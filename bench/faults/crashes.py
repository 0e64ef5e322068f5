"""Scenarios: processes and servers are killed, paused, stopped, started again."""

import time

from bench.faults.verdict import Verdict, takeover_s
from bench.faults.world import HEARTBEAT_S, POSTGRES, World, at_work, wait_for

_LATE_S = 0.02
_LATEST_S = 0.2
"""All lanes on the connections of one worker are answered well within its time-out."""
_LANES = 16
_LASTS_S = 6
_MANY = 500
_VERY_MANY = 5_000
STOPS_S = 12.0
"""How long a process may take to stop: the vendor time-out and ten seconds, and a little."""


def kill_the_door(world: World, size: int) -> Verdict:
    """kill -9 of what accepts, at random points under load; with SQLite it also works."""
    at_work(world, doors=2)
    with world.load(size, rate=size / _LASTS_S):
        for share in sorted(world.chance.uniform(0.05, 0.9) for _ in range(times(size))):
            world.until(int(size * share))
            door = world.chance.choice(world.doors)
            door.kill()
            door.start()
    return world.verdict()


def kill_a_worker(world: World, size: int) -> Verdict:
    """kill -9 of one of two workers with everything in flight; another takes over in time."""
    at_work(world, workers=0)
    with world.load(size, lanes=_LANES):
        pass
    world.vendor.late(lateness(size))
    world.have_workers(2)
    taken = []
    for share in (0.3, 0.6)[: times(size)]:
        world.until(int(size * share))
        killed = world.busiest()
        since = time.monotonic()
        killed.kill()
        wait_for(lambda since=since: all_go_on(world, since), "a takeover", 60, 0.2)
        taken.append(takeover_s(world.requests(), since))
        killed.start()
    found = world.verdict()
    found.more["takeover_s"] = max(taken)
    return found


def kill_a_hub(world: World, size: int) -> Verdict:
    """kill -9 of one of two hubs that each do everything, under load."""
    for _ in range(2):
        world.door(wait=False, works=True)
    at_work(world, workers=0)
    with world.load(size, rate=size / _LASTS_S):
        for share in sorted(world.chance.uniform(0.05, 0.9) for _ in range(times(size))):
            world.until(int(size * share))
            killed = world.chance.choice(world.doors)
            killed.kill()
            killed.start()
    return world.verdict()


kill_a_hub.alone = True


def kill_all_workers(world: World, size: int) -> Verdict:
    """kill -9 of all workers at random points; they start again by and by."""
    at_work(world)
    with world.load(size, rate=size / _LASTS_S):
        for share in sorted(world.chance.uniform(0.05, 0.9) for _ in range(times(size))):
            world.until(int(size * share))
            for one in world.workers:
                one.kill()
            world.have_workers(2)
    return world.verdict()


def kill_the_database(world: World, size: int) -> Verdict:
    """kill -9 of a backend (the server recovers), then of the whole server, under load."""
    assert world.server is not None
    at_work(world)
    with world.load(size, rate=size / _LASTS_S):
        world.until(int(size * world.chance.uniform(0.1, 0.3)))
        world.server.kill_backend()
        world.until(int(size * world.chance.uniform(0.4, 0.7)))
        world.server.kill()
        time.sleep(1.0)
        world.server.start()
    return world.verdict()


def pause_a_worker(world: World, size: int) -> Verdict:
    """SIGSTOP of one of two workers beyond its heartbeat; it wakes up late and is fenced."""
    at_work(world, workers=0)
    with world.load(size, lanes=_LANES):
        pass
    world.vendor.late(lateness(size))
    world.have_workers(2)
    world.until(size // 4)
    zombie = world.busiest()
    since = time.monotonic()
    zombie.pause()
    wait_for(lambda: all_go_on(world, since), "a takeover", 60, 0.2)
    takeover = takeover_s(world.requests(), since)
    time.sleep(max(0.0, since + HEARTBEAT_S + 2 - time.monotonic()))
    repeated = _repeated(world)
    zombie.go_on()
    found = world.verdict()
    found.more |= {"takeover_s": takeover, "stale": _repeated(world) - repeated}
    return found


def pause_while_it_accepts(world: World, size: int) -> Verdict:
    """SIGSTOP of one of two doors in mid-commit: the other door goes on accepting."""
    at_work(world, doors=2)
    with world.load(size, rate=size / _LASTS_S) as load:
        for share in (0.2, 0.5):
            world.until(int(size * share))
            world.doors[0].pause()
            time.sleep(HEARTBEAT_S + 2)
            world.doors[0].go_on()
    found = world.verdict()
    found.more["slowest_s"] = load.slowest_s
    return found


def stop_and_start(world: World, size: int) -> Verdict:
    """SIGTERM one after the other under load: each ends in time, its work goes on elsewhere."""
    at_work(world, doors=2)
    world.vendor.late(_LATE_S)
    slowest = 0.0
    with world.load(size, rate=size / _LASTS_S):
        chosen = world.processes if size >= _MANY else [world.doors[0], *world.workers[:1]]
        for share, one in zip((0.1, 0.3, 0.5, 0.7), chosen, strict=False):
            world.until(int(size * share))
            began = time.monotonic()
            one.terminate()
            assert one.wait() == 0, one.text()
            slowest = max(slowest, time.monotonic() - began)
            assert slowest < STOPS_S, f"it took {slowest:.1f} s to stop"
            one.start()
    found = world.verdict()
    found.more |= {"stop_s": slowest, "requests_twice": found.repeated}
    return found


def times(size: int) -> int:
    """Return how often something is broken in a run of this size."""
    return 1 if size < _MANY else 2 if size < _VERY_MANY else 3


def lateness(size: int) -> float:
    """Return how late the vendor has to answer so that each lane has seconds of work."""
    return min(_LATEST_S, max(_LATE_S, 3.0 * _LANES / size))


def all_go_on(world: World, since: float) -> bool:
    """Whether each lane that had something to do has gone on since then."""
    accepted: dict[str, int] = {}
    for load in world.loads:
        for lane, seq in load.accepted:
            accepted[lane] = max(seq, accepted.get(lane, 0))
    last: dict[str, tuple[int, float]] = {}
    for one in world.requests():
        last[one.lane] = (one.seq, one.at)
    return all(
        last.get(lane, (-1, 0.0))[0] >= seq or last.get(lane, (-1, 0.0))[1] > since
        for lane, seq in accepted.items()
    )


def _repeated(world: World) -> int:
    requests = world.requests()
    return len(requests) - len({one.key for one in requests})


BOTH = {"kill_the_door": kill_the_door, "stop_and_start": stop_and_start}
ONLY = {
    POSTGRES: {
        "kill_a_worker": kill_a_worker,
        "kill_a_hub": kill_a_hub,
        "kill_all_workers": kill_all_workers,
        "kill_the_database": kill_the_database,
        "pause_a_worker": pause_a_worker,
        "pause_while_it_accepts": pause_while_it_accepts,
    }
}
