"""Scenarios: the vendor, a handler or a lane does not do well."""

import time

from bench.faults.load import event_of
from bench.faults.verdict import Verdict
from bench.faults.world import POSTGRES, World, at_work, wait_for

_LASTS_S = 6
_AT_ONCE = 200
_OTHERS = 200
_POISON = 3
_AT_A_TIME = 3
"""Fewer in a row than would park the connector."""
_LANE = "kpoison"
_NOTICED_S = 2.0
"""Other processes notice within a second that a connector is parked; they end what is under way."""
_LEFT_ALONE_S = 5.0
"""Less than the half minute after which the vendor is tried again."""
_ROUNDS = (
    {"status": 503},
    {"status": 500},
    {"status": 502, "html": True},
    {"status": 200, "html": True, "counts": True},
    {"status": 429, "headers": {"retry-after": "1"}},
    {"status": 429},
    {"cut": True},
    {"cut": True, "counts": True},
    {"hang_s": 3.0, "status": 503},
    {"hang_s": 3.0, "status": 202, "counts": True},
)


def vendor_fails(world: World, size: int) -> Verdict:
    """The vendor hangs, resets, answers 429, 5xx and pages, before and after the effect."""
    at_work(world)
    with world.load(size, lanes=60, rate=size / _LASTS_S):
        for number, fault in enumerate(_ROUNDS):
            world.until(size * (number + 1) // (len(_ROUNDS) + 3))
            world.vendor.fault(times=_AT_A_TIME, **fault)
            wait_for(lambda: world.vendor.failing() == 0, f"requests that fail ({fault})", 30)
    return world.verdict()


def vendor_away(world: World, size: int) -> Verdict:
    """The vendor answers 503 to everything: left alone, nothing given up, then work by itself."""
    at_work(world)
    dead = _dead(world)
    with world.load(size, rate=size / _LASTS_S):
        world.until(size // 3)
        world.vendor.fault(times=1_000_000, status=503)
        wait_for(lambda: world.api("GET", "connectors/load")["state"] == "parked", "a parking")
        time.sleep(_NOTICED_S)
        refused = world.vendor.refused()
    time.sleep(_LEFT_ALONE_S)
    again = world.vendor.refused() - refused
    assert again == 0, f"{again} requests to a vendor that is away"
    world.vendor.well()
    found = world.verdict()
    assert _dead(world) == dead, "what met the outage was given up"
    found.more["refused"] = refused
    return found


def _dead(world: World) -> int:
    return len(world.api("GET", "runs?state=dead&limit=100")["items"])


def hot_lane(world: World, size: int) -> Verdict:
    """One lane has thousands waiting; the others are not held up."""
    at_work(world)
    world.vendor.late(0.002)
    for start in range(0, size, _AT_ONCE):
        numbers = range(start, min(start + _AT_ONCE, size))
        events = [event_of("khot", seq) for seq in numbers]
        answer = world.post(*events, key=f"hot{start}")
        assert answer.status_code == 202, answer.text
        world.sent += [("khot", seq) for seq in numbers]
    left = world.pending()
    began = time.monotonic()
    with world.load(_OTHERS, lanes=20, rate=100) as load:
        pass
    wanted = set(load.accepted)
    wait_for(lambda: wanted <= {(one.lane, one.seq) for one in world.requests()}, "the others")
    took = time.monotonic() - began
    hot_left = size - sum(one.lane == "khot" for one in world.requests())
    assert hot_left > 0, "the others were not sent before the hot lane was through"
    found = world.verdict(timeout_s=600)
    found.more |= {
        "waiting": left,
        "others_s": took,
        "hot_left": hot_left,
        "all_s": time.monotonic() - began,
    }
    return found


hot_lane.least = 500


def handler_raises(world: World, size: int) -> Verdict:
    """A handler raises for the events of one lane: that lane waits, then has dead letters."""
    at_work(world)
    made = world.rules(
        {
            "format": 1,
            "name": "Poison",
            "object": "load.item",
            "on": ["load.item.created"],
            "when": {"all": [{"field": "load.item.lane", "op": "is", "value": _LANE}]},
            "then": [{"do": "load.fail", "connector": "load", "with": {"text": "poison"}}],
        },
        name="Poison",
    )
    for seq in range(_POISON):
        assert world.post(event_of(_LANE, seq)).status_code == 202
        world.sent.append((_LANE, seq))
    with world.load(size):
        wait_for(lambda: world.api("GET", "/inbox")["held"].get("retry", 0) == 1, "the hold")
    found = world.verdict()
    dead = world.api("GET", "runs?state=dead&limit=100")["items"]
    assert len(dead) == _POISON, dead
    assert all("a bug: poison" in one["error"] for one in dead), dead
    world.api("PATCH", f"rulesets/{made['id']}", {"state": "disabled"})
    found.more["dead_letters"] = len(dead)
    return found


BOTH = {"vendor_fails": vendor_fails, "hot_lane": hot_lane, "handler_raises": handler_raises}
ONLY = {POSTGRES: {"vendor_away": vendor_away}}
