"""One measurement in a process of its own: `python -m bench.rules.measure index mixed 1000`."""

import gc
import json
import resource
import statistics
import sys
import time
import tracemalloc
from pathlib import Path

from bench.rules import workload
from bench.rules.contenders import CONTENDERS, Closures, Index
from bench.rules.peers import PEERS
from hub.rules import Rule, cover
from hub.rules.conditions import Leaf
from hub.sdk.operators import KeyKind

EVENTS = 200
CHECKED = 40
CALLS = 2_000
SECONDS = 1.0


def measure(name, load, count):
    made = workload.LOADS[load](count)
    events = [made.event(number) for number in range(EVENTS)]
    contender = _contender(name, made.rules)
    started = time.perf_counter()
    contender.build()
    built = time.perf_counter() - started
    if hasattr(contender, "prepare"):
        contender.prepare(events)
    gc.collect()
    gc.freeze()
    equal = _equal(contender, contender.rules, events) if name != "closures" else CHECKED
    times = _times(contender, events)
    return {
        "us": statistics.median(times) * 1e6,
        "mean_us": statistics.fmean(times) * 1e6,
        "build_us_per_rule": built / count * 1e6,
        "equal": equal,
        "left_out": count - len(contender.rules),
        "matches": statistics.fmean(len(contender.match(one)) for one in events[:50]),
    }


def _contender(name, rules):
    if name in CONTENDERS:
        return CONTENDERS[name](rules)
    return PEERS[name](rules)


def _equal(contender, rules, events):
    """Count the events for which the contender finds what closures find."""
    truth = Closures(rules)
    truth.build()
    some = events[:CHECKED]
    return sum(set(contender.found(one)) == set(truth.match(one)) for one in some)


def _times(contender, events):
    times = []
    match, clock = contender.match, time.perf_counter
    for one in events[:20]:
        match(one)
    ends = clock() + SECONDS
    while len(times) < CALLS and clock() < ends:
        for one in events:
            started = clock()
            match(one)
            now = clock()
            times.append(now - started)
            if now > ends:
                break
    return times


def count_tests(load, count, *, sets=True):
    """Count the conditions that are tested for an event; `sets` = patterns without literals too."""
    tested, fitting = 0, cover.fitting

    def counting(_, check):
        def counted(view):
            nonlocal tested
            tested += 1
            return check(view)

        return counted

    made = workload.LOADS[load](count)
    events = [made.event(number) for number in range(EVENTS)]
    Leaf.observe = counting
    if not sets:
        cover.fitting = lambda kind, value: kind is not KeyKind.REGEX and fitting(kind, value)
    try:
        contender = Index(made.rules)
        contender.build()
        for one in events:
            contender.match(one)
    finally:
        Leaf.observe, cover.fitting = None, fitting
    return {"tests": tested / EVENTS}


def weigh(count):
    """Weigh the plan; the rules it is compiled from are not counted."""
    rules = workload.Workload(count).rules
    contender = Index(rules)
    resident = _resident()
    tracemalloc.start()
    contender.build()
    contender.ruleset = None
    gc.collect()
    traced, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return {"bytes": traced / count, "resident": (_resident() - resident) / count}


def _resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def changes(count):
    """Time adding and removing one rule, explaining, and matching with planned actions."""
    load = workload.Workload(count + 200)
    contender = Index(load.rules[:count])
    contender.build()
    gc.collect()
    gc.freeze()
    fresh = [Rule.model_validate(one) for one in load.rules[count:]]
    home = contender.ruleset.model_copy(update={"rules": []})
    events = [load.event(number) for number in range(100)]
    plan = contender.plan
    adding, plan = _each(fresh, plan, lambda p, one: p.with_changes(add=[one], ruleset=home))
    removing, plan = _each(fresh, plan, lambda p, one: p.with_changes(remove=[one.id]))
    matching = [_timed(lambda one=one: plan.match(one)) for one in events * 3]
    return {
        "add_us": adding * 1e6,
        "remove_us": removing * 1e6,
        "match_us": statistics.median(matching) * 1e6,
    }


def explain(count):
    """Time explaining every rule and testing every rule by a closure, in turns.

    In time of the processor: explaining takes longer than others' turns on it.
    """
    load = workload.Workload(count)
    contender, anchor = Index(load.rules), Closures(load.rules)
    contender.build()
    anchor.build()
    gc.collect()
    gc.freeze()
    explaining, testing = [], []
    for event in [load.event(number) for number in range(20)]:
        explaining.append(
            min(_worked(lambda one=event: contender.plan.explain(one)) for _ in range(9))
        )
        testing.append(min(_worked(lambda one=event: anchor.match(one)) for _ in range(9)))
    cost, closure = statistics.median(explaining), statistics.median(testing)
    return {"explain_us_per_rule": cost / count * 1e6, "ratio": cost / closure}


def _each(rules, plan, change):
    times = []
    for one in rules:
        started = time.perf_counter()
        plan = change(plan, one)
        times.append(time.perf_counter() - started)
    return statistics.median(times), plan


def _timed(call):
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


def _worked(call):
    started = time.thread_time()
    call()
    return time.thread_time() - started


def main(arguments):
    kind, *rest = arguments
    if kind == "tests":
        answer = count_tests(rest[0], int(rest[1]))
    elif kind == "tests-without-sets":
        answer = count_tests(rest[0], int(rest[1]), sets=False)
    elif kind == "explain":
        answer = explain(int(rest[0]))
    elif kind == "weigh":
        answer = weigh(int(rest[0]))
    elif kind == "changes":
        answer = changes(int(rest[0]))
    else:
        answer = measure(kind, rest[0], int(rest[1]))
    print(json.dumps(answer))


if __name__ == "__main__":
    main(sys.argv[1:])
