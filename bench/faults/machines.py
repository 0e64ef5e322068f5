"""Scenarios: the disk is full, the clock jumps, a plugin has a bug, what is replayed is gone."""

import contextlib
import os
import resource
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from bench.faults import plugins
from bench.faults.load import event_of
from bench.faults.verdict import Verdict
from bench.faults.world import SQLITE, World, at_work, wait_for

_JUMP_S = 300
_LASTS_S = 6
_NOTICED_S = 1.5
"""Other processes notice changed rules within a second."""
_DISK_MIB = 48
_EVENTS_PER_MIB = 50
"""So that the disk is full when it is filled, and not by the events themselves."""
_REFUSED = {202, 503}


def disk_full(world: World, size: int) -> Verdict:
    """The disk is full for a while: 503 and nothing lost, then it goes on by itself."""
    with _small_disk(world, _DISK_MIB + size // _EVENTS_PER_MIB) as (fill, clear):
        at_work(world)
        with world.load(size, rate=size / _LASTS_S) as load:
            world.until(size // 4)
            fill()
            wait_for(lambda: load.answers[503] > 0, "a refusal", 30)
            time.sleep(2)
            clear()
        found = world.verdict()
        assert set(load.answers) <= _REFUSED, load.answers
        found.more["refused"] = load.answers[503]
        world.stop()
    return found


def clock_jumps(world: World, size: int) -> Verdict:
    """The hosts' clocks jump five minutes ahead, then ten back, then forth again, under load."""
    plugins.with_clock(world.plugin)
    at_work(world)
    with world.load(size):
        for share, seconds in ((0.2, _JUMP_S), (0.45, -_JUMP_S), (0.7, 0)):
            world.until(int(size * share))
            plugins.move_clock(world.plugin, seconds)
    # with SQLite what is tried again while the clock is ahead waits by that clock
    return world.verdict(timeout_s=120 + (2 * _JUMP_S if world.driver == SQLITE else 0))


def parse_raises(world: World, size: int) -> Verdict:
    """A plugin's parse raises: kept as unreadable; after the plugin's fix it is replayed."""
    del size
    good = world.plugin
    world.plugin = plugins.install(world.folder / "broken", parse_raises=True)
    at_work(world, workers=1)
    for number in range(3):
        event = event_of("kunread", number, key=f"unread/{number}")
        assert world.post(event).status_code == 202
        world.sent.append(("kunread", number))
    kept = world.api("GET", "deliveries?state=unreadable")["items"]
    assert len(kept) == 3, kept
    shown = world.api("GET", f"deliveries/{kept[0]['id']}")
    assert "a bug in parse" in shown["detail"], shown
    world.stop()
    for one in world.processes:
        one.environment = {
            **one.environment,
            "PYTHONPATH": one.environment["PYTHONPATH"].replace(str(world.plugin), str(good)),
        }
        one.start()
    counted = world.api("POST", "deliveries/replay", {"state": "unreadable"})
    assert counted["count"] == 3, counted
    world.api("POST", "deliveries/replay", {"state": "unreadable", "confirm": 3})
    world.until(3)
    return world.verdict()


def replay_of_what_is_gone(world: World, size: int) -> Verdict:
    """A replay whose rule, then whose connector is gone: a clear answer each time."""
    del size
    at_work(world, workers=1)
    told = world.post(event_of("kgone", 0)).json()["delivery"]
    world.sent.append(("kgone", 0))
    world.until(1)
    for one in world.api("GET", "rulesets")["items"]:
        world.api("PATCH", f"rulesets/{one['id']}", {"state": "disabled"})
        world.api("DELETE", f"rulesets/{one['id']}?name={one['name']}")
    time.sleep(_NOTICED_S)
    again = world.api("POST", f"deliveries/{told}/replay", {"mode": "all"})
    world.settled()
    trace = world.api("GET", f"deliveries/{again['id']}/trace")
    assert [one["state"] for one in trace["events"]] == ["done"], trace
    assert trace["events"][0]["runs"] == [], trace
    world.api("DELETE", "connectors/load")
    refused = world.ask("POST", f"deliveries/{told}/replay", {"mode": "all"})
    assert refused.status_code in {404, 409}, refused.text
    assert "connector" in refused.json()["detail"], refused.text
    return world.verdict()


@contextlib.contextmanager
def _small_disk(world: World, mib: int) -> Iterator[tuple[Callable[[], None], Callable[[], None]]]:
    """Give ways to fill and to clear the disk of the first door: a file system, or a limit."""
    place = world.folder / "door0"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={mib}m", "tmpfs", str(place)]
    if os.geteuid() != 0 or subprocess.run(mount, check=False, capture_output=True).returncode:
        yield (lambda: _limit(world, place), lambda: _unlimit(world))
        return
    try:
        yield (lambda: _fill(place / "filler"), (place / "filler").unlink)
    finally:
        world.stop()
        subprocess.run(["umount", str(place)], check=True)


def _fill(file: Path) -> None:
    with contextlib.suppress(OSError), file.open("wb", buffering=0) as filler:
        for size in (1 << 20, 1 << 12):
            with contextlib.suppress(OSError):
                while filler.write(b"\0" * size):
                    pass


def _limit(world: World, place: Path) -> None:
    """Let no file of the process grow beyond its largest one."""
    most = max(file.stat().st_size for file in place.iterdir())
    for number in (one.pid for one in world.doors):
        resource.prlimit(number, resource.RLIMIT_FSIZE, (most, resource.RLIM_INFINITY))


def _unlimit(world: World) -> None:
    for number in (one.pid for one in world.doors):
        unlimited = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
        resource.prlimit(number, resource.RLIMIT_FSIZE, unlimited)


for _one in (disk_full, clock_jumps, parse_raises, replay_of_what_is_gone):
    _one.alone = True

BOTH = {
    "clock_jumps": clock_jumps,
    "parse_raises": parse_raises,
    "replay_of_what_is_gone": replay_of_what_is_gone,
}
ONLY = {SQLITE: {"disk_full": disk_full}}
