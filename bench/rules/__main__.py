"""How fast rules are found: `python -m bench.rules [QUICK]`; PEERS=1 compares other engines.

Prints one JSON object a line. Those with a limit decide the exit status. Every time is the
lowest of the rounds' medians; contenders take turns, each in a process of its own. What is
compared with closures and misses its limit is measured once more: other work on the machine
must not decide. At the end the gates are printed once more, together.
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
    "rules.tests_per_event_without_sets_10k": 100,
    "rules.tests_per_event_low_10k": 30,
    "rules.tests_per_event_hot_10k": 60,
    "rules.tests_per_event_patterns_10k": 30,
    "rules.tests_per_event_sided_10k": 2_500,
    "rules.tests_per_event_negative_10k": 300,
    "rules.tests_ratio_10k_over_10": 12,
    "rules.add_ratio_100k_over_1k": 3,
    "rules.bytes_per_rule": 2_560,
    "rules.bytes_per_rule_100k": 2_560,
    "rules.explain_over_closures": 30,
}
AT_LEAST = {
    "rules.speedup_vs_closures_10k": 40,
    "rules.speedup_hot_10k": 40,
    "rules.speedup_low_10k": 40,
    "rules.speedup_patterns_10k": 40,
    "rules.speedup_negative_10k": 10,
    "rules.speedup_sided_10k": 2,
    "rules.equal_to_closures": 1,
}
SHORT = {10: "10", 100: "100", 1_000: "1k", 10_000: "10k", 100_000: "100k"}
PEER_COUNTS = (10, 100, 1_000, 10_000)
PEER_SECONDS = float(os.environ.get("PEER_SECONDS", "180"))
gates = {}


def say(figure, value, unit):
    line = {"figure": figure, "value": round(value, 4), "unit": unit}
    if figure in AT_MOST:
        line |= {"limit": AT_MOST[figure], "ok": value <= AT_MOST[figure]}
    if figure in AT_LEAST:
        line |= {"limit": AT_LEAST[figure], "ok": value >= AT_LEAST[figure]}
    if "limit" in line:
        gates[figure] = line
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
    for many in (one for one in (10_000, 100_000) if one in us):
        figure = f"rules.ratio_{SHORT[many]}_over_10"
        ratio = us[many]["index"] / us[10]["index"]
        if ratio > AT_MOST[figure]:
            again = [rounds(("index",), "mixed", count) for count in (many, 10)]
            ratio = again[0]["index"]["us"] / again[1]["index"]["us"]
        say(figure, ratio, "ratio")
    say("rules.speedup_vs_closures_10k", speedup("mixed", us[10_000]), "ratio")


def speedup(load, us, limit=40):
    """Closures over the index; measured once more when other work came between."""
    found = us["closures"] / us["index"]
    if found >= limit:
        return found
    again = rounds(("index", "closures"), load, 10_000)
    return max(found, again["closures"]["us"] / again["index"]["us"])


def counts_of_tests():
    ten, many = (run("tests", "mixed", count)["tests"] for count in (10, 10_000))
    say("rules.tests_per_event_10k", many, "conditions")
    say("rules.tests_ratio_10k_over_10", many / ten, "ratio")
    without = run("tests-without-sets", "mixed", 10_000)["tests"]
    say("rules.tests_per_event_without_sets_10k", without, "conditions")
    for load in WORST:
        tested = run("tests", load, 10_000)["tests"]
        say(f"rules.tests_per_event_{load}_10k", tested, "conditions")


def worst(count=10_000):
    for load in WORST:
        best = rounds(("index", "closures"), load, count, 1)
        us = {name: one["us"] for name, one in best.items()}
        say(f"rules.us_per_event_{load}_10k", us["index"], "us")
        say(f"rules.closures_us_per_event_{load}_10k", us["closures"], "us")
        figure = f"rules.speedup_{load}_10k"
        say(figure, speedup(load, us, AT_LEAST[figure]), "ratio")


def weights(counts):
    for count in counts:
        weight = run("weigh", count)
        name = "rules.bytes_per_rule" + ("_100k" if count == 100_000 else "")
        say(name, weight["bytes"], "bytes")


def changes(counts):
    found = {count: run("changes", count) for count in counts}
    for count, one in found.items():
        say(f"rules.add_us_{SHORT[count]}", one["add_us"], "us")
        say(f"rules.remove_us_{SHORT[count]}", one["remove_us"], "us")
        say(f"rules.match_and_plan_us_{SHORT[count]}", one["match_us"], "us")
    if 100_000 in found:
        ratio = found[100_000]["add_us"] / found[1_000]["add_us"]
        say("rules.add_ratio_100k_over_1k", ratio, "ratio")


def explaining():
    """Explaining and closures take turns in one process, so that both get the same machine."""
    some = [run("explain", 1_000) for _ in range(ROUNDS)]
    best = min(some, key=lambda one: one["ratio"])
    say("rules.explain_us_per_rule", best["explain_us_per_rule"], "us")
    say("rules.explain_over_closures", best["ratio"], "ratio")


def peers():
    for name in PEERS:
        if not installed(name):
            skipped(name, "", "not installed: pip install --group peers")
            continue
        for count in PEER_COUNTS:
            try:
                found = run(name, "mixed", count, seconds=PEER_SECONDS)
            except subprocess.TimeoutExpired:
                skipped(name, f"_{SHORT[count]}", f"took over {PEER_SECONDS:.0f} s")
                break
            say(f"rules.peer_{name}_us_per_event_{SHORT[count]}", found["us"], "us")
            say(f"rules.peer_{name}_equal_{SHORT[count]}", found["equal"] / 40, "share")
            say(f"rules.peer_{name}_left_out_{SHORT[count]}", found["left_out"], "rules")


def skipped(name, which, why):
    line = {"figure": f"rules.peer_{name}_us_per_event{which}", "value": None, "unit": "us"}
    print(json.dumps(line | {"skipped": why}), flush=True)


def summary():
    """Print all gates together; the exit status is 1 when one is missed."""
    missed = [figure for figure, line in gates.items() if not line["ok"]]
    for line in gates.values():
        print(json.dumps({"gate": line["figure"], **line}), flush=True)
    line = {"figure": "rules.gates_missed", "value": len(missed), "unit": "gates"}
    print(json.dumps(line | {"limit": 0, "ok": not missed, "missed": missed}), flush=True)
    return 1 if missed else 0


def main(arguments):
    quick = "QUICK" in arguments or os.environ.get("QUICK") == "1"
    counts = COUNTS[:-1] if quick else COUNTS
    us = mixed(counts)
    ratios(us)
    counts_of_tests()
    worst()
    weights([10_000] if quick else [10_000, 100_000])
    changes([1_000] if quick else [1_000, 100_000])
    explaining()
    if os.environ.get("PEERS") == "1":
        peers()
    return summary()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
