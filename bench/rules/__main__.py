"""How fast rules are found: `python -m bench.rules [QUICK]`; PEERS=1 compares other engines.

Prints one JSON object a line. Those with a limit decide the exit status. Every time is the
lowest of the rounds' medians; contenders take turns, each in a process of its own.
"""

import json
import os
import subprocess
import sys

from bench.rules.peers import PEERS, installed

ROUNDS = int(os.environ.get("ROUNDS", "3"))
COUNTS = (10, 100, 1_000, 10_000, 100_000)
WORST = ("low", "hot", "sided", "negative", "patterns")
AT_MOST = {
    "rules.ratio_10k_over_10": 8,
    "rules.ratio_100k_over_10": 50,
    "rules.tests_per_event_10k": 30,
    "rules.tests_ratio_10k_over_10": 12,
    "rules.add_ratio_100k_over_1k": 3,
    "rules.bytes_per_rule": 2_560,
    "rules.bytes_per_rule_100k": 2_560,
    "rules.explain_over_closures": 60,
}
AT_LEAST = {
    "rules.speedup_vs_closures_10k": 40,
    "rules.speedup_hot_10k": 40,
    "rules.speedup_low_10k": 40,
    "rules.equal_to_closures": 1,
}
SHORT = {10: "10", 100: "100", 1_000: "1k", 10_000: "10k", 100_000: "100k"}
failed = []


def say(figure, value, unit):
    line = {"figure": figure, "value": round(value, 4), "unit": unit}
    if figure in AT_MOST:
        line |= {"limit": AT_MOST[figure], "ok": value <= AT_MOST[figure]}
    if figure in AT_LEAST:
        line |= {"limit": AT_LEAST[figure], "ok": value >= AT_LEAST[figure]}
    if not line.get("ok", True):
        failed.append(figure)
    print(json.dumps(line), flush=True)


def run(*arguments, seconds=600):
    command = [sys.executable, "-m", "bench.rules.measure", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=seconds, check=False)
    if done.returncode:
        raise SystemExit(done.stderr)
    return json.loads(done.stdout)


def rounds(contenders, load, count, times=ROUNDS):
    """Measure contenders in turns; keep the lowest median of each."""
    found = {name: [] for name in contenders}
    for _ in range(times):
        for name in contenders:
            found[name].append(run(name, load, count))
    return {name: min(some, key=lambda one: one["us"]) for name, some in found.items()}


def mixed(counts):
    us, equal, checked = {}, 0, 0
    for count in counts:
        both = ("index", "closures")
        best = rounds(both, "mixed", count, ROUNDS if count < 100_000 else 1)
        us[count] = {name: best[name]["us"] for name in both}
        equal += best["index"]["equal"]
        checked += 40
        say(f"rules.us_per_event_{SHORT[count]}", us[count]["index"], "us")
        say(f"rules.closures_us_per_event_{SHORT[count]}", us[count]["closures"], "us")
        say(f"rules.build_us_per_rule_{SHORT[count]}", best["index"]["build_us_per_rule"], "us")
        say(f"rules.matches_per_event_{SHORT[count]}", best["index"]["matches"], "matches")
    say("rules.equal_to_closures", equal / checked, "share")
    return us


def ratios(us):
    say("rules.ratio_10k_over_10", us[10_000]["index"] / us[10]["index"], "ratio")
    if 100_000 in us:
        say("rules.ratio_100k_over_10", us[100_000]["index"] / us[10]["index"], "ratio")
    at = us[10_000]
    say("rules.speedup_vs_closures_10k", at["closures"] / at["index"], "ratio")


def counts_of_tests():
    ten, many = (run("tests", "mixed", count)["tests"] for count in (10, 10_000))
    say("rules.tests_per_event_10k", many, "conditions")
    say("rules.tests_ratio_10k_over_10", many / ten, "ratio")


def worst(count=10_000):
    for load in WORST:
        best = rounds(("index", "closures"), load, count, 1)
        say(f"rules.us_per_event_{load}_10k", best["index"]["us"], "us")
        say(f"rules.speedup_{load}_10k", best["closures"]["us"] / best["index"]["us"], "ratio")


def weights(counts):
    for count in counts:
        weight = run("weigh", count)
        name = "rules.bytes_per_rule" + ("_100k" if count == 100_000 else "")
        say(name, weight["bytes"], "bytes")


def changes(us, counts):
    found = {count: run("changes", count) for count in counts}
    for count, one in found.items():
        say(f"rules.add_us_{SHORT[count]}", one["add_us"], "us")
        say(f"rules.remove_us_{SHORT[count]}", one["remove_us"], "us")
        say(f"rules.explain_us_per_rule_{SHORT[count]}", one["explain_us_per_rule"], "us")
        say(f"rules.match_and_plan_us_{SHORT[count]}", one["match_us"], "us")
    if 100_000 in found:
        ratio = found[100_000]["add_us"] / found[1_000]["add_us"]
        say("rules.add_ratio_100k_over_1k", ratio, "ratio")
    closure = us[1_000]["closures"] / 1_000
    say("rules.explain_over_closures", found[1_000]["explain_us_per_rule"] / closure, "ratio")


def peers():
    for name in PEERS:
        if not installed(name):
            print(json.dumps({"figure": f"rules.peer_{name}", "value": None, "unit": "absent"}))
            continue
        for count in (10, 100, 1_000, 10_000):
            found = run(name, "mixed", count)
            say(f"rules.peer_{name}_us_per_event_{SHORT[count]}", found["us"], "us")
            say(f"rules.peer_{name}_equal_{SHORT[count]}", found["equal"] / 40, "share")


def main(arguments):
    quick = "QUICK" in arguments or os.environ.get("QUICK") == "1"
    counts = COUNTS[:-1] if quick else COUNTS
    us = mixed(counts)
    ratios(us)
    counts_of_tests()
    worst()
    weights([10_000] if quick else [10_000, 100_000])
    changes(us, [1_000] if quick else [1_000, 100_000])
    if os.environ.get("PEERS") == "1":
        peers()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
